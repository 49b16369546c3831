import { characterEnd, classAt, DIGIT, isUnspaced, isWordy, MARK } from './characters.ts';
import type { Aside, Joint, Normalised } from './normalise.ts';

/** Dashes and asides that are compared in all places together: in a text made to have more, a quote is not found. */
const COMPARED = 1_000_000;
/** Of a quote, for the search of the engine: more would let a text of one character take long. */
const HEAD = 16;

/**
 * The first place where a quote stands in a text, both normalised, at the borders of words. Takes time in proportion to
 * the text, whatever both are.
 *
 * @param haveSameAside whether two say the same: what a quote has beside its text must be in the text too
 * @returns the place in the normalised text
 */
export function findNormalised(
  text: Normalised,
  quote: Normalised,
  haveSameAside: (text: Aside, quote: Aside) => boolean,
): number | undefined {
  const search = new Search(text.text, quote.text);
  const work = { left: COMPARED };
  for (let at = search.next(); at !== -1; at = search.next()) {
    const end = at + quote.text.length;
    if (!isBorder(text, at) || !isBorder(text, end)) continue;
    if (
      haveSameJoints(text.joints, quote.joints, at, end, work) &&
      quote.asides.every((aside) => hasAside(text.asides, aside, at, work, haveSameAside))
    )
      return at;
    if (work.left < 0) return undefined;
  }
  return undefined;
}

/** Where the passage of a normalised text begins and ends in the text as it was given. */
export function originalPlace(
  given: string,
  { origins }: Normalised,
  start: number,
  end: number,
): { start: number; end: number } {
  const last = origins[end - 1] ?? 0;
  return { start: origins[start] ?? 0, end: given.startsWith('&amp;', last) ? last + 5 : characterEnd(given, last) };
}

/** All places of a word in a text, overlapping ones too, by Knuth, Morris and Pratt: with no word is it more than linear. */
class Search {
  readonly #text: string;
  readonly #word: string;
  readonly #head: string;
  /** How many units of the word still match where one after so many does not. */
  readonly #fallback: Int32Array;
  #index = 0;
  #matched = 0;

  constructor(text: string, word: string) {
    this.#text = text;
    this.#word = word;
    this.#head = word.slice(0, HEAD);
    this.#fallback = new Int32Array(word.length + 1);
    let length = 0;
    for (let index = 1; index < word.length; index++) {
      while (length > 0 && word.charCodeAt(index) !== word.charCodeAt(length)) length = this.#fallback[length] ?? 0;
      if (word.charCodeAt(index) === word.charCodeAt(length)) length += 1;
      this.#fallback[index + 1] = length;
    }
  }

  /** @returns -1 when there is none any more */
  next(): number {
    const [text, word] = [this.#text, this.#word];
    while (this.#index < text.length || this.#matched === word.length) {
      if (this.#matched === word.length) this.#matched = this.#fallback[this.#matched] ?? 0;
      if (this.#matched === 0) {
        const head = text.indexOf(this.#head, this.#index);
        if (head === -1) break;
        this.#index = head + this.#head.length;
        this.#matched = this.#head.length;
      } else if (text.charCodeAt(this.#index) === word.charCodeAt(this.#matched)) {
        this.#index += 1;
        this.#matched += 1;
      } else this.#matched = this.#fallback[this.#matched] ?? 0;
      if (this.#matched === word.length) return this.#index - word.length;
    }
    this.#index = text.length;
    this.#matched = 0;
    return -1;
  }
}

/** Whether a passage may begin or end there: not within a word, a number or a character. */
function isBorder(normalised: Normalised, at: number): boolean {
  const { text, origins, joints } = normalised;
  if (at === 0 || at === text.length) return true;
  // Both come from one character, such as a ligature.
  if (origins[at] === origins[at - 1]) return false;
  const [before, after] = [classAt(text, at, true), classAt(text, at)];
  if (after === MARK) return false;
  if (!isWordy(before) || !isWordy(after)) return !isInNumber(normalised, at);
  return isUnspaced(before) || isUnspaced(after) || joints[lowerBound(joints, at, placeOf)]?.at === at;
}

/** Whether the place is beside the sign in `3.5` or `1,000`. */
function isInNumber({ text, origins }: Normalised, at: number): boolean {
  const sign = /[.,]/.test(text.charAt(at)) ? at : at - 1;
  return (
    /[.,]/.test(text.charAt(sign)) &&
    sign > 0 &&
    classAt(text, sign, true) === DIGIT &&
    classAt(text, sign + 1) === DIGIT &&
    (origins[sign + 1] ?? 0) - (origins[sign - 1] ?? 0) === 2
  );
}

/** Whether words have their hyphens in the same places; at the end of a line there may be one or none. */
function haveSameJoints(
  text: readonly Joint[],
  quote: readonly Joint[],
  start: number,
  end: number,
  work: { left: number },
): boolean {
  let index = lowerBound(text, start + 1, placeOf);
  let wanted = 0;
  for (;;) {
    work.left -= 1;
    const there = text[index];
    const here = quote[wanted];
    const thereAt = there && there.at < end ? there.at : Infinity;
    const hereAt = here ? here.at + start : Infinity;
    if (thereAt === Infinity && hereAt === Infinity) return true;
    if (thereAt < hereAt && there?.endsLine !== true) return false;
    if (hereAt < thereAt && here?.endsLine !== true) return false;
    if (thereAt <= hereAt) index += 1;
    if (hereAt <= thereAt) wanted += 1;
  }
}

function hasAside(
  text: readonly Aside[],
  quote: Aside,
  start: number,
  work: { left: number },
  isSame: (text: Aside, quote: Aside) => boolean,
): boolean {
  // At the ends of a quote a space may stand between it and the text.
  for (let index = lowerBound(text, start + quote.after - 1, afterOf); index < text.length; index++) {
    const there = text[index];
    if (!there || there.after > start + quote.before) return false;
    work.left -= 1;
    const isThere = there.after === start + quote.after || there.before === start + quote.before;
    if (isThere && isSame(there, quote)) return true;
  }
  return false;
}

const placeOf = ({ at }: Joint) => at;
const afterOf = ({ after }: Aside) => after;

/** The first of those that are in order whose place is not before `at`. */
function lowerBound<Item>(items: readonly Item[], at: number, place: (item: Item) => number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && place(item) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

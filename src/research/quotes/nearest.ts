import { classAt, isUnspaced, isWordy, MARK } from './characters.ts';
import { originalPlace } from './find.ts';
import type { Normalised } from './normalise.ts';

/** A passage that is like a quote. */
export interface NearPassage {
  /** UTF-16 offsets in the text as it was given. */
  readonly start: number;
  readonly end: number;
  /** 1 where the words are the same (letters' case, accents and punctuation apart), towards 0 the more words differ. */
  readonly score: number;
}

/** Places that are compared word by word. */
const CANDIDATES = 48;
/** Words of a quote beyond which only how many are in common counts, and not their order. */
const ALIGNED_WORDS = 400;

/** The words of a text, for asking which of its passages are like a quote. Each character of a script without spaces is a word. */
export class WordIndex {
  readonly #given: string;
  readonly #normalised: Normalised;
  readonly #numbers = new Map<string, number>();
  /** How often each is there. */
  readonly #counts: number[] = [];
  readonly #words: Int32Array;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;

  constructor(given: string, normalised: Normalised) {
    this.#given = given;
    this.#normalised = normalised;
    const { text } = normalised;
    const [words, starts, ends] = [
      new Int32Array(text.length),
      new Uint32Array(text.length),
      new Uint32Array(text.length),
    ];
    const folded = new Map<string, number>();
    let count = 0;
    eachWord(text, (start, end) => {
      const word = text.slice(start, end);
      let number = folded.get(word);
      if (number === undefined) {
        number = this.#number(fold(word));
        folded.set(word, number);
      }
      this.#counts[number] = (this.#counts[number] ?? 0) + 1;
      words[count] = number;
      starts[count] = start;
      ends[count] = end;
      count += 1;
    });
    this.#words = words.slice(0, count);
    this.#starts = starts.slice(0, count);
    this.#ends = ends.slice(0, count);
  }

  #number(word: string): number {
    let number = this.#numbers.get(word);
    if (number === undefined) {
      number = this.#counts.length;
      this.#numbers.set(word, number);
      this.#counts.push(0);
    }
    return number;
  }

  /** At most `count` passages without a word in common with each other, the most alike first. */
  nearest(quote: Normalised, count: number): NearPassage[] {
    const wanted: number[] = [];
    // Words that the text has not are all different from any of it.
    eachWord(quote.text, (start, end) => wanted.push(this.#numbers.get(fold(quote.text.slice(start, end))) ?? -1));
    const compared = this.#candidates(wanted).map((start) => this.#align(wanted, start));
    const taken: Alignment[] = [];
    for (const each of compared.toSorted((left, right) => left.differing - right.differing || left.from - right.from)) {
      if (taken.length === count) break;
      if (each.differing < wanted.length && taken.every(({ from, to }) => each.to <= from || to <= each.from))
        taken.push(each);
    }
    return taken.map(({ from, to, differing }) => ({
      ...originalPlace(this.#given, this.#normalised, this.#starts[from] ?? 0, this.#ends[to - 1] ?? 0),
      score: 1 - differing / wanted.length,
    }));
  }

  /** Where as many words stand as the quote has, of which many and rare ones are in the quote. */
  #candidates(wanted: readonly number[]): number[] {
    const words = this.#words;
    const size = Math.min(wanted.length, words.length);
    if (size === 0) return [];
    const left = new Map<number, number>();
    for (const word of wanted) if (word >= 0) left.set(word, (left.get(word) ?? 0) + 1);
    const weights = new Map<number, number>();
    for (const word of left.keys()) weights.set(word, Math.log(1 + words.length / (this.#counts[word] ?? 1)));
    const best = new Best(CANDIDATES);
    const block = Math.max(1, size >> 1);
    let score = 0;
    let [blockScore, blockStart] = [0, 0];
    for (let end = 1; end <= words.length; end++) {
      const entering = words[end - 1] ?? -1;
      const room = left.get(entering);
      if (room !== undefined) {
        left.set(entering, room - 1);
        if (room > 0) score += weights.get(entering) ?? 0;
      }
      const leaving = end > size ? (words[end - size - 1] ?? -1) : -1;
      const taken = left.get(leaving);
      if (taken !== undefined) {
        left.set(leaving, taken + 1);
        if (taken >= 0) score -= weights.get(leaving) ?? 0;
      }
      const start = end - size;
      if (start < 0) continue;
      if (score > blockScore + 1e-9) [blockScore, blockStart] = [score, start];
      if (start % block === block - 1 || end === words.length) {
        best.add(blockStart, blockScore);
        blockScore = 0;
      }
    }
    return best.places;
  }

  /**
   * The passage about a place that is made of the quote by the fewest words that are put in, left out or replaced
   * (P. H. Sellers, The theory and computation of evolutionary distances, 1980).
   */
  #align(wanted: readonly number[], place: number): Alignment {
    const size = wanted.length;
    const words = this.#words;
    if (size > ALIGNED_WORDS) return this.#compare(wanted, place);
    const around = (size >> 2) + 2;
    const first = Math.max(0, place - around);
    const last = Math.min(words.length, place + size + around);
    let [distances, begins] = [new Int32Array(size + 1), new Int32Array(size + 1)];
    let [next, nextBegins] = [new Int32Array(size + 1), new Int32Array(size + 1)];
    for (let index = 0; index <= size; index++) [distances[index], begins[index]] = [index, first];
    let found: Alignment = { from: first, to: first + 1, differing: size };
    for (let at = first; at < last; at++) {
      [next[0], nextBegins[0]] = [0, at + 1];
      for (let index = 1; index <= size; index++) {
        const replaced = (distances[index - 1] ?? 0) + (words[at] === wanted[index - 1] ? 0 : 1);
        const added = (distances[index] ?? 0) + 1;
        const leftOut = (next[index - 1] ?? 0) + 1;
        const least = Math.min(replaced, added, leftOut);
        next[index] = least;
        // A word that was replaced rather than one that is not there: the passage then holds it.
        nextBegins[index] =
          (least === replaced ? begins[index - 1] : least === added ? begins[index] : nextBegins[index - 1]) ?? 0;
      }
      const from = nextBegins[size] ?? first;
      const differing = next[size] ?? size;
      if (differing < found.differing || (differing === found.differing && from === found.from && at - from < size))
        found = { from: Math.min(from, at), to: at + 1, differing };
      [distances, next] = [next, distances];
      [begins, nextBegins] = [nextBegins, begins];
    }
    return found;
  }

  #compare(wanted: readonly number[], place: number): Alignment {
    const left = new Map<number, number>();
    for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
    const to = Math.min(this.#words.length, place + wanted.length);
    let same = 0;
    for (const word of this.#words.subarray(place, to)) {
      const room = left.get(word) ?? 0;
      if (room > 0) same += 1;
      left.set(word, room - 1);
    }
    return { from: place, to, differing: wanted.length - same };
  }
}

/** Words from `from` up to `to`, and how many changes make the quote of them. */
interface Alignment {
  readonly from: number;
  readonly to: number;
  readonly differing: number;
}

/** The places with the highest scores; of equal ones those that came first. */
class Best {
  readonly places: number[] = [];
  readonly #scores: number[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(place: number, score: number): void {
    if (score <= 0 || (this.places.length === this.#most && score <= (this.#scores.at(-1) ?? 0))) return;
    let index = this.#scores.length;
    while (index > 0 && (this.#scores[index - 1] ?? 0) < score) index -= 1;
    this.places.splice(index, 0, place);
    this.#scores.splice(index, 0, score);
    if (this.places.length > this.#most) {
      this.places.pop();
      this.#scores.pop();
    }
  }
}

function fold(word: string): string {
  return word.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}

/** Calls back with the places of the words in a normalised text. */
export function eachWord(text: string, found: (start: number, end: number) => void): void {
  let start = -1;
  for (let index = 0; index < text.length;) {
    const kind = classAt(text, index);
    const size = (text.codePointAt(index) ?? 0) > 0xff_ff ? 2 : 1;
    const begins = !isWordy(kind) || isUnspaced(kind);
    const endsBefore = begins || (start !== -1 && kind !== MARK && isUnspaced(classAt(text, index, true)));
    if (start !== -1 && endsBefore) {
      found(start, index);
      start = -1;
    }
    if (start === -1 && isWordy(kind)) start = index;
    index += size;
  }
  if (start !== -1) found(start, text.length);
}

import { CarrelError } from '../../lib/errors.ts';
import { classAt, isUnspaced, isWordy } from './characters.ts';
import { findNormalised, originalPlace } from './find.ts';
import { eachWord, WordIndex } from './nearest.ts';
import type { NearPassage } from './nearest.ts';
import { normalise } from './normalise.ts';
import type { Aside, Normalised } from './normalise.ts';

/** UTF-16 code units of a quote, as it is given. */
export const QUOTE_CHARACTERS = 5000;
/** Of a quote that is one word only. */
const LEAST_CHARACTERS = 8;
/** Of scripts without spaces, of whose characters each is about a word. */
const LEAST_UNSPACED = 4;

/** Where something stands: UTF-16 offsets in the text as it was given. */
export interface Passage {
  readonly start: number;
  readonly end: number;
}

/** A text in which many quotes are looked for. */
export interface PreparedText {
  /**
   * The first place where a quote stands; undefined where it stands nowhere.
   *
   * @throws CarrelError `invalid_input` for less than two words or eight characters (four of Chinese, Japanese or another
   *   script without spaces), `too_large` for more than {@link QUOTE_CHARACTERS}
   */
  find(quote: string): Passage | undefined;
  /**
   * Passages that are most like a quote, the most alike first, apart from each other, cut between words. Fewer or none
   * where nothing has a word in common with it.
   *
   * @throws CarrelError as `find` does
   */
  nearest(quote: string, count: number): NearPassage[];
}

/**
 * Prepares a text for looking quotes up in it. Preparing and each search take time in proportion to the text.
 *
 * **What counts as verbatim.** A quote stands in a text if its letters, digits and punctuation are there in the same order
 * with nothing left out between them: letters' case and accents count, and `…` or `[…]` skips nothing. These differences
 * do not count: how Unicode writes a character (NFKC: composed or decomposed, ligatures, full width, `²` as `2`);
 * characters that cannot be seen (zero width, direction marks, soft hyphens); how much white space parts two words, and
 * all of it beside punctuation or between Chinese and Japanese characters; which quotation marks or dashes are used, and
 * how many dashes in a row; whether a word that was parted at the end of a line has its hyphen. What Markdown writes
 * around the words does not count either (headings, list marks, `>`, emphasis, code ticks and fences, bars and rules of
 * tables, addresses of links, images, notes' numbers, backslashes); but where a quote has an address, an image or a
 * note's number, the text must have the same one there. A quote may also have all marks exactly as they stand in the
 * text. A quote begins and ends between words, never within a word or a number; in scripts without spaces, between any
 * two characters. Dashes at its ends do not count, but for the minus of a number.
 */
export function prepareText(text: string): PreparedText {
  return new Prepared(text);
}

/** See {@link prepareText}: for one quote alone. */
export function findPassage(text: string, quote: string): Passage | undefined {
  return prepareText(text).find(quote);
}

class Prepared implements PreparedText {
  readonly #text: string;
  readonly #forms: Partial<Record<Reading, Normalised>> = {};
  #words: WordIndex | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  find(quote: string): Passage | undefined {
    checkQuote(quote);
    return this.#find(quote, 'plain') ?? this.#find(quote, 'written');
  }

  nearest(quote: string, count: number): NearPassage[] {
    const plain = checkQuote(quote);
    this.#words ??= new WordIndex(this.#text, this.#form('plain'));
    return this.#words.nearest(plain, count);
  }

  #find(quote: string, reading: Reading): Passage | undefined {
    const wanted = normalise(quote, reading);
    if (wanted.text === '') return undefined;
    const form = this.#form(reading);
    const says = (text: string, { start, end }: Aside) =>
      normalise(text.slice(start, end).replaceAll(EMPHASIS, ''), 'written').text;
    const at = findNormalised(form, wanted, (there, here) => says(this.#text, there) === says(quote, here));
    return at === undefined ? undefined : originalPlace(this.#text, form, at, at + wanted.text.length);
  }

  #form(reading: Reading): Normalised {
    return (this.#forms[reading] ??= normalise(this.#text, reading));
  }
}

/** Beside an aside it is left out together with it. */
const EMPHASIS = /[*_~`|\\\s]+/g;

type Reading = Parameters<typeof normalise>[1];

/** @returns the quote as a reader sees it */
function checkQuote(quote: string): Normalised {
  if (quote.length > QUOTE_CHARACTERS)
    throw new CarrelError(
      'too_large',
      `A quote has at most ${QUOTE_CHARACTERS.toLocaleString('en')} characters. Quote less, or make several quotes of it.`,
    );
  const plain = normalise(quote, 'plain');
  // A picture or a link alone is a quote of what is written, not of what is read.
  if (isEnough(plain.text) || isEnough(normalise(quote, 'written').text)) return plain;
  throw new CarrelError(
    'invalid_input',
    'A quote has two words or more, or eight characters (four in Chinese and Japanese). Quote enough to tell the passage from others.',
  );
}

function isEnough(text: string): boolean {
  let [words, characters, unspaced] = [0, 0, 0];
  eachWord(text, (start) => {
    if (isUnspaced(classAt(text, start))) unspaced += 1;
    else words += 1;
  });
  for (const character of text) if (isWordy(classAt(character, 0))) characters += 1;
  return words + (unspaced > 0 ? 1 : 0) >= 2 || characters >= LEAST_CHARACTERS || unspaced >= LEAST_UNSPACED;
}

import { MARK } from './blocks.ts';
import { quotationsIn } from './quotations.ts';
import type { Quotation } from './quotations.ts';

export interface Sentence {
  readonly begin: number;
  readonly end: number;
  readonly text: string;
  /** Which of the block's marks are its own, by their number: those within it, and those right behind its end. */
  readonly marks: readonly number[];
  readonly quotations: readonly Quotation[];
}

export interface Sentences {
  readonly sentences: readonly Sentence[];
  /** The marks behind the last full stop: they are for all sentences. */
  readonly behind: readonly number[];
}

const SENTENCES = new Intl.Segmenter('en', { granularity: 'sentence' });
const WORDS = new Intl.Segmenter('en', { granularity: 'word' });
/** After these, a full stop ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:e\.g|i\.e|cf|vs|etc|al|approx|ca|fig|figs|no|nos|vol|vols|p|pp|ed|eds|sec|ch|chap|dr|mr|mrs|ms|prof|st|inc|ltd|co|corp|u\.s|u\.k|z\.b|d\.h|bzw|usw|nr|s|\p{Lu})\.\s+$/iu;
/** A sentence ends here, and its citations may come behind it. */
const ENDING = /[.!?…。．！？؟۔][\s"”’»」』)\]]*$/u;
const BEHIND = new RegExp(`[\\s${MARK}]`);
const MARKS = new RegExp(`^(?:[\\s${MARK}]|[.,;)](?=\\s|$))*`);

/** The sentences of a block of text. One does not end within quotation marks. */
export function sentencesOf(text: string): Sentences {
  const quotations = quotationsIn(text);
  const marks = positionsOf(MARK, text);
  let tail = text.length;
  while (tail > 0 && BEHIND.test(text[tail - 1] ?? '')) tail -= 1;
  const isBehind = ENDING.test(text.slice(Math.max(0, tail - 20), tail));
  let mark = 0;
  let quotation = 0;
  const sentences = boundsOf(text, quotations).map(([begin, end]) => {
    const [firstMark, firstQuotation] = [mark, quotation];
    while ((marks[mark] ?? Infinity) < end) mark += 1;
    while ((quotations[quotation]?.begin ?? Infinity) < end) quotation += 1;
    return {
      begin,
      end,
      text: text.slice(begin, end).replaceAll(MARK, '').replaceAll(/\s+/g, ' ').trim(),
      marks: Array.from({ length: mark - firstMark }, (_, index) => firstMark + index),
      quotations: quotations.slice(firstQuotation, quotation),
    };
  });
  const behind = marks.flatMap((at, number) => (isBehind && at >= tail ? [number] : []));
  return { sentences: sentences.filter((sentence) => sentence.text !== ''), behind };
}

function positionsOf(sign: string, text: string): number[] {
  const positions: number[] = [];
  for (let at = text.indexOf(sign); at !== -1; at = text.indexOf(sign, at + 1)) positions.push(at);
  return positions;
}

function boundsOf(text: string, quotations: readonly Quotation[]): [number, number][] {
  const bounds: [number, number][] = [];
  let begin = 0;
  let quotation = 0;
  for (const { index, segment } of SENTENCES.segment(text)) {
    const end = index + segment.length;
    while ((quotations[quotation]?.end ?? Infinity) <= end) quotation += 1;
    const isQuoted = (quotations[quotation]?.begin ?? Infinity) < end;
    if (end < text.length && (isQuoted || ABBREVIATION.test(text.slice(Math.max(begin, end - 12), end)))) continue;
    if (end <= begin) continue;
    // Citations that begin the next sentence belong to this one.
    const marks = MARKS.exec(text.slice(end, end + 200))?.[0] ?? '';
    const to = marks.includes(MARK) ? end + marks.length : end;
    bounds.push([begin, to]);
    begin = to;
  }
  return bounds;
}

/** How many words there are, up to as many as are asked for; in Chinese and Japanese too. */
export function wordsIn(text: string, most: number): number {
  let words = 0;
  for (const { isWordLike } of WORDS.segment(text)) {
    if (isWordLike === true) words += 1;
    if (words >= most) break;
  }
  return words;
}

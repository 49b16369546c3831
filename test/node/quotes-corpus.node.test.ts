import { beforeAll, describe, expect, it } from 'vitest';

import { corpusPages, PAGES } from '../../scripts/lib/bench/page-corpus.ts';
import { seeded } from '../../scripts/lib/bench/random.ts';
import { prepareText } from '../../src/research/quotes/passages.ts';
import type { PreparedText } from '../../src/research/quotes/passages.ts';
import { readPage } from '../../src/research/page/read-page.ts';
import { page } from '../fixtures/pages/reading.ts';
import { PROSE_PAGES } from '../fixtures/pages/prose.ts';

const PASSAGES = 500;

/** Pages of others, beside the checkout where there is one. */
const corpus = corpusPages().map(({ bytes }) => bytes);
if (corpus.length === 0) console.log(`Skipped: there are no pages at ${PAGES}`);
const written = PROSE_PAGES.map((html) => new TextEncoder().encode(page(html)));

interface Snapshot {
  readonly text: string;
  readonly prepared: PreparedText;
}

interface Taken extends Snapshot {
  readonly start: number;
  readonly quote: string;
}

const WORD = /[\p{L}\p{N}\p{M}_]+/gu;
/** A character of a script without spaces is a word. */
const UNIT = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]\p{M}*|[\p{L}\p{N}\p{M}_]+/gu;

describe.each([
  ['the corpus', corpus],
  ['pages written for this', written],
] as const)('of 500 passages taken at random from the snapshots of %s', (name, pages) => {
  const random = seeded(name.length);
  const snapshots: Snapshot[] = [];
  let passages: Taken[] = [];

  /** From the beginning of one word to the end of another, whatever stands between. */
  function take(words: number): Taken {
    for (;;) {
      const snapshot = snapshots[random(snapshots.length)]!;
      const near = random(snapshot.text.length);
      const units = [...snapshot.text.slice(near, near + 3000).matchAll(/\S+/g)].slice(1, -1);
      const count = 3 + random(words);
      const [first, last] = [units[0], units[count - 1]];
      if (!first || !last) continue;
      const start = near + first.index;
      const quote = snapshot.text.slice(start, near + last.index + last[0].length);
      const size = quote.match(UNIT)?.length ?? 0;
      if (size >= 5 && quote.length <= 5000) return { ...snapshot, start, quote };
    }
  }

  beforeAll(async () => {
    for (const bytes of pages) {
      const reading = await readPage({ bytes, type: 'text/html', url: 'https://news.example/page' });
      if (reading.kind === 'page' && reading.markdown.length > 100)
        snapshots.push({ text: reading.markdown, prepared: prepareText(reading.markdown) });
    }
    passages = snapshots.length === 0 ? [] : Array.from({ length: PASSAGES }, () => take(40));
  }, 60_000);

  /** What is wrong with where it is found; undefined if it is its place, or the same words stand before that. */
  function fault({ text, prepared, start, quote }: Taken, given: string): string | undefined {
    const found = prepared.find(given);
    if (!found) return `not found: ${given}`;
    if (found.end <= start) return undefined;
    if (found.start > start + quote.length) return `found behind its place: ${given}`;
    const words = (passage: string) => passage.match(WORD)?.join(' ');
    // Where a quote ends beside an address, its passage ends before that.
    const isSame = /[\][|]/.test(quote) || words(text.slice(found.start, found.end)) === words(quote);
    return isSame ? undefined : `found as ${text.slice(found.start, found.end)}: ${given}`;
  }

  it.runIf(pages.length > 0)('all are found at their place', () => {
    expect(passages.map((taken) => fault(taken, taken.quote)).filter((each) => each !== undefined)).toEqual([]);
  });

  it.runIf(pages.length > 0)('all are found with other white space, quotation marks and dashes', () => {
    const spaces = ['\n', '  ', '\u00A0', ' \n  ', '\u2003', '\t'];
    const faults = passages.map((taken) => {
      // A line break may begin a mark of Markdown where there was none: only where no line breaks follow marks.
      const plain = taken.quote
        .replaceAll(/(?<=[\p{L}\p{M}]) (?=\p{L})/gu, () => spaces[random(spaces.length)]!)
        .replaceAll(/["“”„]/g, () => ['"', '“', '”', '«'][random(4)]!)
        .replaceAll(/['‘’]/g, () => ["'", '‘', '’'][random(3)]!)
        .replaceAll(/[–—]/g, () => ['–', '—', '-'][random(3)]!)
        .replaceAll(/(?<=\p{L}\p{L})(?=\p{L}\p{L})/gu, () => (random(9) === 0 ? '\u00AD' : ''))
        .normalize('NFD');
      return fault(taken, plain);
    });
    expect(faults.filter((each) => each !== undefined)).toEqual([]);
  });

  it.runIf(pages.length > 0)('none is found with one word replaced, and the place is among the nearest', () => {
    let near = 0;
    for (const { text, prepared, start, quote } of passages) {
      const units = [...quote.matchAll(UNIT)];
      const { 0: word, index } = units[random(units.length)]!;
      const other = /\p{Script=Han}/u.test(word) ? '龘' : /\p{Script=Arabic}/u.test(word) ? 'زقزوق' : 'qwyxzzk';
      expect(text.includes(other)).toBe(false);
      const changed = quote.slice(0, index) + other + quote.slice(index + word.length);
      expect(prepared.find(changed), changed).toBeUndefined();
      const end = start + quote.length;
      if (prepared.nearest(changed, 3).some((passage) => passage.start < end && start < passage.end)) near += 1;
    }
    console.log(`${name}: the place is among the three nearest for ${near} of ${passages.length}`);
    expect(near).toBeGreaterThanOrEqual(PASSAGES * 0.95);
  });
});

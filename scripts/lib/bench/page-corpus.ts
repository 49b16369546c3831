import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Parser } from 'htmlparser2';

import { isoDate } from '../../../src/research/page/metadata/dates.ts';
import type { PageReading } from '../../../src/research/page/model.ts';
import { ROOT } from '../paths.ts';

/** Pages of others, beside the checkout where there is one: https://github.com/mozilla/readability */
export const PAGES = join(ROOT, '../shared/corpus/web-pages');

/** What a person would keep of a page. */
interface ExpectedMetadata {
  readonly title: string | null;
  readonly byline: string | null;
  readonly publishedTime: string | null;
}

export interface CorpusPage {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** HTML. */
  readonly expected: string;
  readonly metadata: ExpectedMetadata;
}

/** Empty where the corpus is not there. */
export function corpusPages(): CorpusPage[] {
  if (!existsSync(PAGES)) return [];
  return readdirSync(PAGES).map((name) => {
    const read = (file: string) => readFileSync(join(PAGES, name, file));
    return {
      name,
      bytes: new Uint8Array(read('source.html')),
      expected: read('expected.html').toString(),
      metadata: JSON.parse(read('expected-metadata.json').toString()) as ExpectedMetadata,
    };
  });
}

/** What is right of one page. */
export interface PageScore {
  /** Of words: both what is missing and what is too much count. */
  readonly f1: number;
  readonly recall: number;
  readonly title: boolean;
  /** Undefined where nothing is expected. */
  readonly authors: boolean | undefined;
  readonly date: boolean | undefined;
}

export function scorePage({ expected, metadata }: CorpusPage, reading: PageReading): PageScore {
  const { title, authors = [], published } = reading.metadata ?? {};
  const found = words(reading.kind === 'page' ? withoutMarkup(reading.markdown) : '');
  const wanted = words(shownText(expected));
  const common = inCommon(found, wanted);
  const [precision, recall] = [ratio(common, found.length), ratio(common, wanted.length)];
  return {
    f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    recall,
    title: folded(title ?? '') === folded(metadata.title ?? ''),
    // Readability keeps the line as it stands there, with what the authors are.
    authors:
      metadata.byline === null
        ? undefined
        : authors.some((name) => folded(metadata.byline ?? '').includes(folded(name))),
    date: metadata.publishedTime === null ? undefined : published === isoDate(metadata.publishedTime),
  };
}

/** How many of those to which something is expected are right. */
export function share(values: readonly (boolean | undefined)[]): number {
  const known = values.filter((value) => value !== undefined);
  return ratio(known.filter(Boolean).length, known.length);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const ratio = (part: number, whole: number) => (whole === 0 ? 1 : part / whole);
const folded = (text: string) => text.replaceAll(/\s+/g, ' ').trim().toLowerCase();

/** Each Han character is a word. */
function words(text: string): string[] {
  return text.toLowerCase().match(/\p{Script=Han}|[\p{L}\p{N}]+/gu) ?? [];
}

/** Counted as often as in both. */
function inCommon(some: readonly string[], others: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const word of others) counts.set(word, (counts.get(word) ?? 0) + 1);
  return some.filter((word) => {
    const count = counts.get(word) ?? 0;
    counts.set(word, count - 1);
    return count > 0;
  }).length;
}

/** Addresses, the texts of images, the names of notes and languages, and references to characters are no words of the page. */
function withoutMarkup(markdown: string): string {
  return markdown
    .replaceAll(/!\[(?:[^\]\\]|\\.)*\]\([^)]*\)/g, ' ')
    .replaceAll(/\]\([^)]*\)/g, ']')
    .replaceAll(/\[\^[^\]]*\]:?/g, ' ')
    .replaceAll(/^```.*$/gm, '')
    .replaceAll('<br>', ' ')
    .replaceAll('&amp;', '&');
}

const INLINE: ReadonlySet<string> = new Set(
  'a abbr b bdi bdo cite code del dfn em font i ins kbd mark q s samp small span strong sub sup time tt u var wbr'.split(
    ' ',
  ),
);

function shownText(html: string): string {
  let text = '';
  const parser = new Parser({
    onopentagname: (name) => {
      if (!INLINE.has(name)) text += '\n';
    },
    onclosetag: (name) => {
      if (!INLINE.has(name)) text += '\n';
    },
    ontext: (data) => {
      text += data;
    },
  });
  parser.end(html);
  return text;
}

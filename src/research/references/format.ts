import { isNumbered } from './cited-works.ts';
import type { CitedWorks, Style } from './cited-works.ts';
import { locatorText } from './locators.ts';
import type { Locator } from './locators.ts';
import type { Reference } from './model.ts';
import { italic, quoted, runs } from './runs.ts';
import type { Piece, Run } from './runs.ts';
import { apaEntry } from './styles/apa.ts';
import { chicagoEntry } from './styles/chicago.ts';
import { ieeeEntry } from './styles/ieee.ts';
import { numericEntry } from './styles/numeric.ts';
import { yearOf } from './styles/style.ts';
import type { WriteEntry } from './styles/style.ts';

const ENTRIES: Readonly<Record<Style, WriteEntry>> = {
  apa: apaEntry,
  chicago: chicagoEntry,
  ieee: ieeeEntry,
  numeric: numericEntry,
};

export interface FormattedReference {
  readonly key: string;
  /** `[1]` or `1.`; undefined in styles without numbers. */
  readonly label: string | undefined;
  readonly line: readonly Run[];
}

/** The entries of a bibliography, in its order. */
export function formatReferences(works: CitedWorks): FormattedReference[] {
  const { style, references, suffixes, numbers } = works;
  return references.map((reference) => ({
    key: reference.key,
    label: isNumbered(style) ? `[${numbers.get(reference.key)}]` : undefined,
    line: ENTRIES[style](reference, { yearSuffix: suffixes.get(reference.key) ?? '' }),
  }));
}

/** One work within a citation. */
export interface Cite {
  readonly key: string;
  readonly locator: Locator | undefined;
  /** `see`, without a space behind it. */
  readonly prefix: string;
  /** What is said behind a locator. */
  readonly suffix: string;
  /** The text has just named the author: only the year is shown. Of no effect in styles with numbers. */
  readonly withoutAuthor: boolean;
}

/** A part of a citation. What leads to an entry of the bibliography has its key. */
export interface CitationPart {
  readonly runs: readonly Run[];
  readonly key: string | undefined;
}

interface CitedReference {
  readonly cite: Cite;
  readonly reference: Reference;
}

/**
 * A citation, such as `(Doe, 2024, p. 4; see Roe, 2023)` or `[1]–[3]`. A key that is not among the works is written as
 * it was, `@key`.
 *
 * @param way `text`: the author's name is a part of the sentence, `Doe (2024)`
 */
export function formatCitation(
  cites: readonly Cite[],
  works: CitedWorks,
  way: 'parentheses' | 'text' = 'parentheses',
): CitationPart[] {
  const known: CitedReference[] = [];
  const unknown: CitationPart[] = [];
  for (const cite of cites) {
    const reference = works.byKey.get(cite.key);
    if (reference) known.push({ cite, reference });
    else unknown.push({ runs: runs(`@${cite.key}`), key: undefined });
  }
  const rest = unknown.flatMap((missing, index) =>
    index === 0 && known.length === 0 ? [missing] : [glue('; '), missing],
  );
  if (known.length === 0) return [glue('['), ...rest, glue(']')];
  const cited = isNumbered(works.style) ? numbered(known, works, way) : authorDate(known, works, way);
  return unknown.length === 0 ? cited : [...cited, glue(' ['), ...rest.slice(1), glue(']')];
}

function glue(text: string): CitationPart {
  return { runs: runs(text), key: undefined };
}

function part(key: string, ...pieces: readonly Piece[]): CitationPart {
  return { runs: runs(...pieces), key };
}

function before(cite: Cite): string {
  return cite.prefix === '' ? '' : `${cite.prefix} `;
}

function behind(cite: Cite): string {
  if (cite.suffix === '') return '';
  return /^[,.:;)\]]/.test(cite.suffix) ? cite.suffix : ` ${cite.suffix}`;
}

function separated(parts: readonly (readonly CitationPart[])[], separator: string): CitationPart[] {
  return parts.flatMap((list, index) => (index === 0 ? list : [glue(separator), ...list]));
}

function isBare({ cite }: CitedReference): boolean {
  return cite.locator === undefined && cite.prefix === '' && cite.suffix === '';
}

function numbered(known: readonly CitedReference[], works: CitedWorks, way: 'parentheses' | 'text'): CitationPart[] {
  const number = ({ cite }: CitedReference): number => works.numbers.get(cite.key) ?? 0;
  // An author's `see` stays where it stood.
  const isSorted = known.every(({ cite }) => cite.prefix === '' && cite.suffix === '');
  const items = isSorted ? known.toSorted((one, other) => number(one) - number(other)) : known;
  const behindNumber = (item: CitedReference): string => {
    const text = item.cite.locator && locatorText(item.cite.locator, works.style);
    return text === undefined ? '' : `, ${text}`;
  };
  const said = way === 'text' ? known[0] && nameParts(known[0], works) : undefined;
  const sentence = said ? [...said, glue(' ')] : [];
  if (works.style === 'ieee') {
    const parts = items.map((item) => [
      ...(item.cite.prefix === '' ? [] : [glue(before(item.cite))]),
      part(item.cite.key, `[${number(item)}${behindNumber(item)}]`),
      ...(item.cite.suffix === '' ? [] : [glue(behind(item.cite))]),
    ]);
    return [...sentence, ...separated(parts, ', ')];
  }
  if (items.every(isBare)) return [...sentence, glue('['), ...separated(ranges(items, number), ','), glue(']')];
  const parts = items.map((item) => [
    ...(item.cite.prefix === '' ? [] : [glue(before(item.cite))]),
    part(item.cite.key, `${number(item)}${behindNumber(item)}`),
    ...(item.cite.suffix === '' ? [] : [glue(behind(item.cite))]),
  ]);
  return [...sentence, glue('['), ...separated(parts, '; '), glue(']')];
}

/** `1–3` where three or more follow one another. */
function ranges(items: readonly CitedReference[], number: (item: CitedReference) => number): CitationPart[][] {
  const parts: CitationPart[][] = [];
  for (let begin = 0; begin < items.length;) {
    const [first] = items.slice(begin, begin + 1).map(number);
    const length = items.slice(begin).findIndex((item, index) => number(item) !== (first ?? 0) + index);
    const run = items.slice(begin, length === -1 ? undefined : begin + length);
    const shown = run.map((item) => [part(item.cite.key, String(number(item)))]);
    if (shown.length > 2) parts.push(separated([...shown.slice(0, 1), ...shown.slice(-1)], '–'));
    else parts.push(...shown);
    begin += run.length;
  }
  return parts;
}

function authorDate(known: readonly CitedReference[], works: CitedWorks, way: 'parentheses' | 'text'): CitationPart[] {
  const { style, numbers } = works;
  const isSorted = style === 'apa' && known.every(({ cite }) => cite.prefix === '' && cite.suffix === '');
  const order = ({ cite }: CitedReference): number => numbers.get(cite.key) ?? 0;
  const items = isSorted ? known.toSorted((one, other) => order(one) - order(other)) : known;
  const first = items[0];
  const isText = way === 'text' && first !== undefined;
  const parts: CitationPart[] = [];
  let last: CitedReference | undefined;
  for (const item of items) {
    const { cite } = item;
    const label = JSON.stringify(works.names.get(cite.key));
    const isSame =
      last !== undefined &&
      item.reference.authors.length > 0 &&
      label === JSON.stringify(works.names.get(last.cite.key)) &&
      works.shortened.has(cite.key) === works.shortened.has(last.cite.key) &&
      cite.prefix === '' &&
      last.cite.suffix === '';
    if (last) parts.push(glue(isSame ? ', ' : '; '));
    if (cite.prefix !== '') parts.push(glue(before(cite)));
    const isNamed = isSame || cite.withoutAuthor || (isText && item === first);
    parts.push(part(cite.key, ...(isNamed ? [] : named(item, works)), place(item, works)));
    if (cite.suffix !== '') parts.push(glue(behind(cite)));
    last = item;
  }
  const sentence = isText ? [...nameParts(first, works), glue(' ')] : [];
  return [...sentence, glue('('), ...parts, glue(')')];
}

/** The year, and where in the work. */
function place({ cite, reference }: CitedReference, { style, suffixes }: CitedWorks): string {
  const year = yearOf(reference, suffixes.get(cite.key) ?? '');
  return cite.locator === undefined ? year : `${year}, ${locatorText(cite.locator, style)}`;
}

/** The names, and what stands between them and the year. */
function named(item: CitedReference, works: CitedWorks): Piece[] {
  const { style } = works;
  const isComma = style === 'apa' || item.reference.issued === undefined;
  const { authors, title, type } = item.reference;
  if (authors.length === 0 && style === 'chicago' && type !== 'book') return [quoted(title, isComma ? ',' : ''), ' '];
  return [nameRuns(item, works, style === 'apa' ? '&' : 'and'), isComma ? ', ' : ' '];
}

function nameParts(item: CitedReference, works: CitedWorks): CitationPart[] {
  return [{ runs: nameRuns(item, works, 'and'), key: undefined }];
}

function nameRuns({ cite, reference }: CitedReference, works: CitedWorks, and: '&' | 'and'): Run[] {
  const names = [...(works.names.get(cite.key) ?? [])];
  const { title, type } = reference;
  if (names.length === 0) {
    const isItalic = works.style === 'apa' ? type !== 'article-journal' : type === 'book';
    return runs(isItalic ? italic(title) : quoted(title));
  }
  if (works.shortened.has(cite.key)) return runs(`${names.join(', ')}${names.length > 1 ? ',' : ''} et al.`);
  const last = names.pop() ?? '';
  if (names.length === 0) return runs(last);
  return runs(`${names.join(', ')}${names.length > 1 ? ',' : ''} ${and} ${last}`);
}

import { ADDRESS_CHARACTERS, AUTHORS, LINE_CHARACTERS } from './model.ts';
import type { PartialDate, Reference, ReferenceType } from './model.ts';
import { nameOf } from './names.ts';

/** What is known of a source: what a page says about itself (`PageMetadata`), and where and when it was read. */
export interface SourceMetadata {
  readonly key: string;
  readonly type: ReferenceType;
  readonly title: string | undefined;
  /** As written: `Jane Doe`, `Doe, Jane`, an organisation. */
  readonly authors: readonly string[];
  /** ISO 8601, as exact as it is. */
  readonly published: string | undefined;
  readonly site: string | undefined;
  readonly language: string | undefined;
  readonly url: string | undefined;
  readonly doi: string | undefined;
  /** ms since 1970. */
  readonly accessedAt: number | undefined;
}

/**
 * A source as a bibliography needs it. Without a title it has its host's name, or `Untitled`. A site is the container
 * of a page and of what a journal has, and the publisher of everything else. What cannot be
 * read of a date, an address or a DOI is left out.
 */
export function referenceOf(source: SourceMetadata): Reference {
  const url = addressOf(source.url);
  const site = lineOf(source.site);
  const isPart = source.type === 'webpage' || source.type === 'article-journal';
  return {
    key: source.key,
    type: source.type,
    title: lineOf(source.title) ?? hostOf(url) ?? 'Untitled',
    authors: source.authors
      .slice(0, AUTHORS)
      .map((author) => nameOf(lineOf(author) ?? ''))
      .filter((name) => name !== undefined),
    issued: dateOf(source.published),
    container: isPart ? site : undefined,
    publisher: isPart ? undefined : site,
    url,
    doi: doiOf(source.doi),
    accessed: source.accessedAt,
    language: lineOf(source.language),
  };
}

/** One line without control characters, those that turn the direction of text around too; undefined if nothing is left. */
function lineOf(text: string | undefined): string | undefined {
  const line = (text ?? '')
    .slice(0, 2 * LINE_CHARACTERS)
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\u202A-\u202E\u2066-\u2069\uFEFF]/g, '')
    .trim()
    .slice(0, LINE_CHARACTERS)
    .toWellFormed()
    .trim();
  return line === '' ? undefined : line;
}

function addressOf(text: string | undefined): string | undefined {
  if (text === undefined || text.length > ADDRESS_CHARACTERS || !/^https?:\/\//i.test(text.trim())) return undefined;
  const url = URL.parse(text.trim());
  return url === null || url.href.length > ADDRESS_CHARACTERS ? undefined : url.href;
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).hostname.replace(/^www\./, '');
}

function doiOf(text: string | undefined): string | undefined {
  return text !== undefined && text.length <= ADDRESS_CHARACTERS && /^10\.\d{3,9}(?:\.\d+)*\/\S+$/.test(text)
    ? text
    : undefined;
}

function dateOf(text: string | undefined): PartialDate | undefined {
  const [, year, month, day] = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?=$|[T\s])/.exec(text ?? '') ?? [];
  if (year === undefined || Number(year) === 0) return undefined;
  const inYear = part(month, 12);
  return { year: Number(year), month: inYear, day: inYear === undefined ? undefined : part(day, 31) };
}

function part(digits: string | undefined, most: number): number | undefined {
  const number = Number(digits ?? 0);
  return number >= 1 && number <= most ? number : undefined;
}

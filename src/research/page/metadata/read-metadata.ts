import { oneLine } from '../../../files/extract/normalise.ts';
import type { Article } from '../article.ts';
import type { PageElement } from '../dom.ts';
import type { PageMetadata } from '../model.ts';
import type { PageHead } from '../tree.ts';
import { isoDate } from './dates.ts';
import { doiInAddress, readDoi } from './doi.ts';
import { readLinkedData } from './json-ld.ts';
import { namesIn } from './names.ts';

const TITLE_CHARACTERS = 500;
const DESCRIPTION_CHARACTERS = 1000;
const AUTHORS = 100;

/**
 * What a page says about itself. Of several vocabularies the one that is made for citing comes first: Highwire
 * (`citation_*`) and Eprints, then JSON-LD, Dublin Core and PRISM, OpenGraph, then what else is in use.
 *
 * @param published as the text itself says it, where the head does not
 * @param url the address that answered
 */
export function readMetadata(head: PageHead, published: string | undefined, url: string): PageMetadata {
  const { all, first } = named(head);
  const linked = readLinkedData(head.jsonLd);
  const authors = [
    all('citation_author', 'eprints.creators_name', 'bepress_citation_author'),
    all('citation_authors').flatMap((names) => names.split(/;|\|/)),
    linked?.authors ?? [],
    all('dc.creator', 'dcterms.creator', 'dc:creator', 'dcterm:creator'),
    all('author', 'parsely-author', 'sailthru.author', 'byl', 'article:author', 'og:article:author', 'book:author'),
  ];
  const dates = [
    ...all('citation_publication_date', 'citation_date', 'citation_online_date', 'citation_cover_date', 'eprints.date'),
    linked?.published,
    ...all(
      'article:published_time',
      'og:published_time',
      'og:article:published_time',
      'book:release_date',
      'datepublished',
    ),
    ...all(
      'prism.publicationdate',
      'dcterms.issued',
      'dc.date.issued',
      'dc.issued',
      'dcterms.created',
      'dc.date',
      'dcterms.date',
    ),
    ...all(
      'parsely-pub-date',
      'sailthru.date',
      'pubdate',
      'publishdate',
      'publish-date',
      'publication_date',
      'ptime',
      'date',
    ),
    published,
    dateInAddress(url),
  ];
  const canonical = [head.canonical, first('og:url'), linked?.url, first('citation_public_url')];
  const canonicalUrl = canonical
    .map((address) => webAddress(address, head.base, url))
    .find((address) => address !== undefined);
  const identifiers = [
    ...all('citation_doi', 'bepress_citation_doi', 'prism.doi', 'doi', 'dc.identifier.doi', 'eprints.id_number'),
    ...all('dc.identifier', 'dcterms.identifier'),
    ...(linked?.identifiers ?? []),
  ];
  return {
    title: line(
      TITLE_CHARACTERS,
      first('citation_title', 'eprints.title', 'bepress_citation_title'),
      likest(linked?.titles ?? [], head.title),
      first(
        'dc.title',
        'dcterms.title',
        'dc:title',
        'dcterm:title',
        'og:title',
        'weibo:article:title',
        'weibo:webpage:title',
      ),
      first('title', 'twitter:title', 'parsely-title'),
    ),
    authors:
      authors
        .map(namesIn)
        .find((names) => names.length > 0)
        ?.slice(0, AUTHORS) ?? [],
    published: firstOf(dates, isoDate),
    site: line(
      TITLE_CHARACTERS,
      first('og:site_name'),
      linked?.site,
      first('citation_journal_title', 'prism.publicationname', 'dc.publisher', 'application-name'),
    ),
    language: firstOf(
      [
        head.language,
        first('citation_language'),
        linked?.language,
        first('dc.language', 'dcterms.language', 'content-language', 'og:locale'),
      ],
      languageTag,
    ),
    canonicalUrl,
    doi: firstOf(identifiers, readDoi) ?? firstOf([canonicalUrl, url], doiInAddress),
    description: line(
      DESCRIPTION_CHARACTERS,
      first('description', 'og:description', 'dc.description', 'dcterms.description', 'twitter:description'),
      linked?.description,
    ),
  };
}

/** With what the article says of itself, or the title of the window, where the head has no such thing. */
export function completed(metadata: PageMetadata, head: PageHead, article: Article | undefined): PageMetadata {
  return {
    ...metadata,
    title: metadata.title ?? line(TITLE_CHARACTERS, article?.title, head.title),
    authors: metadata.authors.length > 0 ? metadata.authors : namesIn([article?.byline ?? '']),
  };
}

/** By name, and of a name's several contents all in their order; an earlier name wins. */
function named(head: PageHead): {
  all: (...names: string[]) => string[];
  first: (...names: string[]) => string | undefined;
} {
  const metas = new Map<string, string[]>();
  for (const [name, content] of head.metas) {
    if (content.trim() === '') continue;
    const known = metas.get(name);
    if (known) known.push(content);
    else metas.set(name, [content]);
  }
  const all = (...names: string[]) => names.flatMap((name) => metas.get(name) ?? []);
  return { all, first: (...names) => all(...names)[0] };
}

function line(limit: number, ...texts: readonly (string | undefined)[]): string | undefined {
  return firstOf(texts, (text) => {
    const one = oneLine(text.slice(0, 4 * limit), limit);
    return one === '' ? undefined : one;
  });
}

function firstOf<Value>(
  texts: readonly (string | undefined)[],
  read: (text: string) => Value | undefined,
): Value | undefined {
  for (const text of texts) {
    const value = text === undefined ? undefined : read(text);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Of a headline and a name, one of which may be that of the site, the one that shares most words with the window's title. */
function likest(titles: readonly string[], window: string): string | undefined {
  const known = wordsIn(window);
  const shared = (title: string) => [...wordsIn(title)].filter((word) => known.has(word)).length;
  return titles.reduce<string | undefined>(
    (best, title) => (best !== undefined && shared(best) >= shared(title) ? best : title),
    undefined,
  );
}

function wordsIn(text: string): Set<string> {
  return new Set(
    text
      .slice(0, 2000)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu),
  );
}

function webAddress(address: string | undefined, base: string | undefined, url: string): string | undefined {
  if (address === undefined || address.trim() === '') return undefined;
  const found = URL.parse(address.trim(), URL.parse(base ?? '', url)?.href ?? url);
  if (!found || !/^https?:$/.test(found.protocol) || found.username !== '' || found.password !== '') return undefined;
  return found.href;
}

/** `/2024/03/01/`, as most that publish daily have it. */
function dateInAddress(url: string): string | undefined {
  const [, year, month, day] =
    /\/((?:19|20)\d\d)\/(\d{1,2})\/(\d{1,2})(?:\/|$)/.exec(URL.parse(url)?.pathname ?? '') ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}`;
}

/** `en_US` and `EN-us` as `en-US`. */
function languageTag(text: string): string | undefined {
  const tag =
    text
      .trim()
      .split(/[,;\s]/, 1)[0]
      ?.replaceAll('_', '-') ?? '';
  try {
    return tag === '' || tag.length > 35 ? undefined : Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}

/** The first date that is marked as that of publishing, or else the first in an article. */
export function markedDate(root: PageElement): string | undefined {
  let within: string | undefined;
  for (const element of root.getElementsByTagName('*')) {
    const marked = element.getAttribute('itemprop') === 'datePublished';
    if (!marked && element.localName !== 'time') continue;
    const date = element.getAttribute('datetime') ?? (marked ? (element.textContent ?? '').slice(0, 100) : undefined);
    if (date === undefined || isoDate(date) === undefined) continue;
    if (marked || element.getAttribute('pubdate') !== undefined || PUBLISHED.test(element.className)) return date;
    within ??= isInArticle(element) ? date : undefined;
  }
  return within;
}

const PUBLISHED =
  /(?:^|[\s_-])(?:published|entry-date|post-date|dt-published|pubdate|publish-date|date-published)(?:$|[\s_-])/i;

function isInArticle(element: PageElement): boolean {
  for (let around = element.parentNode; around; around = around.parentNode)
    if (around.localName === 'article' || around.localName === 'main') return true;
  return false;
}

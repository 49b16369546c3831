import { slugify } from '../lib/slug.ts';
import type { PageMetadata } from './page/model.ts';

const MAX_KEY = 40;
/** Words that say nothing of what a title is about. */
const SMALL =
  /^(?:a|an|and|das|de|der|des|die|ein|eine|el|en|for|how|in|la|las|le|les|los|of|on|the|to|un|und|une|what|why)$/;

/**
 * The key by which a source is cited, as people make them: who wrote it and when, or else the site, or what it is
 * about. Another source may have it already.
 */
export function citationKeyOf(
  { authors, published, site }: Pick<PageMetadata, 'authors' | 'published' | 'site'>,
  title: string,
  host: string,
): string {
  const year = /^\d{4}/.exec(published ?? '')?.[0] ?? '';
  const name = [
    familyOf(authors[0] ?? ''),
    slugify(site ?? ''),
    slugify(labelOf(host)),
    firstWord(title),
    'source',
  ].find((each) => each !== undefined && each !== '');
  const key = `${(name ?? 'source').slice(0, MAX_KEY).replace(/-+$/, '')}${year}`;
  // A key has two characters at least.
  return key.length > 1 ? key : `${key}-1`;
}

/** `Doe, Jane` and `Jane Doe` are both of doe. */
function familyOf(author: string): string | undefined {
  const [first = '', ...rest] = author.split(/[,;]/);
  const words = first.trim().split(/\s+/);
  return slugify(rest.length > 0 && words.length < 4 ? first : (words.at(-1) ?? ''));
}

/** What a host is called by: `example` of `www.example.co.uk`. */
function labelOf(host: string): string {
  const labels = host.split('.').filter((label) => label !== 'www');
  const [below = '', top = ''] = labels.slice(-2);
  // `co.uk` and its like: below the names of countries, of two letters, there are such.
  const known = labels.slice(0, labels.length > 2 && top.length === 2 && below.length <= 3 ? -2 : -1);
  return known.at(-1) ?? labels[0] ?? '';
}

function firstWord(title: string): string | undefined {
  const words = (slugify(title.replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')) ?? '').split('-');
  return words.find((word) => !SMALL.test(word)) ?? words[0];
}

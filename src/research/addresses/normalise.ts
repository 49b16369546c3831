import { MAX_ADDRESS } from '../../web/public-address.ts';
import { originalOfAmpCopy, withoutAmp } from './amp.ts';
import { arxivOfDoi, arxivOfPlace, arxivOfText, looksLikeArxiv } from './arxiv.ts';
import type { ArxivId } from './arxiv.ts';
import { doiAddress, doiOfPlace, doiOfText, looksLikeDoi } from './doi.ts';
import { normaliseHost } from './hosts.ts';
import type { Place } from './hosts.ts';
import { normaliseEncoding } from './percent.ts';
import { normaliseQuery } from './tracking.ts';

/** Why a text is no address of a source. Those that `guardedFetch` knows too have its names. */
export type SourceAddressFault =
  | 'not_a_url'
  | 'not_https'
  | 'credentials'
  | 'too_long'
  | 'not_a_doi'
  | 'not_an_arxiv_id';

export interface SourceAddress {
  readonly fault?: undefined;
  /** Two addresses with the same key are the same source. It is for comparing: some hosts answer at another form only. */
  readonly key: string;
  /** What to ask for: the address as it was given, without its fragment, or where a DOI or an arXiv id leads. */
  readonly fetch: string;
  /** In lower case, where the address is one of a DOI. */
  readonly doi?: string;
  /** Without its version, where the address is one of arXiv. `https://arxiv.org/abs/<id>` says who wrote it. */
  readonly arxiv?: string;
}

export interface NoSourceAddress {
  readonly fault: SourceAddressFault;
}

/**
 * The form under which two addresses are the same source, and what is asked for to read it. It looks at nothing but
 * the text: whether a host may be asked is for `guardedFetch` to say.
 *
 * | dropped from the key                         | because                                                      |
 * |----------------------------------------------|--------------------------------------------------------------|
 * | `http:` (on port 80), default ports, the fragment, text fragments and `#!` too | a fragment is never sent: the bytes are the same |
 * | `www.`, `m.`, `mobile.`, `amp.`; `/amp`, `.amp`, `?amp=1`; copies in AMP caches | the same page in another form |
 * | parameters that track                        | they say who came from where                                 |
 * | the slash at the end, `index.html`           | servers lead from one to the other                           |
 * | the version of an arXiv paper                | one work, one entry of a bibliography: each version that is read is a snapshot of its own, to which quotes are bound. `fetch` keeps it |
 *
 * What is not dropped is spelt one way: hosts in punycode, parameters by name, percent-encoding, DOIs in lower case.
 * The key of a key is that key. No text makes it throw.
 */
export function normalise(address: string): SourceAddress | NoSourceAddress {
  const text = address.trim();
  if (text.length > MAX_ADDRESS) return { fault: 'too_long' };
  const found = identify(text);
  return found.fault === undefined && Math.max(found.key.length, found.fetch.length) > MAX_ADDRESS
    ? { fault: 'too_long' }
    : found;
}

function identify(text: string): SourceAddress | NoSourceAddress {
  if (looksLikeArxiv(text)) {
    const paper = arxivOfText(text);
    return paper ? ofPaper(paper) : { fault: 'not_an_arxiv_id' };
  }
  if (looksLikeDoi(text)) {
    const doi = doiOfText(text);
    return doi === undefined ? { fault: 'not_a_doi' } : ofDoi(doi);
  }
  const url = URL.parse(text);
  if (!url) return { fault: 'not_a_url' };
  if (!/^https?:$/.test(url.protocol)) return { fault: 'not_https' };
  if (url.username !== '' || url.password !== '') return { fault: 'credentials' };
  return ofUrl(url);
}

function ofUrl(given: URL): SourceAddress | NoSourceAddress {
  let url = given;
  // Each is shorter than the one before.
  for (let original; (original = originalOfAmpCopy(placeOf(url), url.search));) url = original;
  if (url.username !== '' || url.password !== '') return { fault: 'credentials' };
  const { host, path } = placeOf(url);
  const fetch = withoutFragment(url);
  const known = url.port === '' ? knownWork({ host, path }) : undefined;
  if (known) return { ...known, fetch: known.doi === undefined ? fetch : known.fetch };
  const query = normaliseQuery(url.search.slice(1));
  const [scheme, port] = url.port === '' ? ['https:', ''] : [url.protocol, `:${url.port}`];
  const key = `${scheme}//${host}${port}${normalisePath(path, query)}${query === '' ? '' : `?${query}`}`;
  // Hosts of nothing but dots, which the URL parser lets pass.
  return URL.parse(key)?.href === key ? { key, fetch } : { fault: 'not_a_url' };
}

/** Where a URL is, in the spelling of keys. */
function placeOf({ hostname, pathname }: URL): Place {
  return { host: normaliseHost(hostname), path: normaliseEncoding(pathname) };
}

function knownWork(place: Place): SourceAddress | undefined {
  const paper = arxivOfPlace(place);
  if (paper) return ofPaper(paper);
  const doi = doiOfPlace(place);
  return doi === undefined ? undefined : ofDoi(doi);
}

function withoutFragment(url: URL): string {
  const bare = new URL(url);
  bare.hash = '';
  return bare.href;
}

function normalisePath(path: string, query: string): string {
  let left = path;
  for (let before; before !== left;) {
    before = left;
    left = withoutAmp(left.replace(/\/+$/, '')).replace(/\/(?:index|default)\.x?html?$/i, '');
    // With a query, this is a program that may be one of several.
    if (query === '') left = left.replace(/\/index\.php$/i, '');
  }
  return left === '' ? '/' : left;
}

function ofDoi(doi: string): SourceAddress {
  const paper = arxivOfDoi(doi);
  return paper ? { ...ofPaper(paper), doi } : { key: doiAddress(doi), fetch: doiAddress(doi), doi };
}

/** The PDF, because quotes are of the text: the page of a paper has nothing but its abstract. */
function ofPaper({ id, version }: ArxivId): SourceAddress {
  return { key: `https://arxiv.org/abs/${id}`, fetch: `https://arxiv.org/pdf/${id}${version}`, arxiv: id };
}

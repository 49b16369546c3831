import type { Place } from './hosts.ts';
import { decoded } from './percent.ts';

/** A registrant and a suffix (ISO 26324), which may be of any characters that are shown. */
const DOI = /^10\.\d{4,9}(?:\.\d+)*\/[^\s\p{C}]+$/u;

/** `doi:10.1000/182`, `DOI: 10.1000/182`, `urn:doi:…`, `info:doi/…` and `10.1000/182` itself. */
export function looksLikeDoi(text: string): boolean {
  return /^(?:(?:urn:)?doi:|info:doi\/|10\.\d{4,9}(?:\.\d+)*\/)/i.test(text);
}

export function doiOfText(text: string): string | undefined {
  return checked(text.replace(/^(?:(?:urn:)?doi:|info:doi\/)\s*(?:https?:\/\/(?:dx\.)?doi\.org\/)?/i, ''));
}

/** The DOI that an address of the resolver leads to. Its own pages have none. */
export function doiOfPlace({ host, path }: Place): string | undefined {
  return host === 'doi.org' || host === 'dx.doi.org' ? doiOfText(decoded(path.slice(1))) : undefined;
}

function checked(text: string): string | undefined {
  // In lower case: a DOI is the same in any case (doi.org/doi-handbook, 2.4).
  const doi = text.toLowerCase();
  if (!DOI.test(doi) || !doi.isWellFormed()) return undefined;
  // `..` between slashes would be taken out of a path, and another DOI would be asked for.
  return URL.parse(doiAddress(doi))?.href === doiAddress(doi) ? doi : undefined;
}

/** Where a DOI leads on to what it names. */
export function doiAddress(doi: string): string {
  return `https://doi.org/${encodeURIComponent(doi).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%3B', ';').replaceAll("'", '%27')}`;
}

import type { Reference } from '../model.ts';
import type { Run } from '../runs.ts';

/** What a style needs to know of a reference besides itself. */
export interface EntryContext {
  /** `a` where several of an author's works are of one year, else empty. */
  readonly yearSuffix: string;
}

/** How an entry of the bibliography is written, without its number. */
export type WriteEntry = (reference: Reference, context: EntryContext) => Run[];

export function doiAddress(doi: string): string {
  return `https://doi.org/${encodeURI(doi).replaceAll('#', '%23').replaceAll('?', '%3F')}`;
}

/** Where to find it: its DOI, or its address. */
export function addressOf({ doi, url }: Reference): string | undefined {
  return doi === undefined ? url : doiAddress(doi);
}

/** `2024b`, `n.d.`, `n.d.-b`. */
export function yearOf({ issued }: Reference, suffix: string): string {
  if (issued === undefined) return suffix === '' ? 'n.d.' : `n.d.-${suffix}`;
  return `${issued.year}${suffix}`;
}

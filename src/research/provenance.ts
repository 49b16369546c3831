import type { Source } from './model.ts';
import type { Reference } from './references/model.ts';
import { referenceOf } from './references/reference-of.ts';

/** A source as a bibliography names it. */
export function referenceOfSource({ key, title, url, snapshot }: Source): Reference {
  const { metadata, type, takenAt } = snapshot;
  const { authors, published, site, language, doi, canonicalUrl } = metadata;
  return referenceOf({
    key,
    type: doi === undefined ? (url !== undefined && isPage(type) ? 'webpage' : 'document') : 'article-journal',
    title,
    authors,
    published,
    site,
    language,
    // What a page calls its own address counts for a page of the same host only: it may name any other.
    url: url !== undefined && isOfHost(canonicalUrl, url) ? canonicalUrl : url,
    doi,
    accessedAt: url === undefined ? undefined : takenAt,
  });
}

const HOW = {
  fetched: 'Fetched',
  uploaded: 'Uploaded as a file',
  pasted: 'Pasted as text',
  imported: 'Imported from an archive, where it was said to be taken',
} as const;

/** How a source's snapshot came, when, and what its bytes are. */
export function provenanceOf({ snapshot: { origin, takenAt, rawSha256, number } }: Source): string {
  const day = new Date(takenAt).toISOString().slice(0, 10);
  return `${HOW[origin]} on ${day}${number > 1 ? `, snapshot ${number}` : ''}. SHA-256 ${rawSha256}`;
}

const isPage = (type: string) => /^(?:text\/html|application\/xhtml\+xml|text\/markdown)/i.test(type);

function isOfHost(canonical: string | undefined, url: string): boolean {
  const host = canonical === undefined ? undefined : URL.parse(canonical)?.hostname;
  return host !== undefined && host === URL.parse(url)?.hostname;
}

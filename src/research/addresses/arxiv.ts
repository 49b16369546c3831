import type { Place } from './hosts.ts';
import { decoded } from './percent.ts';

export interface ArxivId {
  /** `2401.00001`, `math.GT/0309136`, without a version. */
  readonly id: string;
  /** `v2`, or nothing. */
  readonly version: string;
}

/** Identifiers since April 2007, and those before (info.arxiv.org/help/arxiv_identifier.html). */
const ID = /^(?<id>\d{4}\.\d{4,5}|[a-z]+(?:-[a-z]+)?(?:\.[a-z]{2})?\/\d{7})(?<version>v[1-9]\d{0,2})?$/i;

const HOSTS = /^(?:(?:export|browse|[a-z]{2})\.)?arxiv\.org$|^ar5iv\.(?:labs\.arxiv\.)?org$/;
const FORMS = /^\/(?:abs|pdf|html|format|ps|src|e-print)\/(.+?)(?:\.pdf)?\/?$/i;

export function looksLikeArxiv(text: string): boolean {
  return /^arxiv:/i.test(text);
}

export function arxivOfText(text: string): ArxivId | undefined {
  return parse(text.replace(/^arxiv:\s*/i, ''));
}

/** The paper that an address of arXiv shows, in whatever form. */
export function arxivOfPlace({ host, path }: Place): ArxivId | undefined {
  return HOSTS.test(host) ? parse(decoded(FORMS.exec(path)?.[1] ?? '')) : undefined;
}

/** arXiv registers a DOI for every paper. */
export function arxivOfDoi(doi: string): ArxivId | undefined {
  return doi.startsWith('10.48550/arxiv.') ? parse(doi.slice('10.48550/arxiv.'.length)) : undefined;
}

function parse(text: string): ArxivId | undefined {
  const { id, version = '' } = ID.exec(text)?.groups ?? {};
  if (id === undefined) return undefined;
  // An archive is in lower case and its subject class in upper; the class was never needed to tell papers apart.
  return { id: id.toLowerCase().replace(/\.[a-z]{2}(?=\/)/, ''), version: version.toLowerCase() };
}

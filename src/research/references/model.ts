/** What a source is, in the words of CSL. `document` is what none of the others is. */
export type ReferenceType = 'webpage' | 'article' | 'article-journal' | 'report' | 'book' | 'document';

/** A person. A name that nobody can take apart, such as that of an organisation, is a {@link LiteralName}. */
export interface PersonalName {
  readonly family: string;
  readonly given: string | undefined;
  /** `van der`: stands before the family name, which is what names are sorted by in some styles. */
  readonly particle: string | undefined;
  /** `Jr.`, `III`. */
  readonly suffix: string | undefined;
}

export interface LiteralName {
  readonly literal: string;
}

export type Name = PersonalName | LiteralName;

/** A day as exact as it is known. Months and days count from 1. */
export interface PartialDate {
  readonly year: number;
  readonly month: number | undefined;
  readonly day: number | undefined;
}

/** A source as a bibliography sees it. Every text is one line. */
export interface Reference {
  /** The key by which a text cites it: lower case ASCII letters, digits and `-`. */
  readonly key: string;
  readonly type: ReferenceType;
  /** Never empty. */
  readonly title: string;
  readonly authors: readonly Name[];
  readonly issued: PartialDate | undefined;
  /** In what it appeared: a site, a journal. */
  readonly container: string | undefined;
  readonly publisher: string | undefined;
  readonly url: string | undefined;
  /** `10.1000/182`, without an address before it. */
  readonly doi: string | undefined;
  /** When it was read, in ms since 1970. Its day is that in UTC. */
  readonly accessed: number | undefined;
  /** BCP 47. */
  readonly language: string | undefined;
}

/** UTF-16 code units of a title or another line of a reference; what is longer is cut. A page may say anything. */
export const LINE_CHARACTERS = 1000;
/** UTF-16 code units of an address. Cut it would lead elsewhere: one that is longer is left out. */
export const ADDRESS_CHARACTERS = 2048;
/** Authors of a reference; some papers of physicists have thousands, which no bibliography names. */
export const AUTHORS = 100;

import type { Style } from '../references/cited-works.ts';
import type { Cite } from '../references/format.ts';
import type { Reference } from '../references/model.ts';

/** A section of a report as it was written. */
export interface ReportSection {
  readonly heading: string;
  /** 1 to 6; the title of the report is above all of them. */
  readonly level: number;
  readonly markdown: string;
}

/** A citation that stands in a text. */
export interface Citation {
  /** As it was written. */
  readonly source: string;
  /** `text`: the author's name is a part of the sentence, as in `@doe2024 says`. */
  readonly way: 'parentheses' | 'text';
  readonly cites: readonly Cite[];
}

/**
 * The key that is no source: `[@own]` says that a sentence is the author's own, or at the end of a paragraph that all of it
 * is. Nothing is shown of it in what is exported.
 */
export const OWN_KEY = 'own';

/** A report, ready to be written as a document. */
export interface ReportDocument {
  readonly title: string;
  /** BCP 47. */
  readonly language: string | undefined;
  readonly sections: readonly ReportSection[];
  /** Those that may be cited; the bibliography has those that are. */
  readonly references: readonly Reference[];
  /** A line that says how a source's snapshot came, when, and its SHA-256; by key. */
  readonly provenance: ReadonlyMap<string, string>;
  readonly style: Style;
  /** ms since 1970. */
  readonly createdAt: number;
}

/** Sections of a report; one has as many as a person reads. */
export const SECTIONS = 100;
/** UTF-16 code units of a section, some 130 pages. Reading them takes about 0.3 s. */
export const SECTION_CHARACTERS = 400_000;
/** UTF-16 code units of all sections. What is made of them is held in memory several times over. */
export const REPORT_CHARACTERS = 2_000_000;
/** Lines of all sections that are not empty. Each may be an item of a list, which takes 1 KB of memory while it is read. */
export const LINES = 20_000;
/** Signs of all sections that may mean something, such as stars and brackets: each may become a piece of its own. */
export const MARKS = 150_000;
/** Lists, quotations and emphasis inside one another. */
export const NESTING = 50;
/** Notes of a section: what finds them takes time by their square. */
export const FOOTNOTES = 500;
/** References to notes in a section, each of which becomes far longer than it is. */
export const FOOTNOTE_REFERENCES = 2000;
/** UTF-16 code units of an address; a longer one is text. */
export const LINK_CHARACTERS = 2048;
/** UTF-16 code units of all addresses: one that is written once can be linked to by three letters. */
export const ALL_LINK_CHARACTERS = 4_000_000;
/** Cells of all tables: rows are filled up to the longest. */
export const CELLS = 50_000;
/** Citations of a report. */
export const CITATIONS = 20_000;
/** Works in one citation. */
export const CITES = 50;
/** UTF-16 code units of a citation; what is longer is text. */
export const CITATION_CHARACTERS = 2000;

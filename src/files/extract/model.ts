/** What the parts of a text are: pages of a PDF, sections below a heading, or one part of plain text. */
export type PartUnit = 'page' | 'section' | 'text';

export interface TextPart {
  /** A page's number, a section's heading; empty before the first heading and for plain text. */
  readonly label: string;
  /** With the heading as its first line. */
  readonly text: string;
}

/** A heading of a document's own table of contents. */
export interface Heading {
  readonly title: string;
  /** From 1. */
  readonly level: number;
  /** The part to which it leads, from 1. */
  readonly part: number;
}

/** The text of a file. */
export interface ExtractedText {
  readonly kind: 'text';
  readonly unit: PartUnit;
  /** At least one, in the order of the file. Pages without text are kept, so that a page's place is its number. */
  readonly parts: readonly TextPart[];
  /** What the file itself says its title is. */
  readonly title: string | undefined;
  /** The same of who wrote it, one or several in a line, and of when: ISO 8601, a day. */
  readonly author?: string | undefined;
  readonly created?: string | undefined;
  /** The table of contents that a PDF brings, apart from its pages; undefined where there is none. */
  readonly outline?: readonly Heading[] | undefined;
  /** A limit was met or a part could not be read: the file may have more text. */
  readonly truncated: boolean;
}

/**
 * Why a file has no text for us.
 *
 * | reason        | meaning                                                                 |
 * |---------------|-------------------------------------------------------------------------|
 * | `no_text`     | well-formed, but images only, or empty                                  |
 * | `encrypted`   | it opens with a password only                                           |
 * | `unsupported` | nobody here reads this type                                             |
 * | `malformed`   | it is not what its type says                                            |
 * | `too_large`   | a limit of size, number or depth was met before any text was found      |
 * | `too_slow`    | the time was over before any text was found                             |
 */
export type NoTextReason = 'no_text' | 'encrypted' | 'unsupported' | 'malformed' | 'too_large' | 'too_slow';

export type Extraction = ExtractedText | { readonly kind: 'none'; readonly reason: NoTextReason };

/**
 * What one extraction may cost. A Worker has 128 MB for all that its isolate does at the same time,
 * and a caller that waits.
 */
export interface ExtractionLimits {
  /** Bytes of the file. */
  readonly inputBytes: number;
  /** UTF-16 code units of text over all parts; what comes after is left out. */
  readonly characters: number;
  /** Pages of a PDF; those after are left out. */
  readonly pages: number;
  /** Sections; headings after these begin no new one. */
  readonly sections: number;
  /** Bytes that the entries read of a zip archive have when they are inflated, together. */
  readonly inflatedBytes: number;
  /** Entries of a zip archive, read or not. */
  readonly entries: number;
  /** Elements inside one another in HTML or XML. A browser stops nesting at 512. */
  readonly depth: number;
  /** Bytes that one stream of a PDF has when it is decoded: a page's drawing, a font. */
  readonly streamBytes: number;
  /** Work on a PDF: bytes of its streams, as often as they are decoded or read, and what else takes time in terms of them. */
  readonly pdfWork: number;
  /** Entries of a PDF's cross-reference table or stream. */
  readonly objects: number;
  /** Wall time in ms, looked at between pages, entries and pieces of text. */
  readonly milliseconds: number;
}

export const EXTRACTION_LIMITS: ExtractionLimits = {
  inputBytes: 25_000_000,
  characters: 2_000_000,
  pages: 2000,
  sections: 2000,
  inflatedBytes: 50_000_000,
  entries: 1000,
  depth: 5000,
  streamBytes: 32_000_000,
  pdfWork: 256_000_000,
  objects: 1_000_000,
  milliseconds: 10_000,
};

/** Ends an extraction before the end of the file. What was found until then is kept. */
export class Stopped extends Error {
  readonly reason: Exclude<NoTextReason, 'no_text'>;

  constructor(reason: Stopped['reason'], options?: ErrorOptions) {
    super(`Extraction stopped: ${reason}`, options);
    this.reason = reason;
  }
}

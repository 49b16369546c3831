import * as z from 'zod';

import { byteLength } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { hasHiddenText } from '../lib/hidden-text.ts';
import type { SessionRef } from '../sessions/model.ts';
import type { PageMetadata } from './page/model.ts';

export { MAX_BATCH, MAX_SOURCE_BYTES } from './fetch/model.ts';
export { OWN_KEY } from './report/model.ts';
export type { SessionRef };

/** Bytes of a text that is pasted: more than a model writes in one call. */
export const MAX_PASTED = 512 * 1024;
/** Of one session: what is read of a whole list (keys, identities) must stay small. */
export const MAX_SOURCES = 20_000;
export const MAX_NOTES = 10_000;
export const MAX_QUOTES = 10_000;
export const MAX_SECTIONS = 100;
/** Bytes of a section of a report. */
const MAX_SECTION_BYTES = 256 * 1024;
/** Bytes of a note, and of guidelines: an answer says them twice, once escaped, and must fit the output budget. */
export const MAX_NOTE_BYTES = 20 * 1024;
const MAX_GUIDELINES_BYTES = 16 * 1024;
export const MAX_PAGE = 100;

/** How a snapshot came. */
export const ORIGINS = ['fetched', 'uploaded', 'pasted', 'imported'] as const;
export type Origin = (typeof ORIGINS)[number];

export const SOURCE_STATES = ['new', 'kept', 'dropped'] as const;
export type SourceState = (typeof SOURCE_STATES)[number];

/** Whose work a session's research is, and by which rules. */
export interface Desk {
  readonly session: SessionRef;
  readonly topic: string;
  readonly question: string;
  /** For every agent that joins. */
  readonly guidelines: string;
  /** Ids of files with more of them. */
  readonly guidelineFiles: readonly string[];
  readonly reportTitle: string;
  /** ms since the epoch. */
  readonly openedAt: number;
  readonly updatedAt: number;
  readonly archivedAt: number | undefined;
  /** Whether it comes in an archive, and not all of it is here. */
  readonly isImporting: boolean;
}

/** Where a page or section begins in a snapshot's text, in UTF-16 code units. */
export interface Part {
  /** A page's number, a section's heading; empty before the first heading. */
  readonly label: string;
  readonly start: number;
}

export type PartUnit = 'page' | 'section' | 'text';

/** A heading of a document, as its outline has it. */
export interface OutlineEntry {
  readonly title: string;
  /** From 1. */
  readonly level: number;
  /** The page or section that it leads to, from 1. */
  readonly part: number;
}

/** What was read of a document. */
export interface Reading {
  /** Markdown of a page; the text of any other document. */
  readonly text: string;
  readonly unit: PartUnit;
  /** At least one. */
  readonly parts: readonly Part[];
  readonly outline: readonly OutlineEntry[];
  readonly metadata: PageMetadata;
  /** A limit was met: the document may have more text. */
  readonly truncated: boolean;
}

/** The bytes of a source as they came once, and what was read of them. */
export interface Snapshot {
  readonly id: string;
  /** 1 for the first of its source. */
  readonly number: number;
  readonly origin: Origin;
  /** Where it came from, after redirects. */
  readonly url: string | undefined;
  readonly type: string;
  /** SHA-256 in lower-case hexadecimal, and bytes. */
  readonly rawSha256: string;
  readonly rawSize: number;
  readonly textSha256: string;
  readonly textSize: number;
  /** UTF-16 code units. */
  readonly characters: number;
  readonly unit: PartUnit;
  readonly parts: readonly Part[];
  readonly outline: readonly OutlineEntry[];
  readonly metadata: PageMetadata;
  readonly truncated: boolean;
  /** ms since the epoch. */
  readonly takenAt: number;
}

/** A page or document that a session's research has. */
export interface Source {
  readonly id: string;
  /** By which reports cite it: `smith2024`. */
  readonly key: string;
  readonly identity: string;
  readonly url: string | undefined;
  readonly host: string;
  readonly title: string;
  readonly state: SourceState;
  readonly rating: number | undefined;
  readonly tags: readonly string[];
  readonly note: string;
  /** Whether they came in an archive, as somebody else's words, until they are given anew. */
  readonly areTagsImported: boolean;
  readonly isNoteImported: boolean;
  readonly addedAt: number;
  readonly readAt: number | undefined;
  readonly quotes: number;
  readonly isCited: boolean;
  readonly snapshot: Snapshot;
}

/** What the identity of a source begins with that is a file; its id follows. */
export const FILE_IDENTITY = 'file:';

/** A source with where its bytes are. */
export interface StoredSource extends Source {
  readonly session: SessionRef;
  /** Keys of objects in the bucket. */
  readonly rawKey: string;
  readonly textKey: string;
}

/** A passage that stands verbatim in a snapshot. */
export interface Quote {
  readonly id: string;
  readonly sourceId: string;
  readonly key: string;
  readonly snapshotId: string;
  readonly textSha256: string;
  /** In the snapshot's text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** As it stands there. */
  readonly text: string;
  readonly unit: PartUnit;
  /** From 1. */
  readonly part: number;
  readonly label: string;
  readonly why: string;
  /** Whether it came in an archive: `why` is somebody else's word then. */
  readonly isImported: boolean;
  readonly createdAt: number;
}

export interface Note {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
  /** 1 for a new one, one more with each change. */
  readonly version: number;
  /** Whether it came in an archive: somebody else's words. */
  readonly isImported: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Keys of sources, ids of quotes and notes. */
  readonly links: readonly string[];
}

/** A section of a session's report. */
export interface Section {
  readonly id: string;
  /** From 1. */
  readonly number: number;
  readonly heading: string;
  /** 1 to 4. */
  readonly level: number;
  /** What is to stand there. */
  readonly brief: string;
  /** Markdown; empty as long as nobody has written it. */
  readonly text: string;
  readonly version: number;
  /** Whether heading and brief came in an archive, until the outline gives both anew. */
  readonly isHeadingImported: boolean;
  /** The same of the text, until it is written anew. */
  readonly isTextImported: boolean;
  readonly updatedAt: number;
}

export const noSuchDesk = () =>
  new CarrelError('not_found', 'There is no research in this session. `research_open` begins one.');
export const noSuchSource = () =>
  new CarrelError('not_found', 'There is no such source. `source_list` shows the keys of those there are.');
export const noSuchQuote = () => new CarrelError('not_found', 'There is no such quote.');
export const noSuchNote = () =>
  new CarrelError('not_found', 'There is no such note. `note_list` shows those there are.');
export const noSuchSection = () =>
  new CarrelError('not_found', 'The report has no such section. `report_outline` shows those there are.');

const HIDDEN = 'has a control character or one that cannot be seen';
const seen = (text: string) => !hasHiddenText(text.replaceAll(/[\n\t]/g, ' '));

/** One line that a person reads. */
const line = (max: number) =>
  z.string().trim().min(1, 'is empty').max(max, `has more than ${max} characters`).refine(seen, HIDDEN);
const text = (bytes: number) =>
  z
    .string()
    .refine((value) => byteLength(value) <= bytes, `has more than ${bytes / 1024} KB`)
    .refine(seen, HIDDEN);

export const topic = line(200);
export const question = line(2000);
export const guidelines = text(MAX_GUIDELINES_BYTES);
export const heading = line(200);
export const brief = text(4096);
export const noteTitle = line(200);
export const noteText = text(MAX_NOTE_BYTES);
export const sectionText = text(MAX_SECTION_BYTES);
export const remark = text(4096);
export const tag = line(50);
export const tags = z.array(tag).max(20, 'are more than 20');
/** How a caller names a source, a note, a section, a quote. What is of no such form names nothing. */
export const reference = z.string().trim().min(1, 'is empty').max(200, 'names nothing');

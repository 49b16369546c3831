import * as z from 'zod';

import { filePath, fileSize, mediaType, sha256, tags } from '../files/model.ts';
import { byteLength } from '../lib/encoding.ts';
import { archivedNote, archivedQuote, archivedSource } from '../research/archive/model.ts';
import { brief, guidelines, heading, MAX_SECTIONS, question, sectionText, topic } from '../research/model.ts';
import { MAX_PLAN_BYTES, recipeDescription, recipeSlug, recipeTitle } from '../recipes/model.ts';
import { MAX_INPUT_CHARACTERS, scheduleName } from '../schedules/model.ts';
import { MAX_VALUE_BYTES, sessionDescription, sessionReference, sessionSlug, stateKey } from '../sessions/model.ts';

/**
 * The archive of a workspace: a zip whose entries are stored as they are. `manifest.json`, its last entry, names the
 * lists; a list (`lists/0001.jsonl`) has a record a line; a record of a file or a source says at which byte of the archive
 * the bytes of it begin. Each is named with its SHA-256, so the manifest proves all of it.
 *
 * A record of a kind that a release does not know is passed over and told of.
 */
export const FORMAT = 'carrel-workspace';
export const MANIFEST = 'manifest.json';
export const README = 'README.md';

/** Bytes of the manifest, and of a list: both are held while they are read. */
export const MAX_MANIFEST_BYTES = 200_000;
const MAX_LIST_BYTES = 32_000_000;
/** Bytes at which a list is full: one record more may be as long as a list is. */
export const LIST_BYTES = 4_000_000;
/** Snapshots of one source that are archived: the newest, and those that are quoted. */
export const MAX_SOURCE_SNAPSHOTS = 200;
/** Bytes of a file beyond which it comes in in parts. */
export const LARGE_BYTES = 64_000_000;
/** Folder of the default session in which archives are put, and which is in no archive. */
export const EXPORTS = 'exports/';

/** A place in the archive: bytes from its beginning. */
const at = z.int().min(0);
const time = z.int().min(0).max(8.64e15);
/** By which the records name the session that they belong to. */
const session = sessionSlug;

const sessionRecord = z.object({
  kind: z.literal('session'),
  slug: sessionSlug,
  title: sessionReference,
  description: sessionDescription,
  archived: z.boolean(),
  is_default: z.boolean(),
  created_at: time,
});

const stateRecord = z.object({
  kind: z.literal('state'),
  session,
  key: stateKey,
  /** JSON text, as it is stored. */
  value: z.string().refine((text) => byteLength(text) <= MAX_VALUE_BYTES && isJson(text)),
});

const fileRecord = z.object({
  kind: z.literal('file'),
  session,
  path: filePath,
  type: mediaType,
  size: fileSize,
  sha256,
  tags,
  created_at: time,
  updated_at: time,
  at,
});

const researchRecord = z.object({
  kind: z.literal('research'),
  session,
  archived: z.boolean(),
  topic,
  question: question.or(z.literal('')),
  guidelines,
  report_title: topic,
  outline: z.array(z.object({ heading, level: z.int().min(1).max(4), brief })).max(MAX_SECTIONS),
});

/** Some sources of a research, as an archive of a research has them. */
const sourcesRecord = z.object({
  kind: z.literal('sources'),
  session,
  sources: z.array(archivedSource).min(1).max(1000),
  /** Where the bytes of each path of theirs begin. */
  at: z.record(z.string().max(300), at),
});

const quotesRecord = z.object({
  kind: z.literal('quotes'),
  session,
  /** With the text in which it stands. */
  quotes: z
    .array(archivedQuote.extend({ in: z.object({ at, size: fileSize, sha256 }) }))
    .min(1)
    .max(1000),
});

const notesRecord = z.object({ kind: z.literal('notes'), session, notes: z.array(archivedNote).min(1).max(1000) });

const sectionRecord = z.object({
  kind: z.literal('section'),
  session,
  /** From 1, in the outline. */
  number: z.int().min(1).max(MAX_SECTIONS),
  text: sectionText,
});

const recipeRecord = z.object({
  kind: z.literal('recipe'),
  slug: recipeSlug,
  title: recipeTitle,
  description: recipeDescription,
  /** JSON text, as it was saved. */
  plan: z.string().refine((text) => byteLength(text) <= MAX_PLAN_BYTES && isJson(text)),
});

/** For whoever reads it: nothing begins to run by itself because it came in an archive. */
const scheduleRecord = z.object({
  kind: z.literal('schedule'),
  name: scheduleName,
  session,
  cron: z.string().max(300),
  time_zone: z.string().max(100),
  definition: z.string().max(100),
  recipe: z.string().max(100).optional(),
  version: z.int().min(1).optional(),
  /** JSON text. */
  input: z.string().max(MAX_INPUT_CHARACTERS),
  paused: z.boolean(),
});

export const record = z.discriminatedUnion('kind', [
  sessionRecord,
  stateRecord,
  fileRecord,
  researchRecord,
  sourcesRecord,
  quotesRecord,
  notesRecord,
  sectionRecord,
  recipeRecord,
  scheduleRecord,
]);

export type ArchiveRecord = z.output<typeof record>;
export type RecordOf<Kind extends ArchiveRecord['kind']> = Extract<ArchiveRecord, { kind: Kind }>;
export const KINDS: ReadonlySet<string> = new Set(record.options.map(({ shape }) => shape.kind.value));

export const counts = z.object({
  sessions: z.int().min(0),
  state: z.int().min(0),
  files: z.int().min(0),
  researches: z.int().min(0),
  sources: z.int().min(0),
  snapshots: z.int().min(0),
  quotes: z.int().min(0),
  notes: z.int().min(0),
  sections: z.int().min(0),
  recipes: z.int().min(0),
  schedules: z.int().min(0),
  /** Of files and snapshots. */
  bytes: z.int().min(0),
});

export type Counts = z.output<typeof counts>;

export const NOTHING: Counts = {
  sessions: 0,
  state: 0,
  files: 0,
  researches: 0,
  sources: 0,
  snapshots: 0,
  quotes: 0,
  notes: 0,
  sections: 0,
  recipes: 0,
  schedules: 0,
  bytes: 0,
};

export function sum(a: Counts, b: Counts): Counts {
  return Object.fromEntries(
    Object.keys(NOTHING).map((name) => [name, a[name as keyof Counts] + b[name as keyof Counts]]),
  ) as Counts;
}

/** What a record holds. */
export function countsOf(each: ArchiveRecord): Counts {
  switch (each.kind) {
    case 'session':
      return { ...NOTHING, sessions: 1 };
    case 'state':
      return { ...NOTHING, state: 1 };
    case 'file':
      return { ...NOTHING, files: 1, bytes: each.size };
    case 'research':
      return { ...NOTHING, researches: 1 };
    case 'sources': {
      const snapshots = each.sources.flatMap((source) => source.snapshots);
      return {
        ...NOTHING,
        // A source with very many snapshots is in several records, and counts in each.
        sources: each.sources.length,
        snapshots: snapshots.length,
        bytes: snapshots.reduce((bytes, { raw, text }) => bytes + raw.size + text.size, 0),
      };
    }
    case 'quotes':
      return { ...NOTHING, quotes: each.quotes.length };
    case 'notes':
      return { ...NOTHING, notes: each.notes.length };
    case 'section':
      return { ...NOTHING, sections: 1 };
    case 'recipe':
      return { ...NOTHING, recipes: 1 };
    case 'schedule':
      return { ...NOTHING, schedules: 1 };
  }
}

const list = z.object({ at, size: z.int().min(1).max(MAX_LIST_BYTES), sha256, records: z.int().min(1) });
export type ArchivedList = z.output<typeof list>;

export const manifest = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  exported_at: time,
  counts,
  lists: z.array(list).min(1).max(1500),
});

export type Manifest = z.output<typeof manifest>;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

import * as z from 'zod';

import {
  brief,
  guidelines,
  heading,
  MAX_NOTES,
  MAX_QUOTES,
  MAX_SECTIONS,
  MAX_SOURCE_BYTES,
  noteText,
  noteTitle,
  ORIGINS,
  OWN_KEY,
  question,
  remark,
  sectionText,
  SOURCE_STATES,
  tags,
  topic,
} from '../model.ts';

/** What an archive of a research is called that says what else is in it. */
export const MANIFEST = 'research.json';
/** Bytes of an archive, of its manifest, and of each source in it. */
export const MAX_ARCHIVE_BYTES = 2_000_000_000;
export const MAX_MANIFEST_BYTES = 20_000_000;
/** Objects and lists in a manifest, inside one another or not: what is made of each takes more memory than it is long. */
const MAX_MANIFEST_THINGS = 300_000;
/** Sources that one archive has: a request may make 10,000 calls of R2, and each snapshot is four when it comes in. */
export const MAX_ARCHIVED_SNAPSHOTS = 1500;

const text = (characters: number) => z.string().max(characters);
const place = z.int().min(0).max(100_000_000);
const size = z.int().min(0).max(MAX_SOURCE_BYTES);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** A path within the archive: a name that leads out of it names nothing. */
const path = text(300);
/** Others are shown as links. */
const address = text(8200).regex(/^https?:\/\//i);
const time = z.int().min(0).max(8.64e15);

const metadata = z.object({
  title: text(2000).optional(),
  authors: z.array(text(500)).max(500),
  published: text(100).optional(),
  site: text(1000).optional(),
  language: text(100).optional(),
  canonicalUrl: text(8000).optional(),
  doi: text(500).optional(),
  description: text(5000).optional(),
});

const snapshot = z.object({
  number: z.int().min(1),
  origin: z.enum(ORIGINS),
  url: address.optional(),
  type: text(300),
  raw: z.object({ path, sha256: hash, size }),
  text: z.object({ path, sha256: hash, size }),
  characters: place,
  unit: z.enum(['page', 'section', 'text']),
  parts: z
    .array(z.object({ label: text(250), start: place }))
    .min(1)
    .max(2100),
  outline: z.array(z.object({ title: text(250), level: z.int().min(1).max(10), part: place })).max(2100),
  metadata,
  truncated: z.boolean(),
  taken_at: time,
});

export const archivedSource = z.object({
  key: text(80)
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/)
    .refine((key) => key !== OWN_KEY),
  identity: text(8200).min(1),
  url: address.optional(),
  host: text(300),
  title: text(500).min(1),
  state: z.enum(SOURCE_STATES),
  rating: z.int().min(1).max(5).optional(),
  tags,
  note: remark,
  read: z.boolean(),
  snapshots: z.array(snapshot).min(1).max(MAX_ARCHIVED_SNAPSHOTS),
});

export const archivedQuote = z.object({
  id: text(40),
  source: text(80),
  snapshot: z.int().min(1),
  start: place,
  end: place,
  /** With the marks of Markdown and the addresses in it, which do not count for what was quoted. */
  text: text(200_000).min(1),
  why: remark,
});

export const archivedNote = z.object({
  id: text(40),
  title: noteTitle,
  text: noteText,
  tags,
  /** Of quotes and notes the id, of sources the key. */
  links: z.array(text(80)).max(100),
});

const archivedSection = z.object({ heading, level: z.int().min(1).max(4), brief, text: sectionText });

/** What an archive says of the research that it holds: nothing that could not be said here. */
export const manifest = z.object({
  format: z.literal('carrel-research'),
  version: z.literal(1),
  exported_at: time,
  research: z.object({ topic, question: question.or(z.literal('')), guidelines, report_title: topic }),
  sources: z.array(archivedSource).max(MAX_ARCHIVED_SNAPSHOTS),
  quotes: z.array(archivedQuote).max(MAX_QUOTES),
  notes: z.array(archivedNote).max(MAX_NOTES),
  sections: z.array(archivedSection).max(MAX_SECTIONS),
});

export type Manifest = z.output<typeof manifest>;

/** Whether a manifest is too much to be read at once. */
export function isTooMuch(json: Uint8Array): boolean {
  let things = 0;
  for (const byte of json) if (byte === 0x5b || byte === 0x7b) things += 1;
  return json.byteLength > MAX_MANIFEST_BYTES || things > MAX_MANIFEST_THINGS;
}

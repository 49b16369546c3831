import * as z from 'zod';

import { ORIGINS, OWN_KEY, SOURCE_STATES } from '../model.ts';

/** What an archive of a research is called that says what else is in it. */
export const MANIFEST = 'research.json';
/** Bytes of an archive, of its manifest, and of each source in it. */
export const MAX_ARCHIVE_BYTES = 2_000_000_000;
export const MAX_MANIFEST_BYTES = 20_000_000;
/** Sources that one archive has: a request may make 10,000 calls of R2, and each snapshot is four when it comes in. */
export const MAX_ARCHIVED_SNAPSHOTS = 1500;

const text = (characters: number) => z.string().max(characters);
const place = z.int().min(0).max(100_000_000);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** A path within the archive: a name that leads out of it names nothing. */
const path = text(300);
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
  url: text(8000).optional(),
  type: text(300),
  raw: z.object({ path, sha256: hash, size: place }),
  text: z.object({ path, sha256: hash, size: place }),
  characters: place,
  unit: z.enum(['page', 'section', 'text']),
  parts: z
    .array(z.object({ label: text(1000), start: place }))
    .min(1)
    .max(5000),
  outline: z.array(z.object({ title: text(1000), level: z.int().min(1).max(10), part: place })).max(5000),
  metadata,
  truncated: z.boolean(),
  taken_at: time,
});

const source = z.object({
  key: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,78}$/)
    .refine((key) => key !== OWN_KEY),
  identity: text(8200).min(1),
  url: text(8000).optional(),
  host: text(300),
  title: text(500).min(1),
  state: z.enum(SOURCE_STATES),
  rating: z.int().min(1).max(5).optional(),
  tags: z.array(text(50)).max(20),
  note: text(5000),
  read: z.boolean(),
  snapshots: z.array(snapshot).min(1).max(200),
});

/** What an archive says of the research that it holds. */
export const manifest = z.object({
  format: z.literal('carrel-research'),
  version: z.literal(1),
  exported_at: time,
  research: z.object({
    topic: text(200).min(1),
    question: text(2000),
    guidelines: text(40_000),
    report_title: text(200),
  }),
  sources: z.array(source).max(MAX_ARCHIVED_SNAPSHOTS),
  quotes: z
    .array(
      z.object({
        id: text(40),
        source: text(80),
        snapshot: z.int().min(1),
        start: place,
        end: place,
        text: text(6000).min(1),
        why: text(5000),
      }),
    )
    .max(10_000),
  notes: z
    .array(
      z.object({
        id: text(40),
        title: text(200).min(1),
        text: text(300_000),
        tags: z.array(text(50)).max(20),
        /** Of quotes and notes the id, of sources the key. */
        links: z.array(text(80)).max(100),
      }),
    )
    .max(10_000),
  sections: z
    .array(
      z.object({ heading: text(200).min(1), level: z.int().min(1).max(4), brief: text(5000), text: text(300_000) }),
    )
    .max(100),
});

export type Manifest = z.output<typeof manifest>;

import * as z from 'zod';

import type { FileEntry } from './model.ts';

/** A file as tools and routes show it. */
export const shownFile = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  size: z.int().describe('Bytes'),
  sha256: z.string(),
  created_at: z.string(),
});

export type ShownFile = z.output<typeof shownFile>;

export function showFile({ id, name, type, size, sha256, createdAt }: FileEntry): ShownFile {
  return { id, name, type, size, sha256, created_at: new Date(createdAt).toISOString() };
}

/** The file beside its session, as most answers have it. */
export function showWithSession(entry: FileEntry): { session: FileEntry['session']; file: ShownFile } {
  return { session: entry.session, file: showFile(entry) };
}

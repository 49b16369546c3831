import * as z from 'zod';

import { sessionRef } from '../sessions/model.ts';
import type { Linked } from './link-service.ts';
import { PART_BYTES, partsOf } from './model.ts';
import type { FileEntry, PartsStatus } from './model.ts';
import type { Address } from './service.ts';

/** A file as tools and routes show it. */
export const shownFile = z.object({
  id: z.string(),
  path: z.string().describe('Within its session'),
  type: z.string(),
  size: z.int().describe('Bytes'),
  sha256: z.string(),
  version: z.int(),
  tags: z.array(z.string()).optional(),
  created_at: z.string(),
  updated_at: z.string(),
});

export type ShownFile = z.output<typeof shownFile>;

export function showFile(entry: FileEntry): ShownFile {
  const { id, path, type, size, sha256, version, tags, createdAt, updatedAt } = entry;
  const times = { created_at: new Date(createdAt).toISOString(), updated_at: new Date(updatedAt).toISOString() };
  return { id, path, type, size, sha256, version, ...(tags.length > 0 ? { tags: [...tags] } : {}), ...times };
}

/** The file beside its session, as most answers have it. */
export function showWithSession(entry: FileEntry): { session: FileEntry['session']; file: ShownFile } {
  return { session: entry.session, file: showFile(entry) };
}

/** A file or a folder as an address gives it: the folder as an archive, whose bytes nobody knows yet. */
export const linkedFile = z.object({
  path: z.string(),
  type: z.string(),
  size: z.int(),
  sha256: z.string().optional(),
});

/** An address with what it is for. */
export function showLink(origin: string, { file: linked, path: where, expiresAt }: Address<Linked>) {
  const download = { url: `${origin}${where}`, expires_at: new Date(expiresAt).toISOString() };
  if ('zip' in linked) {
    const { session, folder, size } = linked.zip;
    return { session, file: { path: folder || '/', type: 'application/zip', size }, download };
  }
  const { session, path, type, size, sha256 } = linked.file;
  return { session, file: { path, type, size, sha256 }, download };
}

/** What an answer says of a file that was changed: enough to go on with it. */
export const changedFile = z.object({
  session: sessionRef,
  file: z.object({ id: z.string(), path: z.string(), version: z.int() }),
});

export function showChanged({ id, path, version, session }: FileEntry): z.output<typeof changedFile> {
  return { session, file: { id, path, version } };
}

/** An upload in parts, for its uploader. */
export function showParts({ state, path, size, partSize, parts, fileId, problem, expiresAt }: PartsStatus) {
  return {
    state,
    path,
    size,
    part_size: partSize,
    parts: parts.map((part) => ({ ...part })),
    ...(fileId === undefined ? {} : { file_id: fileId }),
    ...(problem === undefined ? {} : { problem }),
    expires_at: new Date(expiresAt).toISOString(),
  };
}

/** Where the bytes of an expected file go. */
export const shownUpload = z.object({
  method: z.literal('PUT'),
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  expires_at: z.string(),
  parts: z.int().optional().describe('PUT each of part_size bytes to url/parts/1 and on, then POST url/complete'),
  part_size: z.int().optional(),
});

/**
 * Where the bytes of an expected file go. Renamed (`expiresAt`) and with `transport: "https"` it is what the draft
 * SEP-2631 calls a FileTransferDescriptor, which `files/authorizeUpload` would answer beside the file.
 */
export function showUpload(
  url: string,
  size: number,
  expiresAt: number,
  inParts: boolean,
): z.output<typeof shownUpload> {
  return {
    method: 'PUT',
    url,
    // Whatever the bytes are: a form would be refused, and the type was declared.
    headers: { 'Content-Type': 'application/octet-stream' },
    expires_at: new Date(expiresAt).toISOString(),
    ...(inParts ? { parts: partsOf(size), part_size: PART_BYTES } : {}),
  };
}

import * as z from 'zod';

import { byteLength } from '../lib/encoding.ts';
import type { SessionRef } from '../sessions/model.ts';
import { nameFault } from './names.ts';

/** How long an address lives, in ms. */
export const ADDRESS_MS = 15 * 60_000;
/**
 * How long one upload may take, in ms: 5 GB over a slow line. An attempt is cut off then, and its
 * bytes are swept an hour later, so that nothing can be stored after the sweep has passed.
 */
export const ATTEMPT_MS = 6 * 3_600_000;
export const SWEEP_DELAY_MS = 3_600_000;
/** Attempts of one upload at the same time: a leaked address must not fill the bucket. */
export const MAX_OPEN_ATTEMPTS = 20;

/** Bytes of the text that `file_write` takes. */
const MAX_WRITTEN_BYTES = 64 * 1024;
/** Bytes of a file that is read as a whole, as an MCP resource. */
export const MAX_RESOURCE_BYTES = 256 * 1024;
/**
 * Bytes of text in one answer of `file_read`. A result holds the text twice, as text and as
 * structured content, and both together must fit the output budget.
 */
export const MAX_READ_BYTES = 32 * 1024;
export const MAX_PAGE = 200;

/** A file as the index knows it. */
export interface FileEntry {
  readonly id: string;
  readonly name: string;
  /** Media type without parameters: what the bytes were recognised as, or else what was declared. */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly session: SessionRef;
}

/** A file with the place of its bytes. */
export interface StoredFile extends FileEntry {
  /** Key of the object in the bucket. */
  readonly objectKey: string;
}

/** A file that somebody wants to upload. */
export interface UploadDeclaration {
  readonly fileId: string;
  readonly name: string;
  /** Bytes: the upload must have exactly as many. */
  readonly size: number;
  /** In lower-case hexadecimal, when the uploader knows it: the upload must have it. */
  readonly sha256: string | undefined;
  /** Media type, used when the bytes do not say what they are. */
  readonly type: string | undefined;
}

/** Whose file an address names, and which grant made it: the address lives no longer than that grant. */
export interface AddressOwner {
  readonly workspaceId: string;
  readonly grantId: string;
}

/** A file's name: trimmed, in NFC, fit for every file system and every reader's eyes. */
export const fileName = z
  .string()
  .trim()
  .normalize('NFC')
  .max(255, { error: 'has more than 255 characters', abort: true })
  .superRefine((name, context) => {
    const fault = nameFault(name);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

/** How a caller names a file. Anything that is no id names nothing. */
export const fileId = z.string().max(100, 'is no id of a file');

export const fileSize = z.int().min(0);

export const sha256 = z
  .string()
  .toLowerCase()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');

/** A media type (RFC 9110 §8.3.1) without its parameters. */
export const mediaType = z
  .string()
  .max(200, 'has more than 200 characters')
  .transform((value) => value.split(';', 1)[0]?.trim().toLowerCase() ?? '')
  .refine(
    (value) => /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/.test(value),
    'is no media type such as text/csv',
  );

export const writtenText = z
  .string()
  .refine((text) => byteLength(text) <= MAX_WRITTEN_BYTES, 'has more than 64 KB; use file_upload');

import * as z from 'zod';

import type { CallIntent } from '../approvals/model.ts';
import { byteLength, fromBase64 } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { hasHiddenText } from '../lib/hidden-text.ts';
import { newId } from '../lib/ids.ts';
import type { SessionRef } from '../sessions/model.ts';
import { pathFault } from './paths.ts';

/** How long an address lives, in ms. */
export const ADDRESS_MS = 15 * 60_000;
/**
 * How long one upload may take, in ms: 5 GB over a slow line. An attempt is cut off then, and its
 * bytes are swept an hour later, so that nothing can be stored after the sweep has passed.
 */
export const ATTEMPT_MS = 6 * 3_600_000;
/** How long after its bytes the text of a file is read: those that come together are read by one alarm. */
export const READ_DELAY_MS = 1000;
export const SWEEP_DELAY_MS = 3_600_000;
/** Bytes and time (ms) of an import from a URL: apps give a call up after a minute. */
export const MAX_IMPORT_BYTES = 95_000_000;
export const IMPORT_MS = 50_000;
/** Attempts of one upload at the same time: a leaked address must not fill the bucket. */
export const MAX_OPEN_ATTEMPTS = 20;
/** How long it is remembered what was stored once, in ms: longer than any job goes on. */
export const ONCE_MS = 60 * 86_400_000;
/** When the bytes are swept that a step which was cut off had sent, in ms: by then nobody sends more of them. */
export const ONCE_SWEEP_MS = 60_000;
/** Versions that a file keeps, the present one among them; the oldest goes when one more is stored. */
export const VERSIONS_KEPT = 10;
/** Bytes of each part of an upload in parts, but the last: under what the edge takes, and over what R2 wants. */
export const PART_BYTES = 32 * 1024 * 1024;
/** Bytes of one upload in parts: as many as are read back for their checksum within the time of an alarm. */
export const MAX_IN_PARTS_BYTES = 20e9;
/** How long the parts of an upload may take together, in ms. R2 forgets them seven days after the first. */
export const PARTS_MS = 6 * 86_400_000;
/** Bytes of each part of an upload by tus, but the last: as few as R2 takes, because they wait in memory. */
export const TUS_PART_BYTES = 5 * 1024 * 1024;
/** How long an upload by tus waits for its first byte, in ms: one whose address was lost on the way holds room. */
export const TUS_FIRST_MS = 3_600_000;
/** How long a deleted file can be restored, in ms. */
export const TRASH_MS = 30 * 86_400_000;
/** Files that one call moves, deletes or restores at most. */
export const MAX_AT_ONCE = 1000;

/** Bytes of the text that `file_write` takes. */
const MAX_WRITTEN_BYTES = 64 * 1024;
/** Bytes of a file that is read as a whole, as an MCP resource. */
export const MAX_RESOURCE_BYTES = 256 * 1024;
/**
 * Bytes of text in one answer of `file_read`. A result holds the text twice, as text and as
 * structured content, and both together must fit the output budget.
 */
export const MAX_READ_BYTES = 32 * 1024;
/**
 * Bytes of an image that `file_read` shows: in base64, with the rest of the result, under the 1,048,576 characters at
 * which Claude's desktop app gives a result up.
 */
export const MAX_IMAGE_BYTES = 700 * 1024;
export const MAX_PAGE = 200;

/** A file as the index knows it: its present version. */
export interface FileEntry {
  readonly id: string;
  /** Within its session: `reports/q3.pdf`. No other file there has it. */
  readonly path: string;
  /** Media type without parameters: what the bytes were recognised as, or else what was declared. */
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  /** 1 for a new file, one more with each that is stored over it. */
  readonly version: number;
  readonly tags: readonly string[];
  /** ms since the epoch. */
  readonly createdAt: number;
  /** When its bytes, its path or its tags changed last. */
  readonly updatedAt: number;
  /** When it was put into the trash; undefined for one that is not there. */
  readonly deletedAt: number | undefined;
  readonly session: SessionRef;
}

/** One state of a file's bytes. */
export type FileVersion = Pick<FileEntry, 'version' | 'type' | 'size' | 'sha256' | 'createdAt'>;

/** A file with the place of its bytes. */
export interface StoredFile extends FileEntry {
  /** Key of the object in the bucket. */
  readonly objectKey: string;
}

/** What uploads a file where an agent can run something. */
export const SHELLS = ['curl', 'python', 'powershell'] as const;
export type Shell = (typeof SHELLS)[number];

/** What becomes of an upload whose path is taken: a version of what is there, a refusal, or a file beside it. */
export const IF_EXISTS = ['new_version', 'fail', 'keep_both'] as const;
export type IfExists = (typeof IF_EXISTS)[number];

/** A file that somebody has, or is about to have. */
export interface NewFile {
  /** Within the session. */
  readonly path: string;
  /** What becomes of it where the path is taken: a new version when left out. */
  readonly ifExists?: IfExists | undefined;
  /** The version that it is to follow. */
  readonly expectedVersion?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly sha256?: string | undefined;
  /** Media type, used when the bytes do not say what they are. */
  readonly type?: string | undefined;
  /** Id or slug; undefined for the default session. */
  readonly session: string | undefined;
}

/** A file that somebody wants to upload. */
export interface UploadDeclaration {
  readonly uploadId: string;
  readonly path: string;
  /** Bytes: the upload must have exactly as many, or at most as many. */
  readonly size: number;
  /** Room is taken for so many or, if there is less, for what there is; what is not needed is given back. */
  readonly atMost?: true | undefined;
  /** In lower-case hexadecimal, when the uploader knows it: the upload must have it. */
  readonly sha256: string | undefined;
  /** Media type, used when the bytes do not say what they are. */
  readonly type: string | undefined;
  readonly ifExists: IfExists;
  /** The version that it is to follow; undefined for any. */
  readonly expectedVersion: number | undefined;
  /** Undefined: those that the file has. */
  readonly tags: readonly string[] | undefined;
  /** What is declared again under this name, of this workspace, was stored already or is begun anew. */
  readonly once?: string | undefined;
}

/** A file that is about to be stored, as its person would be asked about it: as by the tool of that name. */
export function storing(
  tool: 'file_write' | 'file_upload',
  file: {
    readonly path: string;
    readonly size: number;
    readonly session?: string | undefined;
    readonly if_exists: IfExists;
  },
): { readonly intent: CallIntent; readonly summary: string; readonly arguments: unknown } {
  const { path, session: within, size: bytes } = file;
  const files = file.if_exists === 'new_version' ? [{ file: path, session: within, optional: true }] : [];
  const summary = 'Store a file that a program sends';
  return { intent: { tool, destructive: false, files, bytes }, summary, arguments: file };
}

/** Where an upload in parts is. `verifying`: all bytes are here and are read back for their checksum. */
export type PartsState = 'uploading' | 'verifying' | 'committed' | 'failed';

/** An upload by tus, as it is known to the service. */
export interface TusUpload {
  /** `completing`: all bytes are here, and the bucket is making the object of them. */
  readonly state: PartsState | 'completing';
  readonly path: string;
  readonly size: number;
  /** How many bytes are here: they are the first ones. */
  readonly received: number;
  /** What the uploader said of it, as it said it (`Upload-Metadata`). */
  readonly metadata: string | undefined;
  /** Of a file that is there. */
  readonly fileId: string | undefined;
  /** Why it failed, in a sentence that says what to do. */
  readonly problem: string | undefined;
  /** ms since the epoch. */
  readonly expiresAt: number;
  /** Where parts go; undefined for a file that is not larger than one. */
  readonly parts: { readonly objectKey: string; readonly multipartId: string } | undefined;
  /** The object with what is here beyond the last part. */
  readonly tailKey: string | undefined;
  /** The request that may add bytes: the one that began last. */
  readonly turn: number;
  /** Whether that is still under way, as far as anybody knows: it may have been killed. */
  readonly isBusy: boolean;
}

/** How an upload by tus grows. */
export interface TusStep {
  readonly to: number;
  /** Parts of {@link TUS_PART_BYTES}, but the last of all. */
  readonly parts: readonly { readonly number: number; readonly size: number; readonly etag: string }[];
  readonly tailKey: string | undefined;
  /** Whether the request adds no more after it. */
  readonly isLast: boolean;
}

/** One part that is stored. */
export interface StoredPart {
  /** From 1. */
  readonly number: number;
  /** Bytes. */
  readonly size: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
}

/** An upload in parts, as its uploader sees it. */
export interface PartsStatus {
  readonly state: PartsState;
  readonly path: string;
  readonly size: number;
  readonly partSize: number;
  readonly parts: readonly StoredPart[];
  /** Of a file that is there. */
  readonly fileId: string | undefined;
  /** Why it failed, in a sentence that says what to do. */
  readonly problem: string | undefined;
  /** ms since the epoch; each part moves it. */
  readonly expiresAt: number;
}

/** What a workspace may hold. */
export interface Quota {
  readonly bytes: number;
  readonly files: number;
}

/** What a workspace holds: bytes once for equal content, and files with those in the trash. */
export interface Usage extends Quota {
  /** Bytes of uploads that are on their way. */
  readonly expected: number;
  /** What it may hold. */
  readonly quota: Quota;
}

/** Whose file an address names, and which grant made it: the address lives no longer than that grant. */
export interface AddressOwner {
  readonly workspaceId: string;
  readonly grantId: string;
  /** Of a job's step: what is stored under this name is stored once, however often the step is repeated. */
  readonly once?: string;
}

const pathText = z.string().trim().normalize('NFC').max(1024, { error: 'has more than 1024 characters', abort: true });

function checkPath(path: string, context: z.RefinementCtx): void {
  const message = pathFault(path);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
}

const withoutSlash = (path: string) => path.replace(/\/$/, '');

/** A file's path within its session: in NFC, fit for every file system and every reader's eyes. */
export const filePath = pathText.superRefine(checkPath);

/** A folder: the path of its files up to the last slash, which may be left out. Empty: all. */
export const folderPath = pathText
  .transform(withoutSlash)
  .superRefine((path, context) => {
    if (path !== '') checkPath(path, context);
  })
  .transform((path) => (path === '' ? '' : `${path}/`));

/** Where something moves: the path of a file, or of a folder, which ends with a slash. */
export const fileOrFolderPath = pathText.superRefine((path, context) => checkPath(withoutSlash(path), context));

const tag = z
  .string()
  .trim()
  .normalize('NFC')
  .min(1, 'is empty')
  .max(50, 'has more than 50 characters')
  .refine((text) => !hasHiddenText(text), 'has a control character or one that cannot be seen');
export const tags = z.array(tag).max(20, 'are more than 20');

/** How a caller names a file: by its id, or by its path in the session. What is neither names nothing. */
export const fileReference = z
  .string()
  .trim()
  .normalize('NFC')
  .min(1, 'is empty')
  .max(1024, 'is neither an id nor a path');

/** How long an address to fetch something lives, in minutes; who wants longer has a person make a share. */
export const linkMinutes = z.int().min(1).max(1440).default(15);
/** How often it may be used; any number without it. */
export const linkUses = z.int().min(1).max(1000).optional();

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

const TOO_MUCH = 'has more than 64 KB; use file_upload';

export const writtenText = z.string().refine((text) => byteLength(text) <= MAX_WRITTEN_BYTES, TOO_MUCH);

/** Bytes as base64. */
export const writtenBase64 = z.string().transform((text, context) => {
  const bytes = fromBase64(text);
  if (bytes && bytes.byteLength <= MAX_WRITTEN_BYTES) return bytes;
  context.addIssue({ code: 'custom', message: bytes ? TOO_MUCH : 'is no base64: copy all of it, and nothing else' });
  return z.NEVER;
});

/**
 * Declares a file as a new upload.
 *
 * @param limit bytes that it may have
 * @throws CarrelError `too_large`
 */
export function declared(file: NewFile, size: number, limit: number): UploadDeclaration {
  checkSize(size, limit);
  const { path, type, ifExists = 'new_version', expectedVersion } = file;
  const uploadId = newId('upl');
  return { uploadId, path, size, sha256: file.sha256, type, ifExists, expectedVersion, tags: file.tags };
}

/** @throws CarrelError `too_large` for a file of more bytes than the limit */
function checkSize(size: number, limit: number): void {
  if (size > limit)
    throw new CarrelError('too_large', 'The file is larger than this deployment takes.', { details: { size, limit } });
}

/** A key of the bucket that nothing else has: two attempts never write the same object. */
export function newObjectKey(workspaceId: string): string {
  return `${workspaceId}/${newId('att')}`;
}

/** The same for a file of somebody else and for none. */
export function noSuchFile(): CarrelError {
  return new CarrelError('not_found', 'There is no such file. `file_list` shows those there are.');
}

/** How many parts a file of this size has; an empty one has one. */
export function partsOf(size: number): number {
  return Math.max(1, Math.ceil(size / PART_BYTES));
}

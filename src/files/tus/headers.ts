import * as z from 'zod';

import { CarrelError } from '../../lib/errors.ts';
import { filePath, IF_EXISTS, mediaType, sha256 } from '../model.ts';
import type { Checksum } from './taking.ts';

/** Bytes of the metadata of one upload: a path and a few words. */
const MAX_METADATA_LENGTH = 8000;

const DIGESTS: Readonly<Record<string, { readonly algorithm: Checksum['algorithm']; readonly bytes: number }>> = {
  sha1: { algorithm: 'SHA-1', bytes: 20 },
  sha256: { algorithm: 'SHA-256', bytes: 32 },
  md5: { algorithm: 'MD5', bytes: 16 },
};

const invalid = (message: string) => new CarrelError('invalid_input', message);

/**
 * `Upload-Metadata` (tus, Creation): pairs of a key and a base64 value, which may be any bytes. What is accepted may
 * stand in a header again.
 *
 * @throws CarrelError `invalid_input`
 */
export function parseMetadata(header = ''): ReadonlyMap<string, Uint8Array> {
  if (header.length > MAX_METADATA_LENGTH) throw invalid('Upload-Metadata has more than 8,000 characters.');
  const metadata = new Map<string, Uint8Array>();
  for (const pair of header === '' ? [] : header.split(',')) {
    const [, key, value = ''] = /^ *([!-~]+)(?: ([!-~]*))? *$/.exec(pair) ?? [];
    const bytes = bytesOf(value);
    if (key === undefined || metadata.has(key) || !bytes)
      throw invalid('Upload-Metadata must be pairs of a key and a base64 value, such as `filename dGFibGUuY3N2`.');
    metadata.set(key, bytes);
  }
  return metadata;
}

/**
 * What an upload is to become, in the words that clients have for it. tus-js-client and tusd say `filename` and
 * `filetype`, Uppy `name`, `type` and `relativePath` besides, which is the text `null` for what is in no folder.
 *
 * @throws CarrelError `invalid_input`
 */
export function describeFile(metadata: ReadonlyMap<string, Uint8Array>): z.output<typeof described> {
  const text = (key: string): string | undefined => {
    const bytes = metadata.get(key);
    return bytes === undefined || bytes.byteLength === 0 ? undefined : utf8Of(key, bytes);
  };
  const folded = text('relativePath');
  const input = {
    path:
      text('path') ?? (folded === 'null' ? undefined : folded?.replace(/^\//, '')) ?? text('filename') ?? text('name'),
    type: text('filetype') ?? text('type'),
    sha256: text('sha256'),
    session: text('session'),
    if_exists: text('if_exists'),
  };
  if (input.path === undefined)
    throw invalid('Name the file in Upload-Metadata: `filename`, or `path` with its folders.');
  const { success, error, data } = described.safeParse(input);
  if (success) return data;
  const [fault] = error.issues;
  throw invalid(`In Upload-Metadata the \`${fault?.path.join('.')}\` ${fault?.message}.`);
}

const described = z.object({
  path: filePath,
  // What a browser says of a file it does not know may be no media type: then the bytes alone tell.
  type: mediaType.optional().catch(undefined),
  sha256: sha256.optional(),
  session: z.string().optional(),
  if_exists: z.enum(IF_EXISTS).optional(),
});

/**
 * `Upload-Checksum` (tus, Checksum).
 *
 * @returns undefined when there is none
 * @throws CarrelError `invalid_input` also for another algorithm
 */
export function parseChecksum(header: string | null): Checksum | undefined {
  if (header === null) return undefined;
  const [name = '', value = '', ...rest] = header.trim().split(' ');
  const known = Object.hasOwn(DIGESTS, name) ? DIGESTS[name] : undefined;
  const digest = bytesOf(value);
  if (!known || rest.length > 0 || digest?.byteLength !== known.bytes)
    throw invalid('Upload-Checksum must be sha1, sha256 or md5, a space, and the digest in base64.');
  return { algorithm: known.algorithm, digest };
}

/** A header that is a number of bytes. @throws CarrelError `invalid_input` */
export function parseBytes(headers: Headers, name: 'Upload-Length' | 'Upload-Offset'): number {
  const value = headers.get(name) ?? '';
  if (!/^\d{1,15}$/.test(value)) throw invalid(`${name} must be a whole number of bytes.`);
  return Number(value);
}

/** The bytes of base64 (RFC 4648 §4), or undefined when it is none. */
function bytesOf(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function utf8Of(key: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`Upload-Metadata has a ${key} that is no UTF-8.`);
  }
}

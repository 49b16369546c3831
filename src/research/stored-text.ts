import type { FileBucket } from '../files/bucket.ts';
import { collect } from '../files/intake.ts';
import { toHex } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';

/** The text of a snapshot, as it stands in the bucket. @throws CarrelError `unavailable` when it is gone */
export async function storedText(bucket: FileBucket, objectKey: string): Promise<string> {
  return new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(await storedBytes(bucket, objectKey));
}

/** @throws CarrelError `unavailable` when they are gone */
export async function storedBytes(bucket: FileBucket, objectKey: string): Promise<Uint8Array<ArrayBuffer>> {
  const body = objectKey === '' ? undefined : await bucket.get(objectKey, undefined);
  if (!body) throw new CarrelError('unavailable', 'The stored bytes are gone. `npm run files` shows what is missing.');
  return collect(body);
}

/** In lower-case hexadecimal. */
export async function sha256Of(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

import type { FileBucket } from './bucket.ts';
import { recogniseType } from './media-types.ts';
import type { PartsStore, Unverified } from './parts-store.ts';
import { baseName } from './paths.ts';
import { Onlooker } from './seen-bytes.ts';
import type { SeenBytes } from './seen-bytes.ts';
import type { TusStore } from './tus-store.ts';
import type { UploadStore } from './upload-store.ts';

/** Uploads that one run reads back: a run has fifteen minutes. */
const AT_ONCE = 1;
/** Bytes that are read at once: many small pieces cost turns through JavaScript. */
const PIECE_BYTES = 256 * 1024;

/**
 * Makes the objects of uploads by tus, of which all parts are here, then reads them back. Also after a crash: making
 * an object may be repeated.
 *
 * @returns as {@link verifyUploads}
 * @throws Error when the bucket failed for some of them; the others are done
 */
export async function completeUploads(
  { tus, parts, uploads }: { readonly tus: TusStore; readonly parts: PartsStore; readonly uploads: UploadStore },
  bucket: FileBucket,
  now: number,
): Promise<number | undefined> {
  const failures: unknown[] = [];
  for (const { uploadId, objectKey, multipartId, parts: named } of await tus.completing())
    try {
      await bucket.completeParts(objectKey, multipartId, named);
      parts.verify(uploadId, now);
    } catch (failure) {
      failures.push(failure);
    }
  const next = await verifyUploads(parts, uploads, bucket, now);
  if (next === undefined && failures.length > 0) throw new Error('an upload was not completed', { cause: failures[0] });
  return next;
}

/**
 * Reads back what came in parts, which nobody has hashed as a whole, and puts it into the index. A crash in
 * the middle costs the repetition.
 *
 * @returns when to run next (ms), or undefined when nothing is left
 */
async function verifyUploads(
  parts: PartsStore,
  uploads: UploadStore,
  bucket: FileBucket,
  now: number,
): Promise<number | undefined> {
  for (const upload of parts.unverified(AT_ONCE)) {
    const found = await readBack(bucket, upload);
    const settled = (result: Parameters<PartsStore['settle']>[1]) => parts.settle(upload.uploadId, result, Date.now());
    if (!found || found.size !== upload.size) {
      settled({ problem: 'The bytes are no longer there. Upload the file again.' });
    } else if (upload.sha256 !== undefined && upload.sha256 !== found.sha256) {
      settled({
        problem: `The bytes do not have the declared sha256 but ${found.sha256}. Check the file, then upload it again.`,
      });
    } else {
      const type = await recogniseType(found.head, upload.type, baseName(upload.path));
      const committed = uploads.commit(upload.objectKey, upload.uploadId, { sha256: found.sha256, type }, Date.now());
      settled(
        committed.outcome === 'committed'
          ? committed.file
          : { problem: 'The path was taken, or the file changed, while the bytes came. Upload it to another path.' },
      );
    }
  }
  return parts.unverified(1).length > 0 ? now : undefined;
}

async function readBack(bucket: FileBucket, { objectKey }: Unverified): Promise<SeenBytes | undefined> {
  const bytes = await bucket.get(objectKey, undefined);
  if (!bytes) return undefined;
  const onlooker = new Onlooker();
  const reader = bytes.getReader({ mode: 'byob' });
  for (;;) {
    const { value: piece } = await reader.readAtLeast(PIECE_BYTES, new Uint8Array(PIECE_BYTES));
    if (!piece?.byteLength) return onlooker.finish();
    await onlooker.see(piece);
  }
}

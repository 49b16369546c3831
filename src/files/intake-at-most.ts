import { CarrelError } from '../lib/errors.ts';
import type { FileBucket } from './bucket.ts';
import { nextPiece, wrongChecksum } from './intake.ts';
import type { ExpectedBytes } from './intake.ts';
import { Onlooker } from './seen-bytes.ts';
import type { SeenBytes } from './seen-bytes.ts';

/** Bytes that are held at a time: as few as R2 takes for a part that is not the last. */
const HELD_BYTES = 5 * 1024 * 1024;

/**
 * Stores a body whose length nobody knows before its end: R2 wants to know it, of an object or of each of its parts.
 * So a part is held until it is full or the body ends; what ends within the first is no object in parts. When this
 * rejects, nothing is stored. What a crash leaves of an object in parts, R2 forgets after seven days.
 *
 * @param expected.size what it may have at most
 * @throws CarrelError as `takeIn`
 */
export async function takeInAtMost(
  bucket: FileBucket,
  key: string,
  body: ReadableStream<Uint8Array>,
  expected: ExpectedBytes,
): Promise<SeenBytes> {
  const reader = body.getReader({ mode: 'byob' });
  const onlooker = new Onlooker();
  const parts: { number: number; etag: string }[] = [];
  let multipartId: string | undefined;
  try {
    for (;;) {
      const piece = (await nextPiece(reader, HELD_BYTES)) ?? new Uint8Array();
      if (Date.now() > expected.deadline)
        throw new CarrelError('unavailable', 'It took too long to come. Nothing was stored.');
      if (onlooker.size + piece.byteLength > expected.size)
        throw new CarrelError('too_large', 'It is larger than there is room for. Nothing was stored.', {
          details: { limit: expected.size },
        });
      await onlooker.see(piece);
      const seen = piece.byteLength < HELD_BYTES ? await onlooker.finish() : undefined;
      if (seen && expected.sha256 !== undefined && expected.sha256 !== seen.sha256) throw wrongChecksum(seen.sha256);
      if (seen && multipartId === undefined) {
        await bucket.put(key, streamOf(piece), seen.sha256);
      } else if (piece.byteLength > 0) {
        multipartId ??= await bucket.beginParts(key);
        const number = parts.length + 1;
        parts.push({ number, etag: await bucket.putPart(key, multipartId, number, streamOf(piece)) });
      }
      if (!seen) continue;
      if (multipartId !== undefined) await bucket.completeParts(key, multipartId, parts);
      return seen;
    }
  } catch (thrown) {
    await Promise.allSettled([reader.cancel(thrown), multipartId && bucket.abortParts(key, multipartId)]);
    if (thrown instanceof CarrelError) throw thrown;
    throw new CarrelError('unavailable', 'The bytes could not be stored. Try again.', { cause: thrown });
  }
}

/** Bytes as a stream whose length the runtime knows. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(bytes.byteLength);
  const writer = writable.getWriter();
  // Fails when the bucket does, which says so itself.
  void Promise.allSettled([writer.write(bytes), writer.close()]);
  return readable;
}

import { joined, toHex } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import type { FileBucket } from './bucket.ts';
import { nextPiece, wrongChecksum } from './intake.ts';
import type { ExpectedBytes, TakenBytes } from './intake.ts';
import { HEAD_BYTES } from './media-types.ts';

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
): Promise<TakenBytes & { readonly size: number }> {
  const reader = body.getReader({ mode: 'byob' });
  const digest = new crypto.DigestStream('SHA-256');
  // Rejects when the body breaks off, and then nobody waits for it.
  digest.digest.catch(() => undefined);
  const hasher = digest.getWriter();
  const head: Uint8Array[] = [];
  const parts: { number: number; etag: string }[] = [];
  let multipartId: string | undefined;
  let size = 0;
  try {
    for (;;) {
      const piece = (await nextPiece(reader, HELD_BYTES)) ?? new Uint8Array();
      if (Date.now() > expected.deadline)
        throw new CarrelError('unavailable', 'It took too long to come. Nothing was stored.');
      if (size < HEAD_BYTES) head.push(piece.slice(0, HEAD_BYTES - size));
      size += piece.byteLength;
      if (size > expected.size)
        throw new CarrelError('too_large', 'It is larger than there is room for. Nothing was stored.', {
          details: { limit: expected.size },
        });
      await hasher.write(piece);
      const isLast = piece.byteLength < HELD_BYTES;
      if (isLast) await hasher.close();
      const sha256 = isLast ? toHex(new Uint8Array(await digest.digest)) : undefined;
      if (sha256 !== undefined && expected.sha256 !== undefined && expected.sha256 !== sha256)
        throw wrongChecksum(sha256);
      if (multipartId === undefined && sha256 !== undefined) {
        await bucket.put(key, streamOf(piece), sha256);
      } else if (piece.byteLength > 0) {
        multipartId ??= await bucket.beginParts(key);
        const number = parts.length + 1;
        parts.push({ number, etag: await bucket.putPart(key, multipartId, number, streamOf(piece)) });
      }
      if (sha256 === undefined) continue;
      if (multipartId !== undefined) await bucket.completeParts(key, multipartId, parts);
      return { sha256, head: joined(head), size };
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

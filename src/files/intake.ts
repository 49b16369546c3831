import { joined } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import type { FileBucket } from './bucket.ts';
import { Onlooker } from './seen-bytes.ts';
import type { SeenBytes } from './seen-bytes.ts';

/** What an upload must have. */
export interface ExpectedBytes {
  readonly size: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string | undefined;
  /** When it must be finished, in ms since the epoch. */
  readonly deadline: number;
}

type Bytes = ReadableStream<Uint8Array>;

/**
 * Bytes of a piece. A network gives 4 KB at a time, and a gigabyte of those costs a minute of turns
 * through JavaScript.
 */
const PIECE_BYTES = 256 * 1024;

/** How long one part may take, in ms. */
const PART_MS = 3_600_000;

/** Bytes that are still read of a body that turned out too long. */
const DISCARDED_BYTES = 8 * 1024 * 1024;

/**
 * Stores a body while it arrives, a piece at a time, so that memory stays flat whatever its size.
 * When this rejects, nothing is stored: the bucket is given the last piece only after the size and
 * the checksum were found right.
 *
 * @throws CarrelError `invalid_input` (too short, another checksum, broken off), `too_large`,
 *   `unavailable` (the bucket failed)
 */
export async function takeIn(
  bucket: FileBucket,
  key: string,
  body: Bytes,
  expected: ExpectedBytes,
): Promise<SeenBytes> {
  const failed = 'The bytes could not be stored. Send them again.';
  const [taken] = await storeWhole(body, expected, (bytes) => bucket.put(key, bytes, expected.sha256), failed);
  return taken;
}

/**
 * Stores a part while it arrives. When this rejects, nothing is stored of it.
 *
 * @param store is given a stream of exactly `length` bytes, and gives what names the part
 * @throws CarrelError as {@link takeIn}
 */
export async function takeInPart(
  { body, length: said }: { readonly body: Bytes | null; readonly length: number | undefined },
  length: number,
  store: (body: Bytes) => Promise<string>,
): Promise<{ sha256: string; etag: string }> {
  if (said !== undefined && said > length) throw longer(length);
  if (said !== undefined && said < length) throw shorter(length, said);
  const expected = { size: length, sha256: undefined, deadline: Date.now() + PART_MS };
  const failed = 'The part could not be stored. Send it again.';
  const [{ sha256 }, etag] = await storeWhole(body ?? (new Blob([]).stream() as Bytes), expected, store, failed);
  return { sha256, etag };
}

/** @param failed what is said when it is the bucket that failed */
async function storeWhole<Stored>(
  body: Bytes,
  expected: ExpectedBytes,
  store: (bytes: Bytes) => Promise<Stored>,
  failed: string,
): Promise<[SeenBytes, Stored]> {
  const { readable, writable } = new FixedLengthStream(expected.size);
  const reader = body.getReader({ mode: 'byob' });
  const writer = writable.getWriter();
  const pumped = pump(reader, writer, expected);
  const stored = store(readable);
  try {
    return await Promise.all([pumped, stored]);
  } catch (thrown) {
    // Both ends are let go, and waited for: nothing may be written after the caller cleans up.
    await Promise.allSettled([reader.cancel(thrown), writer.abort(thrown), pumped, stored]);
    if (thrown instanceof CarrelError) throw thrown;
    throw new CarrelError('unavailable', failed, { cause: thrown });
  }
}

async function pump(
  reader: ReadableStreamBYOBReader,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  expected: ExpectedBytes,
): Promise<SeenBytes> {
  const onlooker = new Onlooker();
  let held: Uint8Array | undefined;
  for (;;) {
    const piece = await nextPiece(reader);
    if (!piece) break;
    if (Date.now() > expected.deadline)
      throw new CarrelError('invalid_input', 'The upload took too long. Ask for a new address and send it again.');
    if (onlooker.size + piece.byteLength > expected.size) {
      await discard(reader);
      throw longer(expected.size);
    }
    await Promise.all([onlooker.see(piece), held && writer.write(held)]);
    held = piece;
  }
  if (onlooker.size < expected.size) throw shorter(expected.size, onlooker.size);
  const seen = await onlooker.finish();
  if (expected.sha256 !== undefined && expected.sha256 !== seen.sha256) throw wrongChecksum(seen.sha256);
  if (held) await writer.write(held);
  await writer.close();
  return seen;
}

/** The next piece of a body, which is whatever a network gives. It has fewer bytes at the end only. */
export async function nextPiece(
  reader: ReadableStreamBYOBReader,
  bytes = PIECE_BYTES,
): Promise<Uint8Array | undefined> {
  try {
    const { value } = await reader.readAtLeast(bytes, new Uint8Array(bytes));
    return value?.byteLength ? value : undefined;
  } catch (cause) {
    // Of a body that has limits of its own.
    if (cause instanceof CarrelError) throw cause;
    throw new CarrelError('invalid_input', 'The body broke off. Nothing was stored; send it again.', { cause });
  }
}

/** Reads on for a while, because a sender that is cut off in the middle seldom gets to see the answer. */
export async function discard(reader: ReadableStreamBYOBReader): Promise<void> {
  for (let left = DISCARDED_BYTES; left > 0; left -= PIECE_BYTES) if (!(await nextPiece(reader))) return;
}

export const wrongChecksum = (sha256: string) =>
  new CarrelError(
    'invalid_input',
    'The bytes do not have the declared sha256. Nothing was stored; check the file and the sha256, then send it again.',
    { details: { sha256 } },
  );

export const longer = (size: number) =>
  new CarrelError('too_large', 'The body is longer than the declared size. Nothing was stored.', { details: { size } });

export const shorter = (size: number, received: number) =>
  new CarrelError('invalid_input', 'The body is shorter than the declared size. Nothing was stored; send it again.', {
    details: { size, received },
  });

/** All bytes of a stream that is known to be short. */
export async function collect(stream: Bytes): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return joined(pieces);
}

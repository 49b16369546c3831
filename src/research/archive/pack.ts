import type { FileBucket } from '../../files/bucket.ts';
import { collect } from '../../files/intake.ts';
import { zipLength, zipPieces } from '../../files/zip/writer.ts';
import type { ZipEntry } from '../../files/zip/writer.ts';
import { utf8 } from '../../lib/encoding.ts';
import { CarrelError } from '../../lib/errors.ts';

/** Small objects that are fetched before it is their turn: there may be thousands, and each takes its time. */
const AHEAD = 4;
/** Bytes that are taken at a time of what R2 gives. */
const PIECE_BYTES = 256 * 1024;

/** A file of an archive: bytes that are here, or an object of the bucket. */
export type PackedEntry = ZipEntry & ({ readonly bytes: Uint8Array } | { readonly objectKey: string });

/** An entry with a text. */
export function textEntry(name: string, text: string, modifiedAt: number) {
  const bytes = utf8(text);
  return { name, bytes, size: bytes.byteLength, modifiedAt };
}

/** An archive that is made while it is read, with its length. Where bytes are gone meanwhile it breaks off. */
export function packed(
  entries: readonly PackedEntry[],
  bucket: FileBucket,
): { readonly body: ReadableStream<Uint8Array>; readonly length: number } {
  const length = zipLength(entries);
  const { readable, writable } = new FixedLengthStream(length);
  void write(entries, bucket, writable.getWriter());
  return { body: readable, length };
}

async function write(
  entries: readonly PackedEntry[],
  bucket: FileBucket,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  const coming = new Map<PackedEntry, Promise<Uint8Array>>();
  let next = 0;
  const bytes = (entry: PackedEntry) => {
    for (const each of entries.slice(next, (next += 1) + AHEAD))
      if (isSmallObject(each) && !coming.has(each)) {
        const fetched = fetchedOf(each.objectKey, bucket);
        // Whoever awaits it is told; nobody does after an earlier one has failed.
        fetched.catch(() => undefined);
        coming.set(each, fetched);
      }
    const here = coming.get(entry);
    coming.delete(entry);
    return here ? only(here) : bytesOf(entry, bucket);
  };
  try {
    for await (const piece of zipPieces(entries, bytes)) await writer.write(piece);
    await writer.close();
  } catch (thrown) {
    // Whoever stores it is told by its end.
    await writer.abort(thrown).catch(() => undefined);
  }
}

async function* bytesOf(entry: PackedEntry, bucket: FileBucket): AsyncGenerator<Uint8Array, void> {
  if (entry.size === 0) return;
  if ('bytes' in entry) {
    yield entry.bytes;
    return;
  }
  const body = await opened(entry.objectKey, bucket);
  const reader = body.getReader({ mode: 'byob' });
  try {
    for (;;) {
      const { value } = await reader.readAtLeast(PIECE_BYTES, new Uint8Array(PIECE_BYTES));
      if (!value?.byteLength) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

const isSmallObject = (entry: PackedEntry): entry is PackedEntry & { readonly objectKey: string } =>
  'objectKey' in entry && entry.size > 0 && entry.size <= PIECE_BYTES;

const fetchedOf = async (objectKey: string, bucket: FileBucket) => collect(await opened(objectKey, bucket));

async function* only(bytes: Promise<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield await bytes;
}

async function opened(objectKey: string, bucket: FileBucket) {
  const body = await bucket.get(objectKey, undefined);
  if (!body)
    throw new CarrelError('unavailable', 'The bytes of a source are gone. `npm run files` shows what is missing.');
  return body;
}

import { crc32 } from 'node:zlib';

import type { FileBucket } from '../files/bucket.ts';
import { descriptor, directoryRecord, localHeader } from '../files/zip/writer.ts';
import { joined } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { entryLength } from './layout.ts';
import type { PlannedEntry } from './layout.ts';

/** Bytes that are taken at a time of what the bucket gives. */
const PIECE_BYTES = 256 * 1024;
/** Small objects that are fetched before it is their turn: there may be thousands, and each takes its time. */
const AHEAD = 6;

/** What of the archive is known, part by part. */
export interface Planned {
  readonly entries: readonly PlannedEntry[];
  /** Where the header of the first one stands. */
  readonly at: number;
}

/** What comes of a part. */
export interface PackedPart {
  /** Of the data of the entry that goes on in the next part, the checksum so far. */
  readonly crc: number;
  /** The records of the directory of the entries that ended in this part. */
  readonly directory: Uint8Array;
}

/**
 * Some bytes of an archive, from its beginning: those of its entries. Nothing is held but what is on its way, and the
 * directory of the entries that end here.
 *
 * @param crc of the data before `from` of the entry in which that lies
 * @param done is told at the end
 * @throws CarrelError `conflict` when bytes of an entry are gone
 */
export async function* packPart(
  bucket: FileBucket,
  planned: readonly Planned[],
  { from, to, crc }: { readonly from: number; readonly to: number; readonly crc: number },
  done: (part: PackedPart) => void,
): AsyncGenerator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let running = crc;
  const small = new Ahead(bucket);
  const all = [...within(planned, from, to)];
  for (const [index, { entry, at }] of all.entries()) {
    small.fetch(all.slice(index, index + AHEAD).map((each) => wholeSmall(each, from, to)));
    const header = localHeader(entry);
    const dataFrom = at + header.byteLength;
    const dataTo = dataFrom + entry.size;
    if (at >= from) running = 0;
    const head = cut(header, at, from, to);
    if (head) yield head;
    const [begin, end] = [Math.max(dataFrom, from), Math.min(dataTo, to)];
    if (begin < end) {
      const span = { objectKey: entry.objectKey, offset: begin - dataFrom, length: end - begin };
      for await (const piece of small.take(span, entry.size)) {
        running = crc32(piece, running);
        yield piece;
      }
    }
    // Its checksum is known by then only if all of its data went by.
    const tail = dataTo <= to ? cut(descriptor(entry, running), dataTo, from, to) : undefined;
    if (tail) yield tail;
    if (at + entryLength(entry) <= to) directory.push(directoryRecord(entry, running, at));
  }
  done({ crc: running, directory: joined(directory) });
}

/** What of `bytes`, which stand at `at`, lies between `from` and `to`. */
function cut(bytes: Uint8Array, at: number, from: number, to: number): Uint8Array | undefined {
  const piece = bytes.subarray(Math.max(0, from - at), Math.max(0, to - at));
  return piece.byteLength === 0 ? undefined : piece;
}

function* within(planned: readonly Planned[], from: number, to: number) {
  for (const { entries, at: begins } of planned) {
    let at = begins;
    for (const entry of entries) {
      if (at >= to) return;
      const ends = at + entryLength(entry);
      if (ends > from) yield { entry, at };
      at = ends;
    }
  }
}

function wholeSmall({ entry, at }: { entry: PlannedEntry; at: number }, from: number, to: number) {
  const isSmall = entry.size > 0 && entry.size <= PIECE_BYTES;
  return isSmall && at >= from && at + entryLength(entry) <= to ? entry : undefined;
}

/** Objects that are fetched before their turn. */
class Ahead {
  readonly #bucket: FileBucket;
  readonly #coming = new Map<string, Promise<Uint8Array>>();

  constructor(bucket: FileBucket) {
    this.#bucket = bucket;
  }

  fetch(entries: readonly (PlannedEntry | undefined)[]): void {
    for (const entry of entries) {
      if (!entry || this.#coming.has(entry.objectKey)) continue;
      const whole = this.#whole(entry);
      // Whoever awaits it is told; nobody does after an earlier one has failed.
      whole.catch(() => undefined);
      this.#coming.set(entry.objectKey, whole);
    }
  }

  async *take(
    { objectKey, offset, length }: { readonly objectKey: string; readonly offset: number; readonly length: number },
    size: number,
  ): AsyncGenerator<Uint8Array> {
    const coming = this.#coming.get(objectKey);
    this.#coming.delete(objectKey);
    if (coming && offset === 0 && length === size) yield await coming;
    else yield* bytesOf(this.#bucket, objectKey, offset, length);
  }

  async #whole({ objectKey, size }: PlannedEntry): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of bytesOf(this.#bucket, objectKey, 0, size)) pieces.push(piece);
    return joined(pieces);
  }
}

/** @throws CarrelError `conflict`, or what `gone` gives, when they are gone or fewer than they were */
export async function* bytesOf(
  bucket: FileBucket,
  objectKey: string,
  offset: number,
  length: number,
  gone = removed,
): AsyncGenerator<Uint8Array> {
  const body = await bucket.get(objectKey, { offset, length });
  if (!body) throw gone();
  const reader = body.getReader({ mode: 'byob' });
  let left = length;
  try {
    while (left > 0) {
      const bytes = Math.min(PIECE_BYTES, left);
      const { value } = await reader.readAtLeast(bytes, new Uint8Array(bytes));
      if (!value?.byteLength) throw gone();
      left -= value.byteLength;
      yield value;
    }
  } finally {
    // Left before its end, the bucket must not go on sending.
    await reader.cancel().catch(() => undefined);
  }
}

const removed = () =>
  new CarrelError('conflict', 'Something was removed for good while the workspace was exported. Start it again.');

import { Stopped } from '../model.ts';
import type { ExtractionLimits } from '../model.ts';
import type { Pace } from '../pace.ts';

/** Bytes given to the inflater at once, which makes at most 1032 times as many of them (RFC 1951). */
const SLICE_BYTES = 16 * 1024;
/** Bytes of the end record and of the longest comment after it. */
const END_BYTES = 22 + 0xff_ff;

const END_SIGNATURE = 0x06_05_4b_50;
const DIRECTORY_SIGNATURE = 0x02_01_4b_50;
const LOCAL_SIGNATURE = 0x04_03_4b_50;

interface Entry {
  readonly method: number;
  readonly encrypted: boolean;
  readonly compressedSize: number;
  /** Bytes when inflated, as the archive declares. */
  readonly size: number;
  /** Of its local header. */
  readonly offset: number;
}

/**
 * A zip archive in memory (APPNOTE 6.3.10), read through its central directory. An entry that
 * declares too many bytes is not begun; one that lies is given up when it has given them.
 */
export class ZipArchive {
  readonly #bytes: Uint8Array;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #pace: Pace;
  #left: number;

  /** @throws Stopped `malformed` (no zip archive), `too_large` (too many entries) */
  constructor(bytes: Uint8Array, limits: Pick<ExtractionLimits, 'entries' | 'inflatedBytes'>, pace: Pace) {
    this.#bytes = bytes;
    this.#entries = readDirectory(bytes, limits.entries);
    this.#pace = pace;
    this.#left = limits.inflatedBytes;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * The bytes of an entry, in pieces; none for one that is not there.
   *
   * @throws Stopped `too_large`, `too_slow`, `encrypted`, `malformed`
   */
  async *read(name: string): AsyncGenerator<Uint8Array> {
    const entry = this.#entries.get(name);
    if (!entry) return;
    if (entry.encrypted) throw new Stopped('encrypted');
    if (entry.size > this.#left) throw new Stopped('too_large');
    const stored = storedBytes(this.#bytes, entry);
    for await (const piece of entry.method === 0 ? [stored] : inflated(stored)) {
      await this.#pace.step();
      this.#left -= piece.byteLength;
      if (this.#left < 0) throw new Stopped('too_large');
      yield piece;
    }
  }
}

async function* inflated(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new DecompressionStream('deflate-raw');
  const pumped = pump(bytes, writable);
  // Whoever reads is told what is wrong; the writer only hears that nobody reads on.
  pumped.catch(() => undefined);
  try {
    // Left where it is when its reader stops early: Node ends its process over a stream that is cancelled while it
    // inflates. What is left is collected as garbage, since nothing waits for it.
    for await (const piece of readable.values({ preventCancel: true })) yield piece;
  } catch (cause) {
    throw new Stopped('malformed', { cause });
  }
}

async function pump(bytes: Uint8Array, writable: WritableStream<BufferSource>): Promise<void> {
  const writer = writable.getWriter();
  for (let offset = 0; offset < bytes.length; offset += SLICE_BYTES) {
    await writer.ready;
    await writer.write(bytes.slice(offset, offset + SLICE_BYTES));
  }
  await writer.close();
}

function readDirectory(bytes: Uint8Array, maxEntries: number): Map<string, Entry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  if (count > maxEntries) throw new Stopped('too_large');
  const entries = new Map<string, Entry>();
  const names = new TextDecoder();
  let at = view.getUint32(end + 16, true);
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || view.getUint32(at, true) !== DIRECTORY_SIGNATURE) throw new Stopped('malformed');
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const name = names.decode(bytes.subarray(at + 46, nameEnd));
    entries.set(name, {
      method: view.getUint16(at + 10, true),
      encrypted: (view.getUint16(at + 8, true) & 1) === 1,
      compressedSize: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    });
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

function findEnd(view: DataView): number {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - END_BYTES); at--)
    if (view.getUint32(at, true) === END_SIGNATURE) return at;
  throw new Stopped('malformed');
}

function storedBytes(bytes: Uint8Array, { method, offset, compressedSize }: Entry): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if ((method !== 0 && method !== 8) || offset + 30 > bytes.length || view.getUint32(offset, true) !== LOCAL_SIGNATURE)
    throw new Stopped('malformed');
  const begin = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (begin + compressedSize > bytes.length) throw new Stopped('malformed');
  return bytes.subarray(begin, begin + compressedSize);
}

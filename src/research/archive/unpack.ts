import { configure, Reader, ZipReader } from '@zip.js/zip.js';
import type { FileEntry as ArchivedFile } from '@zip.js/zip.js';

import type { FileBucket } from '../../files/bucket.ts';
import { collect } from '../../files/intake.ts';
import { joined } from '../../lib/encoding.ts';
import { CarrelError } from '../../lib/errors.ts';

// A Worker has none.
configure({ useWebWorkers: false });

/** Entries that are looked at; those of another program may be folders, or files of its own. */
const MAX_ENTRIES = 10_000;

/** Bytes that are fetched at a time, and kept for what is asked next: each file is read in several small pieces. */
const BLOCK_BYTES = 4_000_000;
/** Blocks that are kept: what is read begins in one and ends in the next. */
const BLOCKS = 2;
/** Bytes that are asked for at once: no directory of so many entries has more. */
const MAX_READ_BYTES = 8_000_000;

/** An archive in the bucket: only what is asked for is fetched of it, and what is near that. */
class StoredArchive extends Reader<void> {
  readonly #bucket: FileBucket;
  readonly #objectKey: string;
  readonly #blocks = new Map<number, Promise<Uint8Array>>();

  constructor(bucket: FileBucket, objectKey: string, size: number) {
    super();
    this.#bucket = bucket;
    this.#objectKey = objectKey;
    this.size = size;
  }

  override async readUint8Array(index: number, length: number): Promise<Uint8Array> {
    const end = Math.min(index + length, this.size);
    if (end <= index) return new Uint8Array();
    if (end - index > MAX_READ_BYTES) throw new CarrelError('too_large', 'The directory of the archive is too long.');
    const pieces: Uint8Array[] = [];
    for (let at = index; at < end;) {
      const number = Math.floor(at / BLOCK_BYTES);
      const block = await this.#block(number);
      const from = at - number * BLOCK_BYTES;
      const piece = block.subarray(from, Math.min(block.byteLength, end - number * BLOCK_BYTES));
      if (piece.byteLength === 0) break;
      pieces.push(piece);
      at += piece.byteLength;
    }
    return joined(pieces);
  }

  async #block(number: number): Promise<Uint8Array> {
    const known = this.#blocks.get(number);
    const block = known ?? this.#fetch(number * BLOCK_BYTES);
    // The one that was asked for last goes last.
    this.#blocks.delete(number);
    this.#blocks.set(number, block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > BLOCKS && oldest !== undefined) this.#blocks.delete(oldest);
    return block;
  }

  async #fetch(offset: number): Promise<Uint8Array> {
    const length = Math.min(BLOCK_BYTES, this.size - offset);
    const bytes = await this.#bucket.get(this.#objectKey, { offset, length });
    if (!bytes) throw new CarrelError('not_found', 'The archive was deleted meanwhile.');
    return collect(bytes);
  }
}

/** The files of an archive, by their names. */
export class Archive {
  readonly #entries: ReadonlyMap<string, ArchivedFile>;

  private constructor(entries: ReadonlyMap<string, ArchivedFile>) {
    this.#entries = entries;
  }

  /** @throws CarrelError `unsupported` for what is no archive, `too_large` for one with too many files */
  static async open(bucket: FileBucket, objectKey: string, size: number): Promise<Archive> {
    const entries = new Map<string, ArchivedFile>();
    const reader = new ZipReader(new StoredArchive(bucket, objectKey, size));
    let count = 0;
    try {
      for await (const entry of reader.getEntriesGenerator()) {
        if (++count > MAX_ENTRIES)
          throw new CarrelError('too_large', `The archive has more than ${MAX_ENTRIES} files.`);
        if (!entry.directory) entries.set(entry.filename, entry);
      }
    } catch (thrown) {
      if (thrown instanceof CarrelError) throw thrown;
      throw new CarrelError('unsupported', 'The file is no zip archive, or is broken.', { cause: thrown });
    }
    return new Archive(entries);
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /**
   * The bytes of a file, whose checksum is compared.
   *
   * @param size that it may have; one that says it has more is not begun, one that lies is given up
   * @throws CarrelError `invalid_input` for one that is not there or is broken, `too_large`
   */
  async read(name: string, size: number): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.#entries.get(name);
    if (!entry) throw missing();
    if (entry.uncompressedSize > size || entry.encrypted) throw tooLarge();
    const pieces: Uint8Array[] = [];
    let left = size;
    // Whatever it declared: one that lies is given up here.
    const sink = new WritableStream<Uint8Array>({
      write(piece: Uint8Array) {
        left -= piece.byteLength;
        if (left < 0) throw tooLarge();
        pieces.push(piece);
      },
    });
    try {
      await entry.getData(sink, { checkCrc32: true });
    } catch (thrown) {
      if (thrown instanceof CarrelError) throw thrown;
      throw new CarrelError('invalid_input', 'A file of the archive is broken. Nothing was imported.', {
        cause: thrown,
      });
    }
    return joined(pieces);
  }
}

const tooLarge = () =>
  new CarrelError('too_large', 'A file of the archive is larger than its list says, or locked. Nothing was imported.');
const missing = () =>
  new CarrelError('invalid_input', 'The archive lacks a file that its list names. Nothing was imported.');

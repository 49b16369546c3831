import { configure, Reader, Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';

configure({ useWebWorkers: false });

/** A file that was unpacked. */
export interface Unpacked {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly modifiedAt: Date;
}

/** Unpacks an archive with an implementation that is not ours, which compares each checksum. */
export async function unzip(archive: Uint8Array | ArrayBuffer): Promise<Unpacked[]> {
  const reader = new ZipReader(new Uint8ArrayReader(new Uint8Array(archive)), { checkCrc32: true });
  const files: Unpacked[] = [];
  for (const entry of await reader.getEntries()) {
    if (entry.directory) throw new Error(`${entry.filename} is a folder`);
    const bytes = await entry.getData(new Uint8ArrayWriter());
    files.push({ name: entry.filename, bytes, modifiedAt: entry.lastModDate });
  }
  return files;
}

/** What each file says, by its name. */
export async function unzipTexts(archive: Uint8Array | ArrayBuffer): Promise<Record<string, string>> {
  const files = await unzip(archive);
  return Object.fromEntries(files.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]));
}

/** An archive of which a long run of bytes is known and need not be held: gigabytes of one value. */
export class SparseReader extends Reader<void> {
  readonly #pieces: readonly { readonly at: number; readonly bytes: Uint8Array }[];

  /** @param pieces what is not zero, each with its place */
  constructor(size: number, pieces: readonly { readonly at: number; readonly bytes: Uint8Array }[]) {
    super();
    this.size = size;
    this.#pieces = pieces;
  }

  override readUint8Array(index: number, length: number): Promise<Uint8Array> {
    const found = new Uint8Array(length);
    for (const { at, bytes } of this.#pieces) {
      const from = Math.max(at, index);
      const to = Math.min(at + bytes.byteLength, index + length);
      if (from < to) found.set(bytes.subarray(from - at, to - at), from - index);
    }
    return Promise.resolve(found);
  }
}

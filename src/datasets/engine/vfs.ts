import type { BlockFile } from './block-file.ts';
import * as code from './codes.ts';

/** Gives the files that SQLite opens. */
export interface Files {
  /** A table's file; undefined for one that is not there. */
  open(name: string): BlockFile | undefined;
  /** One without a name, for what sorts and the like do not hold in memory. It goes when it is closed. */
  temporary(): BlockFile;
}

/** Milliseconds of the Julian calendar at the epoch. */
const EPOCH = 210_866_760_000_000n;

/**
 * A file system for SQLite of blocks in the storage of a Durable Object. Nothing in it waits: that storage answers at once.
 * Nothing is locked either, as each engine is the only one, and there is no journal: what was written is
 * stored by whoever runs the engine, all at once or not at all.
 */
export class BlockVfs {
  readonly name = 'blocks';
  readonly mxPathname = 64;
  readonly #files: Files;
  readonly #memory: () => Uint8Array;
  readonly #open = new Map<number, BlockFile>();

  /** @param memory that of the engine, which may have moved since the last call */
  constructor(files: Files, memory: () => Uint8Array) {
    this.#files = files;
    this.#memory = memory;
  }

  hasAsyncMethod(): boolean {
    return false;
  }

  xOpen(_vfs: number, name: number, file: number, flags: number, outFlags: number): number {
    const opened = name === 0 ? this.#files.temporary() : this.#files.open(this.#text(name));
    if (!opened) return code.CANTOPEN;
    this.#open.set(file, opened);
    this.#setNumber(outFlags, flags);
    return code.OK;
  }

  xClose(file: number): number {
    this.#open.delete(file);
    return code.OK;
  }

  xRead(file: number, data: number, amount: number, low: number, high: number): number {
    const from = this.#open.get(file);
    if (!from) return code.IOERR;
    return from.read(this.#part(data, amount), offset(low, high)) ? code.OK : code.IOERR_SHORT_READ;
  }

  xWrite(file: number, data: number, amount: number, low: number, high: number): number {
    const to = this.#open.get(file);
    if (!to) return code.IOERR;
    try {
      to.write(this.#part(data, amount), offset(low, high));
      return code.OK;
    } catch (thrown) {
      if (thrown instanceof NoSpace) return code.FULL;
      throw thrown;
    }
  }

  xTruncate(file: number, low: number, high: number): number {
    this.#open.get(file)?.truncate(offset(low, high));
    return code.OK;
  }

  xFileSize(file: number, size: number): number {
    const view = new DataView(this.#memory().buffer);
    view.setBigInt64(size, BigInt(this.#open.get(file)?.size ?? 0), true);
    return code.OK;
  }

  xDelete(): number {
    return code.OK;
  }

  /** There never is a journal of somebody else. */
  xAccess(_vfs: number, _name: number, _flags: number, result: number): number {
    this.#setNumber(result, 0);
    return code.OK;
  }

  xFullPathname(_vfs: number, name: number, length: number, out: number): number {
    const memory = this.#memory();
    const end = memory.indexOf(0, name);
    if (end - name >= length) return code.CANTOPEN;
    memory.copyWithin(out, name, end + 1);
    return code.OK;
  }

  xRandomness(_vfs: number, length: number, out: number): number {
    crypto.getRandomValues(this.#part(out, length));
    return length;
  }

  xCurrentTimeInt64(_vfs: number, out: number): number {
    new DataView(this.#memory().buffer).setBigInt64(out, EPOCH + BigInt(Date.now()), true);
    return code.OK;
  }

  xSync(): number {
    return code.OK;
  }

  xLock(): number {
    return code.OK;
  }

  xUnlock(): number {
    return code.OK;
  }

  xCheckReservedLock(_file: number, result: number): number {
    this.#setNumber(result, 0);
    return code.OK;
  }

  xFileControl(): number {
    return code.NOTFOUND;
  }

  xSectorSize(): number {
    return 4096;
  }

  xDeviceCharacteristics(): number {
    return 0;
  }

  #part(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#memory().subarray(at, at + length) as Uint8Array<ArrayBuffer>;
  }

  #text(at: number): string {
    const memory = this.#memory();
    return new TextDecoder().decode(memory.subarray(at, memory.indexOf(0, at)));
  }

  #setNumber(at: number, value: number): void {
    new DataView(this.#memory().buffer).setInt32(at, value, true);
  }
}

/** Thrown where a file may not grow any more. */
export class NoSpace extends Error {}

/** Emscripten hands over 64 bits as two numbers of 32. */
function offset(low: number, high: number): number {
  return high * 2 ** 32 + (low >>> 0);
}

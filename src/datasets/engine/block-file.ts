/** Bytes of a block: one row of the object's own SQLite, and one page of a table's. */
export const BLOCK_BYTES = 65_536;

/** Where blocks are that are not in memory. */
export interface Blocks {
  /** Undefined for one that was never saved. */
  load(number: number): Uint8Array | undefined;
  /** Without it what was written stays in memory until {@link BlockFile.takeWritten}. */
  save?(number: number, block: Uint8Array): void;
}

interface Held {
  readonly bytes: Uint8Array;
  written: boolean;
}

/** A file of blocks, of which the last that were used are held in memory. */
export class BlockFile {
  readonly #blocks: Blocks;
  readonly #most: number;
  readonly #held = new Map<number, Held>();
  #size: number;

  /** @param most blocks that are held, besides written ones that cannot be saved */
  constructor(blocks: Blocks, size: number, most: number) {
    this.#blocks = blocks;
    this.#size = size;
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns false when the file ends before; what is missing is zero then */
  read(into: Uint8Array, offset: number): boolean {
    const there = Math.max(0, Math.min(into.length, this.#size - offset));
    this.#each(offset, there, (number, from, to, done) => into.set(this.#block(number).bytes.subarray(from, to), done));
    if (there < into.length) into.fill(0, there);
    return there === into.length;
  }

  write(from: Uint8Array, offset: number): void {
    this.#each(offset, from.length, (number, start, end, done) => {
      const block = this.#block(number, end - start === BLOCK_BYTES);
      block.bytes.set(from.subarray(done, done + end - start), start);
      block.written = true;
    });
    this.#size = Math.max(this.#size, offset + from.length);
  }

  truncate(size: number): void {
    this.#size = Math.min(this.#size, size);
    for (const number of this.#held.keys()) if (number * BLOCK_BYTES >= size) this.#held.delete(number);
  }

  /** The blocks that were written since the last call, in order; they count as saved from now on. */
  takeWritten(): [number, Uint8Array][] {
    const taken: [number, Uint8Array][] = [];
    for (const [number, block] of this.#held) {
      if (!block.written) continue;
      taken.push([number, block.bytes]);
      block.written = false;
    }
    return taken.toSorted(([left], [right]) => left - right);
  }

  #each(offset: number, length: number, use: (number: number, from: number, to: number, done: number) => void): void {
    for (let done = 0; done < length;) {
      const from = (offset + done) % BLOCK_BYTES;
      const to = Math.min(BLOCK_BYTES, from + length - done);
      use(Math.floor((offset + done) / BLOCK_BYTES), from, to, done);
      done += to - from;
    }
  }

  /** @param whether all of it is about to be written, so that what is there does not matter */
  #block(number: number, overwritten = false): Held {
    const there = this.#held.get(number);
    if (there) {
      // To the end of the line: what was not used for longest goes first.
      this.#held.delete(number);
      this.#held.set(number, there);
      return there;
    }
    if (this.#held.size >= this.#most) this.#release();
    const bytes = overwritten ? undefined : this.#blocks.load(number);
    const block = { bytes: bytes ?? new Uint8Array(BLOCK_BYTES), written: false };
    this.#held.set(number, block);
    return block;
  }

  #release(): void {
    for (const [number, { bytes, written }] of this.#held) {
      if (written && !this.#blocks.save) continue;
      if (written) this.#blocks.save?.(number, bytes);
      this.#held.delete(number);
      return;
    }
  }
}

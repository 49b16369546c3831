import { createCipheriv, createHash } from 'node:crypto';

const PIECE = 256 * 1024;

/**
 * Bytes that look random and are the same every time, piece by piece: a source of any size that
 * nobody has to hold in memory.
 *
 * @param seed 16 characters of ASCII at most; another seed gives other bytes
 */
export function* noise(size: number, seed = 'carrel'): Generator<Uint8Array<ArrayBuffer>> {
  const key = new TextEncoder().encode(seed.padEnd(16, '.'));
  const cipher = createCipheriv('aes-128-ctr', key, new Uint8Array(16));
  const zeros = new Uint8Array(PIECE);
  for (let left = size; left > 0; left -= PIECE) yield new Uint8Array(cipher.update(zeros.subarray(0, left)));
}

/** What is known of bytes that went by. */
export interface Digest {
  readonly size: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
}

/** Counts and hashes bytes as they come, and keeps none of them. */
export async function digestOf(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Digest> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    size += piece.byteLength;
  }
  return { size, sha256: hash.digest('hex') };
}

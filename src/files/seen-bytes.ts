import { joined, toHex } from '../lib/encoding.ts';
import { HEAD_BYTES } from './media-types.ts';

/** What is known of bytes that went by. */
export interface SeenBytes {
  readonly size: number;
  /** In lower-case hexadecimal. */
  readonly sha256: string;
  /** The first {@link HEAD_BYTES}, or all if they are fewer. */
  readonly head: Uint8Array;
}

/** Looks at bytes as they go by, and keeps none but the first. */
export class Onlooker {
  size = 0;
  readonly #head: Uint8Array[] = [];
  readonly #digest = new crypto.DigestStream('SHA-256');
  readonly #hasher = this.#digest.getWriter();

  constructor() {
    // Rejects when the bytes break off, and then nobody waits for it.
    this.#digest.digest.catch(() => undefined);
  }

  /** Awaited before the next: the hasher may be slower than who brings them. */
  async see(piece: Uint8Array): Promise<void> {
    if (this.size < HEAD_BYTES) this.#head.push(piece.slice(0, HEAD_BYTES - this.size));
    this.size += piece.byteLength;
    await this.#hasher.write(piece);
  }

  /** Once, behind the last of them. */
  async finish(): Promise<SeenBytes> {
    await this.#hasher.close();
    const sha256 = toHex(new Uint8Array(await this.#digest.digest));
    return { size: this.size, sha256, head: joined(this.#head) };
  }
}

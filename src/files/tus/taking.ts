import { CarrelError } from '../../lib/errors.ts';
import type { OpenWorkspace } from '../../workspace/client.ts';
import type { FileBucket } from '../bucket.ts';
import { ATTEMPT_MS, newObjectKey, TUS_PART_BYTES } from '../model.ts';
import type { TusStep, TusUpload } from '../model.ts';

type Bytes = ReadableStream<Uint8Array>;

/** Bytes that are read at once at most, and waited for on a fast line: many small pieces cost turns through JavaScript. */
const PIECE_BYTES = 256 * 1024;
/** Bytes that all bodies of an isolate hold in memory together, of the 128 MB that it has; each may hold 1 MB. */
const HELD_BYTES = 64 * 1024 * 1024;
const LEAST_HELD_BYTES = 1024 * 1024;
/** How long bytes are held, in ms: a slow line takes minutes for a part, and a kill must not cost them. */
const HELD_MS = 30_000;

/**
 * Bodies that are read in this isolate now: they share {@link HELD_BYTES}. One that the platform cuts off is never
 * counted out; then less is held at a time, and nothing else changes.
 */
let running = 0;

/** A digest that the bytes of one request must have (tus, Checksum). */
export interface Checksum {
  readonly algorithm: 'SHA-1' | 'SHA-256' | 'MD5';
  readonly digest: Uint8Array;
}

/** Where the bytes of one request go. */
export interface Destination {
  readonly bucket: FileBucket;
  readonly tus: OpenWorkspace['tus'];
  readonly uploads: Pick<OpenWorkspace['uploads'], 'abandon'>;
  readonly workspaceId: string;
  readonly uploadId: string;
  readonly upload: TusUpload;
  /** How long the upload waits for more, in ms since the epoch. */
  readonly until: number;
}

export type Taken =
  | { readonly outcome: 'taken'; readonly offset: number; readonly isComplete: boolean }
  /** The bytes have another checksum; none of them counts. */
  | { readonly outcome: 'mismatch' };

/**
 * Takes the bytes of one request, which follow those that are here. They are stored in parts while they come, and
 * what does not fill a part as the tail. When the body breaks off, what came of it counts; with a checksum, nothing.
 *
 * @throws CarrelError `conflict` (another request began), `too_large` (the body goes beyond the upload: the upload is
 *   not complete, but may have grown), `invalid_input` (it broke off), `not_found`, `limit_exceeded`, `unavailable`
 */
export async function takeBytes(to: Destination, body: Bytes, checksum: Checksum | undefined): Promise<Taken> {
  const growth = new Growth(to, checksum !== undefined);
  const digest = checksum && new Digest(checksum);
  const reader = body.getReader({ mode: 'byob' });
  running += 1;
  try {
    const failure = await pump(reader, growth, digest, to.upload);
    if (failure && digest) throw failure;
    if (digest && !(await digest.matches())) {
      await growth.abandon();
      return { outcome: 'mismatch' };
    }
    const isComplete = await growth.finish();
    // What came before it broke off is here now: whoever asks next is told so.
    if (failure) throw failure;
    return { outcome: 'taken', offset: growth.end, isComplete };
  } catch (thrown) {
    await Promise.allSettled([reader.cancel(thrown), growth.abandon()]);
    if (thrown instanceof CarrelError) throw thrown;
    throw new CarrelError('unavailable', 'The bytes could not be stored. Ask for the offset, then go on from there.', {
      cause: thrown,
    });
  } finally {
    running -= 1;
  }
}

/** Reads a body to its end. @returns why it broke off, if it did */
async function pump(
  reader: ReadableStreamBYOBReader,
  growth: Growth,
  digest: Digest | undefined,
  { size, received }: TusUpload,
): Promise<CarrelError | undefined> {
  const deadline = Date.now() + ATTEMPT_MS;
  for (;;) {
    const came = growth.end - received;
    // One byte more where nothing may come: only its absence shows that the body ends here.
    const view = new Uint8Array(Math.max(1, Math.min(PIECE_BYTES, growth.room)));
    // What a read waits for is lost when the connection breaks: at most an eighth of what came.
    const awaited = Math.max(1, Math.min(view.byteLength, came >> 3));
    let piece;
    try {
      piece = (await reader.readAtLeast(awaited, view)).value;
    } catch (cause) {
      return new CarrelError('invalid_input', 'The body broke off. Ask for the offset, then go on from there.', {
        cause,
      });
    }
    if (!piece?.byteLength) return undefined;
    if (growth.end === size)
      throw new CarrelError('too_large', 'The body goes beyond the length of the upload. Its end was not stored.', {
        details: { size },
      });
    await digest?.add(piece);
    await growth.add(piece);
    if (Date.now() > deadline)
      return new CarrelError('invalid_input', 'The request took too long. Ask for the offset, then go on from there.');
  }
}

/** An upload that grows by the bytes of one request. */
class Growth {
  /** Up to where bytes were taken, those that are still held among them. */
  end: number;
  readonly #to: Destination;
  readonly #isAtOnce: boolean;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #heldSince = Date.now();
  /** Up to where bytes are stored. */
  #stored: number;
  #tailKey: string | undefined;
  #parts: TusStep['parts'][number][] = [];
  /** Tails that were stored and do not count (yet). */
  #loose: string[] = [];
  #storing: Promise<void> = Promise.resolve();
  #isLast = false;
  #hasRested = false;
  #isComplete = false;

  /** @param isAtOnce whether all of it counts at its end, and nothing before */
  constructor(to: Destination, isAtOnce: boolean) {
    this.#to = to;
    this.#isAtOnce = isAtOnce;
    this.end = this.#stored = to.upload.received;
    this.#tailKey = to.upload.tailKey;
  }

  /** How many bytes may be added at once: they end where a part does. */
  get room(): number {
    return Math.min(TUS_PART_BYTES - (this.end % TUS_PART_BYTES), this.#to.upload.size - this.end);
  }

  /** Adds bytes, and waits while too many are held. */
  async add(piece: Uint8Array): Promise<void> {
    // A copy, where the piece is a corner of the memory that was made for it.
    this.#held.push(piece.byteLength * 2 < piece.buffer.byteLength ? piece.slice() : piece);
    this.#heldBytes += piece.byteLength;
    this.end += piece.byteLength;
    // The end waits for the end of the body: there may be more than there should.
    if (this.end === this.#to.upload.size) return;
    const isPart = this.end % TUS_PART_BYTES === 0;
    // Tails that do not count yet would pile up.
    if (isPart || (!this.#isAtOnce && this.#holdsEnough)) await this.#storeHeld();
  }

  get #holdsEnough(): boolean {
    // As much again is on its way to the bucket.
    const share = Math.max(LEAST_HELD_BYTES, HELD_BYTES / running / 2);
    return this.#heldBytes >= share || Date.now() - this.#heldSince >= HELD_MS;
  }

  /** Stores what is held, and has all count. @returns whether the upload is complete */
  async finish(): Promise<boolean> {
    await this.#storing;
    this.#isLast = true;
    // A file of no bytes is stored, too.
    if (this.#heldBytes > 0 || this.#to.upload.size === 0) await this.#storeHeld();
    await this.#storing;
    if (this.#isAtOnce) await this.#count();
    await this.#rest();
    return this.#isComplete;
  }

  /** Removes what was stored and does not count. What fails here is swept. */
  async abandon(): Promise<void> {
    await this.#storing.catch(() => undefined);
    const { bucket, uploads } = this.#to;
    const given = this.#loose.map(async (key) => uploads.abandon(key, Date.now()));
    await Promise.allSettled([bucket.delete(this.#loose), this.#rest(), ...given]);
  }

  /** Says that no more comes, where that was not said with the last bytes. */
  async #rest(): Promise<void> {
    const { tus, uploadId, upload } = this.#to;
    if (!this.#hasRested) await tus.rest(uploadId, upload.turn);
    this.#hasRested = true;
  }

  /** Begins to store what is held, once what was held before is stored: so much more may be in memory, and no more. */
  async #storeHeld(): Promise<void> {
    await this.#storing;
    const [held, end] = [this.#held, this.end];
    [this.#held, this.#heldBytes, this.#heldSince] = [[], 0, Date.now()];
    this.#storing = this.#store(held, end);
    // It is awaited later; until then nobody is told.
    this.#storing.catch(() => undefined);
  }

  async #store(held: Uint8Array[], end: number): Promise<void> {
    const { bucket, tus, workspaceId, uploadId, upload } = this.#to;
    const start = this.#stored - (this.#stored % TUS_PART_BYTES);
    const tail = this.#stored === start ? undefined : await this.#tail();
    const length = end - start;
    if (upload.parts && (length === TUS_PART_BYTES || end === upload.size)) {
      const { objectKey, multipartId } = upload.parts;
      const number = await tus.reserve(uploadId, upload.turn, undefined, Date.now());
      const etag = await stream(length, tail, held, async (bytes) =>
        bucket.putPart(objectKey, multipartId, number, bytes),
      );
      this.#parts.push({ number, size: length, etag });
      this.#tailKey = undefined;
    } else {
      const key = newObjectKey(workspaceId);
      await tus.reserve(uploadId, upload.turn, key, Date.now());
      this.#loose.push(key);
      await stream(length, tail, held, async (bytes) => bucket.put(key, bytes, undefined));
      this.#tailKey = key;
    }
    this.#stored = end;
    if (!this.#isAtOnce) await this.#count();
  }

  async #tail(): Promise<Bytes> {
    const bytes = this.#tailKey === undefined ? undefined : await this.#to.bucket.get(this.#tailKey, undefined);
    if (bytes) return bytes;
    // It goes when another request puts bytes behind it.
    throw new CarrelError('conflict', 'The upload is at another offset. Ask for it with HEAD, then go on from there.');
  }

  /** Has what is stored count. */
  async #count(): Promise<void> {
    const { tus, uploadId, upload, until } = this.#to;
    const step = { to: this.#stored, parts: this.#parts, tailKey: this.#tailKey, isLast: this.#isLast };
    const loose = this.#loose;
    // Before: when the answer is lost, nobody knows whether they count now.
    this.#loose = [];
    try {
      this.#isComplete = await tus.advance(uploadId, upload.turn, step, until, Date.now());
    } catch (thrown) {
      if (thrown instanceof CarrelError && (thrown.code === 'conflict' || thrown.code === 'not_found'))
        this.#loose = loose;
      throw thrown;
    }
    this.#parts = [];
    this.#hasRested = this.#isLast;
  }
}

/** Stores bytes as one stream of a known length. */
async function stream<Stored>(
  length: number,
  tail: Bytes | undefined,
  held: Uint8Array[],
  store: (bytes: Bytes) => Promise<Stored>,
): Promise<Stored> {
  const { readable, writable } = new FixedLengthStream(length);
  const stop = new AbortController();
  const stored = store(readable);
  const written = (async () => {
    await tail?.pipeTo(writable, { preventClose: true, signal: stop.signal });
    const writer = writable.getWriter();
    stop.signal.addEventListener('abort', () => void writer.abort(stop.signal.reason).catch(() => undefined));
    for (let piece = held.shift(); piece; piece = held.shift()) await writer.write(piece);
    await writer.close();
  })();
  try {
    const [result] = await Promise.all([stored, written]);
    return result;
  } catch (thrown) {
    stop.abort(thrown);
    // Both are waited for: nothing may be written after the caller cleans up.
    await Promise.allSettled([stored, written]);
    throw thrown;
  }
}

/** Hashes bytes as they come. */
class Digest {
  readonly #expected: Uint8Array;
  readonly #digest: Promise<ArrayBuffer>;
  readonly #writer: WritableStreamDefaultWriter<ArrayBuffer | ArrayBufferView>;

  constructor({ algorithm, digest }: Checksum) {
    const hasher = new crypto.DigestStream(algorithm);
    this.#expected = digest;
    this.#digest = hasher.digest;
    // Rejects when the body breaks off, and then nobody waits for it.
    this.#digest.catch(() => undefined);
    this.#writer = hasher.getWriter();
  }

  async add(piece: Uint8Array): Promise<void> {
    await this.#writer.write(piece);
  }

  async matches(): Promise<boolean> {
    await this.#writer.close();
    const digest = new Uint8Array(await this.#digest);
    return digest.byteLength === this.#expected.byteLength && digest.every((byte, at) => byte === this.#expected[at]);
  }
}

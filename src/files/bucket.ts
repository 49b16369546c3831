/** A part of an object: `length` bytes from `offset`. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** An object as a listing shows it. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** ms since the epoch. */
  readonly storedAt: number;
}

/**
 * Where the bytes of files are. An object is written once, under a key that no other upload has, and
 * never changed.
 */
export interface FileBucket {
  /**
   * Stores a stream whose length the runtime knows (`FixedLengthStream`): R2 takes no other.
   *
   * @param sha256 in hexadecimal; other bytes are refused
   */
  put(key: string, bytes: ReadableStream<Uint8Array>, sha256: string | undefined): Promise<void>;
  /** Begins an object that comes in parts. @returns what names it besides its key */
  beginParts(key: string): Promise<string>;
  /**
   * Stores one part, whose length the runtime knows. All but the last have the same length.
   *
   * @returns what {@link completeParts} wants of it
   */
  putPart(key: string, multipartId: string, number: number, bytes: ReadableStream<Uint8Array>): Promise<string>;
  /** Makes the object of its parts. May be repeated: an object that is there already is no fault. */
  completeParts(key: string, multipartId: string, parts: readonly { number: number; etag: string }[]): Promise<void>;
  /** Forgets the parts of an object that was not completed. */
  abortParts(key: string, multipartId: string): Promise<void>;
  /** The bytes of an object, or of a part of it; undefined when it is not there. */
  get(key: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined>;
  /** What is known of an object without its bytes; undefined when it is not there. */
  head(key: string): Promise<{ readonly size: number } | undefined>;
  /** Removes objects, up to 1,000 at a time. One that is not there is no fault. */
  delete(keys: readonly string[]): Promise<void>;
  /** The objects whose key begins so, in the order of their keys. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** What stands before the first slash of keys, each once. */
  folders(): Promise<string[]>;
  /** Removes every object whose key begins so. @returns how many there were */
  deleteAll(prefix: string): Promise<number>;
}

/** Files in R2. */
export class R2FileBucket implements FileBucket {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async put(key: string, bytes: ReadableStream<Uint8Array>, sha256: string | undefined): Promise<void> {
    await this.#bucket.put(key, bytes, sha256 === undefined ? {} : { sha256 });
  }

  async beginParts(key: string): Promise<string> {
    return (await this.#bucket.createMultipartUpload(key)).uploadId;
  }

  async putPart(key: string, multipartId: string, number: number, bytes: ReadableStream<Uint8Array>): Promise<string> {
    return (await this.#bucket.resumeMultipartUpload(key, multipartId).uploadPart(number, bytes)).etag;
  }

  async completeParts(
    key: string,
    multipartId: string,
    parts: readonly { number: number; etag: string }[],
  ): Promise<void> {
    const named = parts.map(({ number: partNumber, etag }) => ({ partNumber, etag }));
    try {
      await this.#bucket.resumeMultipartUpload(key, multipartId).complete(named);
    } catch (thrown) {
      // A crash between this and what follows leaves an object whose parts are gone.
      if (!(await this.#bucket.head(key))) throw thrown;
    }
  }

  async abortParts(key: string, multipartId: string): Promise<void> {
    // One that is gone already cannot be told from one that fails: R2 forgets what is left by itself.
    await this.#bucket
      .resumeMultipartUpload(key, multipartId)
      .abort()
      .catch(() => undefined);
  }

  async get(key: string, range: ByteRange | undefined): Promise<ReadableStream<Uint8Array> | undefined> {
    const object = await this.#bucket.get(key, range === undefined ? {} : { range });
    return object?.body;
  }

  async head(key: string): Promise<{ readonly size: number } | undefined> {
    const object = await this.#bucket.head(key);
    return object ? { size: object.size } : undefined;
  }

  async delete(keys: readonly string[]): Promise<void> {
    if (keys.length > 0) await this.#bucket.delete([...keys]);
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    for (let cursor: string | undefined; ;) {
      const page = await this.#bucket.list({ prefix, limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
      for (const { key, size, uploaded } of page.objects) yield { key, size, storedAt: uploaded.getTime() };
      if (!page.truncated) return;
      ({ cursor } = page);
    }
  }

  async folders(): Promise<string[]> {
    const found: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await this.#bucket.list({ delimiter: '/', ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.delimitedPrefixes.map((prefix) => prefix.slice(0, -1)));
      if (!page.truncated) return found;
      ({ cursor } = page);
    }
  }

  async deleteAll(prefix: string): Promise<number> {
    let count = 0;
    for (;;) {
      // From the beginning each time: what was listed before is gone.
      const { objects } = await this.#bucket.list({ prefix, limit: 1000 });
      if (objects.length === 0) return count;
      await this.#bucket.delete(objects.map(({ key }) => key));
      count += objects.length;
    }
  }
}

import { CarrelError } from '../lib/errors.ts';
import { Store } from '../workspace/storage.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { PART_BYTES, PARTS_MS, partsOf, SWEEP_DELAY_MS } from './model.ts';
import type { FileEntry, PartsState, PartsStatus, StoredPart } from './model.ts';
import { Shelf } from './shelf.ts';

type Row = {
  id: string;
  path: string;
  size: number;
  sha256: string | null;
  type: string | null;
  objectKey: string;
  multipartId: string;
  /** `completing`: the bucket is making the object of its parts. */
  state: PartsState | 'completing';
  problem: string | null;
  committedFileId: string | null;
  expiresAt: number;
};

const SELECT = `SELECT id, path, size, sha256, type, object_key AS objectKey, multipart_id AS multipartId, state, problem,
    committed_file_id AS committedFileId, expires_at AS expiresAt FROM file_uploads`;

/** An object that the bucket gets in parts. */
export interface PartsObject {
  readonly objectKey: string;
  readonly multipartId: string;
}

/** An upload whose bytes are all here and are to be read back. */
export interface Unverified {
  readonly uploadId: string;
  readonly objectKey: string;
  readonly path: string;
  readonly size: number;
  readonly sha256: string | undefined;
  readonly type: string | undefined;
}

const noSuchUpload = () =>
  new CarrelError('not_found', 'No file is expected here any more. Ask for a new address with `file_upload`.');

const wrongState = (state: string) =>
  new CarrelError('conflict', `This upload is ${state}: no part is taken any more.`, { details: { state } });

/**
 * Uploads in parts. What is stored of one survives whatever breaks: the uploader asks which parts are there,
 * and sends the others. Parts may come side by side and in any order.
 */
export class PartsStore extends Store {
  readonly #shelf: Shelf;

  constructor(context: StoreContext) {
    super(context);
    this.#shelf = new Shelf(context);
  }

  /** Has an upload that was declared come in parts. */
  begin(uploadId: string, { objectKey, multipartId }: PartsObject, now: number): void {
    this.db.transaction(() => {
      this.db.run(
        "UPDATE file_uploads SET object_key = ?, multipart_id = ?, state = 'uploading' WHERE id = ?",
        objectKey,
        multipartId,
        uploadId,
      );
      this.#shelf.loosen(objectKey, uploadId, now + PARTS_MS + SWEEP_DELAY_MS, 'open');
    });
  }

  /** @throws CarrelError `not_found` */
  status(uploadId: string, now: number): PartsStatus {
    const { state, path, size, committedFileId, problem, expiresAt } = this.#upload(uploadId, now);
    return {
      state: state === 'completing' ? 'uploading' : state,
      path,
      size,
      partSize: PART_BYTES,
      parts: this.#parts(uploadId).map(({ number, size: bytes, sha256 }) => ({ number, size: bytes, sha256 })),
      fileId: committedFileId ?? undefined,
      problem: problem ?? undefined,
      expiresAt,
    };
  }

  /**
   * Where a part goes, and how long it must be.
   *
   * @throws CarrelError `not_found`, `conflict` (it is complete), `invalid_input` (there is no such part)
   */
  beginPart(uploadId: string, number: number, now: number): PartsObject & { readonly length: number } {
    const { state, size, objectKey, multipartId } = this.#upload(uploadId, now);
    if (state !== 'uploading') throw wrongState(state);
    const count = partsOf(size);
    if (number > count)
      throw new CarrelError('invalid_input', `The file has ${count} parts, numbered from 1.`, {
        details: { parts: count },
      });
    return { objectKey, multipartId, length: number === count ? size - (count - 1) * PART_BYTES : PART_BYTES };
  }

  /** Notes a part that is stored; of one that was sent twice the later counts. @throws CarrelError as {@link beginPart} */
  recordPart(uploadId: string, part: StoredPart, etag: string, now: number): void {
    this.db.transaction(() => {
      const { state } = this.#upload(uploadId, now);
      if (state !== 'uploading') throw wrongState(state);
      this.db.run(
        `INSERT INTO upload_parts (upload_id, number, size, sha256, etag) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (upload_id, number) DO UPDATE SET size = excluded.size, sha256 = excluded.sha256, etag = excluded.etag`,
        uploadId,
        part.number,
        part.size,
        part.sha256,
        etag,
      );
    });
  }

  /**
   * Ends the taking of parts. Of several at once each is told to complete the object, which may be repeated.
   *
   * @returns undefined when it was completed before
   * @throws CarrelError `not_found`, `conflict` (parts are missing, or it failed)
   */
  beginCompletion(
    uploadId: string,
    now: number,
  ): (PartsObject & { readonly parts: readonly { number: number; etag: string }[] }) | undefined {
    return this.db.transaction(() => {
      const { state, size, objectKey, multipartId } = this.#upload(uploadId, now);
      if (state === 'verifying' || state === 'committed') return undefined;
      if (state === 'failed') throw wrongState(state);
      const parts = this.#parts(uploadId);
      const missing = missingOf(size, parts);
      if (missing.length > 0)
        throw new CarrelError('conflict', 'Parts are missing. Send them, then complete it again.', {
          details: { missing: missing.slice(0, 100).join(',') },
        });
      this.db.run("UPDATE file_uploads SET state = 'completing' WHERE id = ?", uploadId);
      return { objectKey, multipartId, parts: parts.map(({ number, etag }) => ({ number, etag })) };
    });
  }

  /** The bucket could not make the object: parts are taken again. */
  reopen(uploadId: string): void {
    this.db.run("UPDATE file_uploads SET state = 'uploading' WHERE id = ? AND state = 'completing'", uploadId);
  }

  /** The object is there: its bytes are read back next. */
  verify(uploadId: string, now: number): void {
    this.db.run("UPDATE file_uploads SET state = 'verifying' WHERE id = ? AND state = 'completing'", uploadId);
    this.schedule('verify', now);
  }

  /** What is to be read back. */
  unverified(limit: number): Unverified[] {
    return this.db.all<Row>(`${SELECT} WHERE state = 'verifying' LIMIT ?`, limit).map((row) => ({
      uploadId: row.id,
      objectKey: row.objectKey,
      path: row.path,
      size: row.size,
      sha256: row.sha256 ?? undefined,
      type: row.type ?? undefined,
    }));
  }

  /** What became of an upload that was read back. A failed one is told of until it expires. */
  settle(uploadId: string, result: FileEntry | { readonly problem: string }, now: number): void {
    this.db.transaction(() => {
      const row = this.db.first<Row>(`${SELECT} WHERE id = ?`, uploadId);
      if (!row) return;
      const problem = 'problem' in result ? result.problem : null;
      this.db.run(
        'UPDATE file_uploads SET state = ?, problem = ? WHERE id = ?',
        problem === null ? 'committed' : 'failed',
        problem,
        uploadId,
      );
      this.db.run('DELETE FROM upload_parts WHERE upload_id = ?', uploadId);
      if (problem !== null) this.#shelf.loosen(row.objectKey, uploadId, now, 'claimed');
    });
  }

  /** Forgets an upload. @returns what the bucket has of it; undefined when it is past that */
  abort(uploadId: string, now: number): PartsObject | undefined {
    return this.db.transaction(() => {
      const { state, objectKey, multipartId } = this.#upload(uploadId, now);
      if (state !== 'uploading' && state !== 'failed') throw wrongState(state);
      this.#forget(uploadId, objectKey, now);
      return { objectKey, multipartId };
    });
  }

  /** Uploads whose parts did not come in time. */
  expired(now: number, limit: number): (PartsObject & { readonly uploadId: string })[] {
    return this.db
      .all<Row>(`${SELECT} WHERE state IN ('uploading', 'failed') AND expires_at <= ? LIMIT ?`, now, limit)
      .map(({ id, objectKey, multipartId }) => ({ uploadId: id, objectKey, multipartId }));
  }

  /** Forgets an expired upload, whose parts are no longer in the bucket. */
  forget({ uploadId, objectKey }: { readonly uploadId: string; readonly objectKey: string }, now: number): void {
    this.db.transaction(() => this.#forget(uploadId, objectKey, now));
  }

  #forget(uploadId: string, objectKey: string, now: number): void {
    this.db.run('DELETE FROM file_uploads WHERE id = ?', uploadId);
    this.db.run('DELETE FROM upload_parts WHERE upload_id = ?', uploadId);
    this.#shelf.loosen(objectKey, uploadId, now, 'claimed');
  }

  #upload(uploadId: string, now: number): Row {
    const row = this.db.first<Row>(`${SELECT} WHERE id = ? AND state IS NOT NULL`, uploadId);
    if (!row || (row.expiresAt <= now && row.state === 'uploading')) throw noSuchUpload();
    return row;
  }

  #parts(uploadId: string): (StoredPart & { readonly etag: string })[] {
    return this.db.all<{ number: number; size: number; sha256: string; etag: string }>(
      'SELECT number, size, sha256, etag FROM upload_parts WHERE upload_id = ? ORDER BY number',
      uploadId,
    );
  }
}

/** The numbers of parts that are not there, in order. */
function missingOf(size: number, parts: readonly Pick<StoredPart, 'number'>[]): number[] {
  const there = new Set(parts.map(({ number }) => number));
  return Array.from({ length: partsOf(size) }, (_, index) => index + 1).filter((number) => !there.has(number));
}

import { CarrelError } from '../../lib/errors.ts';
import type { Database } from '../../workspace/sql.ts';
import { ATTEMPT_MS, MAX_OPEN_ATTEMPTS, PARTS_MS, SWEEP_DELAY_MS, TUS_PART_BYTES } from '../model.ts';
import type { TusStep, TusUpload } from '../model.ts';
import type { Shelf } from '../shelf.ts';

type Row = {
  state: TusUpload['state'];
  path: string;
  size: number;
  received: number;
  metadata: string | null;
  fileId: string | null;
  problem: string | null;
  expiresAt: number;
  objectKey: string;
  multipartId: string;
  tailKey: string | null;
  turn: number;
  busy: number;
};

/** Parts whose number is given out and that come to nothing: each is kept until its upload ends. */
const LOST_PARTS = 100;

const SELECT = `SELECT state, path, size, received, metadata, committed_file_id AS fileId, problem, expires_at AS expiresAt,
    object_key AS objectKey, multipart_id AS multipartId, tail_key AS tailKey, turn, busy
  FROM file_uploads`;

const gone = () => new CarrelError('not_found', 'There is no such upload any more. Begin it anew.');

const tooMany = () =>
  new CarrelError(
    'limit_exceeded',
    'Too much was sent here that came to nothing. Wait an hour, or begin the upload anew.',
  );

const conflict = (what: string, offset: number) =>
  new CarrelError('conflict', `${what} Ask for the offset with HEAD, then go on from there.`, { details: { offset } });

const lostTurn = ({ received }: Row) => conflict('Another request adds to this upload.', received);

/** What the rows of uploads by tus belong to. */
export interface TusContext {
  readonly db: Database;
  readonly shelf: Shelf;
  readonly schedule: (task: string, due: number) => void;
}

/** The statements of {@link TusStore}, each of which runs to its end before anything else does. */
export class TusRows {
  readonly #db: Database;
  readonly #shelf: Shelf;
  readonly #schedule: TusContext['schedule'];

  constructor({ db, shelf, schedule }: TusContext) {
    this.#db = db;
    this.#shelf = shelf;
    this.#schedule = schedule;
  }

  /** Has an upload that was declared come by tus. @param multipartId empty for a file of one part */
  begin(
    uploadId: string,
    { objectKey, multipartId, metadata }: { objectKey: string; multipartId: string; metadata: string | null },
    now: number,
  ): void {
    this.#db.transaction(() => {
      this.#db.run(
        "UPDATE file_uploads SET state = 'uploading', object_key = ?, multipart_id = ?, metadata = ? WHERE id = ?",
        objectKey,
        multipartId,
        metadata,
        uploadId,
      );
      if (multipartId !== '') this.#shelf.loosen(objectKey, uploadId, now + PARTS_MS + SWEEP_DELAY_MS, 'open');
    });
  }

  /** @throws CarrelError `not_found` */
  get(uploadId: string, now: number): TusUpload {
    const { metadata, fileId, problem, objectKey, multipartId, tailKey, busy, ...row } = this.#upload(uploadId, now);
    return {
      ...row,
      metadata: metadata ?? undefined,
      fileId: fileId ?? undefined,
      problem: problem ?? undefined,
      parts: multipartId === '' ? undefined : { objectKey, multipartId },
      tailKey: tailKey ?? undefined,
      isBusy: busy === 1 && row.state === 'uploading',
    };
  }

  /**
   * Lets a request add bytes, and none that began before it.
   *
   * @param offset from which it means to go on
   * @param length of its body; 0 for one that is not known
   * @throws CarrelError `not_found`, `conflict` (the upload is at another offset), `too_large` (more than it has)
   */
  start(uploadId: string, offset: number, length: number, now: number): TusUpload {
    return this.#db.transaction(() => {
      const { state, received, size } = this.#upload(uploadId, now);
      if (state !== 'uploading' || offset !== received) throw conflict('The upload is at another offset.', received);
      if (length > size - received)
        throw new CarrelError('too_large', 'The body goes beyond the length of the upload. Nothing was stored.', {
          details: { size, offset: received },
        });
      this.#db.run('UPDATE file_uploads SET turn = turn + 1, busy = 1 WHERE id = ?', uploadId);
      return this.get(uploadId, now);
    });
  }

  /** A request adds no more. */
  rest(uploadId: string, turn: number): void {
    this.#db.run('UPDATE file_uploads SET busy = 0 WHERE id = ? AND turn = ? AND busy = 1', uploadId, turn);
  }

  /**
   * Takes what an object or a part needs before its first byte is stored.
   *
   * @param tailKey of an object, which the sweep knows from here on; undefined for a part
   * @returns the number of the part. Later ones are higher, so that parts stand in their order
   * @throws CarrelError `not_found`, `conflict` (another request began), `limit_exceeded`
   */
  reserve(uploadId: string, turn: number, tailKey: string | undefined, now: number): number {
    return this.#db.transaction(() => {
      const row = this.#upload(uploadId, now);
      if (row.turn !== turn) throw lostTurn(row);
      if (tailKey !== undefined) {
        const open = 'SELECT count(*) AS open FROM loose_objects WHERE upload_id = ? AND claimed = 0';
        if ((this.#db.first<{ open: number }>(open, uploadId)?.open ?? 0) >= MAX_OPEN_ATTEMPTS) throw tooMany();
        this.#shelf.loosen(tailKey, uploadId, now + ATTEMPT_MS + SWEEP_DELAY_MS, 'open');
        return 0;
      }
      const next = 'UPDATE file_uploads SET numbers = numbers + 1 WHERE id = ? RETURNING numbers';
      const number = this.#db.first<{ numbers: number }>(next, uploadId)?.numbers ?? 0;
      if (number > 2 * Math.ceil(row.size / TUS_PART_BYTES) + LOST_PARTS) throw tooMany();
      return number;
    });
  }

  /**
   * Puts bytes that are stored behind those that are here.
   *
   * @param until how long it waits for the next ones (ms since the epoch)
   * @returns whether all are here now
   * @throws CarrelError `not_found`, `conflict` (another request began)
   */
  advance(uploadId: string, turn: number, step: TusStep, until: number, now: number): boolean {
    return this.#db.transaction(() => {
      const row = this.#upload(uploadId, now);
      const { to, parts, tailKey, isLast } = step;
      // A tail that the sweep has claimed may be gone from the bucket.
      const isSwept =
        tailKey !== undefined &&
        !this.#db.first('SELECT 1 FROM loose_objects WHERE object_key = ? AND claimed = 0', tailKey);
      if (row.state !== 'uploading' || row.turn !== turn || isSwept) throw lostTurn(row);
      for (const { number, size, etag } of parts)
        this.#db.run(
          "INSERT INTO upload_parts (upload_id, number, size, sha256, etag) VALUES (?, ?, ?, '', ?)",
          uploadId,
          number,
          size,
          etag,
        );
      const isComplete = to === row.size;
      const isOneObject = row.multipartId === '';
      // Whatever others store for this place comes to nothing. Not at once: some of it may still be on its way.
      this.#release(uploadId, [row.objectKey, row.tailKey ?? '', tailKey ?? ''], now);
      if (row.tailKey !== null) this.#shelf.loosen(row.tailKey, uploadId, now, 'claimed');
      if (tailKey !== undefined) this.#shelf.loosen(tailKey, uploadId, until + SWEEP_DELAY_MS, 'open');
      this.#db.run(
        'UPDATE file_uploads SET received = ?, busy = ?, tail_key = ?, expires_at = ?, state = ?, object_key = ? WHERE id = ?',
        to,
        isLast ? 0 : 1,
        tailKey ?? null,
        until,
        isComplete ? (isOneObject ? 'verifying' : 'completing') : 'uploading',
        isComplete && isOneObject ? (tailKey ?? '') : row.objectKey,
        uploadId,
      );
      if (isComplete) this.#schedule('verify', now);
      return isComplete;
    });
  }

  /** Objects that the bucket is to make of their parts. */
  completing(): {
    uploadId: string;
    objectKey: string;
    multipartId: string;
    parts: { number: number; etag: string }[];
  }[] {
    return this.#db
      .all<{ uploadId: string; objectKey: string; multipartId: string }>(
        `SELECT id AS uploadId, object_key AS objectKey, multipart_id AS multipartId FROM file_uploads
         WHERE state = 'completing' AND received = size AND size > 0`,
      )
      .map((row) => ({
        ...row,
        parts: this.#db.all<{ number: number; etag: string }>(
          'SELECT number, etag FROM upload_parts WHERE upload_id = ? ORDER BY number',
          row.uploadId,
        ),
      }));
  }

  /**
   * Forgets an upload. A file that was made of it stays.
   *
   * @returns what the bucket has of it in parts
   * @throws CarrelError `not_found`, `conflict` (its file is being made)
   */
  terminate(uploadId: string, now: number): TusUpload['parts'] {
    return this.#db.transaction(() => {
      const { state, objectKey, multipartId } = this.#upload(uploadId, now);
      if (state === 'completing' || state === 'verifying')
        throw new CarrelError('conflict', 'All bytes are here, and the file is being made of them.');
      this.#db.run('DELETE FROM file_uploads WHERE id = ?', uploadId);
      this.#db.run('DELETE FROM upload_parts WHERE upload_id = ?', uploadId);
      this.#release(uploadId, [], now);
      return multipartId === '' ? undefined : { objectKey, multipartId };
    });
  }

  /** Has the sweep remove the objects of an upload, but those named, an hour from now. */
  #release(uploadId: string, but: readonly string[], now: number): void {
    const due = now + SWEEP_DELAY_MS;
    const others = `UPDATE loose_objects SET claimed = 1, due_at = ?
      WHERE upload_id = ? AND claimed = 0 AND object_key NOT IN (SELECT value FROM json_each(?))`;
    if (this.#db.run(others, due, uploadId, JSON.stringify(but)) > 0) this.#schedule('uploads', due);
  }

  #upload(uploadId: string, now: number): Row {
    const row = this.#db.first<Row>(`${SELECT} WHERE id = ? AND state IS NOT NULL`, uploadId);
    if (!row || (row.expiresAt <= now && row.state === 'uploading')) throw gone();
    return row;
  }
}

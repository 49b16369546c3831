import type { Database } from '../workspace/sql.ts';
import { READ_DELAY_MS } from './model.ts';
import type { Usage } from './model.ts';

export interface ContentsContext {
  readonly db: Database;
  readonly schedule: (task: string, due: number) => void;
}

/**
 * The bytes that a workspace has in the bucket. A content is stored once, whatever refers to it: versions of files, and
 * what another feature holds. The last that goes takes it along. Every method belongs into the transaction of its caller.
 */
export class Contents {
  readonly #db: Database;
  readonly #schedule: ContentsContext['schedule'];

  constructor({ db, schedule }: ContentsContext) {
    this.#db = db;
    this.#schedule = schedule;
  }

  /** Bytes and files that are here, and bytes of uploads that are on their way. */
  usage(): Omit<Usage, 'quota'> {
    const held = this.#db.first<{ bytes: number; files: number }>('SELECT bytes, files FROM file_usage');
    const coming = this.#db.first<{ bytes: number | null }>(
      "SELECT sum(size) AS bytes FROM file_uploads WHERE committed_file_id IS NULL AND state IS NOT 'failed'",
    );
    return { bytes: held?.bytes ?? 0, files: held?.files ?? 0, expected: coming?.bytes ?? 0 };
  }

  /** Where the bytes of a content are. */
  objectKey(sha256: string): string | undefined {
    return this.#db.first<{ key: string }>('SELECT object_key AS key FROM contents WHERE sha256 = ?', sha256)?.key;
  }

  /**
   * Takes the object of an attempt in as a content. Where equal bytes are stored already the object is let
   * go: what refers to the content finds the other one.
   */
  keep(objectKey: string, uploadId: string, sha256: string, size: number, now: number): void {
    if (this.objectKey(sha256) === undefined) {
      this.#db.run('INSERT INTO contents (sha256, size, object_key) VALUES (?, ?, ?)', sha256, size, objectKey);
      this.#db.run('DELETE FROM loose_objects WHERE object_key = ?', objectKey);
      this.#schedule('texts', now + READ_DELAY_MS);
    } else {
      this.loosen(objectKey, uploadId, now, 'claimed');
      // Where only another feature had these bytes nobody has read them yet.
      if (
        this.#db.run(
          "INSERT OR IGNORE INTO content_texts (sha256, state, truncated) VALUES (?, 'pending', 0)",
          sha256,
        ) > 0
      )
        this.#schedule('texts', now + READ_DELAY_MS);
    }
  }

  /** Notes an object that no file owns. A claimed one can no longer be committed. */
  loosen(objectKey: string, uploadId: string, due: number, state: 'open' | 'claimed'): void {
    this.#db.run(
      `INSERT INTO loose_objects (object_key, upload_id, due_at, claimed) VALUES (?, ?, ?, ?)
       ON CONFLICT (object_key) DO UPDATE SET due_at = excluded.due_at, claimed = excluded.claimed`,
      objectKey,
      uploadId,
      due,
      state === 'claimed' ? 1 : 0,
    );
    this.#schedule('uploads', due);
  }

  /**
   * Has something other than a file hold a content, until {@link letGo}.
   *
   * @param objectKey of an object that was noted as loose and holds these bytes; undefined where they are here already
   * @returns false when they are not, or the sweep has claimed the object: nothing is held then
   */
  hold(holder: string, sha256: string, size: number, objectKey: string | undefined, now: number): boolean {
    if (this.objectKey(sha256) === undefined) {
      const taken = objectKey !== undefined && this.#takeLoose(objectKey);
      if (!taken) return false;
      this.#db.run('INSERT INTO contents (sha256, size, object_key) VALUES (?, ?, ?)', sha256, size, objectKey);
      // Whoever holds it has read it, or does not want to.
      this.#db.run('DELETE FROM content_texts WHERE sha256 = ?', sha256);
    } else if (objectKey !== undefined) {
      this.loosen(objectKey, '', now, 'claimed');
    }
    this.#db.run('INSERT OR IGNORE INTO content_holds (holder, sha256) VALUES (?, ?)', holder, sha256);
    return true;
  }

  letGo(holder: string, now: number): void {
    const held = this.#db.all<{ sha256: string }>(
      'DELETE FROM content_holds WHERE holder = ? RETURNING sha256',
      holder,
    );
    for (const { sha256 } of held) this.release(sha256, now);
  }

  #takeLoose(objectKey: string): boolean {
    return (
      this.#db.first(
        'DELETE FROM loose_objects WHERE object_key = ? AND claimed = 0 RETURNING object_key',
        objectKey,
      ) !== undefined
    );
  }

  /** Lets go of a content that nothing refers to any more. */
  protected release(sha256: string, now: number): void {
    const isHeld = this.#db.first(
      'SELECT 1 FROM file_versions WHERE sha256 = ?1 UNION ALL SELECT 1 FROM content_holds WHERE sha256 = ?1',
      sha256,
    );
    const key = isHeld ? undefined : this.objectKey(sha256);
    if (key === undefined) return;
    this.#db.run('DELETE FROM contents WHERE sha256 = ?', sha256);
    this.loosen(key, '', now, 'claimed');
  }
}

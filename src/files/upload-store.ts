import { CarrelError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import { Store } from '../workspace/storage.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { ADDRESS_MS, ATTEMPT_MS, MAX_OPEN_ATTEMPTS, ONCE_MS, ONCE_SWEEP_MS, SWEEP_DELAY_MS } from './model.ts';
import type { FileEntry, IfExists, UploadDeclaration, Usage } from './model.ts';
import { bare, Shelf } from './shelf.ts';
import type { FileRow } from './shelf.ts';

type UploadRow = {
  id: string;
  sessionId: string;
  path: string;
  type: string | null;
  size: number;
  sha256: string | null;
  ifExists: IfExists;
  expectedVersion: number | null;
  tags: string | null;
  fileId: string;
  expiresAt: number;
  objectKey: string | null;
  committedFileId: string | null;
  state: string | null;
};

const SELECT = `SELECT id, session_id AS sessionId, path, type, size, sha256, if_exists AS ifExists,
    expected_version AS expectedVersion, tags, file_id AS fileId, expires_at AS expiresAt, object_key AS objectKey,
    committed_file_id AS committedFileId, state FROM file_uploads`;

const OPEN_ATTEMPT = 'SELECT 1 FROM loose_objects WHERE loose_objects.upload_id = file_uploads.id AND claimed = 0';

/** What became of a request to begin an attempt. */
export type Begun =
  | {
      readonly outcome: 'begun';
      readonly declaration: UploadDeclaration;
      /** ms since the epoch. */
      readonly deadline: number;
    }
  /** What may be stored once was stored before. */
  | { readonly outcome: 'stored'; readonly file: FileEntry }
  /** The upload was committed: the file is there. */
  | { readonly outcome: 'used' }
  /** There is no such upload: it expired. */
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'too_many_attempts' }
  /** It comes in parts. */
  | { readonly outcome: 'in_parts' };

/** What became of an attempt whose bytes are stored. */
export type Committed =
  | { readonly outcome: 'committed'; readonly file: FileEntry }
  /** Another attempt was first, or the sweep has claimed the object. */
  | { readonly outcome: 'used' }
  /** The path was taken meanwhile, or the file is no longer at the expected version. */
  | { readonly outcome: 'conflict'; readonly version: number };

/**
 * What is on its way into the index. A file is there only while its bytes are stored: it comes in after them
 * and goes before them. Room is taken when an upload is declared, so that of many at once no more are let in
 * than fit.
 */
export class UploadStore extends Store {
  readonly #shelf: Shelf;
  readonly #quota: StoreContext['quota'];

  constructor(context: StoreContext) {
    super(context);
    this.#shelf = new Shelf(context);
    this.#quota = context.quota;
  }

  /**
   * Expects an upload. One that is stored once may be declared again.
   * @param lifetime how long, in ms
   * @returns the id that the file has, or will have
   * @throws CarrelError `not_found` (the session), `too_large` (no room), `conflict` (the path, the version)
   */
  declare(
    declaration: UploadDeclaration,
    reference: string | undefined,
    now: number,
    lifetime = ADDRESS_MS,
  ): { session: FileEntry['session']; fileId: string; expiresAt: number } {
    const again = declaration.once === undefined ? undefined : this.#upload(declaration.uploadId);
    if (again) return { ...again, session: bare(this.session(again.sessionId)) };
    const session = this.session(reference);
    const { path, ifExists, expectedVersion } = declaration;
    const there = this.#shelf.byPath(session.id, path);
    const conflict = conflictOf(there, ifExists, expectedVersion);
    if (conflict) throw conflict;
    const size = this.#makeRoom(declaration, there === undefined || ifExists === 'keep_both');
    const fileId = there && ifExists !== 'keep_both' ? there.id : newId('fil');
    const expiresAt = now + lifetime;
    this.db.run(
      `INSERT INTO file_uploads (id, session_id, path, type, size, sha256, if_exists, expected_version, tags, file_id, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      declaration.uploadId,
      session.id,
      path,
      declaration.type ?? null,
      size,
      declaration.sha256 ?? null,
      ifExists,
      expectedVersion ?? null,
      declaration.tags === undefined ? null : JSON.stringify(declaration.tags),
      fileId,
      expiresAt,
    );
    this.schedule('uploads', expiresAt);
    return { session: bare(session), fileId, expiresAt };
  }

  /**
   * Records that bytes for an upload are about to be stored under this key, before the first of
   * them is: whatever happens then, the sweep knows the key. Several attempts may run side by side.
   *
   * @param lifetime how long it may take, in ms
   */
  begin(uploadId: string, objectKey: string, now: number, lifetime = ATTEMPT_MS): Begun {
    const upload = this.#upload(uploadId);
    if (!upload || upload.expiresAt <= now) return { outcome: upload?.committedFileId ? 'used' : 'gone' };
    if (upload.committedFileId !== null) return { outcome: 'used' };
    if (upload.state !== null) return { outcome: 'in_parts' };
    const open = this.db.first<{ attempts: number }>(
      'SELECT count(*) AS attempts FROM loose_objects WHERE upload_id = ? AND claimed = 0',
      uploadId,
    );
    if ((open?.attempts ?? 0) >= MAX_OPEN_ATTEMPTS) return { outcome: 'too_many_attempts' };
    const deadline = now + lifetime;
    this.#shelf.loosen(objectKey, uploadId, deadline + SWEEP_DELAY_MS, 'open');
    const { path, size, sha256, type, ifExists, expectedVersion, tags } = upload;
    return {
      outcome: 'begun',
      deadline,
      declaration: {
        uploadId,
        path,
        size,
        sha256: sha256 ?? undefined,
        type: type ?? undefined,
        ifExists,
        expectedVersion: expectedVersion ?? undefined,
        tags: tags === null ? undefined : (JSON.parse(tags) as string[]),
      },
    };
  }

  /** {@link declare} and {@link begin} in one, for bytes that are already here. */
  declareAndBegin(
    declaration: UploadDeclaration,
    reference: string | undefined,
    objectKey: string,
    now: number,
    lifetime?: number,
  ): Begun {
    return this.db.transaction(() => {
      if (declaration.once !== undefined) {
        const stored = this.#beginOnce(declaration.once, declaration.uploadId, now);
        if (stored) return stored;
      }
      this.declare(declaration, reference, now);
      return this.begin(declaration.uploadId, objectKey, now, lifetime);
    });
  }

  /**
   * Puts the bytes of a finished attempt into the index: of several attempts of one upload the first to get
   * here wins and every later one is refused. Between an attempt and the sweep the first wins too: what the
   * sweep has claimed may be gone from the bucket. The winner may ask again and gets the same answer. Of two
   * uploads to one path the later one is a version of the earlier.
   *
   * @param stored.size of one of which only a bound was known
   * @param once the name under which it is stored once
   */
  commit(
    objectKey: string,
    uploadId: string,
    stored: { sha256: string; type: string; size?: number | undefined },
    now: number,
    once?: string,
  ): Committed {
    return this.db.transaction(() => {
      const declared = this.#upload(uploadId);
      const upload = declared && { ...declared, size: stored.size ?? declared.size };
      if (upload?.committedFileId && upload.objectKey === objectKey) {
        const row = this.#shelf.byId(upload.committedFileId);
        return row ? { outcome: 'committed', file: this.#shelf.entry(row) } : { outcome: 'used' };
      }
      const attempt = this.db.first<{ claimed: number }>(
        'SELECT claimed FROM loose_objects WHERE object_key = ? AND upload_id = ?',
        objectKey,
        uploadId,
      );
      if (!upload || upload.committedFileId !== null || attempt?.claimed !== 0) {
        // Also when the sweep has been here and struck it off: bytes may have arrived after it.
        this.#shelf.loosen(objectKey, uploadId, now, 'claimed');
        return { outcome: 'used' };
      }
      const there = this.#shelf.byPath(upload.sessionId, upload.path);
      if (conflictOf(there, upload.ifExists, upload.expectedVersion ?? undefined)) {
        this.#shelf.loosen(objectKey, uploadId, now, 'claimed');
        this.db.run('DELETE FROM file_uploads WHERE id = ?', uploadId);
        return { outcome: 'conflict', version: there?.version ?? 0 };
      }
      this.#shelf.keep(objectKey, uploadId, stored.sha256, upload.size, now);
      const row =
        there && upload.ifExists !== 'keep_both'
          ? this.#replace(there, upload, stored, now)
          : this.#add(upload, stored, now);
      this.db.run(
        'UPDATE file_uploads SET object_key = ?, committed_file_id = ?, committed_version = ? WHERE id = ?',
        objectKey,
        row.id,
        row.version,
        uploadId,
      );
      if (once !== undefined)
        this.db.run('UPDATE file_once SET file_id = ? WHERE name = ? AND upload_id = ?', row.id, once, uploadId);
      return { outcome: 'committed', file: this.#shelf.entry(row) };
    });
  }

  /**
   * Gives an attempt up: it cannot be committed any more. Its object is swept after a while and not
   * now, because a bucket that failed may still finish storing what it was sent.
   *
   * @param uploadId of one that nobody can attempt again: its room is given back
   */
  abandon(objectKey: string, now: number, uploadId?: string): void {
    const due = now + SWEEP_DELAY_MS;
    if (uploadId !== undefined)
      this.db.run('DELETE FROM file_uploads WHERE id = ? AND committed_file_id IS NULL', uploadId);
    // Only what is loose: whatever a caller gets wrong, the bytes of a file in the index stay.
    this.db.run('UPDATE loose_objects SET claimed = 1, due_at = ? WHERE object_key = ?', due, objectKey);
    this.schedule('uploads', due);
  }

  /** What was stored under a name that stores once; undefined also when it was removed since. */
  storedOnce(name: string): FileEntry | undefined {
    const there = this.db.first<{ fileId: string | null }>(
      'SELECT file_id AS fileId FROM file_once WHERE name = ?',
      name,
    );
    const row = there?.fileId ? this.#shelf.byId(there.fileId) : undefined;
    return row && this.#shelf.entry(row);
  }

  usage(): Usage {
    return { ...this.#shelf.usage(), quota: this.#quota() };
  }

  /**
   * Claims loose objects that are due, so that none of them can be committed from here on. Those
   * that an earlier sweep claimed and did not finish are among them.
   */
  claimLooseObjects(now: number, limit: number): string[] {
    return this.db
      .all<{ key: string }>(
        `UPDATE loose_objects SET claimed = 1
         WHERE object_key IN (SELECT object_key FROM loose_objects WHERE due_at <= ? ORDER BY due_at LIMIT ?)
         RETURNING object_key AS key`,
        now,
        limit,
      )
      .map(({ key }) => key);
  }

  /** Strikes loose objects off the list. Only for what has been removed from the bucket. */
  forget(objectKeys: readonly string[]): void {
    this.db.transaction(() => {
      for (const key of objectKeys) this.db.run('DELETE FROM loose_objects WHERE object_key = ?', key);
    });
  }

  /**
   * Stops expecting uploads whose address has expired. One of which an attempt still runs may finish it.
   *
   * @returns how many were never finished
   */
  forgetExpired(now: number): number {
    return this.db
      .all<{ committed: number }>(
        `DELETE FROM file_uploads WHERE expires_at <= ? AND NOT EXISTS (${OPEN_ATTEMPT})
         RETURNING committed_file_id IS NOT NULL AS committed`,
        now,
      )
      .filter(({ committed }) => committed === 0).length;
  }

  /** When the next loose object or upload is due (ms), or undefined when there is none. */
  nextSweep(): number | undefined {
    const next = this.db.first<{ due: number | null }>(
      `SELECT min(due) AS due FROM (
         SELECT min(due_at) AS due FROM loose_objects
         UNION ALL
         SELECT min(expires_at) FROM file_uploads WHERE state IN ('uploading', 'failed') OR NOT EXISTS (${OPEN_ATTEMPT})
       )`,
    );
    return next?.due ?? undefined;
  }

  /**
   * @returns the bytes for which there is room
   * @throws CarrelError `too_large` when it does not fit beside what is here and what is on its way
   */
  #makeRoom({ size, atMost }: UploadDeclaration, isNew: boolean): number {
    const { bytes, files, expected, quota } = this.usage();
    const free = Math.max(0, quota.bytes - bytes - expected);
    if (bytes + expected + (atMost ? 1 : size) > quota.bytes)
      throw new CarrelError(
        'too_large',
        'There is no room for this file. Empty the trash, or delete what is not needed.',
        {
          details: { ...(atMost ? {} : { size }), free, quota: quota.bytes },
        },
      );
    if (isNew && files >= quota.files)
      throw new CarrelError('too_large', 'There are as many files as there may be. Empty the trash, or delete some.', {
        details: { files, quota: quota.files },
      });
    return atMost ? Math.min(size, free) : size;
  }

  /**
   * @returns what was stored under this name. What was only begun cannot be committed from here on: of two attempts the
   *   later one counts, and the other's bytes are swept
   */
  #beginOnce(name: string, uploadId: string, now: number): Begun | undefined {
    const file = this.storedOnce(name);
    if (file) return { outcome: 'stored', file };
    const there = this.db.first<{ uploadId: string }>(
      'SELECT upload_id AS uploadId FROM file_once WHERE name = ?',
      name,
    );
    if (there) {
      const due = now + ONCE_SWEEP_MS;
      this.db.run('UPDATE loose_objects SET claimed = 1, due_at = ? WHERE upload_id = ?', due, there.uploadId);
      this.db.run('DELETE FROM file_uploads WHERE id = ? AND committed_file_id IS NULL', there.uploadId);
      this.schedule('uploads', due);
    }
    this.db.run('DELETE FROM file_once WHERE begun_at < ?', now - ONCE_MS);
    this.db.run('INSERT OR REPLACE INTO file_once (name, upload_id, begun_at) VALUES (?, ?, ?)', name, uploadId, now);
    return undefined;
  }

  #add(upload: UploadRow, { sha256, type }: { sha256: string; type: string }, now: number): FileRow {
    const path = upload.ifExists === 'keep_both' ? this.#shelf.freePath(upload.sessionId, upload.path) : upload.path;
    // The file for which the id was promised has moved away meanwhile, and keeps it.
    const id = this.#shelf.byId(upload.fileId) ? newId('fil') : upload.fileId;
    const { sessionId, size } = upload;
    const tags = upload.tags ?? '[]';
    const times = { createdAt: now, updatedAt: now, deletedAt: null };
    const row = { id, sessionId, path, version: 1, type, size, sha256, tags, ...times };
    this.#shelf.insert(row);
    return row;
  }

  #replace(
    there: FileRow,
    upload: UploadRow,
    { sha256, type }: { sha256: string; type: string },
    now: number,
  ): FileRow {
    const tags = upload.tags ?? there.tags;
    const row = { ...there, version: there.version + 1, type, size: upload.size, sha256, tags, updatedAt: now };
    this.#shelf.update(row);
    this.#shelf.addVersion(row, now);
    // Two uploads were declared while nothing was there, and each was promised an id.
    if (upload.fileId !== there.id && !this.#shelf.byId(upload.fileId))
      this.db.run('INSERT INTO file_aliases (alias, file_id) VALUES (?, ?)', upload.fileId, there.id);
    return row;
  }

  #upload(uploadId: string): UploadRow | undefined {
    return this.db.first<UploadRow>(`${SELECT} WHERE id = ?`, uploadId);
  }
}

/** Why what is at a path does not let an upload through. */
function conflictOf(
  there: FileRow | undefined,
  ifExists: IfExists,
  expectedVersion: number | undefined,
): CarrelError | undefined {
  if (there && ifExists === 'fail')
    return new CarrelError(
      'conflict',
      'There is a file at this path. Give another path, or let it become a new version.',
      {
        details: { version: there.version },
      },
    );
  if (expectedVersion !== undefined && there?.version !== expectedVersion)
    return new CarrelError('conflict', 'The file was changed meanwhile. Read it again.', {
      details: { version: there?.version ?? 0 },
    });
  return undefined;
}

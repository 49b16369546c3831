import type { Position } from '../lib/cursor.ts';
import type { SchemaStep } from '../workspace/schema.ts';
import { Store } from '../workspace/storage.ts';
import { ADDRESS_MS, ATTEMPT_MS, MAX_OPEN_ATTEMPTS, SWEEP_DELAY_MS } from './model.ts';
import type { FileEntry, StoredFile, UploadDeclaration } from './model.ts';

const SCHEMA: readonly SchemaStep[] = [
  {
    name: 'files: index, uploads, loose objects',
    // A loose object is one in the bucket that no file owns: an attempt that is not committed yet,
    // or what a deleted file left. It stands here from before its first byte until it is gone. A
    // claimed one is to be removed and can no longer be committed.
    sql: `
      CREATE TABLE files (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        object_key TEXT NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX files_by_creation ON files (created_at DESC, id DESC);
      CREATE INDEX files_by_session ON files (session_id, created_at DESC, id DESC);
      CREATE TABLE file_uploads (
        file_id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT,
        size INTEGER NOT NULL,
        sha256 TEXT,
        expires_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX file_uploads_by_expiry ON file_uploads (expires_at);
      CREATE TABLE loose_objects (
        object_key TEXT PRIMARY KEY,
        file_id TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        claimed INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX loose_objects_by_due ON loose_objects (due_at);
      CREATE INDEX loose_objects_by_file ON loose_objects (file_id);`,
  },
];

type SessionRef = FileEntry['session'];
type EntryRow = Omit<FileEntry, 'session'> & { sessionId: string };
type FileRow = EntryRow & { objectKey: string };
type UploadRow = {
  name: string;
  size: number;
  sha256: string | null;
  type: string | null;
  sessionId: string;
  expiresAt: number;
};

const COLUMNS = `id, session_id AS sessionId, name, type, size, sha256, created_at AS createdAt`;

const OPEN_ATTEMPT = 'SELECT 1 FROM loose_objects WHERE loose_objects.file_id = file_uploads.file_id AND claimed = 0';

/** What became of a request to begin an attempt. */
export type Begun =
  | {
      readonly outcome: 'begun';
      readonly declaration: UploadDeclaration;
      /** ms since the epoch. */
      readonly deadline: number;
    }
  /** The upload was committed: the file is there. */
  | { readonly outcome: 'used' }
  /** There is no such upload: it expired, or its file was deleted since. */
  | { readonly outcome: 'gone' }
  | { readonly outcome: 'too_many_attempts' };

export interface FilePage {
  /** The session that was asked for; undefined for all of them. */
  readonly session: SessionRef | undefined;
  readonly files: readonly FileEntry[];
  readonly next: Position | undefined;
}

/**
 * The index of one workspace's files, and what is on its way into it or out of it. A file is in the
 * index only while its bytes are stored: it comes in after them and goes before them.
 */
export class FileStore extends Store {
  static readonly schema = SCHEMA;

  /** Expects an upload. */
  declare(
    declaration: UploadDeclaration,
    reference: string | undefined,
    now: number,
  ): { session: SessionRef; expiresAt: number } {
    const session = this.session(reference);
    const expiresAt = now + ADDRESS_MS;
    this.db.run(
      'INSERT INTO file_uploads (file_id, session_id, name, type, size, sha256, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
      declaration.fileId,
      session.id,
      declaration.name,
      declaration.type ?? null,
      declaration.size,
      declaration.sha256 ?? null,
      expiresAt,
    );
    this.schedule('uploads', expiresAt);
    return { session: bare(session), expiresAt };
  }

  /**
   * Records that bytes for an upload are about to be stored under this key, before the first of
   * them is: whatever happens then, the sweep knows the key. Several attempts may run side by side.
   */
  begin(fileId: string, objectKey: string, now: number): Begun {
    const upload = this.#upload(fileId);
    if (!upload || upload.expiresAt <= now) return { outcome: this.#row(fileId) ? 'used' : 'gone' };
    const open = this.db.first<{ attempts: number }>(
      'SELECT count(*) AS attempts FROM loose_objects WHERE file_id = ? AND claimed = 0',
      fileId,
    );
    if ((open?.attempts ?? 0) >= MAX_OPEN_ATTEMPTS) return { outcome: 'too_many_attempts' };
    const deadline = now + ATTEMPT_MS;
    this.#loosen(objectKey, fileId, deadline + SWEEP_DELAY_MS, 'open');
    const { name, size, sha256, type } = upload;
    return {
      outcome: 'begun',
      deadline,
      declaration: { fileId, name, size, sha256: sha256 ?? undefined, type: type ?? undefined },
    };
  }

  /** {@link declare} and {@link begin} in one, for bytes that are already here. */
  declareAndBegin(
    declaration: UploadDeclaration,
    reference: string | undefined,
    objectKey: string,
    now: number,
  ): Begun {
    return this.db.transaction(() => {
      this.declare(declaration, reference, now);
      return this.begin(declaration.fileId, objectKey, now);
    });
  }

  /**
   * Puts the file of a finished attempt into the index: of several attempts of one upload the first
   * to get here wins and every later one is refused, also when that file was deleted since. Between
   * an attempt and the sweep the first wins too: what the sweep has claimed may be gone from the
   * bucket. The winner may ask again and gets the same answer.
   *
   * @returns undefined when it was refused; the object is swept at once
   */
  commit(
    objectKey: string,
    fileId: string,
    stored: { sha256: string; type: string },
    now: number,
  ): FileEntry | undefined {
    return this.db.transaction(() => {
      const committed = this.#row(fileId);
      if (committed?.objectKey === objectKey) return this.#entry(committed);
      const upload = this.#upload(fileId);
      const attempt = this.db.first<{ claimed: number }>(
        'SELECT claimed FROM loose_objects WHERE object_key = ? AND file_id = ?',
        objectKey,
        fileId,
      );
      if (!upload || attempt?.claimed !== 0) {
        // Also when the sweep has been here and struck it off: bytes may have arrived after it.
        this.#loosen(objectKey, fileId, now, 'claimed');
        return undefined;
      }
      this.db.run('DELETE FROM file_uploads WHERE file_id = ?', fileId);
      this.db.run('DELETE FROM loose_objects WHERE object_key = ?', objectKey);
      const { name, size, sessionId } = upload;
      const { sha256, type } = stored;
      this.db.run(
        `INSERT INTO files (id, session_id, name, type, size, sha256, object_key, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        fileId,
        sessionId,
        name,
        type,
        size,
        sha256,
        objectKey,
        now,
      );
      return this.#entry({ id: fileId, name, type, size, sha256, createdAt: now, sessionId });
    });
  }

  /**
   * Gives an attempt up: it cannot be committed any more. Its object is swept after a while and not
   * now, because a bucket that failed may still finish storing what it was sent.
   */
  abandon(objectKey: string, now: number): void {
    const due = now + SWEEP_DELAY_MS;
    // Only what is loose: whatever a caller gets wrong, the bytes of a file in the index stay.
    this.db.run('UPDATE loose_objects SET claimed = 1, due_at = ? WHERE object_key = ?', due, objectKey);
    this.schedule('uploads', due);
  }

  /** A file with the place of its bytes. */
  get(id: string): StoredFile | undefined {
    const row = this.#row(id);
    return row && { ...this.#entry(row), objectKey: row.objectKey };
  }

  /**
   * Newest first.
   *
   * @param scope all sessions or one, by id or slug; undefined for the default one
   */
  list(
    scope: { readonly all: true } | { readonly session: string | undefined },
    options: { limit: number; after: Position | undefined },
  ): FilePage {
    const session = 'all' in scope ? undefined : this.session(scope.session);
    const [createdAt, id] = options.after ?? [Number.MAX_SAFE_INTEGER, ''];
    const rows = this.db.all<EntryRow>(
      `SELECT ${COLUMNS} FROM files WHERE (created_at, id) < (?, ?) ${session ? 'AND session_id = ?' : ''}
       ORDER BY created_at DESC, id DESC LIMIT ?`,
      Number(createdAt),
      String(id),
      ...(session ? [session.id] : []),
      options.limit + 1,
    );
    const sessions = new Map<string, SessionRef>();
    const files = rows.slice(0, options.limit).map((row) => this.#entry(row, sessions));
    const last = files.at(-1);
    return {
      session: session && bare(session),
      files,
      next: rows.length > options.limit && last ? [last.createdAt, last.id] : undefined,
    };
  }

  /**
   * Takes a file out of the index at once; the agenda removes its bytes. A download that has begun
   * goes on to its end, one that begins after this finds nothing.
   */
  delete(id: string, now: number): FileEntry | undefined {
    return this.db.transaction(() => {
      const row = this.#row(id);
      if (!row) return undefined;
      this.db.run('DELETE FROM files WHERE id = ?', id);
      this.#loosen(row.objectKey, id, now, 'claimed');
      return this.#entry(row);
    });
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

  /** Stops expecting uploads whose address has expired. One of which an attempt still runs may finish it. */
  forgetExpiredUploads(now: number): void {
    this.db.run(`DELETE FROM file_uploads WHERE expires_at <= ? AND NOT EXISTS (${OPEN_ATTEMPT})`, now);
  }

  /** When the next loose object or upload is due (ms), or undefined when there is none. */
  nextSweep(): number | undefined {
    const next = this.db.first<{ due: number | null }>(
      `SELECT min(due) AS due FROM (
         SELECT min(due_at) AS due FROM loose_objects
         UNION ALL
         SELECT min(expires_at) FROM file_uploads WHERE NOT EXISTS (${OPEN_ATTEMPT})
       )`,
    );
    return next?.due ?? undefined;
  }

  #loosen(objectKey: string, fileId: string, due: number, state: 'open' | 'claimed'): void {
    this.db.run(
      `INSERT INTO loose_objects (object_key, file_id, due_at, claimed) VALUES (?, ?, ?, ?)
       ON CONFLICT (object_key) DO UPDATE SET due_at = excluded.due_at, claimed = excluded.claimed`,
      objectKey,
      fileId,
      due,
      state === 'claimed' ? 1 : 0,
    );
    this.schedule('uploads', due);
  }

  #upload(fileId: string): UploadRow | undefined {
    return this.db.first<UploadRow>(
      `SELECT name, size, sha256, type, session_id AS sessionId, expires_at AS expiresAt
       FROM file_uploads WHERE file_id = ?`,
      fileId,
    );
  }

  #row(id: string): FileRow | undefined {
    return this.db.first<FileRow>(`SELECT ${COLUMNS}, object_key AS objectKey FROM files WHERE id = ?`, id);
  }

  /** @param sessions those that are known already: the files of a page are mostly of a few */
  #entry(
    { id, name, type, size, sha256, createdAt, sessionId }: EntryRow,
    sessions = new Map<string, SessionRef>(),
  ): FileEntry {
    // Every session has a row today; a file must stay reachable if one day a session can be deleted.
    const session = sessions.get(sessionId) ??
      this.findSession(sessionId) ?? { id: sessionId, slug: sessionId, title: sessionId };
    sessions.set(sessionId, session);
    return { id, name, type, size, sha256, createdAt, session: bare(session) };
  }
}

/** What a result says of a session, without the rest of its row. */
function bare({ id, slug, title }: SessionRef): SessionRef {
  return { id, slug, title };
}

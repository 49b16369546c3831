import { Contents } from '../files/contents.ts';
import { newId } from '../lib/ids.ts';
import { isSlug, MAX_SLUG_LENGTH } from '../lib/slug.ts';
import { Store } from '../workspace/storage.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { EXPORTS } from './model.ts';

/** How long what an export writes down for itself is kept, in ms, if it does not come to its end. */
const SCRATCH_MS = 7 * 86_400_000;
/** Values of the state in one message, and their bytes together. */
const STATE_ROWS = 50;
const STATE_BYTES = 2_000_000;

/** A session as it is archived. */
export interface SessionRow {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly createdAt: number;
  readonly archivedAt: number | null;
}

export interface StateRow {
  readonly sessionId: string;
  readonly key: string;
  readonly value: string;
}

/** The present version of a file, with the place of its bytes. */
export interface FileRow {
  readonly id: string;
  readonly sessionId: string;
  readonly path: string;
  readonly type: string;
  readonly size: number;
  readonly sha256: string;
  readonly tags: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly objectKey: string;
}

/** A workspace row by row, for an archive of it; and what comes back of one. */
export class BackupStore extends Store {
  readonly #contents: Contents;

  constructor(context: StoreContext) {
    super(context);
    this.#contents = new Contents(context);
  }

  /** Keys for objects that an export or import needs for itself; the sweep knows them from now on. */
  reserve(workspaceId: string, count: number, now: number): string[] {
    return this.db.transaction(() =>
      Array.from({ length: count }, () => {
        const key = `${workspaceId}/${newId('att')}`;
        this.#contents.loosen(key, '', now + SCRATCH_MS, 'open');
        return key;
      }),
    );
  }

  /** Has the sweep take what was reserved. */
  release(keys: readonly string[], now: number): void {
    this.db.transaction(() => {
      // Only what is loose: whatever a caller gets wrong, the bytes of a file stay.
      for (const key of keys)
        this.db.run('UPDATE loose_objects SET claimed = 1, due_at = ? WHERE object_key = ?', now, key);
    });
    this.schedule('uploads', now);
  }

  /** By id, archived ones too. */
  pageSessions(after: string, limit: number): SessionRow[] {
    return this.db.all<SessionRow & Record<string, string | number | null>>(
      `SELECT id, slug, title, description, created_at AS createdAt, archived_at AS archivedAt FROM sessions
       WHERE id > ? ORDER BY id LIMIT ?`,
      after,
      limit,
    );
  }

  /** By session and key: as many as fit into a message. */
  pageState(after: readonly [session: string, key: string]): { rows: StateRow[]; isLast: boolean } {
    const rows = this.db.all<StateRow & Record<string, string>>(
      `SELECT session_id AS sessionId, key, value FROM state WHERE (session_id, key) > (?, ?)
       ORDER BY session_id, key LIMIT ?`,
      after[0],
      after[1],
      STATE_ROWS,
    );
    let left = STATE_BYTES;
    const end = rows.findIndex(({ value }) => (left -= value.length) < 0);
    const fitting = end < 0 ? rows : rows.slice(0, Math.max(1, end));
    return { rows: fitting, isLast: rows.length < STATE_ROWS && fitting.length === rows.length };
  }

  /**
   * By id: a file that is renamed meanwhile keeps its place in this order, so that none is missed. Without the trash, and
   * without archives.
   *
   * @param before ms since the epoch: only files that were there then
   */
  pageFiles(after: string, before: number, limit: number): FileRow[] {
    return this.db
      .all<Omit<FileRow, 'tags'> & { tags: string } & Record<string, string | number>>(
        `SELECT id, session_id AS sessionId, path, type, files.size, sha256, tags, created_at AS createdAt,
           updated_at AS updatedAt, object_key AS objectKey
         FROM files JOIN contents USING (sha256)
         WHERE id > ? AND deleted_at IS NULL AND created_at <= ?
           AND NOT (session_id = ? AND path >= ? AND path < ?)
         ORDER BY id LIMIT ?`,
        after,
        before,
        this.session(undefined).id,
        EXPORTS,
        // Behind every path that begins with the folder.
        `${EXPORTS.slice(0, -1)}0`,
        limit,
      )
      .map((row) => ({ ...row, tags: JSON.parse(row.tags) as string[] }));
  }

  /** Makes a session with this slug, or one with a number where it is taken: nothing that is there is touched. */
  addSession(
    session: {
      readonly slug: string;
      readonly title: string;
      readonly description: string;
      readonly archived: boolean;
    },
    now: number,
  ): { id: string; slug: string } {
    const slug = this.#freeSlug(session.slug);
    const id = newId('ses');
    this.db.run(
      `INSERT INTO sessions (id, slug, title, description, created_at, updated_at, archived_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      id,
      slug,
      session.title,
      session.description,
      now,
      now,
      session.archived ? now : null,
    );
    return { id, slug };
  }

  /** Adds keys to the state of a session. @returns those that were there, and stay as they are */
  addState(
    session: string,
    entries: readonly { readonly key: string; readonly value: string; readonly bytes: number }[],
    now: number,
  ): string[] {
    const { id } = this.session(session);
    return this.db.transaction(() =>
      entries
        .filter(({ key, value, bytes }) => {
          if (this.db.first('SELECT 1 FROM state WHERE session_id = ? AND key = ?', id, key)) return true;
          this.db.run(
            'INSERT INTO state (session_id, key, value, bytes, version, updated_at) VALUES (?, ?, ?, ?, 1, ?)',
            id,
            key,
            value,
            bytes,
            now,
          );
          return false;
        })
        .map(({ key }) => key),
    );
  }

  #freeSlug(wanted: string): string {
    const isTaken = (slug: string) => this.db.first('SELECT 1 FROM sessions WHERE slug = ?', slug) !== undefined;
    for (let number = 1; ; number++) {
      const end = number === 1 ? '' : `-${number}`;
      const slug = `${wanted.slice(0, MAX_SLUG_LENGTH - end.length).replace(/-$/, '')}${end}`;
      if (isSlug(slug) && !isTaken(slug)) return slug;
    }
  }
}

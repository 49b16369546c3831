import { CarrelError } from '../lib/errors.ts';
import type { SessionRef } from '../sessions/model.ts';
import type { Database } from '../workspace/sql.ts';
import { Contents } from './contents.ts';
import type { ContentsContext } from './contents.ts';
import { VERSIONS_KEPT } from './model.ts';
import type { FileEntry, FileVersion, StoredFile } from './model.ts';
import { numbered } from './paths.ts';

/** A file as its row has it. */
export type FileRow = {
  id: string;
  sessionId: string;
  path: string;
  version: number;
  type: string;
  size: number;
  sha256: string;
  /** JSON. */
  tags: string;
  createdAt: number;
  updatedAt: number;
  deletedAt: number | null;
};

export const COLUMNS = `id, session_id AS sessionId, path, version, type, size, sha256, tags,
  created_at AS createdAt, updated_at AS updatedAt, deleted_at AS deletedAt`;

/** Numbers that are tried for a copy beside what is there. */
const MAX_NUMBER = 1000;

interface ShelfContext extends ContentsContext {
  readonly findSession: (reference: string | undefined) => SessionRef | undefined;
}

/**
 * What the stores of files share: rows of files and versions, and the contents that versions refer to. Every
 * method belongs into the transaction of its caller.
 */
export class Shelf extends Contents {
  readonly #db: Database;
  readonly #findSession: ShelfContext['findSession'];

  constructor(context: ShelfContext) {
    super(context);
    this.#db = context.db;
    this.#findSession = context.findSession;
  }

  /** A file by its id, also in the trash, or by an id that was promised for what became a version of it. */
  byId(id: string): FileRow | undefined {
    return (
      this.#db.first<FileRow>(`SELECT ${COLUMNS} FROM files WHERE id = ?`, id) ??
      this.#db.first<FileRow>(
        `SELECT ${COLUMNS} FROM files WHERE id = (SELECT file_id FROM file_aliases WHERE alias = ?)`,
        id,
      )
    );
  }

  byPath(sessionId: string, path: string): FileRow | undefined {
    return this.#db.first<FileRow>(
      `SELECT ${COLUMNS} FROM files WHERE session_id = ? AND path = ? AND deleted_at IS NULL`,
      sessionId,
      path,
    );
  }

  /** The first path like this one that no file has: `q3 (2).pdf`. @throws CarrelError `conflict` */
  freePath(sessionId: string, path: string): string {
    if (!this.byPath(sessionId, path)) return path;
    for (let number = 2; number <= MAX_NUMBER; number++) {
      const candidate = numbered(path, number);
      if (!this.byPath(sessionId, candidate)) return candidate;
    }
    throw new CarrelError('conflict', 'There are too many files of this name. Give another path.');
  }

  insert(row: FileRow): void {
    this.#db.run(
      `INSERT INTO files (id, session_id, path, version, type, size, sha256, tags, created_at, updated_at, deleted_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.id,
      row.sessionId,
      row.path,
      row.version,
      row.type,
      row.size,
      row.sha256,
      row.tags,
      row.createdAt,
      row.updatedAt,
      row.deletedAt,
    );
    this.addVersion(row, row.createdAt);
  }

  /** Notes the present version of a file, and lets go of those beyond {@link VERSIONS_KEPT}. */
  addVersion({ id, version, type, size, sha256 }: FileRow, now: number): void {
    this.#db.run(
      'INSERT INTO file_versions (file_id, version, type, size, sha256, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      id,
      version,
      type,
      size,
      sha256,
      now,
    );
    const gone = this.#db.all<{ sha256: string }>(
      'DELETE FROM file_versions WHERE file_id = ? AND version <= ? RETURNING sha256',
      id,
      version - VERSIONS_KEPT,
    );
    for (const each of gone) this.release(each.sha256, now);
  }

  /** Writes what changes of a file that stays the same. */
  update(row: FileRow): void {
    this.#db.run(
      `UPDATE files SET session_id = ?, path = ?, version = ?, type = ?, size = ?, sha256 = ?, tags = ?, updated_at = ?,
         deleted_at = ? WHERE id = ?`,
      row.sessionId,
      row.path,
      row.version,
      row.type,
      row.size,
      row.sha256,
      row.tags,
      row.updatedAt,
      row.deletedAt,
      row.id,
    );
  }

  /** Removes a file with all its versions, for good. */
  remove(id: string, now: number): void {
    this.#db.run('DELETE FROM files WHERE id = ?', id);
    this.#db.run('DELETE FROM file_aliases WHERE file_id = ?', id);
    const gone = this.#db.all<{ sha256: string }>('DELETE FROM file_versions WHERE file_id = ? RETURNING sha256', id);
    for (const { sha256 } of gone) this.release(sha256, now);
  }

  versions(id: string): FileVersion[] {
    return this.#db.all<FileVersion & Record<string, string | number>>(
      `SELECT version, type, size, sha256, created_at AS createdAt FROM file_versions WHERE file_id = ? ORDER BY version DESC`,
      id,
    );
  }

  /** @param sessions those that are known already: the files of a page are mostly of a few */
  entry({ sessionId, tags, deletedAt, ...row }: FileRow, sessions = new Map<string, SessionRef>()): FileEntry {
    // Every session has a row today; a file must stay reachable if one day a session can be deleted.
    const session = sessions.get(sessionId) ??
      this.#findSession(sessionId) ?? { id: sessionId, slug: sessionId, title: sessionId };
    sessions.set(sessionId, session);
    return {
      ...row,
      tags: JSON.parse(tags) as string[],
      deletedAt: deletedAt ?? undefined,
      session: bare(session),
    };
  }

  /** A file with the place of its bytes. @param version one that it keeps; the present one when left out */
  stored(row: FileRow, version = row.version): StoredFile | undefined {
    const kept = this.versions(row.id).find((each) => each.version === version);
    const objectKey = kept && this.objectKey(kept.sha256);
    if (!kept || objectKey === undefined) return undefined;
    const { type, size, sha256 } = kept;
    return { ...this.entry(row), version, type, size, sha256, objectKey };
  }
}

/** What a result says of a session, without the rest of its row. */
export function bare({ id, slug, title }: SessionRef): SessionRef {
  return { id, slug, title };
}

/** Behind every path that begins with a folder: `0` follows `/`. */
export const endOf = (folder: string) => `${folder.slice(0, -1)}0`;

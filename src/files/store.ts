import { CarrelError } from '../lib/errors.ts';
import type { Position } from '../lib/cursor.ts';
import { isId, newId } from '../lib/ids.ts';
import { Store } from '../workspace/storage.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { MAX_AT_ONCE, noSuchFile, TRASH_MS } from './model.ts';
import type { FileEntry, FileVersion, StoredFile } from './model.ts';
import { FILES_SCHEMA } from './schema.ts';
import { bare, COLUMNS, endOf, Shelf } from './shelf.ts';
import type { FileRow } from './shelf.ts';

type SessionRef = FileEntry['session'];

/** What a list can be sorted by, and the column of it. */
const ORDERS = { path: 'path', created: 'created_at', updated: 'updated_at', size: 'size' } as const;
export type FileOrder = keyof typeof ORDERS;

/** Which files: of one session, by id or slug, or undefined for the default one; or of all. */
export type FileScope = { readonly all: true } | { readonly session: string | undefined };

export interface FileQuery {
  readonly order: FileOrder;
  readonly descending: boolean;
  /** With the slash behind it; empty for all. */
  readonly folder: string;
  readonly tag?: string | undefined;
  readonly limit: number;
  readonly after: Position | undefined;
}

export interface FilePage {
  /** The session that was asked for; undefined for all of them. */
  readonly session: SessionRef | undefined;
  readonly files: readonly FileEntry[];
  readonly next: Position | undefined;
}

/** A folder level: what is in it, without what is in its folders. */
export interface FolderPage extends FilePage {
  /** With the slash behind them. */
  readonly folders: readonly string[];
}

/** A file of which only its bytes matter, and where it stands. */
export interface PackedFile {
  readonly path: string;
  readonly size: number;
  readonly updatedAt: number;
  readonly objectKey: string;
}

export interface FolderContents {
  readonly session: SessionRef;
  readonly files: readonly PackedFile[];
}

/** Behind every path. */
const LAST_PATH = '\u{10FFFF}';

/** The index of one workspace's files. What comes into it comes through `UploadStore`. */
export class FileStore extends Store {
  static readonly schema = FILES_SCHEMA;
  readonly #shelf: Shelf;

  constructor(context: StoreContext) {
    super(context);
    this.#shelf = new Shelf(context);
  }

  /**
   * A file with the place of its bytes; undefined when there is none, also in the trash.
   *
   * @param reference an id of any session, or a path in `session`
   * @throws CarrelError `not_found` (the session)
   */
  get(reference: string, session: string | undefined, version?: number): StoredFile | undefined {
    const row = this.#find(reference, session);
    return row?.deletedAt === null ? this.#shelf.stored(row, version) : undefined;
  }

  /** @throws CarrelError `not_found` */
  versions(reference: string, session: string | undefined): { file: FileEntry; versions: FileVersion[] } {
    const row = this.#living(reference, session);
    return { file: this.#shelf.entry(row), versions: this.#shelf.versions(row.id) };
  }

  list(scope: FileScope, { order, descending, folder, tag, limit, after }: FileQuery): FilePage {
    const session = 'all' in scope ? undefined : this.session(scope.session);
    const column = ORDERS[order];
    const compare = descending ? '<' : '>';
    const direction = descending ? 'DESC' : 'ASC';
    const conditions = ['deleted_at IS NULL'];
    const values: (string | number)[] = [];
    const where = (condition: string, ...bound: (string | number)[]) => {
      conditions.push(condition);
      values.push(...bound);
    };
    if (session) where('session_id = ?', session.id);
    if (after) where(`(${column}, id) ${compare} (?, ?)`, after[0] ?? '', String(after[1] ?? ''));
    if (folder !== '') where('path >= ? AND path < ?', folder, endOf(folder));
    if (tag !== undefined) where('EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)', tag);
    const rows = this.db.all<FileRow>(
      `SELECT ${COLUMNS} FROM files WHERE ${conditions.join(' AND ')}
       ORDER BY ${column} ${direction}, id ${direction} LIMIT ?`,
      ...values,
      limit + 1,
    );
    const page = this.#page(session && bare(session), rows, limit);
    const last = rows[limit - 1];
    const place = { path: last?.path, created: last?.createdAt, updated: last?.updatedAt, size: last?.size }[order];
    return { ...page, next: rows.length > limit && last && place !== undefined ? [place, last.id] : undefined };
  }

  /** One level of a session's folders, by path. Each folder is passed over with one step of the index. */
  folder(reference: string | undefined, folder: string, limit: number, after: string | undefined): FolderPage {
    const session = this.session(reference);
    const folders: string[] = [];
    const rows: FileRow[] = [];
    let from = after ?? folder;
    let last: string | undefined;
    for (;;) {
      const bound = folder === '' ? LAST_PATH : endOf(folder);
      const row = this.db.first<FileRow>(
        `SELECT ${COLUMNS} FROM files WHERE session_id = ? AND deleted_at IS NULL AND path >= ? AND path < ?
         ORDER BY path LIMIT 1`,
        session.id,
        from,
        bound,
      );
      if (!row) break;
      if (folders.length + rows.length === limit) {
        last = from;
        break;
      }
      const rest = row.path.slice(folder.length);
      const slash = rest.indexOf('/');
      if (slash < 0) {
        rows.push(row);
        // The next path there can be.
        from = `${row.path}\u0000`;
      } else {
        const inner = folder + rest.slice(0, slash + 1);
        folders.push(inner);
        from = endOf(inner);
      }
    }
    return { ...this.#page(bare(session), rows, limit), folders, next: last === undefined ? undefined : [last] };
  }

  /** Paths of the default session that begin so, in order. */
  paths(beginning: string, limit: number): string[] {
    return this.db
      .all<{ path: string }>(
        `SELECT path FROM files WHERE session_id = ? AND deleted_at IS NULL AND path >= ? AND path < ?
         ORDER BY path LIMIT ?`,
        this.session(undefined).id,
        beginning,
        // Behind every path that begins so: no path has this character.
        `${beginning}\u{10FFFF}`,
        limit,
      )
      .map(({ path }) => path);
  }

  /**
   * All files in a folder and beneath it, by path, with the places of their bytes: one moment of it, whatever is
   * changed afterwards.
   *
   * @param folder with its slash; empty for all of the session
   */
  within(reference: string | undefined, folder: string, limit: number): FolderContents {
    const session = this.session(reference);
    const files = this.db.all<PackedFile & Record<string, string | number>>(
      `SELECT path, files.size, updated_at AS updatedAt, object_key AS objectKey
       FROM files JOIN contents USING (sha256)
       WHERE session_id = ? AND deleted_at IS NULL AND path >= ? AND path < ? ORDER BY path LIMIT ?`,
      session.id,
      folder,
      folder === '' ? LAST_PATH : endOf(folder),
      limit,
    );
    return { session: bare(session), files };
  }

  /** What is in the trash, the newest first. */
  trash(limit: number, after: Position | undefined): FilePage {
    const [deletedAt, id] = after ?? [Number.MAX_SAFE_INTEGER, ''];
    const rows = this.db.all<FileRow>(
      `SELECT ${COLUMNS} FROM files WHERE deleted_at IS NOT NULL AND (deleted_at, id) < (?, ?)
       ORDER BY deleted_at DESC, id DESC LIMIT ?`,
      deletedAt ?? 0,
      String(id),
      limit + 1,
    );
    const last = rows[limit - 1];
    return {
      ...this.#page(undefined, rows, limit),
      next: rows.length > limit && last ? [last.deletedAt ?? 0, last.id] : undefined,
    };
  }

  /**
   * Moves or renames a file, or all of a folder, whose reference ends with a slash; all or nothing.
   *
   * @param to a path, or a folder for a folder
   * @throws CarrelError `not_found`, `conflict` (a path is taken), `invalid_input`
   */
  move(
    reference: string,
    session: string | undefined,
    to: string,
    toSession: string | undefined,
    now: number,
  ): FileEntry[] {
    return this.db.transaction(() => {
      const target = toSession === undefined ? undefined : this.session(toSession);
      const moved = this.#several(reference, session).map((row) => {
        const sessionId = target?.id ?? row.sessionId;
        const path = reference.endsWith('/') ? to + row.path.slice(reference.length) : to;
        const there = this.#shelf.byPath(sessionId, path);
        if (there && there.id !== row.id) throw taken();
        const next = { ...row, sessionId, path, updatedAt: now };
        this.#shelf.update(next);
        return next;
      });
      return this.#entries(moved);
    });
  }

  /** @throws CarrelError `not_found`, `conflict` (the path is taken) */
  copy(
    reference: string,
    session: string | undefined,
    to: string,
    toSession: string | undefined,
    now: number,
  ): FileEntry {
    return this.db.transaction(() => {
      const row = this.#living(reference, session);
      const target = toSession === undefined ? undefined : this.session(toSession);
      const sessionId = target?.id ?? row.sessionId;
      if (this.#shelf.byPath(sessionId, to)) throw taken();
      const copy = { ...row, id: newId('fil'), sessionId, path: to, version: 1, createdAt: now, updatedAt: now };
      this.#shelf.insert(copy);
      return this.#shelf.entry(copy);
    });
  }

  /** @throws CarrelError `not_found` */
  tag(reference: string, session: string | undefined, tags: readonly string[], now: number): FileEntry {
    const row = { ...this.#living(reference, session), tags: JSON.stringify(tags), updatedAt: now };
    this.#shelf.update(row);
    return this.#shelf.entry(row);
  }

  /**
   * Puts a file, or all of a folder, into the trash: its path is free at once, its bytes stay.
   *
   * @throws CarrelError `not_found`, `invalid_input`
   */
  delete(reference: string, session: string | undefined, now: number): FileEntry[] {
    return this.db.transaction(() => {
      const deleted = this.#several(reference, session).map((row) => ({ ...row, deletedAt: now }));
      for (const row of deleted) this.#shelf.update(row);
      this.schedule('trash', now + TRASH_MS);
      return this.#entries(deleted);
    });
  }

  /**
   * Takes a file out of the trash.
   *
   * @param to another path; undefined for the one that it had
   * @throws CarrelError `not_found`, `conflict` (the path is taken)
   */
  restore(id: string, to: string | undefined, now: number): FileEntry {
    return this.db.transaction(() => {
      const row = this.#shelf.byId(id);
      if (row === undefined || row.deletedAt === null)
        throw new CarrelError('not_found', 'There is no such file in the trash.');
      const path = to ?? row.path;
      if (this.#shelf.byPath(row.sessionId, path)) throw taken();
      const restored = { ...row, path, deletedAt: null, updatedAt: now };
      this.#shelf.update(restored);
      return this.#shelf.entry(restored);
    });
  }

  /**
   * Makes an earlier version the present one, as a new version: nothing is lost by it.
   *
   * @throws CarrelError `not_found`
   */
  restoreVersion(reference: string, session: string | undefined, version: number, now: number): FileEntry {
    return this.db.transaction(() => {
      const row = this.#living(reference, session);
      const kept = this.#shelf.versions(row.id).find((each) => each.version === version);
      if (!kept) throw new CarrelError('not_found', 'This version is not kept any more.');
      const { type, size, sha256 } = kept;
      const next = { ...row, type, size, sha256, version: row.version + 1, updatedAt: now };
      this.#shelf.update(next);
      this.#shelf.addVersion(next, now);
      return this.#shelf.entry(next);
    });
  }

  /** Removes what is in the trash for good: all of it, or what has been there since before a moment. */
  emptyTrash(before: number, limit: number, now: number): number {
    return this.db.transaction(() => {
      const rows = this.db.all<{ id: string }>(
        'SELECT id FROM files WHERE deleted_at IS NOT NULL AND deleted_at <= ? ORDER BY deleted_at LIMIT ?',
        before,
        limit,
      );
      for (const { id } of rows) this.#shelf.remove(id, now);
      return rows.length;
    });
  }

  /** When something in the trash is to go next (ms), or undefined when it is empty. */
  nextPurge(): number | undefined {
    const oldest = this.db.first<{ at: number }>(
      'SELECT deleted_at AS at FROM files WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1',
    );
    return oldest && oldest.at + TRASH_MS;
  }

  #find(reference: string, session: string | undefined): FileRow | undefined {
    if (isId('fil', reference)) return this.#shelf.byId(reference);
    return this.#shelf.byPath(this.session(session).id, reference);
  }

  #living(reference: string, session: string | undefined): FileRow {
    const row = this.#find(reference, session);
    if (row?.deletedAt !== null) throw noSuchFile();
    return row;
  }

  /** One file, or those of a folder. */
  #several(reference: string, session: string | undefined): FileRow[] {
    if (!reference.endsWith('/')) return [this.#living(reference, session)];
    const rows = this.db.all<FileRow>(
      `SELECT ${COLUMNS} FROM files WHERE session_id = ? AND deleted_at IS NULL AND path >= ? AND path < ? LIMIT ?`,
      this.session(session).id,
      reference,
      endOf(reference),
      MAX_AT_ONCE + 1,
    );
    if (rows.length === 0) throw new CarrelError('not_found', 'There is no such folder.');
    if (rows.length > MAX_AT_ONCE)
      throw new CarrelError(
        'invalid_input',
        `The folder has more than ${MAX_AT_ONCE} files. Take its folders one by one.`,
      );
    return rows;
  }

  #entries(rows: readonly FileRow[]): FileEntry[] {
    const sessions = new Map<string, SessionRef>();
    return rows.map((row) => this.#shelf.entry(row, sessions));
  }

  #page(session: SessionRef | undefined, rows: readonly FileRow[], limit: number): Omit<FilePage, 'next'> {
    return { session, files: this.#entries(rows.slice(0, limit)) };
  }
}

const taken = () => new CarrelError('conflict', 'There is a file at this path. Give another one.');

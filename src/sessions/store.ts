import type { Position } from '../lib/cursor.ts';
import { isId, newId, randomName } from '../lib/ids.ts';
import { isSlug, MAX_SLUG_LENGTH, slugify } from '../lib/slug.ts';
import type { SchemaStep } from '../workspace/schema.ts';
import { Store } from '../workspace/storage.ts';
import { DEFAULT_SESSION_ID, DEFAULT_SESSION_SLUG } from './model.ts';
import type { Session } from './model.ts';

const SCHEMA: readonly SchemaStep[] = [
  {
    name: 'sessions: sessions and their state',
    sql: `
      CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        slug TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        description TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        archived_at INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX sessions_by_creation ON sessions (created_at DESC, id DESC);
      CREATE INDEX sessions_by_title ON sessions (title);
      INSERT INTO sessions (id, slug, title, description, created_at, updated_at)
        VALUES ('${DEFAULT_SESSION_ID}', '${DEFAULT_SESSION_SLUG}', 'Default', '',
          unixepoch('subsec') * 1000, unixepoch('subsec') * 1000);
      CREATE TABLE state (
        session_id TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        version INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (session_id, key)
      ) STRICT, WITHOUT ROWID;`,
  },
  {
    // A list is of the active ones or of the archived ones, and must not read past the others.
    name: 'sessions: by creation, active and archived apart',
    sql: `
      DROP INDEX sessions_by_creation;
      CREATE INDEX sessions_by_state ON sessions ((archived_at IS NOT NULL), created_at DESC, id DESC);`,
  },
];

const COLUMNS = `id, slug, title, description, created_at AS createdAt, updated_at AS updatedAt, archived_at AS archivedAt`;

type SessionRow = {
  id: string;
  slug: string;
  title: string;
  description: string;
  createdAt: number;
  updatedAt: number;
  archivedAt: number | null;
};

export interface SessionPage {
  readonly sessions: readonly Session[];
  readonly next: Position | undefined;
}

/** The sessions of one workspace. */
export class SessionStore extends Store {
  static readonly schema = SCHEMA;

  /** The session of an id or a slug; the default session when none is named. */
  find(reference: string | undefined): Session | undefined {
    if (reference === undefined) return this.#by('id', DEFAULT_SESSION_ID);
    // No slug has an underscore, and every id has one.
    return this.#by(reference.includes('_') ? 'id' : 'slug', reference);
  }

  /**
   * The session that a reference names by id, slug or title; a new one with that title when there is
   * none. An archived one becomes active again. Of two calls with one new title the second resumes.
   *
   * @returns undefined for something of the form of an id that does not exist: it is no title
   */
  open(
    reference: string,
    description: string | undefined,
    now: number,
  ): { session: Session; created: boolean } | undefined {
    const slug = slugify(reference);
    const found =
      this.find(reference) ??
      this.#by('title', reference) ??
      // "Market Study" is found under market-study. "C#" is not what is found under c.
      (slug === reference.toLowerCase().replaceAll(/\s+/g, '-') ? this.#by('slug', slug) : undefined);
    if (found) {
      if (found.archivedAt === null) return { session: found, created: false };
      this.db.run('UPDATE sessions SET archived_at = NULL, updated_at = ? WHERE id = ?', now, found.id);
      return { session: { ...found, archivedAt: null, updatedAt: now }, created: false };
    }
    if (isId('ses', reference)) return undefined;
    const session: Session = {
      id: newId('ses'),
      slug: this.#freeSlug(slug ?? 'session'),
      title: reference,
      description: description ?? '',
      createdAt: now,
      updatedAt: now,
      archivedAt: null,
    };
    this.db.run(
      'INSERT INTO sessions (id, slug, title, description, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)',
      session.id,
      session.slug,
      session.title,
      session.description,
      now,
      now,
    );
    return { session, created: true };
  }

  /** Newest first; `archived` selects the archived ones instead of the active. */
  list(options: { archived: boolean; limit: number; after: Position | undefined }): SessionPage {
    const [createdAt, id] = options.after ?? [Number.MAX_SAFE_INTEGER, ''];
    const rows = this.db.all<SessionRow>(
      `SELECT ${COLUMNS} FROM sessions
       WHERE (created_at, id) < (?, ?) AND (archived_at IS NOT NULL) = ?
       ORDER BY created_at DESC, id DESC LIMIT ?`,
      Number(createdAt),
      String(id),
      options.archived ? 1 : 0,
      options.limit + 1,
    );
    const sessions = rows.slice(0, options.limit);
    const last = sessions.at(-1);
    return { sessions, next: rows.length > options.limit && last ? [last.createdAt, last.id] : undefined };
  }

  /**
   * @returns undefined when there is no such session, `slug_taken` when another one has the slug,
   *   `is_default` for a new slug of the default session, which everybody finds under this one
   */
  update(
    reference: string | undefined,
    change: { title?: string | undefined; description?: string | undefined; slug?: string | undefined },
    now: number,
  ): Session | 'slug_taken' | 'is_default' | undefined {
    const session = this.find(reference);
    if (!session) return undefined;
    if (session.id === DEFAULT_SESSION_ID && change.slug !== undefined && change.slug !== session.slug)
      return 'is_default';
    const other = change.slug === undefined ? undefined : this.#by('slug', change.slug);
    if (other && other.id !== session.id) return 'slug_taken';
    const changed = {
      ...session,
      title: change.title ?? session.title,
      description: change.description ?? session.description,
      slug: change.slug ?? session.slug,
      updatedAt: now,
    };
    this.db.run(
      'UPDATE sessions SET title = ?, description = ?, slug = ?, updated_at = ? WHERE id = ?',
      changed.title,
      changed.description,
      changed.slug,
      now,
      session.id,
    );
    return changed;
  }

  /** Archives a session or makes it active again. */
  archive(reference: string, archived: boolean, now: number): Session | 'is_default' | undefined {
    const session = this.find(reference);
    if (!session) return undefined;
    if (session.id === DEFAULT_SESSION_ID) return 'is_default';
    const archivedAt = archived ? (session.archivedAt ?? now) : null;
    this.db.run('UPDATE sessions SET archived_at = ?, updated_at = ? WHERE id = ?', archivedAt, now, session.id);
    return { ...session, archivedAt, updatedAt: now };
  }

  /** The slug, or with a random end where it is taken. */
  #freeSlug(wanted: string): string {
    if (!this.#by('slug', wanted)) return wanted;
    return `${wanted.slice(0, MAX_SLUG_LENGTH - 9).replace(/-$/, '')}-${randomName().slice(0, 8)}`;
  }

  #by(column: 'id' | 'slug' | 'title', value: string): Session | undefined {
    // A slug is looked up only when it can be one: what a caller sends may be anything.
    if (column === 'slug' && (!isSlug(value) || value.length > MAX_SLUG_LENGTH)) return undefined;
    return this.db.first<SessionRow>(`SELECT ${COLUMNS} FROM sessions WHERE ${column} = ? LIMIT 1`, value);
  }
}

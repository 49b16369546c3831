import { CarrelError } from '../../lib/errors.ts';
import { hashPassword, isPassword } from '../../lib/password.ts';
import type { StoreContext } from '../../workspace/storage.ts';
import { GUESS_MS, MAX_GUESSES, MAX_SHARES } from './model.ts';
import type { FoundShare, NewShare, ShareEntry, ShareTarget } from './model.ts';

export interface Swept {
  readonly removed: number;
  readonly next: number | undefined;
}

type ShareRow = {
  fileId: string | null;
  session: string;
  folder: string;
  isLocked: number;
  expiresAt: number;
  maxUses: number | null;
  uses: number;
};
type EntryRow = ShareRow & { id: string; path: string | null; createdAt: number; lastUsedAt: number | null };

/** How far the clocks of two machines may be apart, in ms. */
const CLOCKS_MS = 60_000;

const COLUMNS =
  'password IS NOT NULL AS isLocked, expires_at AS expiresAt, max_uses AS maxUses, uses, file_id AS fileId, folder';

/** The SQL of shares. See {@link ShareStore}, whose methods these are. */
export class Shares {
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.#context = context;
  }

  async make({ id, target, expiresAt, maxUses, password }: NewShare, now: number): Promise<void> {
    const { db, findSession, schedule } = this.#context;
    // It takes its time: all that is checked is checked after it.
    const hash = password === undefined ? null : await hashPassword(password);
    const there = db.first<{ shares: number }>('SELECT count(*) AS shares FROM file_shares WHERE expires_at > ?', now);
    if ((there?.shares ?? 0) >= MAX_SHARES)
      throw new CarrelError('limit_exceeded', `You have ${MAX_SHARES} shares, as many as one may have. End one first.`);
    const file = 'fileId' in target ? target : undefined;
    const folder = 'fileId' in target ? undefined : target;
    if (file && !db.first('SELECT 1 FROM files WHERE id = ? AND deleted_at IS NULL', file.fileId))
      throw new CarrelError('not_found', 'There is no such file any more.');
    const session = folder && findSession(folder.session);
    if (folder && !session) throw new CarrelError('not_found', 'There is no such folder any more.');
    db.run(
      `INSERT INTO file_shares (id, file_id, session_id, folder, password, created_at, expires_at, max_uses)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      file?.fileId ?? null,
      session?.id ?? null,
      folder?.folder ?? null,
      hash,
      now,
      expiresAt,
      maxUses ?? null,
    );
    schedule('shares', expiresAt);
  }

  list(now: number): ShareEntry[] {
    const { db, findSession } = this.#context;
    const rows = db.all<EntryRow>(
      `SELECT file_shares.id, ${COLUMNS}, file_shares.created_at AS createdAt, last_used_at AS lastUsedAt,
         coalesce(file_shares.session_id, files.session_id) AS session, coalesce(files.path, folder) AS path
       FROM file_shares LEFT JOIN files ON files.id = file_id
       WHERE expires_at > ? ORDER BY file_shares.created_at DESC, file_shares.id`,
      now,
    );
    return rows.map(({ id, path, session, isLocked, createdAt, expiresAt, lastUsedAt, uses, maxUses }) => ({
      id,
      path: path ?? '',
      session: findSession(session)?.title ?? '',
      isLocked: isLocked === 1,
      createdAt,
      expiresAt,
      lastUsedAt: lastUsedAt ?? undefined,
      uses,
      maxUses: maxUses ?? undefined,
    }));
  }

  revoke(id: string): boolean {
    return this.#context.db.run('DELETE FROM file_shares WHERE id = ?', id) > 0;
  }

  find(id: string, now: number): FoundShare {
    const row = this.#context.db.first<ShareRow>(
      `SELECT ${COLUMNS}, session_id AS session FROM file_shares WHERE id = ? AND expires_at > ?`,
      id,
      now,
    );
    if (!row) throw noSuchShare();
    const { fileId, session, folder, isLocked, expiresAt, maxUses, uses } = row;
    const target: ShareTarget = fileId === null ? { session, folder } : { fileId };
    const usesLeft = maxUses === null ? undefined : Math.max(0, maxUses - uses);
    return { target, isLocked: isLocked === 1, expiresAt, usesLeft };
  }

  /**
   * A guess counts before it is compared, so that of many at once no more are compared than may be; a right one is
   * given back.
   */
  async unlock(id: string, password: string, now: number): Promise<boolean> {
    const { db } = this.#context;
    const row = db.first<{ password: string | null; guesses: number; since: number }>(
      'SELECT password, guesses, guesses_since AS since FROM file_shares WHERE id = ?',
      id,
    );
    if (!row) throw noSuchShare();
    if (row.password === null) return true;
    const isOver = row.since <= now - GUESS_MS;
    if (!isOver && row.guesses >= MAX_GUESSES)
      throw new CarrelError('limit_exceeded', 'Too many wrong passwords. Try again in a quarter of an hour.', {
        details: { retry_after: Math.max(1, Math.ceil((row.since + GUESS_MS - now) / 1000)) },
      });
    db.run(
      'UPDATE file_shares SET guesses = ?, guesses_since = ? WHERE id = ?',
      isOver ? 1 : row.guesses + 1,
      isOver ? now : row.since,
      id,
    );
    if (!(await isPassword(password, row.password))) return false;
    db.run('UPDATE file_shares SET guesses = max(guesses - 1, 0) WHERE id = ?', id);
    return true;
  }

  take(id: string, now: number): void {
    const { db } = this.#context;
    const isAlive = 'id = ? AND expires_at > ?';
    const taken = db.run(
      `UPDATE file_shares SET uses = uses + 1, last_used_at = ?
       WHERE ${isAlive} AND (max_uses IS NULL OR uses < max_uses)`,
      now,
      id,
      now,
    );
    if (taken > 0) return;
    throw db.first(`SELECT 1 FROM file_shares WHERE ${isAlive}`, id, now) ? usedUp() : noSuchShare();
  }

  useAddress(id: string, limit: number, expiresAt: number, take: boolean): void {
    const { db, schedule } = this.#context;
    const found = db.first<{ uses: number }>('SELECT uses FROM address_uses WHERE id = ?', id);
    if ((found?.uses ?? 0) >= limit) throw usedUp();
    if (!take) return;
    // Longer than the address lives by the clock of any machine: a count that is forgotten begins anew.
    const keptUntil = expiresAt + CLOCKS_MS;
    db.run(
      `INSERT INTO address_uses (id, uses, expires_at) VALUES (?, 1, ?)
       ON CONFLICT (id) DO UPDATE SET uses = uses + 1`,
      id,
      keptUntil,
    );
    if (!found) schedule('shares', keptUntil);
  }

  sweep(now: number): Swept {
    const { db } = this.#context;
    const shares = db.all('DELETE FROM file_shares WHERE expires_at <= ? RETURNING 1', now);
    const counts = db.all('DELETE FROM address_uses WHERE expires_at <= ? RETURNING 1', now);
    const next = db.first<{ at: number | null }>(
      `SELECT min(at) AS at FROM (
         SELECT min(expires_at) AS at FROM file_shares UNION ALL SELECT min(expires_at) FROM address_uses)`,
    );
    return { removed: shares.length + counts.length, next: next?.at ?? undefined };
  }
}

/** Whoever shows it to a visitor has other words for it. */
const noSuchShare = () => new CarrelError('not_found', 'There is no such share.');

const usedUp = () =>
  new CarrelError(
    'forbidden',
    'This address was used as often as it may be. Ask whoever gave it to you for a new one.',
  );

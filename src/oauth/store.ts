import type { SchemaStep } from '../workspace/schema.ts';
import type { Database } from '../workspace/sql.ts';

/** How long a tombstone stays, in ms: longer than any request that could still write its grant. */
const TOMBSTONE_MS = 30 * 86_400_000;
/** How often the use of a grant is written down, in ms: a row written costs more than the call. */
const USE_MS = 3_600_000;

export const GRANT_SCHEMA: readonly SchemaStep[] = [
  {
    name: 'oauth: grants, tokens, tombstones, replays',
    sql: `
      CREATE TABLE oauth_records (
        key TEXT PRIMARY KEY,
        grant_id TEXT NOT NULL,
        value TEXT NOT NULL,
        metadata TEXT,
        expires_at INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX oauth_records_by_grant ON oauth_records (grant_id);
      CREATE INDEX oauth_records_by_expiry ON oauth_records (expires_at) WHERE expires_at IS NOT NULL;
      CREATE TABLE oauth_tombstones (
        grant_id TEXT PRIMARY KEY,
        revoked_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE oauth_replays (
        presented_hash TEXT PRIMARY KEY,
        grant_id TEXT NOT NULL,
        request TEXT NOT NULL,
        wrapped_key TEXT NOT NULL,
        sealed TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX oauth_replays_by_grant ON oauth_replays (grant_id);`,
  },
  {
    // Each refresh asks when the next of them is due, and a tombstone stays for weeks.
    name: 'oauth: tombstones by age',
    sql: 'CREATE INDEX oauth_tombstones_by_age ON oauth_tombstones (revoked_at);',
  },
  {
    // Refresh tokens that were exchanged for newer ones: who comes back with one of them has an old copy.
    name: 'oauth: rotated refresh tokens',
    sql: `CREATE TABLE oauth_rotated (
        token_hash TEXT PRIMARY KEY,
        grant_id TEXT NOT NULL,
        expires_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX oauth_rotated_by_grant ON oauth_rotated (grant_id);`,
  },
  {
    name: 'oauth: when grants were used',
    sql: `CREATE TABLE oauth_uses (
        grant_id TEXT PRIMARY KEY,
        last_used_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`,
  },
];

/** One record of the OAuth library: a grant, or an access token. */
export interface OAuthRecord {
  /** `grant:<grant>` or `token:<grant>:<hash>`: the library's key without the person, who is this object. */
  readonly key: string;
  readonly grantId: string;
  readonly value: string;
  /** JSON, or null. */
  readonly metadata: string | null;
  /** ms since the epoch, or null for never. */
  readonly expiresAt: number | null;
}

/** The stored answer to a refresh, which only the presented token opens. */
export interface RefreshReplay {
  /** SHA-256 of the refresh token that was presented, in hexadecimal. */
  readonly presentedHash: string;
  readonly grantId: string;
  /** What was asked for besides the token: a replay is only given to the same request. */
  readonly request: string;
  /** The grant's key, wrapped with the presented token by the library. */
  readonly wrappedKey: string;
  readonly sealed: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A type and no interface: SQLite's row type wants an index signature. */
type RecordRow = { key: string; grantId: string; value: string; metadata: string | null; expiresAt: number | null };

const SELECT_RECORDS = 'SELECT key, grant_id AS grantId, value, metadata, expires_at AS expiresAt FROM oauth_records';
const LIVING_RECORD = 'SELECT 1 FROM oauth_records WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)';

/**
 * A person's grants and tokens, in that person's own object. Every method is atomic. A revoked
 * grant leaves a tombstone, and while it stands nothing of that grant can be written again: a
 * refresh that read the grant before it was revoked must not bring it back.
 */
export class GrantStore {
  readonly #db: Database;
  /** When each grant was last written down as used, ms since the epoch: asked on every request. */
  readonly #noted = new Map<string, number>();

  constructor(db: Database) {
    this.#db = db;
  }

  get(key: string, now: number): OAuthRecord | undefined {
    return this.#db.first<RecordRow>(
      `${SELECT_RECORDS} WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)`,
      key,
      now,
    );
  }

  /** @returns false when the grant was revoked: nothing is written */
  put(record: OAuthRecord): boolean {
    return this.#db.transaction(() => {
      if (this.isRevoked(record.grantId)) return false;
      this.#db.run(
        `INSERT INTO oauth_records (key, grant_id, value, metadata, expires_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, metadata = excluded.metadata, expires_at = excluded.expires_at`,
        record.key,
        record.grantId,
        record.value,
        record.metadata,
        record.expiresAt,
      );
      return true;
    });
  }

  /** Records whose key begins with the prefix, in the order of their keys, after `after` if given. */
  list(prefix: string, limit: number, now: number, after = ''): OAuthRecord[] {
    return this.#db.all<RecordRow>(
      `${SELECT_RECORDS} WHERE key > ? AND key >= ? AND key < ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY key LIMIT ?`,
      after,
      prefix,
      `${prefix}\u{7F}`,
      now,
      limit,
    );
  }

  /** Ends one access token. The grant's replays go as well, because one of them may hold this token. */
  deleteToken(key: string, grantId: string): void {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM oauth_records WHERE key = ?', key);
      this.#db.run('DELETE FROM oauth_replays WHERE grant_id = ?', grantId);
    });
  }

  /** Ends a grant with all its tokens and replays, at once and for good. @returns whether it was alive until now */
  revoke(grantId: string, now: number): boolean {
    return this.#db.transaction(() => {
      const wasAlive = this.isGrantAlive(grantId, now);
      this.#db.run(
        'INSERT INTO oauth_tombstones (grant_id, revoked_at) VALUES (?, ?) ON CONFLICT DO NOTHING',
        grantId,
        now,
      );
      this.#db.run('DELETE FROM oauth_records WHERE grant_id = ?', grantId);
      this.#db.run('DELETE FROM oauth_replays WHERE grant_id = ?', grantId);
      this.#db.run('DELETE FROM oauth_rotated WHERE grant_id = ?', grantId);
      this.#db.run('DELETE FROM oauth_uses WHERE grant_id = ?', grantId);
      return wasAlive;
    });
  }

  /**
   * Writes a grant with fewer scopes and ends its access tokens; the replays go as well, because they hold
   * such tokens. Nothing where the grant is no longer there.
   */
  narrow(grantId: string, grant: object): void {
    this.#db.transaction(() => {
      this.#db.run('UPDATE oauth_records SET value = ? WHERE key = ?', JSON.stringify(grant), `grant:${grantId}`);
      this.#db.run('DELETE FROM oauth_records WHERE grant_id = ? AND key <> ?', grantId, `grant:${grantId}`);
      this.#db.run('DELETE FROM oauth_replays WHERE grant_id = ?', grantId);
    });
  }

  /** Notes that a grant is used, about once an hour. @returns whether it is the first time */
  noteUse(grantId: string, now: number): boolean {
    if ((this.#noted.get(grantId) ?? 0) > now - USE_MS) return false;
    this.#noted.set(grantId, now);
    const isFirst = this.lastUse(grantId) === undefined;
    this.#db.run(
      `INSERT INTO oauth_uses (grant_id, last_used_at) VALUES (?, ?)
       ON CONFLICT (grant_id) DO UPDATE SET last_used_at = excluded.last_used_at`,
      grantId,
      now,
    );
    return isFirst;
  }

  /** When a grant was last used, ms since the epoch, to the hour. */
  lastUse(grantId: string): number | undefined {
    return this.#db.first<{ at: number }>('SELECT last_used_at AS at FROM oauth_uses WHERE grant_id = ?', grantId)?.at;
  }

  /** Remembers that a refresh token was exchanged for a newer one. */
  keepRotated(tokenHash: string, grantId: string, expiresAt: number): void {
    this.#db.run(
      `INSERT INTO oauth_rotated (token_hash, grant_id, expires_at) VALUES (?, ?, ?)
       ON CONFLICT (token_hash) DO UPDATE SET expires_at = excluded.expires_at`,
      tokenHash,
      grantId,
      expiresAt,
    );
  }

  /** Whether this grant gave the token out and has since given newer ones. */
  wasRotated(tokenHash: string, grantId: string): boolean {
    return (
      this.#db.first('SELECT 1 FROM oauth_rotated WHERE token_hash = ? AND grant_id = ?', tokenHash, grantId) !==
      undefined
    );
  }

  isRevoked(grantId: string): boolean {
    return this.#db.first('SELECT 1 FROM oauth_tombstones WHERE grant_id = ?', grantId) !== undefined;
  }

  /** Whether the grant and this token of it are both alive. */
  isAlive(grantId: string, tokenHash: string, now: number): boolean {
    // Both in one statement: this is asked on every request.
    const row = this.#db.first<{ alive: number }>(
      `SELECT EXISTS (${LIVING_RECORD}) AND EXISTS (${LIVING_RECORD}) AS alive`,
      `token:${grantId}:${tokenHash}`,
      now,
      `grant:${grantId}`,
      now,
    );
    return row?.alive === 1;
  }

  isGrantAlive(grantId: string, now: number): boolean {
    return this.get(`grant:${grantId}`, now) !== undefined;
  }

  replay(presentedHash: string, now: number): RefreshReplay | undefined {
    return this.#db.first<{
      presentedHash: string;
      grantId: string;
      request: string;
      wrappedKey: string;
      sealed: string;
      createdAt: number;
      expiresAt: number;
    }>(
      `SELECT presented_hash AS presentedHash, grant_id AS grantId, request, wrapped_key AS wrappedKey, sealed,
         created_at AS createdAt, expires_at AS expiresAt
       FROM oauth_replays WHERE presented_hash = ? AND expires_at > ?`,
      presentedHash,
      now,
    );
  }

  /**
   * Keeps the answer to a refresh, unless the grant was revoked meanwhile. The newest answer stays: the
   * tokens in an older one are dead.
   */
  keepReplay(replay: RefreshReplay): void {
    this.#db.transaction(() => {
      if (this.isRevoked(replay.grantId)) return;
      this.#db.run(
        `INSERT INTO oauth_replays (presented_hash, grant_id, request, wrapped_key, sealed, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (presented_hash) DO UPDATE SET request = excluded.request, wrapped_key = excluded.wrapped_key,
           sealed = excluded.sealed, created_at = excluded.created_at, expires_at = excluded.expires_at
         WHERE grant_id = excluded.grant_id`,
        replay.presentedHash,
        replay.grantId,
        replay.request,
        replay.wrappedKey,
        replay.sealed,
        replay.createdAt,
        replay.expiresAt,
      );
    });
  }

  /** When something will have expired next (ms), or undefined when nothing is left to sweep. */
  nextExpiry(): number | undefined {
    const next = this.#db.first<{ due: number | null }>(
      `SELECT min(due) AS due FROM (
         SELECT min(expires_at) AS due FROM oauth_records
         UNION ALL SELECT min(expires_at) FROM oauth_replays
         UNION ALL SELECT min(revoked_at) + ? FROM oauth_tombstones
       )`,
      TOMBSTONE_MS,
    );
    return next?.due ?? undefined;
  }

  /** Removes what has expired. */
  sweep(now: number): void {
    this.#db.run('DELETE FROM oauth_records WHERE expires_at <= ?', now);
    this.#db.run('DELETE FROM oauth_replays WHERE expires_at <= ?', now);
    this.#db.run('DELETE FROM oauth_rotated WHERE expires_at <= ?', now);
    this.#db.run("DELETE FROM oauth_uses WHERE 'grant:' || grant_id NOT IN (SELECT key FROM oauth_records)");
    this.#db.run('DELETE FROM oauth_tombstones WHERE revoked_at <= ?', now - TOMBSTONE_MS);
  }
}

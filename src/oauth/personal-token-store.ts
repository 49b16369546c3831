import type { SchemaStep } from '../workspace/schema.ts';
import type { Database } from '../workspace/sql.ts';
import type { PersonalToken } from './model.ts';

/** Tokens that one person may have at a time. */
const MAX_PERSONAL_TOKENS = 50;
/** How often the last use of a token is written down, in ms: a row written costs more than the call. */
const USE_MS = 3_600_000;

export const PERSONAL_TOKEN_SCHEMA: readonly SchemaStep[] = [
  {
    name: 'personal tokens: create',
    sql: `CREATE TABLE personal_tokens (
      grant_id TEXT PRIMARY KEY,
      token_hash TEXT NOT NULL,
      name TEXT NOT NULL,
      label TEXT NOT NULL,
      scopes TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      last_used_at INTEGER
    ) STRICT, WITHOUT ROWID`,
  },
];

type TokenRow = {
  grantId: string;
  name: string;
  label: string;
  scopes: string;
  createdAt: number;
  expiresAt: number;
  lastUsedAt: number | null;
};

const COLUMNS = `grant_id AS grantId, name, label, scopes, created_at AS createdAt, expires_at AS expiresAt, last_used_at AS lastUsedAt`;

/** The personal access tokens of one person. Of a token only its hash is here. */
export class PersonalTokenStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** @returns false when the person has as many as one may have */
  add(token: Omit<PersonalToken, 'lastUsedAt'>, tokenHash: string, now: number): boolean {
    this.#db.run('DELETE FROM personal_tokens WHERE expires_at <= ?', now);
    const there = this.#db.first<{ tokens: number }>('SELECT count(*) AS tokens FROM personal_tokens');
    if ((there?.tokens ?? 0) >= MAX_PERSONAL_TOKENS) return false;
    this.#db.run(
      `INSERT INTO personal_tokens (grant_id, token_hash, name, label, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      token.grantId,
      tokenHash,
      token.name,
      token.label,
      JSON.stringify(token.scopes),
      token.createdAt,
      token.expiresAt,
    );
    return true;
  }

  /** Newest first. */
  list(now: number): PersonalToken[] {
    return this.#db
      .all<TokenRow>(`SELECT ${COLUMNS} FROM personal_tokens WHERE expires_at > ? ORDER BY created_at DESC`, now)
      .map(toToken);
  }

  /** @returns whether it was there */
  remove(grantId: string): boolean {
    return this.#db.run('DELETE FROM personal_tokens WHERE grant_id = ?', grantId) > 0;
  }

  find(grantId: string, tokenHash: string, now: number): PersonalToken | undefined {
    const row = this.#db.first<TokenRow>(
      `SELECT ${COLUMNS} FROM personal_tokens WHERE grant_id = ? AND token_hash = ? AND expires_at > ?`,
      grantId,
      tokenHash,
      now,
    );
    return row && toToken(row);
  }

  /** Whether it may be used now; notes that it was, about once an hour. */
  isAlive(grantId: string, tokenHash: string, now: number): boolean {
    const token = this.find(grantId, tokenHash, now);
    if (token && (token.lastUsedAt ?? 0) <= now - USE_MS)
      this.#db.run('UPDATE personal_tokens SET last_used_at = ? WHERE grant_id = ?', now, grantId);
    return token !== undefined;
  }

  /** Whether what was made with it still counts, such as a signed address. */
  exists(grantId: string, now: number): boolean {
    return (
      this.#db.first('SELECT 1 FROM personal_tokens WHERE grant_id = ? AND expires_at > ?', grantId, now) !== undefined
    );
  }
}

function toToken({ scopes, lastUsedAt, ...row }: TokenRow): PersonalToken {
  return { ...row, scopes: JSON.parse(scopes) as string[], lastUsedAt: lastUsedAt ?? undefined };
}

export interface DirectoryRecord {
  readonly key: string;
  readonly value: string;
  /** ms since the epoch, or null for never. */
  readonly expiresAt: number | null;
}

/** Rows of one statement of the sweep, and statements of one sweep. */
const SWEEP_ROWS = 1000;
const SWEEP_ROUNDS = 50;

/** Records of the OAuth library that belong to no person, and the index of grants across persons. */
export class OAuthRecordRepo {
  readonly #d1: D1Database;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  async get(key: string, now: number): Promise<string | undefined> {
    const row = await this.#d1
      .prepare('SELECT value FROM oauth_records WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)')
      .bind(key, now)
      .first<{ value: string }>();
    return row?.value;
  }

  async put(record: DirectoryRecord): Promise<void> {
    await this.#d1
      .prepare(
        `INSERT INTO oauth_records (key, value, expires_at) VALUES (?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`,
      )
      .bind(record.key, record.value, record.expiresAt)
      .run();
  }

  /** @returns false when a record with this key exists: it stays as it is */
  async insert(record: DirectoryRecord): Promise<boolean> {
    const row = await this.#d1
      .prepare(
        `INSERT INTO oauth_records (key, value, expires_at) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING RETURNING key`,
      )
      .bind(record.key, record.value, record.expiresAt)
      .first();
    return row !== null;
  }

  /** @returns whether this call removed it: of several at the same time, one is told true */
  async delete(key: string): Promise<boolean> {
    const row = await this.#d1.prepare('DELETE FROM oauth_records WHERE key = ? RETURNING key').bind(key).first();
    return row !== null;
  }

  /** Notes that a person is about to grant a client access. */
  async indexGrant(personId: string, grantId: string, clientId: string, now: number): Promise<void> {
    await this.#d1
      .prepare(
        `INSERT INTO grants (person_id, grant_id, client_id, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      )
      .bind(personId, grantId, clientId, now)
      .run();
  }

  /** Removes what has expired, in pieces: one statement over a flood of registrations would time out. */
  async sweep(now: number): Promise<void> {
    for (let round = 0; round < SWEEP_ROUNDS; round++) {
      const { meta } = await this.#d1
        .prepare('DELETE FROM oauth_records WHERE key IN (SELECT key FROM oauth_records WHERE expires_at <= ? LIMIT ?)')
        .bind(now, SWEEP_ROWS)
        .run();
      if (meta.rows_written === 0) return;
    }
  }
}

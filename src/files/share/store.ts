import type { SchemaStep } from '../../workspace/schema.ts';
import { Store } from '../../workspace/storage.ts';
import type { StoreContext } from '../../workspace/storage.ts';
import type { FoundShare, NewShare, ShareEntry } from './model.ts';
import type { Shares, Swept } from './shares.ts';

const SCHEMA: readonly SchemaStep[] = [
  {
    // What leaves the shelf a counted number of times. A trigger ends the shares of a file that goes into the trash,
    // for good: whoever takes it out again has it for themselves.
    name: 'shares: shares, uses of addresses',
    sql: `
      CREATE TABLE file_shares (
        id TEXT PRIMARY KEY,
        file_id TEXT,
        session_id TEXT,
        folder TEXT,
        password TEXT,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        max_uses INTEGER,
        uses INTEGER NOT NULL DEFAULT 0,
        last_used_at INTEGER,
        guesses INTEGER NOT NULL DEFAULT 0,
        guesses_since INTEGER NOT NULL DEFAULT 0,
        CHECK ((file_id IS NULL) = (session_id IS NOT NULL AND folder IS NOT NULL))
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX file_shares_by_expiry ON file_shares (expires_at);
      CREATE INDEX file_shares_by_file ON file_shares (file_id) WHERE file_id IS NOT NULL;
      CREATE TRIGGER file_shares_end AFTER UPDATE OF deleted_at ON files
        WHEN old.deleted_at IS NULL AND new.deleted_at IS NOT NULL BEGIN
        DELETE FROM file_shares WHERE file_id = old.id;
      END;
      CREATE TABLE address_uses (id TEXT PRIMARY KEY, uses INTEGER NOT NULL, expires_at INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;
      CREATE INDEX address_uses_by_expiry ON address_uses (expires_at);`,
  },
];

/**
 * What people share, and how often addresses with a count were used. Each count is kept here, one use at a time. The
 * SQL is loaded with the first call: most workspaces have none of it.
 */
export class ShareStore extends Store {
  static readonly schema = SCHEMA;
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    super(context);
    this.#context = context;
  }

  /** @throws CarrelError `not_found` (the file, the folder), `limit_exceeded` (one too many) */
  async make(share: NewShare, now: number): Promise<void> {
    await (await this.#shares()).make(share, now);
  }

  /** Newest first. */
  async list(now: number): Promise<ShareEntry[]> {
    return (await this.#shares()).list(now);
  }

  /** @returns whether it was there */
  async revoke(id: string): Promise<boolean> {
    return (await this.#shares()).revoke(id);
  }

  /** Asked before each call of a visitor. */
  isAlive(id: string, now: number): boolean {
    return this.db.first('SELECT 1 FROM file_shares WHERE id = ? AND expires_at > ?', id, now) !== undefined;
  }

  /** @throws CarrelError `not_found` */
  async find(id: string, now: number): Promise<FoundShare> {
    return (await this.#shares()).find(id, now);
  }

  /**
   * Whether this is the password of a share.
   *
   * @throws CarrelError `limit_exceeded`, with `retry_after` in seconds; `not_found`
   */
  async unlock(id: string, password: string, now: number): Promise<boolean> {
    return (await this.#shares()).unlock(id, password, now);
  }

  /**
   * Takes one use of a share.
   *
   * @throws CarrelError `not_found` (withdrawn meanwhile: that was first), `forbidden` (used as often as it may be)
   */
  async take(id: string, now: number): Promise<void> {
    (await this.#shares()).take(id, now);
  }

  /**
   * Checks an address with a count, or takes one of its uses.
   *
   * @param limit how many it has, and `expiresAt` when it ends (ms), as the address says
   * @throws CarrelError `forbidden` when there is none left
   */
  async useAddress(id: string, limit: number, expiresAt: number, take: boolean): Promise<void> {
    (await this.#shares()).useAddress(id, limit, expiresAt, take);
  }

  /** Removes what has expired. @returns how much, and when something expires next (ms) if anything is left */
  async sweep(now: number): Promise<Swept> {
    return (await this.#shares()).sweep(now);
  }

  async #shares(): Promise<Shares> {
    const { Shares: Kind } = await import('./shares.ts');
    return new Kind(this.#context);
  }
}

import type { Role } from '../directory/types.ts';
import type { SchemaStep } from './schema.ts';
import type { Database } from './sql.ts';

export const WORKSPACE_SCHEMA: readonly SchemaStep[] = [
  {
    name: 'workspace: agenda and standing',
    sql: `
      CREATE TABLE agenda (task TEXT PRIMARY KEY, due_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE standing (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        role TEXT NOT NULL,
        disabled INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      ) STRICT;`,
  },
  {
    name: 'workspace: whether rules of approval ask',
    sql: 'ALTER TABLE standing ADD COLUMN asks INTEGER NOT NULL DEFAULT 0',
  },
];

export interface Standing {
  readonly role: Role;
  readonly disabled: boolean;
}

/**
 * What the deployment lets this person do. It is written here first and to the directory second, so
 * that the check on every request needs no second place, and holds from the next request on.
 */
export class StandingStore {
  readonly #db: Database;
  /** As it stands in the database, which nobody writes but this object. */
  #known: (Standing & { readonly asks: boolean }) | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** `asks`: whether the person wants to be asked about some calls. Only the store of those rules knows which. */
  read(): (Standing & { readonly asks: boolean }) | undefined {
    if (this.#known) return this.#known;
    const row = this.#db.first<{ role: string; disabled: number; asks: number }>(
      'SELECT role, disabled, asks FROM standing',
    );
    this.#known = row && { role: row.role as Role, disabled: row.disabled === 1, asks: row.asks === 1 };
    return this.#known;
  }

  /** What is known of the database is no longer true: it was emptied, or somebody else wrote. */
  forget(): void {
    this.#known = undefined;
  }

  write(standing: Standing, now: number): void {
    // Read anew next time: a transaction that holds this write may yet be rolled back.
    this.#known = undefined;
    this.#db.run(
      `INSERT INTO standing (only_row, role, disabled, updated_at) VALUES (1, ?, ?, ?)
       ON CONFLICT (only_row) DO UPDATE SET role = excluded.role, disabled = excluded.disabled, updated_at = excluded.updated_at`,
      standing.role,
      standing.disabled ? 1 : 0,
      now,
    );
  }
}

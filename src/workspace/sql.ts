/** What SQLite in a Durable Object takes and gives. */
export type SqlValue = string | number | null | ArrayBuffer;
export type Row = Record<string, SqlValue>;

/**
 * The workspace's database, as stores see it. Every statement runs to its end at once and nothing
 * else runs in between, so what a store does without `await` is atomic to its callers.
 */
export class Database {
  readonly #storage: DurableObjectStorage;
  #written = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Rows written so far, index rows included, also by what was rolled back. */
  get written(): number {
    return this.#written;
  }

  /** All rows of a statement. */
  all<Result extends Row>(statement: string, ...values: SqlValue[]): Result[] {
    const cursor = this.#storage.sql.exec<Result>(statement, ...values);
    const rows = cursor.toArray();
    this.#written += cursor.rowsWritten;
    return rows;
  }

  /** The first row, or undefined. */
  first<Result extends Row>(statement: string, ...values: SqlValue[]): Result | undefined {
    return this.all<Result>(statement, ...values)[0];
  }

  /** Runs a statement. @returns how many rows it wrote, index rows included: compare it with zero only. */
  run(statement: string, ...values: SqlValue[]): number {
    const { rowsWritten } = this.#storage.sql.exec(statement, ...values);
    this.#written += rowsWritten;
    return rowsWritten;
  }

  /** Runs `work` so that either all it wrote stays or none. */
  transaction<Result>(work: () => Result): Result {
    return this.#storage.transactionSync(work);
  }
}

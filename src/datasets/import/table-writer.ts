import type { Engine } from '../engine/engine.ts';
import { SqliteError } from '../engine/engine.ts';
import * as code from '../engine/codes.ts';
import { BAD_ROW_CHARACTERS, BAD_ROWS_SUFFIX, MAX_KEPT_BAD_ROWS, MAX_ROW_BYTES } from '../model.ts';
import type { Column, ColumnType } from '../model.ts';
import { textOfValue } from './json-value.ts';
import type { Fault } from './rows.ts';

const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  integer: 'INTEGER',
  real: 'REAL',
  boolean: 'INTEGER',
  date: 'TEXT',
  timestamp: 'TEXT',
  text: 'TEXT',
  json: 'TEXT',
};

const quoted = (name: string) => `"${name}"`;

/** Room for the text of a row in UTF-8, where a unit may become three bytes. */
const SCRATCH_BYTES = 3 * MAX_ROW_BYTES;

/** Writes rows into the table of an import, and those that are bad beside it. Rows are inserted between `begin` and `commit`. */
export class TableWriter {
  rows: number;
  badRows: number;
  /** Bytes that the texts of one row have together at most. */
  longest: number;
  readonly columns: readonly Column[];
  readonly #engine: Engine;
  readonly #insert: number;
  readonly #insertBad: number;
  readonly #scratch: number;
  #used = 0;
  #rowBytes = 0;
  readonly #encoder = new TextEncoder();
  readonly #bindInt: (...parameters: number[]) => number;
  readonly #bindDouble: (...parameters: number[]) => number;
  readonly #bindText: (...parameters: number[]) => number;

  /** @param counts what is there already; undefined for a file that is still empty */
  constructor(
    engine: Engine,
    table: { readonly name: string; readonly columns: readonly Column[] },
    counts: { readonly rows: number; readonly badRows: number; readonly longest: number } | undefined,
  ) {
    this.#engine = engine;
    this.columns = table.columns;
    this.rows = counts?.rows ?? 0;
    this.badRows = counts?.badRows ?? 0;
    this.longest = counts?.longest ?? 0;
    engine.run(
      'PRAGMA page_size = 65536; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000',
    );
    engine.run('BEGIN');
    const bad = quoted(`${table.name}${BAD_ROWS_SUFFIX}`);
    if (!counts) {
      const declared = table.columns.map(({ name, type }) => `${quoted(name)} ${SQL_TYPES[type]}`);
      engine.run(`CREATE TABLE ${quoted(table.name)} (${declared.join(', ')})`);
      engine.run(`CREATE TABLE ${bad} (line INTEGER, reason TEXT, text TEXT)`);
    }
    const values = table.columns.map(() => '?').join(',');
    this.#insert = engine.prepare(`INSERT INTO ${quoted(table.name)} VALUES (${values})`);
    this.#insertBad = engine.prepare(`INSERT INTO ${bad} VALUES (?, ?, ?)`);
    this.#scratch = engine.allocate(SCRATCH_BYTES);
    const raw = (name: string) => engine.raw[name] as (...parameters: number[]) => number;
    this.#bindInt = raw('sqlite3_bind_int');
    this.#bindDouble = raw('sqlite3_bind_double');
    this.#bindText = raw('sqlite3_bind_text');
  }

  /** Ends the transaction: the file then has all rows. */
  commit(): void {
    this.#engine.call('sqlite3_finalize', this.#insert);
    this.#engine.call('sqlite3_finalize', this.#insertBad);
    this.#engine.run('COMMIT');
    this.#engine.free(this.#scratch);
  }

  /** A field of CSV that is not empty, for a column of a type that all of its values have. */
  field(index: number, type: ColumnType, text: string): void {
    if (type === 'integer') this.#integer(index, text);
    else if (type === 'real') this.#bindDouble(this.#insert, index + 1, Number(text));
    else if (type === 'boolean') this.#bindInt(this.#insert, index + 1, /^\s*t/i.test(text) ? 1 : 0);
    else this.text(index, text);
  }

  /** A value of JSON or Parquet. */
  value(index: number, type: ColumnType, value: unknown): void {
    if (value === null || value === undefined) return;
    if (type === 'integer') this.#integer(index, value as number | bigint);
    else if (type === 'real') this.#bindDouble(this.#insert, index + 1, Number(value));
    else if (type === 'boolean') this.#bindInt(this.#insert, index + 1, value === true ? 1 : 0);
    else this.text(index, textOfValue(value));
  }

  text(index: number, text: string): void {
    this.#bindString(this.#insert, index + 1, text);
  }

  /** Bytes of UTF-8 in the engine's memory, which stay there until the row is inserted. */
  bytes(index: number, at: number, length: number): void {
    this.#bindText(this.#insert, index + 1, at, length, 0);
    this.#rowBytes += length;
  }

  /** Inserts what was bound; what was not is NULL. */
  insert(): void {
    this.#step(this.#insert);
    this.rows += 1;
    this.longest = Math.max(this.longest, this.#rowBytes + this.#used);
    this.#used = 0;
    this.#rowBytes = 0;
  }

  bad(line: number, fault: Fault, text: string): void {
    this.badRows += 1;
    if (this.badRows > MAX_KEPT_BAD_ROWS) return;
    this.#used = 0;
    this.#bindDouble(this.#insertBad, 1, line);
    this.#bindString(this.#insertBad, 2, fault);
    this.#bindString(this.#insertBad, 3, text.slice(0, BAD_ROW_CHARACTERS).replaceAll('\0', '\uFFFD'));
    this.#step(this.#insertBad);
    this.#used = 0;
  }

  #integer(index: number, value: number | bigint | string): void {
    const near = Number(value);
    if (near === (near | 0)) this.#bindInt(this.#insert, index + 1, near);
    else {
      const exact = BigInt(typeof value === 'string' ? value.trim() : value);
      this.#engine.call(
        'sqlite3_bind_int64',
        this.#insert,
        index + 1,
        Number(BigInt.asIntN(32, exact)),
        Number(BigInt.asIntN(32, exact >> 32n)),
      );
    }
  }

  #bindString(statement: number, index: number, text: string): void {
    const room = this.#engine.bytes.subarray(this.#scratch + this.#used, this.#scratch + SCRATCH_BYTES);
    const { read, written } = this.#encoder.encodeInto(text, room);
    // The texts of a row are together no longer than the row, but for Parquet, whose rows have no length.
    if (read < text.length) throw new SqliteError('a row is too long', code.TOOBIG);
    this.#bindText(statement, index, this.#scratch + this.#used, written, 0);
    this.#used += written;
  }

  #step(statement: number): void {
    const result = this.#engine.call('sqlite3_step', statement);
    if (result !== code.DONE) throw this.#engine.failure(result);
    this.#engine.call('sqlite3_reset', statement);
    this.#engine.call('sqlite3_clear_bindings', statement);
  }
}

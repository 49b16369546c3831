import { CarrelError } from '../lib/errors.ts';
import type { Database } from '../workspace/sql.ts';
import { MAX_STORED_BYTES, MAX_TABLES, tooManyBytes } from './model.ts';
import type { Dataset, ImportPlan, QueryResult } from './model.ts';

/** Numbers of blocks of one file, and of parts of one result. */
const WIDTH = 2 ** 24;

export interface Import<State> {
  readonly file: number;
  readonly plan: ImportPlan;
  readonly state: State;
  /** Of its blocks. */
  readonly bytes: number;
  /** How many steps are done. */
  readonly step: number;
}

type DatasetRow = Record<string, string | number> & {
  name: string;
  file: number;
  about: string;
  rows: number;
  bad_rows: number;
  bytes: number;
  created_at: number;
};

/** A table with the number of its file. */
export interface StoredDataset extends Dataset {
  readonly file: number;
}

/** What the object keeps: tables, imports that are under way, results that wait to be fetched. */
export class DatasetStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  list(): StoredDataset[] {
    return this.#db.all<DatasetRow>('SELECT * FROM datasets ORDER BY name').map(toDataset);
  }

  find(name: string): StoredDataset | undefined {
    const row = this.#db.first<DatasetRow>('SELECT * FROM datasets WHERE name = ?', name);
    return row && toDataset(row);
  }

  /** @returns whether there was one */
  remove(name: string): boolean {
    const row = this.#db.first<{ file: number }>('DELETE FROM datasets WHERE name = ? RETURNING file', name);
    if (row) this.#removeFile(row.file);
    return row !== undefined;
  }

  import<State>(job: string): Import<State> | undefined {
    const row = this.#db.first<{ file: number; plan: string; state: string; bytes: number; step: number }>(
      'SELECT file, plan, state, bytes, step FROM imports WHERE job = ?',
      job,
    );
    return (
      row && {
        file: row.file,
        plan: JSON.parse(row.plan) as ImportPlan,
        state: JSON.parse(row.state) as State,
        bytes: row.bytes,
        step: row.step,
      }
    );
  }

  /** @throws CarrelError `conflict` when the name is taken, `limit_exceeded` when there are as many tables as may be */
  begin(job: string, plan: ImportPlan, state: object, now: number): void {
    this.#db.transaction(() => {
      this.checkName(job, plan);
      this.#db.run(
        'INSERT INTO imports (job, file, name, plan, state, bytes, step, touched_at) VALUES (?, ?, ?, ?, ?, 0, 0, ?)',
        job,
        this.#next('file'),
        plan.table,
        JSON.stringify(plan),
        JSON.stringify(state),
        now,
      );
    });
  }

  /**
   * Stores what a step of an import wrote, together with where it goes on. All or nothing.
   *
   * @throws CarrelError `too_large` when there is no more room
   */
  advance(
    job: string,
    step: { readonly state: object; readonly blocks: readonly [number, Uint8Array][]; readonly bytes: number },
    now: number,
  ): void {
    this.#db.transaction(() => {
      const row = this.#db.first<{ file: number; bytes: number }>('SELECT file, bytes FROM imports WHERE job = ?', job);
      if (!row) throw goneImport();
      if (step.bytes > row.bytes && this.#stored() - row.bytes + step.bytes > MAX_STORED_BYTES) throw tooManyBytes();
      for (const [number, bytes] of step.blocks)
        this.#db.run(
          'INSERT INTO blocks (id, bytes) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes',
          row.file * WIDTH + number,
          exactly(bytes),
        );
      this.#db.run(
        'UPDATE imports SET state = ?, bytes = ?, step = step + 1, touched_at = ? WHERE job = ?',
        JSON.stringify(step.state),
        step.bytes,
        now,
        job,
      );
    });
  }

  /** Makes what an import wrote the table of its name. @throws CarrelError `conflict` when the name was taken meanwhile */
  complete(job: string, table: Omit<Dataset, 'name' | 'bytes' | 'createdAt'>, now: number): Dataset {
    return this.#db.transaction(() => {
      const found = this.import(job);
      if (!found) throw goneImport();
      const { file, plan, bytes } = found;
      this.checkName(job, plan);
      this.remove(plan.table);
      const { columns, format, source, rows, badRows, longest } = table;
      this.#db.run(
        'INSERT INTO datasets (name, file, about, rows, bad_rows, bytes, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
        plan.table,
        file,
        JSON.stringify({ columns, format, source, longest }),
        rows,
        badRows,
        bytes,
        now,
      );
      const dataset: Dataset = { ...table, name: plan.table, bytes, createdAt: now };
      // The row stays for whoever asks again because the answer was lost; its file is the table's now.
      this.#db.run(
        'UPDATE imports SET file = -file, bytes = 0, state = ?, step = step + 1, touched_at = ? WHERE job = ?',
        JSON.stringify({ completed: dataset }),
        now,
        job,
      );
      return dataset;
    });
  }

  /** Forgets an import and all that it wrote. What it completed stays. */
  discard(job: string): void {
    this.#db.transaction(() => {
      const row = this.#db.first<{ file: number }>('DELETE FROM imports WHERE job = ? RETURNING file', job);
      if (row) this.#removeFile(row.file);
    });
  }

  /**
   * Of two imports to one name at once, the one that is complete first has it.
   *
   * @throws CarrelError
   */
  checkName(job: string, { table, replace }: ImportPlan): void {
    if (this.find(table)) {
      if (!replace)
        throw new CarrelError('conflict', 'There is a table of this name. Choose another one, or set `replace`.', {
          details: { table },
        });
      return;
    }
    const { count } = this.#db.first<{ count: number }>(
      `SELECT count(*) AS count FROM (SELECT name FROM datasets UNION SELECT name FROM imports WHERE job <> ? AND file > 0)`,
      job,
    ) ?? { count: 0 };
    if (count >= MAX_TABLES)
      throw new CarrelError(
        'too_large',
        'There are as many tables as there may be. Remove some with `dataset_delete`.',
        {
          details: { limit: MAX_TABLES },
        },
      );
  }

  block(file: number, number: number): Uint8Array | undefined {
    return this.#bytes('blocks', file * WIDTH + number);
  }

  spilled(id: number): Uint8Array | undefined {
    return this.#bytes('spilled', id);
  }

  spill(id: number, bytes: Uint8Array): void {
    this.#db.run(
      'INSERT INTO spilled (id, bytes) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes',
      id,
      exactly(bytes),
    );
  }

  /** Forgets all that was spilled: by the query that ended, or by one that the object did not survive. */
  clearSpilled(): void {
    this.#db.run('DELETE FROM spilled');
  }

  /** A result that is complete. */
  result(job: string): QueryResult | undefined {
    const row = this.#db.first<{ about: string | null }>('SELECT about FROM results WHERE job = ?', job);
    return row?.about === null || row === undefined ? undefined : (JSON.parse(row.about) as QueryResult);
  }

  /** Begins a result anew. @returns what {@link addResultPart} wants */
  beginResult(job: string, now: number): number {
    return this.#db.transaction(() => {
      this.removeResult(job);
      const number = this.#next('result');
      this.#db.run('INSERT INTO results (job, number, about, touched_at) VALUES (?, ?, NULL, ?)', job, number, now);
      return number;
    });
  }

  addResultPart(result: number, part: number, bytes: Uint8Array): void {
    this.#db.run('INSERT INTO result_parts (id, bytes) VALUES (?, ?)', result * WIDTH + part, exactly(bytes));
  }

  completeResult(job: string, about: QueryResult): void {
    this.#db.run('UPDATE results SET about = ? WHERE job = ?', JSON.stringify(about), job);
  }

  resultPart(job: string, part: number): Uint8Array | undefined {
    const row = this.#db.first<{ number: number }>('SELECT number FROM results WHERE job = ?', job);
    return row && this.#bytes('result_parts', row.number * WIDTH + part);
  }

  removeResult(job: string): void {
    this.#db.transaction(() => {
      const row = this.#db.first<{ number: number }>('DELETE FROM results WHERE job = ? RETURNING number', job);
      if (row) this.#removeRange('result_parts', row.number);
    });
  }

  /** Removes imports that did not go on since then, and results that nobody fetched. @returns the next to look at */
  sweep(before: number): number | undefined {
    for (const { job } of this.#db.all<{ job: string }>('SELECT job FROM imports WHERE touched_at < ?', before))
      this.discard(job);
    for (const { job } of this.#db.all<{ job: string }>('SELECT job FROM results WHERE touched_at < ?', before))
      this.removeResult(job);
    return (
      this.#db.first<{ oldest: number | null }>(
        `SELECT min(touched_at) AS oldest
       FROM (SELECT touched_at FROM imports UNION ALL SELECT touched_at FROM results)`,
      )?.oldest ?? undefined
    );
  }

  #bytes(table: 'blocks' | 'spilled' | 'result_parts', id: number): Uint8Array | undefined {
    const row = this.#db.first<{ bytes: ArrayBuffer }>(`SELECT bytes FROM ${table} WHERE id = ?`, id);
    return row && new Uint8Array(row.bytes);
  }

  #stored(): number {
    const sum = 'SELECT coalesce(sum(bytes), 0) AS bytes FROM';
    return this.#db
      .all<{ bytes: number }>(`${sum} datasets UNION ALL ${sum} imports`)
      .reduce((total, { bytes }) => total + bytes, 0);
  }

  #next(name: 'file' | 'result'): number {
    const row = this.#db.first<{ value: number }>(
      'INSERT INTO numbers (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value',
      name,
    );
    return row?.value ?? 1;
  }

  #removeFile(file: number): void {
    this.#removeRange('blocks', file);
  }

  #removeRange(table: 'blocks' | 'result_parts', number: number): void {
    this.#db.run(`DELETE FROM ${table} WHERE id >= ? AND id < ?`, number * WIDTH, (number + 1) * WIDTH);
  }
}

function toDataset({
  name,
  file,
  about,
  rows,
  bad_rows: badRows,
  bytes,
  created_at: createdAt,
}: DatasetRow): StoredDataset {
  const { columns, format, source, longest } = JSON.parse(about) as Pick<
    Dataset,
    'columns' | 'format' | 'source' | 'longest'
  >;
  return { name, file, columns, format, source, longest, rows, badRows, bytes, createdAt };
}

/** SQLite takes a buffer, and all of it. */
function exactly(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteOffset === 0 && byteLength === buffer.byteLength) return buffer as ArrayBuffer;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

export function goneImport(): CarrelError {
  return new CarrelError('not_found', 'This import is no longer there: it was ended. Start it again.');
}

import { CarrelError } from '../lib/errors.ts';
import type { DatasetStore, StoredDataset } from './dataset-store.ts';
import { BLOCK_BYTES, BlockFile } from './engine/block-file.ts';
import * as code from './engine/codes.ts';
import { Engine, SqliteError } from './engine/engine.ts';
import { NoSpace } from './engine/vfs.ts';
import { BAD_ROWS_SUFFIX, MAX_QUERY_TABLES, MAX_SPILLED_BYTES, QUERY_MILLISECONDS } from './model.ts';
import type { QueryPlan, QueryResult } from './model.ts';
import { ResultWriter } from './query-output.ts';
import type { Cell } from './query-output.ts';
import { refusalOf } from './query-refusals.ts';
import { boundFunctions, setLimits } from './sql/functions.ts';
import { defineAggregates, defineMathematics } from './sql/numbers.ts';
import { lookAt, mayDo } from './sql/policy.ts';
import type { Statement } from './sql/policy.ts';

/** Steps of SQLite's machine after which it may be interrupted. */
const OPERATIONS = 1000;
/** How long it computes before something else has its turn, in ms, and after how many of those steps that is seen at the latest. */
const TURN_MILLISECONDS = 4;
const MOST_TICKS = 64;
/** Bytes of a text that a statement may make, where no row of its tables is longer. */
const LEAST_LONGEST = 256 * 1024;
const CACHE_KILOBYTES = 4000;
/** Blocks of a file beside those that SQLite holds: the one that was read last. */
const CACHED_BLOCKS = 1;
/** Blocks of what sorts that are held before they are put aside. */
const HELD_BLOCKS = 4;

/** What can end a query from outside. */
export interface Control {
  stopped: boolean;
  overdue: boolean;
}

/**
 * Runs a statement over tables, and stores its rows as they come.
 *
 * @param store gets the parts of the file
 * @throws CarrelError `invalid_input`, `forbidden`, `not_found` (a table), `too_large` (also: it took too long),
 *   `conflict` when it was stopped
 */
export async function runQuery(
  datasets: DatasetStore,
  plan: QueryPlan,
  control: Control,
  store: (part: number, bytes: Uint8Array) => void,
): Promise<QueryResult> {
  const began = Date.now();
  return withStatement(datasets, plan, control, async (engine, compiled) => {
    const count = engine.call('sqlite3_column_count', compiled);
    const names = Array.from({ length: count }, (_, index) =>
      engine.string(engine.call('sqlite3_column_name', compiled, index)),
    );
    const writer = new ResultWriter(names, plan.format, store);
    let truncated = false;
    for (;;) {
      const result = await engine.stepLater(compiled);
      if (result === code.DONE) break;
      if (result !== code.ROW) throw engine.failure(result);
      if (writer.rows >= plan.limit || !writer.add(cellsOf(engine, compiled, count))) {
        truncated = true;
        break;
      }
    }
    writer.flush();
    const { columns, rows, bytes, parts, preview } = writer;
    return { columns, rows, truncated, bytes, parts, preview, milliseconds: Date.now() - began };
  });
}

/** Whether SQLite takes a statement, without running it. @throws CarrelError as {@link runQuery} */
export async function checkQuery(datasets: DatasetStore, plan: QueryPlan): Promise<void> {
  await withStatement(datasets, plan, { stopped: false, overdue: false }, async () => undefined);
}

async function withStatement<Result>(
  datasets: DatasetStore,
  plan: QueryPlan,
  control: Control,
  use: (engine: Engine, statement: number) => Promise<Result>,
): Promise<Result> {
  const statement = lookAt(plan.sql);
  const named = tablesOf(datasets, statement);
  try {
    const engine = await Engine.start(filesOf(datasets, named));
    const longest = Math.max(LEAST_LONGEST, ...named.map((table) => 2 * table.longest + 1000));
    prepareDatabase(engine, named, longest);
    const compiled = await compile(engine, plan.sql, statement, named, new Pace(control));
    bind(engine, compiled, plan.parameters);
    return await use(engine, compiled);
  } catch (thrown) {
    throw refusalOf(thrown, control, plan.sql, datasets.list(), named);
  }
}

/** The tables that a statement may mean: those whose name stands in it. */
function tablesOf(datasets: DatasetStore, { names }: Statement): StoredDataset[] {
  const named = datasets.list().filter(({ name }) => names.has(name) || names.has(name + BAD_ROWS_SUFFIX));
  if (named.length > MAX_QUERY_TABLES)
    throw new CarrelError('too_large', 'The SQL names too many tables.', { details: { limit: MAX_QUERY_TABLES } });
  return named;
}

/** A table's file is called by its number; nothing can write it. */
function filesOf(datasets: DatasetStore, tables: readonly StoredDataset[]) {
  let temporary = 0;
  let spilled = 0;
  return {
    open: (name: string) => {
      const table = tables.find(({ file }) => String(file) === name);
      const load = (number: number) => table && datasets.block(table.file, number);
      return table && new BlockFile({ load }, table.bytes, CACHED_BLOCKS);
    },
    temporary: () => {
      const first = (temporary += 1) * 2 ** 24;
      return new BlockFile(
        {
          load: (number) => datasets.spilled(first + number),
          save: (number, block) => {
            spilled += BLOCK_BYTES;
            if (spilled > MAX_SPILLED_BYTES) throw new NoSpace();
            datasets.spill(first + number, block);
          },
        },
        0,
        HELD_BLOCKS,
      );
    },
  };
}

function prepareDatabase(engine: Engine, tables: readonly StoredDataset[], longest: number): void {
  engine.open(':memory:', code.OPEN_READWRITE | code.OPEN_CREATE | code.OPEN_URI);
  engine.databaseConfig(code.DBCONFIG_ENABLE_LOAD_EXTENSION, 0);
  engine.databaseConfig(code.DBCONFIG_DEFENSIVE, 1);
  engine.databaseConfig(code.DBCONFIG_TRUSTED_SCHEMA, 0);
  engine.run(`PRAGMA temp_store = 1; PRAGMA cache_size = -${CACHE_KILOBYTES}`);
  for (const [index, { file }] of tables.entries()) {
    engine.run(`ATTACH 'file:${file}?mode=ro&immutable=1' AS d${index}`);
    engine.run(`PRAGMA d${index}.cache_size = -${CACHE_KILOBYTES}`);
  }
  engine.run('PRAGMA query_only = 1');
  boundFunctions(engine, longest);
  defineMathematics(engine);
  defineAggregates(engine);
  setLimits(engine, longest);
}

async function compile(
  engine: Engine,
  sql: string,
  { own }: Statement,
  tables: readonly StoredDataset[],
  pace: Pace,
): Promise<number> {
  const { module, database } = engine;
  const allowed = new Set(tables.flatMap(({ name }) => [name, name + BAD_ROWS_SUFFIX]));
  const decide = (_: number, action: number, first: number, second: number) =>
    mayDo(action, engine.string(first), engine.string(second), allowed, own) ? code.OK : code.DENY;
  module.set_authorizer(database, decide, 0);
  module.progress_handler(database, OPERATIONS, async () => pace.tick(), 0);
  const text = engine.text(sql);
  const out = engine.allocate(4);
  const result = await engine.prepareLater(database, text, -1, 0, out, 0);
  if (result !== code.OK) throw engine.failure(result);
  const statement = engine.number(out);
  const reads =
    statement !== 0 &&
    engine.call('sqlite3_stmt_readonly', statement) === 1 &&
    engine.call('sqlite3_stmt_isexplain', statement) === 0;
  if (!reads) throw new SqliteError('not authorized', code.AUTH);
  return statement;
}

/** @throws CarrelError `invalid_input` for parameters that the statement does not have, or has and were not given */
function bind(engine: Engine, statement: number, parameters: QueryPlan['parameters']): void {
  const count = engine.call('sqlite3_bind_parameter_count', statement);
  const isList = Array.isArray(parameters);
  const given = new Map<string | number, unknown>(
    isList ? parameters.map((value, index) => [index + 1, value]) : Object.entries(parameters),
  );
  for (let index = 1; index <= count; index++) {
    const name = engine.string(engine.call('sqlite3_bind_parameter_name', statement, index));
    const key = isList ? index : given.has(name) ? name : name.slice(1);
    if (!given.has(key)) throw mismatched(count);
    bindValue(engine, statement, index, given.get(key));
    given.delete(key);
  }
  if (given.size > 0) throw mismatched(count);
}

function bindValue(engine: Engine, statement: number, index: number, value: unknown): void {
  if (typeof value === 'string') {
    const text = engine.text(value);
    const { length } = new TextEncoder().encode(value);
    engine.call('sqlite3_bind_text', statement, index, text, length, -1);
    engine.free(text);
  } else if (typeof value === 'boolean') engine.call('sqlite3_bind_int', statement, index, value ? 1 : 0);
  else if (typeof value !== 'number') engine.call('sqlite3_bind_null', statement, index);
  else if (Number.isSafeInteger(value)) {
    const exact = BigInt(value);
    const [low, high] = [BigInt.asIntN(32, exact), BigInt.asIntN(32, exact >> 32n)];
    engine.call('sqlite3_bind_int64', statement, index, Number(low), Number(high));
  } else engine.call('sqlite3_bind_double', statement, index, value);
}

function mismatched(count: number): CarrelError {
  return new CarrelError(
    'invalid_input',
    'The parameters are not those of the SQL: give a list for `?`, or an object for names such as `:carrier`.',
    { details: { parameters: count } },
  );
}

const decoder = new TextDecoder();

function cellsOf(engine: Engine, statement: number, count: number): Cell[] {
  const cells: Cell[] = [];
  for (let index = 0; index < count; index++) {
    const type = engine.call('sqlite3_column_type', statement, index);
    if (type === code.INTEGER) cells.push(engine.integer(engine.call('sqlite3_column_int64', statement, index)));
    else if (type === code.FLOAT) cells.push(finite(engine.call('sqlite3_column_double', statement, index)));
    else if (type === code.TEXT || type === code.BLOB) {
      const at = engine.call('sqlite3_column_text', statement, index);
      const length = engine.call('sqlite3_column_bytes', statement, index);
      cells.push(decoder.decode(engine.bytes.subarray(at, at + length)));
    } else cells.push(null);
  }
  return cells;
}

/** JSON has no infinity. */
const finite = (value: number) => (Number.isFinite(value) ? value : String(value));

/**
 * Lets others have their turn while SQLite computes, and ends it. A Worker's clock stands still while it computes and goes on
 * when it waited: how many operations a turn may have is known from the turns before.
 */
class Pace {
  readonly #control: Control;
  readonly #deadline = Date.now() + QUERY_MILLISECONDS;
  #turnBegan = Date.now();
  #ticks = 0;
  #most = 1;

  constructor(control: Control) {
    this.#control = control;
  }

  /** @returns 1 to interrupt */
  async tick(): Promise<number> {
    if (this.#control.stopped) return 1;
    this.#ticks += 1;
    if (this.#ticks < this.#most) return 0;
    await scheduler.wait(0);
    const now = Date.now();
    const took = now - this.#turnBegan;
    this.#most = Math.min(MOST_TICKS, Math.max(1, took > TURN_MILLISECONDS ? this.#most >> 1 : this.#most * 2));
    this.#turnBegan = now;
    this.#ticks = 0;
    if (now > this.#deadline) this.#control.overdue = true;
    return this.#control.stopped || this.#control.overdue ? 1 : 0;
  }
}

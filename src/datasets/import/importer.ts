import type { FileBucket } from '../../files/bucket.ts';
import { CarrelError } from '../../lib/errors.ts';
import { BlockFile } from '../engine/block-file.ts';
import * as code from '../engine/codes.ts';
import { Engine, SqliteError } from '../engine/engine.ts';
import { goneImport } from '../dataset-store.ts';
import type { DatasetStore, Import } from '../dataset-store.ts';
import { MAX_SOURCE_BYTES } from '../model.ts';
import type { Dataset, ImportPlan, ImportProgress } from '../model.ts';
import { noArray } from './json-value.ts';
import { CsvLoad, JsonLoad } from './load.ts';
import { NoArray } from './rows.ts';
import { TableWriter } from './table-writer.ts';
import { beginText, decide, HEAD_BYTES, lookerOf, readerOf, readRows } from './text-import.ts';
import type { TextState } from './text-import.ts';
import type { ParquetState } from './parquet-import.ts';

/** Bytes of the file that one step takes: of looking at them, and of storing them. */
const LOOKED_BYTES = 32_000_000;
const LOADED_BYTES = 12_000_000;
/** Bytes that are taken up at once; between two the object does what else there is. */
const PIECE_BYTES = 512 * 1024;
/** Room for a piece in the engine's memory: what is read at once, and the row before it that had no end. */
const COPIED_BYTES = 2_000_000;

type State = TextState | ParquetState | { readonly completed: Dataset };

/** An engine with the file that it has open. The SQL that it runs is ours. */
interface Held {
  readonly engine: Engine;
  file: BlockFile | undefined;
}

/** What a step gives: how far the import is, and at its end the table. */
export interface Step {
  readonly progress: ImportProgress;
  readonly table?: Dataset;
}

/** Makes tables of files, step by step: what a step wrote and where the next goes on are stored together. */
export class Importer {
  readonly #store: DatasetStore;
  readonly #bucket: FileBucket;
  #idle: Held | undefined;

  constructor(store: DatasetStore, bucket: FileBucket) {
    this.#store = store;
    this.#bucket = bucket;
  }

  /**
   * Begins the import of a job, or finds it begun.
   *
   * @throws CarrelError `conflict`, `too_large`, `invalid_input`, `unsupported`, `not_found` for bytes that are gone
   */
  async begin(job: string, plan: ImportPlan, now: number): Promise<Step> {
    const begun = this.#store.import<State>(job);
    if (begun) return stepOf(begun);
    const state = await this.#first(job, plan);
    // Another call for the same job may have begun it meanwhile.
    if (!this.#store.import<State>(job)) this.#store.begin(job, plan, state, now);
    return stepOf(this.#store.import<State>(job) ?? gone());
  }

  /** @throws CarrelError as {@link begin} */
  async check(plan: ImportPlan): Promise<void> {
    await this.#first('', plan);
  }

  async #first(job: string, plan: ImportPlan): Promise<TextState | ParquetState> {
    this.#store.checkName(job, plan);
    if (plan.size > MAX_SOURCE_BYTES)
      throw new CarrelError('too_large', 'The file is larger than a table can be made of.', {
        details: { size: plan.size, limit: MAX_SOURCE_BYTES },
      });
    return plan.format === 'parquet' ? this.#beginParquet(plan) : this.#beginText(plan);
  }

  /**
   * Does a step. One that was done already, whose answer was lost, is not done again.
   *
   * @param number how many steps were done before it
   * @throws CarrelError `not_found` when the import is gone, `conflict` for a step that is not its turn
   */
  async step(job: string, number: number, now: number): Promise<Step> {
    const found = this.#store.import<State>(job) ?? gone();
    if (found.step > number || 'completed' in found.state) return stepOf(found);
    if (found.step < number) throw new CarrelError('conflict', 'The import is not that far. Start it again.');
    try {
      if (found.state.kind === 'parquet') await this.#loadParquet(job, { ...found, state: found.state }, now);
      else if (found.state.phase === 'look') await this.#look(job, { ...found, state: found.state }, now);
      else await this.#loadText(job, { ...found, state: found.state }, now);
    } catch (thrown) {
      throw refused(thrown);
    }
    return stepOf(this.#store.import<State>(job) ?? gone());
  }

  /** Forgets an import, and lets go of what is held for its next step. */
  discard(job: string): void {
    this.#idle = undefined;
    this.#store.discard(job);
  }

  async #beginText(plan: ImportPlan): Promise<TextState> {
    const bytes = await this.#read(plan.objectKey, 0, Math.min(plan.size, HEAD_BYTES));
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for await (const piece of bytes) pieces.push(piece);
    return beginText(plan, new Uint8Array(await new Blob(pieces).arrayBuffer()));
  }

  async #beginParquet(plan: ImportPlan): Promise<ParquetState> {
    const { beginParquet } = await import('./parquet-import.ts');
    return beginParquet(this.#bucket, plan);
  }

  async #look(job: string, { plan, state }: Import<TextState>, now: number): Promise<void> {
    const { reader, csv } = readerOf(state);
    const until = Math.min(plan.size, state.place.position + LOOKED_BYTES);
    const pieces = await this.#read(plan.objectKey, state.place.position, until);
    const isOver = await readRows(pieces, state, reader, lookerOf(state, csv), plan.size);
    this.#store.advance(job, { state: isOver ? decide(state) : state, blocks: [], bytes: 0 }, now);
  }

  async #loadParquet(job: string, found: Import<ParquetState>, now: number): Promise<void> {
    const { loadParquet } = await import('./parquet-import.ts');
    await this.#load(job, found, now, (writer) => loadParquet(this.#bucket, found.plan, found.state, writer));
  }

  async #loadText(job: string, found: Import<TextState>, now: number): Promise<void> {
    const { plan, state } = found;
    await this.#load(job, found, now, async (writer, engine) => {
      const { reader, csv } = readerOf(state);
      const copy = engine.allocate(COPIED_BYTES);
      const visitor = csv
        ? new CsvLoad(csv.scanner, writer, engine, copy, state.place)
        : new JsonLoad(writer, state.looks.headers, state.place);
      const until = Math.min(plan.size, state.place.position + LOADED_BYTES);
      const pieces = await this.#read(plan.objectKey, state.place.position, until);
      const isOver = await readRows(pieces, state, reader, visitor, plan.size);
      engine.free(copy);
      return isOver;
    });
  }

  /** @param rows stores rows, and says whether there are no more */
  async #load(
    job: string,
    found: Import<TextState | ParquetState>,
    now: number,
    rows: (writer: TableWriter, engine: Engine) => Promise<boolean>,
  ): Promise<void> {
    const { plan, state } = found;
    const file = new BlockFile({ load: (number) => this.#store.block(found.file, number) }, found.bytes, CACHED_BLOCKS);
    const held = await this.#engineFor(file);
    const { engine } = held;
    engine.open('table', code.OPEN_READWRITE | code.OPEN_CREATE);
    const writer = new TableWriter(
      engine,
      { name: plan.table, columns: state.columns },
      found.bytes === 0 ? undefined : state,
    );
    const isOver = await rows(writer, engine);
    writer.commit();
    engine.close();
    held.file = undefined;
    state.rows = writer.rows;
    state.badRows = writer.badRows;
    state.longest = writer.longest;
    // Nothing may come between these two: of a table that is stored and not complete the row would be found as it is.
    this.#store.advance(job, { state, blocks: file.takeWritten(), bytes: file.size }, now);
    if (isOver) this.#complete(job, plan, state, now);
    else this.#idle = held;
  }

  /** The engine of the step before, or a new one: each has tens of MB, which are garbage afterwards. One that failed is not used again. */
  async #engineFor(file: BlockFile): Promise<Held> {
    const idle = this.#idle;
    this.#idle = undefined;
    if (idle) {
      idle.file = file;
      return idle;
    }
    const slot: { file: BlockFile | undefined } = { file };
    const engine = await Engine.start({ open: () => slot.file, temporary: () => new BlockFile({ load: none }, 0, 1) });
    return Object.assign(slot, { engine });
  }

  #complete(job: string, { source, format }: ImportPlan, state: TextState | ParquetState, now: number): void {
    const { columns, rows, badRows, longest } = state;
    if (rows === 0 && badRows > 0) {
      throw new CarrelError('invalid_input', 'No row of the file could be read as one of a table.', {
        details: { bad_rows: badRows },
      });
    }
    const read = 'format' in state ? state.format : format;
    this.#store.complete(job, { columns, rows, badRows, longest, format: read, source }, now);
  }

  async #read(key: string, from: number, to: number): Promise<AsyncGenerator<Uint8Array<ArrayBuffer>>> {
    if (to <= from) return nothing();
    const stream = await this.#bucket.get(key, { offset: from, length: to - from });
    if (!stream) throw new CarrelError('not_found', 'The bytes of the file are no longer there.');
    return piecesOf(stream);
  }
}

/** Blocks that are held beside those that were written. */
const CACHED_BLOCKS = 8;
const none = () => undefined;

async function* nothing(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield new Uint8Array();
}

async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader({ mode: 'byob' });
  try {
    for (;;) {
      const { value, done } = await reader.readAtLeast(PIECE_BYTES, new Uint8Array(PIECE_BYTES));
      if (value && value.byteLength > 0) yield value;
      if (done || !value || value.byteLength === 0) return;
      await scheduler.wait(0);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function gone(): never {
  throw goneImport();
}

/** Errors of SQLite and of broken files in the words of their caller. */
function refused(thrown: unknown): unknown {
  if (thrown instanceof NoArray) return noArray(thrown.line);
  if (thrown instanceof SqliteError && (thrown.code === code.NOMEM || thrown.code === code.TOOBIG))
    return new CarrelError('too_large', 'A row of the file is larger than a table can hold.', { cause: thrown });
  return thrown;
}

function stepOf({ plan, state }: Import<State>): Step {
  if ('completed' in state) {
    const { completed } = state;
    const { rows, badRows } = completed;
    return { progress: { phase: 'done', bytes: plan.size, totalBytes: plan.size, rows, badRows }, table: completed };
  }
  const { rows, badRows, phase } = state;
  if (state.kind === 'parquet') {
    const share = state.total === 0 ? 1 : state.next / state.total;
    return { progress: { phase, bytes: Math.floor(plan.size * share), totalBytes: plan.size, rows, badRows } };
  }
  const { position } = state.place;
  const bytes = Math.floor((phase === 'look' ? position : plan.size + position) / 2);
  return { progress: { phase, bytes, totalBytes: plan.size, rows, badRows } };
}

import start from '@journeyapps/wa-sqlite/dist/wa-sqlite-jspi.mjs';
import type { SqliteModule } from '@journeyapps/wa-sqlite/dist/wa-sqlite-jspi.mjs';
import wasm from '@journeyapps/wa-sqlite/dist/wa-sqlite-jspi.wasm';

import * as code from './codes.ts';
import { BlockVfs } from './vfs.ts';
import type { Files } from './vfs.ts';

/** What SQLite itself may take, and with the rest of its module. It begins with 17 MB. */
const HEAP_BYTES = 48_000_000;
const MEMORY_BYTES = 80_000_000;
const PAGE_BYTES = 65_536;
/** Pages that are sorted at once: one step of the machine, in which nothing else runs. */
const SORTED_PAGES = 16;

type Exports = Readonly<Record<string, (...parameters: number[]) => number>>;

/** A failure of SQLite. Its message is for us: it may quote the statement. */
export class SqliteError extends Error {
  readonly code: number;
  /** Where in the statement, in bytes; -1 when it does not say. */
  readonly offset: number;

  constructor(message: string, resultCode: number, offset = -1) {
    super(message);
    this.code = resultCode;
    this.offset = offset;
  }
}

/**
 * SQLite as WebAssembly, in a memory of its own. For SQL of others it is used once and dropped: nothing of it outlives that,
 * and whatever hostile SQL does to it, it does to itself.
 */
export class Engine {
  readonly module: SqliteModule;
  /** `sqlite3_step` and `sqlite3_prepare_v3`, such that a progress handler may wait in them. */
  readonly stepLater: SqliteModule['_sqlite3_step'];
  readonly prepareLater: SqliteModule['_sqlite3_prepare_v3'];
  /** Without suspending: they may be called as long as no progress handler is set. */
  readonly raw: Exports;
  readonly #memory: WebAssembly.Memory;
  #bytes = new Uint8Array();
  #database = 0;

  private constructor(module: SqliteModule, instance: WebAssembly.Instance) {
    this.module = module;
    ({ _sqlite3_step: this.stepLater, _sqlite3_prepare_v3: this.prepareLater } = module);
    this.raw = instance.exports as unknown as Exports;
    this.#memory = instance.exports['memory'] as WebAssembly.Memory;
  }

  static async start(files: Files): Promise<Engine> {
    let instance: WebAssembly.Instance | undefined;
    let engine: Engine | undefined;
    const module = await start({
      locateFile: (name) => name,
      print: () => undefined,
      printErr: () => undefined,
      instantiateWasm(imports, started) {
        answerAtOnce(imports, () => engine);
        instance = new WebAssembly.Instance(wasm, imports);
        bound(instance.exports['memory'] as WebAssembly.Memory);
        started(instance, wasm);
        return instance.exports;
      },
    });
    const started = new Engine(module, instance as unknown as WebAssembly.Instance);
    engine = started;
    started.#configure();
    started.#check(module.vfs_register(new BlockVfs(files, () => started.bytes), true), 'vfs');
    return started;
  }

  /** The memory as it is now: a call may have moved it. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  get database(): number {
    return this.#database;
  }

  /** @param name of a file, or `:memory:` */
  open(name: string, flags: number): void {
    const path = this.text(name);
    const out = this.allocate(4);
    this.#check(this.call('sqlite3_open_v2', path, out, flags, 0), 'open');
    this.#database = this.number(out);
    this.free(path, out);
  }

  /** @throws SqliteError when a statement is left */
  close(): void {
    this.#check(this.call('sqlite3_close', this.#database), 'close');
    this.#database = 0;
  }

  /** Statements without results. @throws SqliteError */
  run(sql: string): void {
    const text = this.text(sql);
    this.#check(this.call('sqlite3_exec', this.#database, text, 0, 0, 0), 'exec');
    this.free(text);
  }

  /** @throws SqliteError */
  prepare(sql: string): number {
    const text = this.text(sql);
    const out = this.allocate(4);
    this.#check(this.call('sqlite3_prepare_v3', this.#database, text, -1, 0, out, 0), 'prepare');
    const statement = this.number(out);
    this.free(text, out);
    return statement;
  }

  /** Of `sqlite3_db_config`, which takes a variable number of arguments. */
  databaseConfig(option: number, value: number): void {
    this.#variadic([value, 0], (at) => this.call('sqlite3_db_config', this.#database, option, at));
  }

  /** Calls an export. @throws SqliteError for one that is not there */
  call(name: string, ...parameters: number[]): number {
    const called = this.raw[name];
    if (!called) throw new TypeError(`SQLite has no ${name}`);
    return called(...parameters);
  }

  /** @throws SqliteError that says what the last call failed with */
  failure(result: number): SqliteError {
    const message = this.string(this.call('sqlite3_errmsg', this.#database));
    return new SqliteError(message, result, this.call('sqlite3_error_offset', this.#database));
  }

  allocate(bytes: number): number {
    const at = this.call('sqlite3_malloc', bytes);
    if (at === 0) throw new SqliteError('out of memory', code.NOMEM);
    return at;
  }

  free(...places: number[]): void {
    for (const place of places) this.call('sqlite3_free', place);
  }

  /** Text in the engine's memory, to be freed. */
  text(value: string): number {
    const encoded = new TextEncoder().encode(value);
    const at = this.allocate(encoded.length + 1);
    this.bytes.set(encoded, at);
    this.bytes[at + encoded.length] = 0;
    return at;
  }

  string(at: number): string {
    if (at === 0) return '';
    return new TextDecoder().decode(this.bytes.subarray(at, this.bytes.indexOf(0, at)));
  }

  number(at: number): number {
    return new DataView(this.bytes.buffer).getInt32(at, true);
  }

  /** An integer of 64 bits that an export gave; its upper half lies aside. */
  integer(low: number): number | bigint {
    const high = this.call('_emscripten_tempret_get');
    if (high === low >> 31) return low;
    const value = (BigInt(high) << 32n) | BigInt(low >>> 0);
    const near = Number(value);
    return Number.isSafeInteger(near) ? near : value;
  }

  /** Before it is initialised again: counted memory is what the limit of the heap needs. */
  #configure(): void {
    const config = (option: number, value: number) =>
      this.#variadic([value], (at) => this.call('sqlite3_config', option, at));
    this.#check(this.call('sqlite3_shutdown'), 'shutdown');
    this.#check(config(code.CONFIG_MEMSTATUS, 1), 'config');
    this.#check(config(code.CONFIG_PMASZ, SORTED_PAGES), 'config');
    this.#check(this.call('sqlite3_initialize'), 'initialize');
    this.call('sqlite3_hard_heap_limit64', HEAP_BYTES, 0);
  }

  #variadic(values: readonly number[], call: (at: number) => number): number {
    const top = this.call('emscripten_stack_get_current');
    const at = this.call('_emscripten_stack_alloc', 16);
    const view = new DataView(this.bytes.buffer);
    for (const [index, value] of values.entries()) view.setInt32(at + 4 * index, value, true);
    const result = call(at);
    this.call('_emscripten_stack_restore', top);
    return result;
  }

  #check(result: number, what: string): void {
    if (result === code.OK) return;
    if (this.#database === 0) throw new SqliteError(what, result);
    throw this.failure(result);
  }
}

type Callback = (...parameters: number[]) => number;

/**
 * Calls from SQLite into JavaScript that answer at once. The package makes them such that they may suspend, and then SQLite
 * could not be called without waiting at all. Which they are is in their names: the types of what they give and take.
 */
function answerAtOnce(imports: WebAssembly.Imports, engine: () => Engine | undefined): void {
  const methods = new Map<number, string>();
  const call = (key: number, ...parameters: number[]): number => {
    const called = engine();
    const target = called?.module.getCallback(key) as Callback | Record<string, Callback> | undefined;
    if (called === undefined || target === undefined) throw new TypeError('SQLite calls what is not there');
    if (typeof target === 'function') return target(...parameters);
    const [name = 0, ...rest] = parameters;
    let method = methods.get(name);
    if (method === undefined) methods.set(name, (method = called.string(name)));
    return (target[method] as Callback).apply(target, rest);
  };
  for (const functions of Object.values(imports))
    for (const name of Object.keys(functions)) if (/^[iv]p[ijp]+$/.test(name)) functions[name] = call;
}

/** What grows beyond the bound gets no memory, whoever asks for it. */
function bound(memory: WebAssembly.Memory): void {
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * PAGE_BYTES > MEMORY_BYTES) throw new RangeError('no more memory');
    return grow(pages);
  };
}

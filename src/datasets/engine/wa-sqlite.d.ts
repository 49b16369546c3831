declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}

declare module '@journeyapps/wa-sqlite/dist/wa-sqlite-jspi.mjs' {
  /** What Emscripten makes, as far as it is used here. Exports that may suspend give promises. */
  export interface SqliteModule {
    readonly _sqlite3_step: (statement: number) => Promise<number>;
    readonly _sqlite3_prepare_v3: (
      database: number,
      sql: number,
      bytes: number,
      flags: number,
      statement: number,
      tail: number,
    ) => Promise<number>;
    readonly set_authorizer: (
      database: number,
      decide: (userData: number, action: number, ...texts: [number, number, number, number]) => number,
      userData: number,
    ) => number;
    readonly create_function: (
      database: number,
      name: string,
      parameters: number,
      encoding: number,
      userData: number,
      call: ((context: number, count: number, values: number) => void) | undefined,
      step: ((context: number, count: number, values: number) => void) | undefined,
      final: ((context: number) => void) | undefined,
    ) => number;
    readonly progress_handler: (
      database: number,
      operations: number,
      handle: (userData: number) => Promise<number>,
      userData: number,
    ) => void;
    /** What was registered under a key: a function, or an object with methods. */
    readonly getCallback: (key: number) => unknown;
    readonly vfs_register: (vfs: object, makeDefault: boolean) => number;
  }

  const start: (options: {
    readonly locateFile: (name: string) => string;
    readonly instantiateWasm: (
      imports: WebAssembly.Imports,
      started: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
    ) => object;
    readonly print?: (text: string) => void;
    readonly printErr?: (text: string) => void;
  }) => Promise<SqliteModule>;
  export default start;
}

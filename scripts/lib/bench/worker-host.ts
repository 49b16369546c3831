import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

import type { Miniflare, WorkerOptions } from 'miniflare';

type WorkerConfig = WorkerOptions['config'];
type Bindings = NonNullable<WorkerConfig['env']>;
type Exports = NonNullable<WorkerConfig['exports']>;

/** As in wrangler.toml. */
export interface Compatibility {
  readonly date: string;
  readonly flags: readonly string[];
}

export interface WorkerHostOptions {
  readonly name: string;
  /** What `bundleWorker` wrote. */
  readonly bundle: string;
  readonly compatibility: Compatibility;
  readonly env: Bindings;
  readonly exports?: Exports;
  /** Where storage is kept, for a Worker that has some. */
  readonly persistTo?: string;
  /** A second start listens where the first did: tokens are for an origin, and the port is part of it. */
  readonly port?: number;
  /** For a CPU profile. Off it costs nothing. */
  readonly inspect?: boolean;
  /** Another Worker in the same workerd, such as one that is compared with this one over the same storage. */
  readonly beside?: Pick<WorkerHostOptions, 'name' | 'bundle' | 'env'>;
  /** Lets SQL be run inside of Durable Objects. Their classes are wrapped for it, so nothing is timed then. */
  readonly inspectObjects?: boolean;
}

/** A Worker in a workerd of its own. */
export interface WorkerHost {
  readonly url: string;
  readonly port: number;
  /** Where the Worker beside it is; the same where there is none. */
  readonly besideUrl: string;
  readonly miniflare: Miniflare;
  /** The WebSocket of the inspector. */
  inspector(): Promise<string>;
  stop(): Promise<void>;
}

/** A port of the loopback interface at which nothing listens now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function modulesOf(folder: string): NonNullable<WorkerConfig['manifest']>['modules'] {
  const types = { '.js': 'esm', '.wasm': 'wasm' } as const;
  const modules = readdirSync(folder).flatMap((name) => {
    const type = types[extname(name) as keyof typeof types] as 'esm' | 'wasm' | undefined;
    return type === undefined ? [] : [[name, { type, contents: readFileSync(join(folder, name)) }] as const];
  });
  return Object.fromEntries(modules);
}

/**
 * Starts a bundled Worker in miniflare. Requests reach it over a socket of its own: the one that
 * miniflare offers otherwise leads through a Worker of miniflare's, which would be measured with it.
 */
export async function startWorker(options: WorkerHostOptions): Promise<WorkerHost> {
  // It takes a moment to load, which a fault in the arguments should not have to wait for.
  const { Log, LogLevel, Miniflare: Host } = await import('miniflare');
  const port = options.port ?? (await freePort());
  const besidePort = options.beside ? await freePort() : port;
  const miniflare = new Host({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    logRequests: false,
    // The Worker logs each call: nobody reads that here.
    handleStructuredLogs: () => undefined,
    ...(options.inspect === true && { inspectorPort: 0 }),
    ...(options.inspectObjects === true && { unsafeInspectDurableObjects: true }),
    ...(options.persistTo !== undefined && { resourcePersistencePath: options.persistTo }),
    workers: [
      { name: options.name, bundle: options.bundle, env: options.env, exports: options.exports ?? {}, port },
      ...(options.beside ? [{ ...options.beside, exports: {}, port: besidePort }] : []),
    ].map((worker) => ({
      config: {
        type: 'worker',
        name: worker.name,
        compatibilityDate: options.compatibility.date,
        compatibilityFlags: [...options.compatibility.flags],
        manifest: { mainModule: 'index.js', modulesRoot: worker.bundle, modules: modulesOf(worker.bundle) },
        env: worker.env,
        exports: worker.exports,
      },
      dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: worker.port }], unsafeRegisterWorker: false },
    })),
  });
  await miniflare.ready;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    besideUrl: `http://127.0.0.1:${besidePort}`,
    miniflare,
    inspector: async () => {
      const { host } = await miniflare.getInspectorURL();
      const answer = await fetch(`http://${host}/json`);
      const targets = (await answer.json()) as { webSocketDebuggerUrl: string }[];
      const target = targets.find(({ webSocketDebuggerUrl: url }) => url.includes(options.name));
      if (!target) throw new Error(`the inspector knows no ${options.name}`);
      return target.webSocketDebuggerUrl;
    },
    stop: () => miniflare.dispose(),
  };
}

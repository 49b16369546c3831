import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { bundleWorker } from '../bundle.ts';
import { ROOT } from '../paths.ts';
import { freePort, startWorker } from './worker-host.ts';
import type { Compatibility } from './worker-host.ts';

/** A server that is measured. */
export interface Server {
  readonly url: string;
  /** The WebSocket of its inspector, when it was started with one. */
  inspector(): Promise<string>;
  stop(): Promise<void>;
}

export interface PeerOptions {
  /** How many tools it has: as many as ours lists. */
  readonly tools: number;
  readonly inspect: boolean;
}

/** The SDK's own handler in a Worker, bundled and run as ours is. See echo-worker.ts. */
export async function startEcho(
  bundle: string,
  compatibility: Compatibility,
  { tools, inspect }: PeerOptions,
): Promise<Server> {
  await bundleWorker({ root: ROOT, entry: 'scripts/lib/bench/echo-worker.ts', folder: bundle });
  const env = { TOOLS: { type: 'text', value: String(tools) } } as const;
  return startWorker({ name: 'echo', bundle, compatibility, env, inspect });
}

/** npm `fastmcp` in a Node.js of its own. See fastmcp-server.ts. */
export async function startFastmcp(token: string, { tools, inspect }: PeerOptions): Promise<Server> {
  const port = await freePort();
  const inspector = inspect ? ['--inspect=127.0.0.1:0'] : [];
  const child = spawn(
    process.execPath,
    ['--no-warnings', ...inspector, join(import.meta.dirname, 'fastmcp-server.ts')],
    {
      env: { ...process.env, NODE_ENV: 'production', PORT: String(port), TOKEN: token, TOOLS: String(tools) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  const ended = once(child, 'close');
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4096)));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const late = new AbortController();
  const ready = await Promise.race([
    once(child, 'message').then(() => true),
    ended.then(() => false),
    sleep(30_000, false, { signal: late.signal }).catch(() => false),
  ]);
  late.abort();
  if (!ready) {
    await stop();
    throw new Error(`fastmcp did not start: ${words.trim()}`);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    inspector: async () => {
      const [address] = /ws:\/\/\S+/.exec(words) ?? [];
      if (address === undefined) throw new Error('fastmcp was started without an inspector');
      return address;
    },
    stop,
  };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll } from 'vitest';

import { startDevServer } from '../../../scripts/lib/dev-server.ts';
import type { DevServer } from '../../../scripts/lib/dev-server.ts';
import { isPortFree } from '../../../scripts/lib/ports.ts';
import { readSecretsFile } from '../../../scripts/lib/secrets.ts';

/** The real bundle under `wrangler dev`, with a throwaway state folder, for the tests of one file. */
export class Deployment {
  readonly #state = mkdtempSync(join(tmpdir(), 'carrel-e2e-'));
  readonly #vars: Readonly<Record<string, string>>;
  readonly #entry: string | undefined;
  #server: DevServer | undefined;

  /**
   * @param vars settings of it that are not as in wrangler.toml
   * @param entry a module with the Worker and what a test puts before it, seen from the checkout
   */
  constructor(vars: Readonly<Record<string, string>> = {}, entry?: string) {
    this.#vars = vars;
    this.#entry = entry;
  }

  get #running(): DevServer {
    if (!this.#server) throw new Error('the server does not run');
    return this.#server;
  }

  /** Without a trailing slash. It stays over restarts: tokens are for one origin. */
  get origin(): string {
    return this.#running.url;
  }

  get mcpUrl(): string {
    return `${this.origin}/mcp`;
  }

  /** Where it keeps its data and its secrets. */
  get state(): string {
    return this.#state;
  }

  /** Those that it made for itself. */
  get secrets(): Readonly<Record<string, string>> {
    return readSecretsFile(join(this.#state, 'dev.vars'));
  }

  /** The process group that workerd belongs to. */
  get pid(): number {
    return this.#running.pid;
  }

  async start(port = 0): Promise<void> {
    this.#server = await startDevServer({
      port,
      persistTo: this.#state,
      vars: this.#vars,
      quiet: true,
      ...(this.#entry === undefined ? {} : { entry: this.#entry }),
    });
  }

  /** `kill -9` of wrangler and workerd; resolves when they are gone. */
  async kill(): Promise<void> {
    const server = this.#running;
    server.kill();
    await server.ended;
    // That is wrangler's end: of two processes that die at once, workerd may be the second.
    for (let waited = 0; !(await isPortFree(server.port)) && waited < 5000; waited += 20) await sleep(20);
  }

  /** Starts again after {@link kill}, on the same port and the same state. */
  async startAgain(): Promise<void> {
    await this.start(this.#running.port);
  }

  async remove(): Promise<void> {
    await this.#server?.stop();
    rmSync(this.#state, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * A deployment that runs from before the first test of the file to after its last.
 *
 * @param vars settings of it that are not as in wrangler.toml
 */
export function useDeployment(vars: Readonly<Record<string, string>> = {}): Deployment {
  const deployment = new Deployment(vars);
  beforeAll(() => deployment.start());
  afterAll(() => deployment.remove());
  return deployment;
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeSecret } from '../secrets.ts';
import { startCarrel } from './carrel.ts';
import type { Carrel } from './carrel.ts';
import { makeCases } from './cases.ts';
import type { Case, ServerName } from './cases.ts';
import type { Load } from './load.ts';
import { startEcho, startFastmcp } from './peers.ts';
import type { PeerOptions, Server } from './peers.ts';

/** The servers of a run, and what is asked of them. Everything is in one folder that goes with it. */
export class BenchStack {
  readonly #folder = mkdtempSync(join(tmpdir(), 'carrel-bench-'));
  readonly #bearer = makeSecret();
  readonly #inspect: boolean;
  readonly #servers = new Map<ServerName, Server>();
  #carrel: Carrel | undefined;

  constructor({ inspect }: { readonly inspect: boolean }) {
    this.#inspect = inspect;
    // On a signal miniflare stops its servers and ends the process, whoever else would have something to do.
    process.once('exit', this.#remove);
  }

  /** Ours, and people with something in their workspaces. */
  async startCarrel(): Promise<Carrel> {
    this.#carrel = await startCarrel({ folder: this.#folder, inspect: this.#inspect });
    this.#servers.set('carrel', this.#carrel.host);
    return this.#carrel;
  }

  /** Those that ours is compared with, as far as a case asks them. */
  async startPeers(cases: readonly Case[]): Promise<void> {
    const { tools, compatibility } = this.#started();
    const options: PeerOptions = { tools, inspect: this.#inspect };
    const needed = (name: ServerName) => cases.some(({ server }) => server === name);
    if (needed('echo')) this.#servers.set('echo', await startEcho(this.bundle('echo'), compatibility, options));
    if (needed('fastmcp')) this.#servers.set('fastmcp', await startFastmcp(this.#bearer, options));
  }

  cases(): Case[] {
    const { tokens, tools } = this.#started();
    return makeCases({ tokens, tools, bearer: this.#bearer });
  }

  load({ server, load }: Case): Load {
    return load(this.server(server).url);
  }

  server(name: ServerName): Server {
    const server = this.#servers.get(name);
    if (!server) throw new Error(`${name} was not started`);
    return server;
  }

  /** Where the bundle of a Worker is, with its source map. */
  bundle(name: ServerName): string {
    return join(this.#folder, name);
  }

  async stop(): Promise<void> {
    await Promise.allSettled([...this.#servers.values()].map((server) => server.stop()));
    this.#servers.clear();
    this.#remove();
  }

  readonly #remove = (): void => rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });

  #started(): Carrel {
    if (!this.#carrel) throw new Error('the peers are made like ours, which was not started');
    return this.#carrel;
  }
}

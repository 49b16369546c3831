import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { EXCEPTIONS, SCORED } from '../../test/conformance/expected.ts';
import type { Part } from '../../test/conformance/expected.ts';
import { PROVIDER_NAMES, START_PROVIDER } from '../../test/support/identity-providers.ts';
import type { IdentityProvider, ProviderName } from '../../test/support/identity-providers.ts';
import { Browser, decide } from '../client/browser.ts';
import { AppAuth, connect, knock, PersonalAuth } from '../client/mcp.ts';
import { startBearerProxy } from './conformance-proxy.ts';
import type { BearerProxy } from './conformance-proxy.ts';
import { runSuite, scoredScenarios } from './conformance-suite.ts';
import type { Check, Scenario } from './conformance-suite.ts';
import { startDevServer } from './dev-server.ts';
import type { DevServer } from './dev-server.ts';
import { nextFreePort } from './ports.ts';
import { readSecretsFile } from './secrets.ts';
import { Stop } from './terminal.ts';

/**
 * The official conformance suite against the real stack, through OAuth: the Worker with the fixture
 * toolset under `wrangler dev`, a person who signs in and consents, and a proxy that bears the token.
 * `npm run conformance` prints what it finds; test/conformance/conformance.e2e.test.ts asserts it.
 */

/** The Worker with the toolset that the suite calls, and with a stand-in for GitHub. It is in no other bundle. */
const ENTRY = 'test/conformance/worker.ts';
const TOOLSET = 'conformance';

const LOGIN = 'ada';
const EMAIL = `${LOGIN}@example.com`;
const APP = 'Conformance suite';

export const PARTS = ['2026-07-28', '2025-11-25', 'authorization'] as const satisfies readonly Part[];

/**
 * The providers with which somebody signs in for the checks of the authorization server: all that
 * there are. The suite prints a link and leaves the pages to whoever follows it, so each can be driven
 * that a program can go through. Of GitHub that is a stand-in, which answers as its documentation
 * says: github.com has pages that want a person.
 */
export const PROVIDERS = PROVIDER_NAMES;

/** How a scored scenario came out, or, of the authorization server, a check. */
export interface Outcome {
  readonly part: Part;
  /** Who vouched for the person, where the suite had somebody sign in. */
  readonly provider?: ProviderName;
  readonly name: string;
  readonly verdict: 'passed' | 'failed';
  /** Why it cannot pass, where that is known. */
  readonly exception: string | undefined;
  /** How many checks held. */
  readonly held: number;
  /** What was wrong, a sentence each. */
  readonly faults: readonly string[];
  /** Recommendations that were not followed. */
  readonly warnings: readonly string[];
}

/** Whether it came out as it must: an exception that passes is out of date. */
export const isExpected = ({ verdict, exception }: Outcome): boolean => (verdict === 'passed') === !exception;

/** What runs beside the scored scenarios for the reader's sake: extensions, and what the suite itself has pending. */
export interface Unscored {
  readonly part: Part;
  readonly name: string;
  readonly passed: boolean;
  /** What was wrong, a sentence each. */
  readonly faults: readonly string[];
}

export interface ConformanceReport {
  readonly outcomes: readonly Outcome[];
  readonly unscored: readonly Unscored[];
}

/** The names of what is scored, known before anything has run. */
export function scored(part: Part): readonly string[] {
  const names =
    part === 'authorization'
      ? ['authorization-server-metadata', 'authorization-server-metadata-cimd', 'authorization-code-grant']
      : scoredScenarios(part);
  if (names.length !== SCORED[part])
    throw new Stop(
      `The suite scores ${names.length} scenarios for ${part} instead of ${SCORED[part]}. Is it another version? npm ci`,
    );
  return names;
}

const sentence = ({ id, errorMessage, description }: Check): string => `${id}: ${errorMessage ?? description}`;

/** Everything failed, because the checks could not be run to their end. */
function broken(provider: ProviderName, error: unknown): readonly Outcome[] {
  const fault = error instanceof Error ? error.message : String(error);
  return scored('authorization').map((name) => ({
    ...outcome('authorization', name, []),
    provider,
    faults: [`Signed in with ${provider} it did not come to its end: ${fault}`],
  }));
}

function outcome(part: Part, name: string, checks: readonly Check[]): Outcome {
  const having = (status: Check['status']) => checks.filter((check) => check.status === status);
  // The metadata of an authorization server is all recommendations to this suite; to us it is not.
  const faults = part === 'authorization' ? checks.filter(({ status }) => status !== 'SUCCESS') : having('FAILURE');
  return {
    part,
    name,
    verdict: checks.length > 0 && faults.length === 0 ? 'passed' : 'failed',
    exception: EXCEPTIONS[part][name],
    held: having('SUCCESS').length,
    faults: checks.length === 0 ? ['The suite did not run it to its end.'] : faults.map(sentence),
    warnings: part === 'authorization' ? [] : having('WARNING').map(sentence),
  };
}

/** The stack under test, with somebody who is signed in. */
export class ConformanceStack {
  readonly #folder = mkdtempSync(join(tmpdir(), 'carrel-conformance-'));
  readonly #stopping = new AbortController();
  readonly #providers = new Map<ProviderName, IdentityProvider>();
  #server: Promise<DevServer> | undefined;
  #proxy: BearerProxy | undefined;

  /** Starts the Worker and the proxy. @returns the origin that the suite will call */
  async start(): Promise<string> {
    const state = join(this.#folder, 'state');
    for (const name of PROVIDERS) this.#providers.set(name, await START_PROVIDER[name]());
    const settings = [...this.#providers.values()].flatMap(({ vars }) => Object.entries(vars));
    const vars = { TOOLSETS: TOOLSET, ...Object.fromEntries(settings) };
    this.#server = startDevServer({ persistTo: state, entry: ENTRY, vars, quiet: true });
    const { url } = await this.#server;
    const secrets = readSecretsFile(join(state, 'dev.vars'));
    for (const provider of this.#providers.values()) await provider.introduce(url, secrets);
    this.#proxy = await startBearerProxy(url);
    return this.#proxy.url;
  }

  /** Signs a person in, who allows everything: a real token by the way that every client goes. */
  async signIn(): Promise<void> {
    const proxy = this.#running;
    // A token is for one origin, and to the server that is the proxy's.
    const auth = new PersonalAuth(new Browser(proxy.url), EMAIL, { name: APP });
    const client = await connect(`${proxy.url}/mcp`, auth);
    await client.close();
    proxy.authorize(auth.accessToken);
  }

  /** Runs one part of the suite. */
  async run(part: Part): Promise<ConformanceReport> {
    if (part === 'authorization') return this.#authorizations();
    const scenarios = await this.#requirements(part);
    const names = scored(part);
    const found = new Map(scenarios.map(({ name, checks }) => [name, checks]));
    return {
      outcomes: names.map((name) => outcome(part, name, found.get(name) ?? [])),
      unscored: scenarios
        .filter(({ name }) => !names.includes(name))
        .map(({ name, checks }) => {
          const { verdict, faults } = outcome(part, name, checks);
          return { part, name, passed: verdict === 'passed', faults };
        }),
    };
  }

  /** The end of what the Worker wrote. */
  async log(): Promise<string> {
    return (await this.#server?.catch(() => undefined))?.output() ?? '';
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#proxy?.close();
    const server = await this.#server?.catch(() => undefined);
    await server?.stop();
    for (const provider of this.#providers.values()) provider.close();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  get #running(): BearerProxy {
    if (!this.#proxy) throw new Error('the stack does not run');
    return this.#proxy;
  }

  #results(name: string): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    return folder;
  }

  #requirements(revision: Part): Promise<readonly Scenario[]> {
    return runSuite({
      args: ['server', '--url', `${this.#running.url}/mcp`, '--requirements', revision],
      results: this.#results(revision),
      timeout: 120_000,
      signal: this.#stopping.signal,
    });
  }

  /** One provider after another: the suite listens on one port at a time. */
  async #authorizations(): Promise<ConformanceReport> {
    const outcomes: Outcome[] = [];
    for (const [name, provider] of this.#providers) {
      try {
        const checks = (await this.#authorization(name, provider)).flatMap((scenario) => scenario.checks);
        for (const id of scored('authorization')) {
          const own = checks.filter((check) => check.id === id);
          outcomes.push({ ...outcome('authorization', id, own), provider: name });
        }
      } catch (error) {
        // The others can still say something, unless nobody wants to hear it.
        this.#stopping.signal.throwIfAborted();
        outcomes.push(...broken(name, error));
      }
    }
    return { outcomes, unscored: [] };
  }

  /** The suite prints a link and waits for the way back; a person follows it. */
  async #authorization(name: ProviderName, provider: IdentityProvider): Promise<readonly Scenario[]> {
    // Not through the proxy: an app that has a token is not asked to register.
    const issuer = (await this.#server)?.url ?? '';
    const port = await nextFreePort(33_500);
    if (port === undefined) throw new Stop('There is no free port for the way back from the consent page.');
    const app = new AppAuth({ name: APP, redirectUrl: `http://127.0.0.1:${port}/callback` });
    await knock(`${issuer}/mcp`, app);

    const failing = new AbortController();
    let following: Promise<void> | undefined;
    const follow = async (link: string): Promise<void> => {
      const browser = new Browser(issuer);
      const finish = await provider.begin(browser, await browser.open(link), LOGIN);
      const back = await decide(browser, await finish(), 'approve');
      if (!back.left) throw new Error(`the browser stayed at ${back.url.pathname} with status ${back.status}`);
      await (await fetch(back.url)).text();
    };
    const options = ['--client-id', app.clientId, '--resource', `${issuer}/mcp`, '--port', String(port)];
    try {
      return await runSuite({
        args: ['authorization', '--url', issuer, ...options],
        results: this.#results(`authorization-${name}`),
        timeout: 60_000,
        signal: AbortSignal.any([this.#stopping.signal, failing.signal]),
        onOutput: (output) => {
          const link = /^(http\S+\/authorize\?\S+)$/m.exec(output)?.[1];
          if (link === undefined || following) return;
          following = follow(link);
          following.catch(() => failing.abort());
        },
      });
    } finally {
      // Why the link could not be followed says more than that the suite was stopped for it.
      await following;
    }
  }
}

/** Both requirement sets, and the authorization server with each provider. @throws Stop when the suite does not run */
export async function runConformance(stack: ConformanceStack): Promise<ConformanceReport> {
  // At once: most of the time the suite waits, and that it measures in tenths of a second two cores can bear.
  const [first, second, third] = await Promise.all([
    stack.run('2026-07-28'),
    stack.run('2025-11-25'),
    stack.run('authorization'),
  ]);
  const reports = [first, second, third];
  return {
    outcomes: reports.flatMap(({ outcomes }) => outcomes),
    unscored: reports.flatMap(({ unscored }) => unscored),
  };
}

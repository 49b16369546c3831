import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Client } from '@modelcontextprotocol/client';
import { chromium } from 'playwright-core';
import type { BrowserContext, Page } from 'playwright-core';
import { createTestHarness } from 'wrangler';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';

import { call, connectWithToken } from '../../scripts/client/mcp.ts';
import { startDevServer } from '../../scripts/lib/dev-server.ts';
import type { DevServer } from '../../scripts/lib/dev-server.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { wranglerEnvironment } from '../../scripts/lib/wrangler.ts';

function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'carrel-browser-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/**
 * A Carrel for the tests of one file, as `npm start` starts it, with a state of its own.
 *
 * @param vars vars and secrets besides, asked for when it starts
 */
export function useCarrel(vars: () => Vars = () => ({})): { readonly url: string; readonly secretsFile: string } {
  let server: DevServer | undefined;
  const state = temporaryFolder();
  beforeAll(async () => {
    server = await startDevServer({ quiet: true, persistTo: state.path, vars: vars() });
  });
  afterAll(async () => {
    await server?.stop();
    state.remove();
  });
  return {
    secretsFile: join(state.path, 'dev.vars'),
    get url() {
      if (!server) throw new Error('the server has not started yet');
      return server.url;
    },
  };
}

type Vars = Readonly<Record<string, string>>;

/**
 * A Carrel with a configuration of its own and nothing stored, for the tests of one file: those that
 * will not answer /healthz, so that nobody can wait for them as for a server of `npm start`.
 *
 * @param vars as in wrangler.toml; a function is given the origin
 */
export function useDeployment(vars: Vars | ((origin: string) => Vars), secrets: Vars): { readonly url: string } {
  let origin = '';
  const worker = (values: Vars) => ({
    root: ROOT,
    workers: [{ configPath: './wrangler.toml', vars: { ...values }, secrets: { ...secrets } }],
  });
  const harness = createTestHarness(worker(typeof vars === 'function' ? {} : vars));
  beforeAll(async () => {
    // Nothing of it goes out: the harness runs in this process.
    Object.assign(process.env, wranglerEnvironment());
    // By name: at an address of numbers there are no passkeys.
    origin = (await harness.listen()).url.origin.replace('127.0.0.1', 'localhost');
    if (typeof vars !== 'function') return;
    await harness.update(worker(vars(origin)));
    // One that knows its address answers from its directory.
    await harness.getWorker<{ DIRECTORY: D1Database }>().applyD1Migrations('DIRECTORY');
  });
  afterAll(() => harness.close());
  return {
    get url() {
      return origin;
    },
  };
}

/** Hosts outside of this machine that tests speak of. Nothing is asked of the network. */
const HOST_RULES = [
  // An https client: its redirect can be seen to leave, and arrives nowhere.
  'MAP *.example ~NOTFOUND',
  // A name that somebody pointed at this machine.
  'MAP carrel.test 127.0.0.1',
];

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--host-resolver-rules=${HOST_RULES.join(', ')}`,
];

export interface BrowserOptions {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly javaScript?: boolean;
  readonly touch?: boolean;
}

export interface TestBrowser {
  readonly context: BrowserContext;
  readonly page: Page;
  /**
   * What went wrong that nobody sees on the page: errors on the console, violations of the content
   * security policy, dialogs. The test fails when any is left at its end; one that is meant to
   * happen is taken out by the test that means it.
   */
  readonly complaints: string[];
}

// Runs before each page, whatever its policy says.
const REPORT_VIOLATIONS = `addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
  console.error('violation of ' + effectiveDirective + ' by ' + blockedURI));`;

// Chromium says this of every page that is an error; the tests look at its status themselves.
const ERROR_PAGE = /^Failed to load resource: the server responded with a status of (4\d\d|503)/;

/** A new Chromium that nobody has used before. It is closed, and its complaints are read, when the test ends. */
export async function openBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  const { width = 1280, colorScheme = 'light', javaScript = true, touch = false } = options;
  const profile = temporaryFolder();
  const context = await chromium.launchPersistentContext(profile.path, {
    executablePath: process.env['CARREL_CHROMIUM'] ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
    viewport: { width, height: 844 },
    colorScheme,
    javaScriptEnabled: javaScript,
    hasTouch: touch,
  });
  const complaints: string[] = [];
  onTestFinished(async () => {
    await context.close();
    profile.remove();
    expect(complaints, 'complaints of the browser').toEqual([]);
  });

  context.setDefaultTimeout(10_000);
  await context.addInitScript({ content: REPORT_VIOLATIONS });
  const watch = (page: Page) => {
    page.on('console', (message) => {
      const expected = ERROR_PAGE.test(message.text()) && message.location().url === page.url();
      if (['error', 'warning'].includes(message.type()) && !expected) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(`error in a script: ${error.message}`));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  };
  context.on('page', watch);
  const page = context.pages()[0] ?? (await context.newPage());
  watch(page);
  return { context, page, complaints };
}

export interface Site {
  /** On 127.0.0.1: to Carrel, which is on localhost, another site. */
  readonly origin: string;
  /** On localhost: to Carrel the same site, because ports do not count, but another origin. */
  readonly sameSiteOrigin: string;
  /** Every address at which it was asked for a page. */
  readonly visits: readonly URL[];
}

/** Somebody else's web server on this machine, with one page, until the test ends. */
export async function openSite(body: string): Promise<Site> {
  const visits: URL[] = [];
  let origin = '';
  const server = createServer((request, response) => {
    visits.push(new URL(request.url ?? '/', origin));
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    // The empty icon keeps the browser from asking for one, which would count as a visit.
    response.end(`<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,">${body}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  return { origin, sameSiteOrigin: `http://localhost:${port}`, visits };
}

export interface Tokens {
  readonly access_token: string;
  readonly scope: string;
}

export interface LinkOptions {
  readonly redirect?: string;
  readonly scope?: string;
}

/** An app that wants to use a workspace: an OAuth client that registered itself. */
export class App {
  /** Its first redirect address. */
  readonly redirect: string;
  readonly state = crypto.randomUUID();
  /** Every address at which a browser brought it an answer; only an app that listens has any. */
  readonly answers: readonly URL[];
  readonly #origin: string;
  readonly #clientId: string;
  readonly #verifier = `${crypto.randomUUID()}${crypto.randomUUID()}`;

  private constructor(origin: string, clientId: string, redirect: string, answers: readonly URL[]) {
    this.#origin = origin;
    this.#clientId = clientId;
    this.redirect = redirect;
    this.answers = answers;
  }

  static async register(
    origin: string,
    name: string,
    redirects: readonly [string, ...string[]],
    answers: readonly URL[] = [],
  ): Promise<App> {
    const client = await answerOf<{ client_id: string }>(
      await fetch(`${origin}/register`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ client_name: name, redirect_uris: redirects, token_endpoint_auth_method: 'none' }),
      }),
    );
    return new App(origin, client.client_id, redirects[0], answers);
  }

  /** The address to which it sends people. */
  link({ redirect = this.redirect, scope }: LinkOptions = {}): string {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: this.#clientId,
      redirect_uri: redirect,
      state: this.state,
      code_challenge: createHash('sha256').update(this.#verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(scope === undefined ? {} : { scope }),
    });
    return `${this.#origin}/authorize?${query.toString()}`;
  }

  /** The answer that a page is sent to the app with, once it is there. */
  async answerAt(page: Page): Promise<URL> {
    await page.waitForURL((url) => url.href.startsWith(`${this.redirect}?`));
    return new URL(page.url());
  }

  /** Exchanges the code of an answer. */
  async redeem(answer: URL): Promise<Tokens> {
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: this.#clientId,
      code: answer.searchParams.get('code') ?? '',
      code_verifier: this.#verifier,
      redirect_uri: answer.href.slice(0, answer.href.indexOf('?')),
    });
    return answerOf<Tokens>(await fetch(`${this.#origin}/token`, { method: 'POST', body }));
  }
}

async function answerOf<Body>(response: Response): Promise<Body> {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Body;
}

/** An app on this machine, which listens for its answer. */
export async function startApp(origin: string, name = 'Reading list'): Promise<App> {
  const site = await openSite('<p>Back in the app.');
  return App.register(origin, name, [`${site.origin}/callback`], site.visits);
}

/** Signs somebody in who lets an app in. */
export async function letAppIn(page: Page, origin: string, email: string): Promise<Tokens> {
  const app = await startApp(origin);
  await page.goto(app.link());
  await signIn(page, email);
  await button(page, 'Allow').click();
  return app.redeem(await app.answerAt(page));
}

/** What an app does over MCP with an access token, until the end of the test. */
export async function assistantOf(origin: string, token: string): Promise<Client> {
  const client = await connectWithToken(`${origin}/mcp`, token);
  onTestFinished(() => client.close());
  return client;
}

/** Who an access token works for at /mcp, and with which scopes. */
export async function whoIs(origin: string, { access_token }: Tokens): Promise<{ name: string; scopes: string[] }> {
  return call(await assistantOf(origin, access_token), 'whoami');
}

/** Signs in with the development sign-in, on the page that asks for it. */
export async function signIn(page: Page, email: string): Promise<void> {
  await page.getByLabel('E-mail address', { exact: true }).fill(email);
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** A button of Carrel's pages. */
export const button = (page: Page, name: 'Allow' | 'Deny' | 'Sign out' | 'Not you? Sign out') =>
  page.getByRole('button', { name, exact: true });

/** What a page says that it is about. */
export const heading = (page: Page) => page.getByRole('heading', { level: 1 });

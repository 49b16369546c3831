import { exports } from 'cloudflare:workers';

import { approve, Browser, signInWithEmail } from '../../scripts/client/browser.ts';
import type { BrowserPage } from '../../scripts/client/browser.ts';
import {
  codeOf,
  Connection,
  OAuthClient as ClientOfServer,
  registered,
  sendForm as sendFormTo,
  sendRegistration,
  tokens,
} from './oauth-client.ts';
import type { Fields, Server } from './oauth-client.ts';
import { TEST_TOOLSETS } from './toolsets.ts';

export { codeOf, Connection, LOOPBACK_REDIRECT, outcome, tokens } from './oauth-client.ts';
export type { TokenAnswer } from './oauth-client.ts';

export const ORIGIN = 'http://localhost:8787';
export const SCOPES = Object.keys(TEST_TOOLSETS)
  .flatMap((name) => [`${name}:read`, `${name}:write`])
  .join(' ');

const worker = (exports as unknown as { default: Fetcher }).default;

/** A request to the Worker under test. Redirects are not followed. */
export async function send(address: string | URL, init: RequestInit = {}): Promise<Response> {
  return worker.fetch(new Request(new URL(address, ORIGIN), { redirect: 'manual', ...init }));
}

const HERE: Server = { origin: ORIGIN, send, scopes: SCOPES };

/** A form, as programs send it: no cookie, no Origin. */
export async function sendForm(
  address: string,
  fields: Fields,
  headers: Record<string, string> = {},
): Promise<Response> {
  return sendFormTo(HERE, address, fields, headers);
}

/** A client of the Worker under test. */
export class OAuthClient extends ClientOfServer {
  constructor(id: string, redirectUri: string, secret?: string) {
    super(HERE, { id, redirectUri, secret });
  }

  static async register(metadata: Record<string, unknown> = {}): Promise<OAuthClient> {
    const { id, redirectUri, secret } = await registered(HERE, metadata);
    return new OAuthClient(id, redirectUri, secret);
  }
}

export async function register(metadata: Record<string, unknown> = {}): Promise<Response> {
  return sendRegistration(HERE, metadata);
}

let people = 0;

/** Somebody with a browser of their own. Signs in when first asked to. */
export class Person {
  readonly email: string;
  readonly browser = new Browser(ORIGIN, send);

  constructor(email = `person-${++people}@example.com`) {
    this.email = email;
  }

  /** Opens the page that the client sends them to, signing in on the way. */
  async open(client: OAuthClient, changes: Fields = {}): Promise<BrowserPage> {
    const page = await this.browser.open(client.authorizationUrl(changes));
    return page.url.pathname === '/sign-in' ? signInWithEmail(this.browser, page, this.email) : page;
  }

  /** Allows the client what it asks for. @returns the address that the client is answered at */
  async allow(client: OAuthClient, changes: Fields = {}, scopes?: readonly string[]): Promise<URL> {
    return approve(this.browser, client.authorizationUrl(changes), this.email, scopes ? { scopes } : {});
  }

  /** Allows the client, which fetches its tokens. */
  async connect(client: OAuthClient, changes: Fields = {}, scopes?: readonly string[]): Promise<Connection> {
    const callback = await this.allow(client, changes, scopes);
    return new Connection(client, await tokens(await client.redeem(codeOf(callback))));
  }
}

/** A new person with a new client that may do everything. */
export async function connected(): Promise<Connection> {
  return new Person().connect(await OAuthClient.register());
}

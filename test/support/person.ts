import { exports } from 'cloudflare:workers';

import { approve, Browser, signInWithEmail } from '../../scripts/client/browser.ts';
import type { BrowserPage } from '../../scripts/client/browser.ts';
import { toBase64Url, utf8 } from '../../src/lib/encoding.ts';
import { TEST_TOOLSETS } from './toolsets.ts';

export const ORIGIN = 'http://localhost:8787';
export const SCOPES = Object.keys(TEST_TOOLSETS)
  .flatMap((name) => [`${name}:read`, `${name}:write`])
  .join(' ');
export const LOOPBACK_REDIRECT = 'http://127.0.0.1:33418/callback';

const worker = (exports as unknown as { default: Fetcher }).default;

/** A request to the Worker under test. Redirects are not followed. */
export async function send(address: string | URL, init: RequestInit = {}): Promise<Response> {
  return worker.fetch(new Request(new URL(address, ORIGIN), { redirect: 'manual', ...init }));
}

/** A form, as programs send it: no cookie, no Origin. */
export async function sendForm(
  address: string,
  fields: Fields,
  headers: Record<string, string> = {},
): Promise<Response> {
  return send(address, {
    method: 'POST',
    body: parameters(fields).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  });
}

/** Parameters of a query or form: a list repeats one, undefined leaves it out. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

function parameters(fields: Fields): URLSearchParams {
  const sent = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    for (const each of typeof value === 'string' ? [value] : (value ?? [])) sent.append(name, each);
  return sent;
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly resource: string;
}

const VERIFIER = 'a-verifier-that-is-long-enough-for-rfc-7636-and-the-same-in-every-test';
const CHALLENGE = toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(VERIFIER))));

/** An OAuth client that registered itself: what it sends to the authorization server, and nothing clever. */
export class OAuthClient {
  readonly id: string;
  readonly secret: string | undefined;
  readonly redirectUri: string;

  constructor(id: string, redirectUri: string, secret?: string) {
    this.id = id;
    this.redirectUri = redirectUri;
    this.secret = secret;
  }

  static async register(metadata: Record<string, unknown> = {}): Promise<OAuthClient> {
    const response = await register(metadata);
    if (response.status !== 201) throw new Error(`registration: ${response.status} ${await response.text()}`);
    const {
      client_id: id,
      client_secret: secret,
      redirect_uris: uris,
    } = await response.json<{
      client_id: string;
      client_secret?: string;
      redirect_uris: string[];
    }>();
    return new OAuthClient(id, uris[0] ?? '', secret);
  }

  /** Where the client sends the person's browser. */
  authorizationUrl(changes: Fields = {}): URL {
    const url = new URL('/authorize', ORIGIN);
    url.search = parameters({
      response_type: 'code',
      client_id: this.id,
      redirect_uri: this.redirectUri,
      scope: SCOPES,
      state: 'the-state',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      ...changes,
    }).toString();
    return url;
  }

  async redeem(code: string, changes: Fields = {}, headers: Record<string, string> = {}): Promise<Response> {
    const request = { grant_type: 'authorization_code', code, redirect_uri: this.redirectUri, code_verifier: VERIFIER };
    return this.#token({ ...request, ...changes }, headers);
  }

  async refresh(refreshToken: string, changes: Fields = {}): Promise<Response> {
    return this.#token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...changes });
  }

  /** RFC 7009. */
  async revoke(token: string, changes: Fields = {}): Promise<Response> {
    return this.#token({ token, ...changes });
  }

  async #token(fields: Fields, headers: Record<string, string> = {}): Promise<Response> {
    return sendForm('/token', { client_id: this.id, client_secret: this.secret, ...fields }, headers);
  }
}

export async function register(metadata: Record<string, unknown> = {}): Promise<Response> {
  return send('/register', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Test app',
      redirect_uris: [LOOPBACK_REDIRECT],
      token_endpoint_auth_method: 'none',
      ...metadata,
    }),
  });
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

/** A grant, as its client sees it. */
export class Connection {
  readonly client: OAuthClient;
  readonly tokens: TokenAnswer;

  constructor(client: OAuthClient, answer: TokenAnswer) {
    this.client = client;
    this.tokens = answer;
  }

  get accessToken(): string {
    return this.tokens.access_token;
  }

  get refreshToken(): string {
    return this.tokens.refresh_token;
  }

  get personId(): string {
    return this.accessToken.split('.')[0] ?? '';
  }

  get grantId(): string {
    return this.accessToken.split(':')[1] ?? '';
  }
}

/** A new person with a new client that may do everything. */
export async function connected(): Promise<Connection> {
  return new Person().connect(await OAuthClient.register());
}

export function codeOf(callback: URL): string {
  const code = callback.searchParams.get('code');
  if (code === null) throw new Error(`no code in ${callback.href}`);
  return code;
}

/** The tokens of an answer that must be one. */
export async function tokens(response: Response): Promise<TokenAnswer> {
  if (response.status !== 200) throw new Error(`token endpoint: ${response.status} ${await response.text()}`);
  return response.json<TokenAnswer>();
}

/** The OAuth error of a refusal, `200` for none. */
export async function outcome(response: Response): Promise<string> {
  if (response.status === 200) {
    await response.body?.cancel();
    return '200';
  }
  const { error } = await response.json<{ error: string }>();
  return error;
}

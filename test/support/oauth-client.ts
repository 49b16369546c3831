import { toBase64Url, utf8 } from '../../src/lib/encoding.ts';

/** Parameters of a query or form: a list repeats one, undefined leaves it out. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

function parameters(fields: Fields): URLSearchParams {
  const sent = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    for (const each of typeof value === 'string' ? [value] : (value ?? [])) sent.append(name, each);
  return sent;
}

/** A Carrel, in this process or over the network. */
export interface Server {
  readonly origin: string;
  /** As `fetch`, which must not follow redirects. */
  readonly send: (address: string, init: RequestInit) => Promise<Response>;
  /** What its clients ask for; everything where it is not said. */
  readonly scopes?: string;
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly resource: string;
}

/** What the authorization server knows of a client. */
export interface Registration {
  readonly id: string;
  readonly redirectUri: string;
  readonly secret?: string | undefined;
}

/** Where the code is sent. Nothing listens there: it is read from the address. */
export const LOOPBACK_REDIRECT = 'http://127.0.0.1:33418/callback';

const VERIFIER = 'a-verifier-that-is-long-enough-for-rfc-7636-and-the-same-in-every-test';
const CHALLENGE = toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(VERIFIER))));

/** An OAuth client that is registered: what it sends to the authorization server, and nothing clever. */
export class OAuthClient {
  readonly id: string;
  readonly secret: string | undefined;
  readonly redirectUri: string;
  readonly #server: Server;

  constructor(server: Server, { id, redirectUri, secret }: Registration) {
    this.#server = server;
    this.id = id;
    this.redirectUri = redirectUri;
    this.secret = secret;
  }

  /** Where the client sends the person's browser. */
  authorizationUrl(changes: Fields = {}): URL {
    const url = new URL('/authorize', this.#server.origin);
    url.search = parameters({
      response_type: 'code',
      client_id: this.id,
      redirect_uri: this.redirectUri,
      scope: this.#server.scopes,
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
    return sendForm(this.#server, '/token', { client_id: this.id, client_secret: this.secret, ...fields }, headers);
  }
}

/** A form, as programs send it: no cookie, no Origin. */
export async function sendForm(
  { origin, send }: Server,
  address: string,
  fields: Fields,
  headers: Record<string, string> = {},
): Promise<Response> {
  return send(new URL(address, origin).href, {
    method: 'POST',
    body: parameters(fields).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
  });
}

/** RFC 7591, for a public client of this machine unless the metadata says otherwise. */
export async function sendRegistration(
  { origin, send }: Server,
  metadata: Record<string, unknown> = {},
): Promise<Response> {
  return send(new URL('/register', origin).href, {
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

/** Registers a client that must be taken. */
export async function registered(server: Server, metadata: Record<string, unknown> = {}): Promise<Registration> {
  const response = await sendRegistration(server, metadata);
  if (response.status !== 201) throw new Error(`registration: ${response.status} ${await response.text()}`);
  const body = await response.json<{ client_id: string; client_secret?: string; redirect_uris: string[] }>();
  return { id: body.client_id, redirectUri: body.redirect_uris[0] ?? '', secret: body.client_secret };
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

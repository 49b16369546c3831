import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';

import { approve } from './browser.ts';
import type { Browser } from './browser.ts';

/** The newest revision of the protocol, which the client must get. */
export const MODERN = '2026-07-28';

/** Where the client under test is sent back to. Nothing listens there: the code is read from the address. */
export const REDIRECT_URL = 'http://127.0.0.1:33418/callback';

export interface AppOptions {
  /** As the consent page shows it. */
  readonly name?: string;
  readonly redirectUrl?: string;
}

/** What an app keeps of its connection, in memory. Its person's part is {@link link} and {@link callback}. */
export class AppAuth implements OAuthClientProvider {
  readonly redirectUrl: string;
  readonly #name: string;
  readonly #state = crypto.randomUUID();
  #client: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #verifier = '';
  #discovery: OAuthDiscoveryState | undefined;
  /** The link that the person must follow in a browser. */
  link: URL | undefined;
  /** The address that the person was sent back to, with the code. */
  callback: URL | undefined;

  constructor({ name = 'Carrel demo', redirectUrl = REDIRECT_URL }: AppOptions = {}) {
    this.redirectUrl = redirectUrl;
    this.#name = name;
  }

  get clientMetadata(): OAuthClientMetadata {
    return {
      client_name: this.#name,
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  state() {
    return this.#state;
  }

  clientInformation() {
    return this.#client;
  }

  saveClientInformation(client: StoredOAuthClientInformation) {
    this.#client = client;
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens: StoredOAuthTokens) {
    this.#tokens = tokens;
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    this.link = url;
  }

  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }

  saveDiscoveryState(state: OAuthDiscoveryState) {
    this.#discovery = state;
  }

  discoveryState() {
    return this.#discovery;
  }

  get clientId(): string {
    return this.#client?.client_id ?? '';
  }

  get accessToken(): string {
    if (!this.#tokens) throw new Error('not signed in yet');
    return this.#tokens.access_token;
  }

  /** Gives the access back, with all tokens of it (RFC 7009). */
  async revoke(): Promise<void> {
    const metadata = this.#discovery?.authorizationServerMetadata;
    const endpoint = metadata && 'revocation_endpoint' in metadata ? metadata.revocation_endpoint : undefined;
    if (typeof endpoint !== 'string') throw new Error('the authorization server names no revocation_endpoint');
    const token = this.#tokens?.refresh_token ?? this.accessToken;
    const response = await fetch(endpoint, {
      method: 'POST',
      body: new URLSearchParams({ token, client_id: this.clientId }),
    });
    if (!response.ok) throw new Error(`the revocation was answered with ${response.status}`);
  }
}

/** The official SDK's client as an app would use it, with a person who signs in and allows everything. */
export class PersonalAuth extends AppAuth {
  readonly #browser: Browser;
  readonly #email: string;

  constructor(browser: Browser, email: string, options: AppOptions = {}) {
    super(options);
    this.#browser = browser;
    this.#email = email;
  }

  override async redirectToAuthorization(url: URL): Promise<void> {
    await super.redirectToAuthorization(url);
    this.callback = await approve(this.#browser, url, this.#email);
  }
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

const newClient = () => new Client({ name: 'carrel-demo', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });

/** An app that was refused at the door, registered itself and now waits for its person. */
export interface PendingSignIn {
  readonly link: URL;
  /** Goes on with the address that the person was sent back to: changes the code for a token and connects. */
  finish(callback: URL): Promise<Client>;
}

/** Connects; for a server that wants a sign-in first, `link` is what the person must follow. */
async function tryToConnect(
  mcpUrl: string,
  auth: AppAuth,
  fetch: Fetch = globalThis.fetch,
): Promise<Client | PendingSignIn> {
  const open = () => new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: auth, fetch });
  const transport = open();
  const client = newClient();
  try {
    await client.connect(transport);
    return client;
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || !auth.link) throw error;
  }
  const finish = async (callback: URL) => {
    // The SDK leaves this to the app: a code that somebody else asked for must not become our token.
    if (callback.searchParams.get('state') !== auth.state()) throw new Error('the way back bears another `state`');
    await transport.finishAuth(callback.searchParams);
    const signedIn = newClient();
    await signedIn.connect(open());
    return signedIn;
  };
  return { link: auth.link, finish };
}

/**
 * The first contact of an app: refused, it finds the authorization server, registers and makes a link.
 *
 * @throws if the server lets it in without a sign-in
 */
export async function knock(mcpUrl: string, auth: AppAuth): Promise<PendingSignIn> {
  const answer = await tryToConnect(mcpUrl, auth);
  if (!(answer instanceof Client)) return answer;
  await answer.close();
  throw new Error('the server let an app in that has no token');
}

/** Connects with the SDK v2 client (MCP 2026-07-28), signing the person in on the way if that is asked. */
export async function connect(mcpUrl: string, auth: AppAuth, fetch?: Fetch): Promise<Client> {
  const answer = await tryToConnect(mcpUrl, auth, fetch);
  if (answer instanceof Client) return answer;
  if (!auth.callback) throw new Error('nobody followed the link');
  return answer.finish(auth.callback);
}

/** Connects with an access token and nothing to renew it. */
export async function connectWithToken(mcpUrl: string, token: string): Promise<Client> {
  const client = newClient();
  await client.connect(
    new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: { token: async () => token } }),
  );
  return client;
}

/** Calls a tool and gives its structured result; throws with the tool's own words when it failed. */
export async function call<Result = Record<string, unknown>>(
  client: Client,
  name: string,
  input: Record<string, unknown> = {},
): Promise<Result> {
  const result = await client.callTool({ name, arguments: input });
  if (result.isError === true) {
    const [first] = result.content as { type: string; text?: string }[];
    throw new Error(`${name}: ${first?.text ?? 'failed without a text'}`);
  }
  return (result.structuredContent ?? {}) as Result;
}

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';

import { approve } from '../../../scripts/client/browser.ts';
import type { Browser } from '../../../scripts/client/browser.ts';
import { REDIRECT_URL } from '../../../scripts/client/mcp.ts';

/** What an app of the 2025 era keeps, written against the SDK v1's own types. */
class V1Auth implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT_URL;
  readonly #browser: Browser;
  readonly #email: string;
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';
  code: string | undefined;

  constructor(browser: Browser, email: string) {
    this.#browser = browser;
    this.#email = email;
  }

  get clientMetadata() {
    return {
      client_name: 'An app of 2025',
      redirect_uris: [REDIRECT_URL],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  clientInformation() {
    return this.#client;
  }

  saveClientInformation(client: OAuthClientInformationMixed) {
    this.#client = client;
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens: OAuthTokens) {
    this.#tokens = tokens;
  }

  async redirectToAuthorization(url: URL) {
    const back = await approve(this.#browser, url, this.#email);
    this.code = back.searchParams.get('code') ?? undefined;
  }

  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }
}

/** Signs in and connects with the SDK v1 (MCP 2025-11-25). */
export async function connectV1(
  mcpUrl: string,
  browser: Browser,
  email: string,
): Promise<{ client: Client; token: string; transport: StreamableHTTPClientTransport }> {
  const auth = new V1Auth(browser, email);
  const open = () => new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: auth });
  const first = open();
  const refused: unknown = await new Client({ name: 'v1', version: '1.0.0' })
    .connect(first)
    .catch((error: unknown) => error);
  if (!(refused instanceof UnauthorizedError))
    throw new Error('the server let an app in that has no token', { cause: refused });
  await first.finishAuth(auth.code ?? '');
  const client = new Client({ name: 'v1', version: '1.0.0' });
  const transport = open();
  await client.connect(transport);
  return { client, token: auth.tokens()?.access_token ?? '', transport };
}

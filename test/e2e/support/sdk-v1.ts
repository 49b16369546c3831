import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { OAuthClientInformationMixed, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';

import { REDIRECT_URL } from '../../../scripts/client/mcp.ts';

/** What an app of the 2025 era keeps, written against the SDK v1's own types. */
export class V1Auth implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT_URL;
  readonly #follow: (link: URL) => Promise<URL>;
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';
  code: string | undefined;

  /** @param follow the person's way from the app's link to the address with the code */
  constructor(follow: (link: URL) => Promise<URL>) {
    this.#follow = follow;
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
    const back = await this.#follow(url);
    this.code = back.searchParams.get('code') ?? undefined;
  }

  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }
}

/** Connects with the SDK v1 (MCP 2025-11-25), signing the person in on the way if that is asked. */
export async function connectV1(
  mcpUrl: string,
  auth: V1Auth,
): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const attempt = async () => {
    const client = new Client({ name: 'v1', version: '1.0.0' });
    const transport = new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider: auth });
    const refused: unknown = await client.connect(transport).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { client, transport, refused };
  };
  let { refused, ...connected } = await attempt();
  if (refused instanceof UnauthorizedError) {
    await connected.transport.finishAuth(auth.code ?? '');
    ({ refused, ...connected } = await attempt());
  }
  if (refused !== undefined) throw new Error('the SDK v1 could not connect', { cause: refused });
  return connected;
}

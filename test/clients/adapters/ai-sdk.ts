import { auth, createMCPClient, UnauthorizedError } from '@ai-sdk/mcp';
import type { OAuthClientInformation, OAuthClientMetadata, OAuthClientProvider, OAuthTokens } from '@ai-sdk/mcp';

import { REDIRECT_URL } from '../../../scripts/client/mcp.ts';
import { onlyText, structured } from './client.ts';
import type { App, Follow } from './client.ts';

type ServerInformation = Awaited<ReturnType<NonNullable<OAuthClientProvider['authorizationServerInformation']>>>;

/** What an app built with the AI SDK keeps, in memory. */
class AiSdkAuth implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT_URL;
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'AI SDK',
    redirect_uris: [REDIRECT_URL],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  #client: OAuthClientInformation | undefined;
  #server: ServerInformation;
  #tokens: OAuthTokens | undefined;
  #verifier = '';
  #state: string | undefined;
  /** The link that the person must follow. */
  link: URL | undefined;

  clientInformation() {
    return this.#client;
  }

  saveClientInformation(client: OAuthClientInformation) {
    this.#client = client;
  }

  isClientInformationDynamicallyRegistered() {
    return this.#client !== undefined;
  }

  authorizationServerInformation() {
    return this.#server;
  }

  saveAuthorizationServerInformation(server: NonNullable<ServerInformation>) {
    this.#server = server;
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens: OAuthTokens) {
    this.#tokens = tokens;
  }

  redirectToAuthorization(url: URL) {
    this.link = url;
  }

  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }

  state() {
    return crypto.randomUUID();
  }

  saveState(state: string) {
    this.#state = state;
  }

  storedState() {
    return this.#state;
  }
}

/** Vercel's AI SDK: a client that shares no code with the official SDKs. */
export function aiSdk(): App {
  const provider = new AiSdkAuth();
  const open = async (url: string) => createMCPClient({ transport: { type: 'http', url, authProvider: provider } });

  async function signIn(serverUrl: string, refused: unknown, follow: Follow): Promise<void> {
    if (!(refused instanceof UnauthorizedError) || !provider.link) throw refused;
    const back = (await follow(provider.link)).searchParams;
    await auth(provider, {
      serverUrl,
      authorizationCode: back.get('code') ?? '',
      callbackState: back.get('state') ?? '',
      callbackIssuer: back.get('iss') ?? '',
    });
  }

  return {
    async connect(mcpUrl, follow) {
      const client = await open(mcpUrl).catch(async (refused: unknown) => {
        await signIn(mcpUrl, refused, follow);
        return open(mcpUrl);
      });
      return {
        listTools: async () => (await client.listTools()).tools.map(({ name }) => name),
        call: async (name, input) => structured(name, await client.callTool({ name, arguments: input })),
        read: async (uri) => onlyText(await client.readResource({ uri })),
        revision: () => client.initializeResult.protocolVersion,
        close: () => client.close(),
      };
    },
    remove() {},
  };
}

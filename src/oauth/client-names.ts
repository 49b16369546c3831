import type { AuthorizationServers, OAuthEnv } from './server.ts';

/** How a client is called on the pages of a person who let it in. */
export interface ClientName {
  /** Untrusted: what the client calls itself; undefined when it says nothing or is no longer known. */
  readonly name: string | undefined;
  /** The domain whose document describes it; undefined where nobody vouches for the name. */
  readonly domain: string | undefined;
}

/** Looks up the names of clients. */
export class ClientNames {
  readonly #servers: AuthorizationServers;
  readonly #env: OAuthEnv;

  constructor(servers: AuthorizationServers, env: OAuthEnv) {
    this.#servers = servers;
    this.#env = env;
  }

  async of(clientId: string, origin: string): Promise<ClientName> {
    // Its id is the address of its document, and says whose it is. The document is not fetched: a page of
    // ours must not wait for a stranger's server, nor tell it when a person looks.
    const document = URL.parse(clientId);
    if (document) return { name: undefined, domain: document.host };
    const client = await this.#servers.for(origin).getOAuthApi(this.#env).lookupClient(clientId);
    return { name: client?.clientName, domain: undefined };
  }
}

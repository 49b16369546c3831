import { OAuthAuthorizationServer } from '@cloudflare/workers-oauth-provider';
import type { OAuthErrorInternal } from '@cloudflare/workers-oauth-provider';

import { BoundedMap } from '../lib/bounded-map.ts';
import type { OAuthKv } from './storage.ts';

/** Anybody may register a client, and each registration is stored: the library alone would take 1 MB of it. */
const MAX_REGISTRATION_CHARACTERS = 16_000;

/** What the OAuth library takes as its environment. */
export interface OAuthEnv {
  readonly OAUTH_KV: OAuthKv;
}

export interface AuthorizationServerOptions {
  readonly scopes: readonly string[];
  readonly accessTokenSeconds: number;
  /** Seconds after which a grant ends whose client does not come back. */
  readonly grantIdleSeconds: number;
  readonly onError: (error: { code: string; status: number; internal: OAuthErrorInternal }) => void;
}

/**
 * The authorization servers of this deployment, one an origin: the library fixes its issuer when it
 * is made. There is one origin in production, and a few spellings of loopback in development.
 */
export class AuthorizationServers {
  readonly #options: AuthorizationServerOptions;
  readonly #servers = new BoundedMap<string, OAuthAuthorizationServer<OAuthEnv>>(16);

  constructor(options: AuthorizationServerOptions) {
    this.#options = options;
  }

  for(origin: string): OAuthAuthorizationServer<OAuthEnv> {
    let server = this.#servers.get(origin);
    if (!server) {
      const { scopes, accessTokenSeconds, grantIdleSeconds, onError } = this.#options;
      server = new OAuthAuthorizationServer<OAuthEnv>({
        issuer: origin,
        // One audience, the origin, covers /mcp and /files: see `canonicalResource`.
        resources: [origin],
        authorizeEndpoint: '/authorize',
        tokenEndpoint: '/token',
        clientRegistrationEndpoint: '/register',
        scopesSupported: [...scopes],
        accessTokenTTL: accessTokenSeconds,
        refreshTokenTTL: grantIdleSeconds,
        refreshTokenIdleTTL: grantIdleSeconds,
        clientIdMetadataDocumentEnabled: true,
        allowPrivateUseRedirectUris: true,
        cookiePrefix: '__Host-carrel-oauth-',
        clientRegistrationCallback: ({ clientMetadata }) =>
          JSON.stringify(clientMetadata).length > MAX_REGISTRATION_CHARACTERS
            ? { code: 'invalid_client_metadata', description: 'The registration is larger than 16 KB' }
            : undefined,
        onError: ({ code, status, internal }) => onError({ code, status, internal }),
      });
      this.#servers.set(origin, server);
    }
    return server;
  }
}

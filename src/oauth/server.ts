import { AsyncLocalStorage } from 'node:async_hooks';

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

/** Why the library refused a request. */
export interface Refusal {
  /** Words of the library, such as `code_verifier_mismatch`. */
  readonly reason: string;
  /** Whether the client had shown who it is. If not, what the request says of it is only a claim. */
  readonly clientAuthenticated: boolean;
}

/**
 * What the library refuses only once it has authenticated the client. Of all else, also of what a later version
 * may add, the client counts as unknown: anybody could write its id into the audit.
 */
const CATEGORIES_AFTER_AUTHENTICATION: ReadonlySet<string> = new Set([
  'authorization-code-grant',
  'refresh-token-grant',
  'resource-indicator',
  'token-exchange-callback',
  'token-issuance',
  'token-revocation',
]);
const REASONS_AFTER_AUTHENTICATION: ReadonlySet<string> = new Set([
  'grant_type_not_registered',
  'grant_type_not_supported',
]);

function refusalOf({ category, reason }: OAuthErrorInternal): Refusal {
  return {
    reason,
    clientAuthenticated: CATEGORIES_AFTER_AUTHENTICATION.has(category) || REASONS_AFTER_AUTHENTICATION.has(reason),
  };
}

/** The library tells reasons to its server, which serves many requests at a time; this is the request that is served here. */
const served = new AsyncLocalStorage<{ refusal: Refusal | undefined }>();

/** Has the library answer a request, and keeps the reason that it does not tell the client. */
export async function withRefusal(
  answer: () => Promise<Response>,
): Promise<{ readonly response: Response; readonly refusal: Refusal | undefined }> {
  const request = { refusal: undefined };
  const response = await served.run(request, answer);
  return { response, refusal: request.refusal };
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
        onError: ({ code, status, internal }) => {
          const request = served.getStore();
          if (request) request.refusal = refusalOf(internal);
          onError({ code, status, internal });
        },
      });
      this.#servers.set(origin, server);
    }
    return server;
  }
}

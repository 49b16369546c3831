import { OAuthError } from '@cloudflare/workers-oauth-provider';
import type { OAuthAuthorizationServer } from '@cloudflare/workers-oauth-provider';

import { formBody } from '../http/body.ts';
import type { Workspaces } from '../workspace/client.ts';
import type { PersonIds } from './person-ids.ts';
import { tokenParts } from './person-ids.ts';
import { canonicaliseResources } from './resource.ts';
import type { AuthorizationServers, OAuthEnv } from './server.ts';

interface TokenEndpointOptions {
  readonly servers: AuthorizationServers;
  /** Storage that knows clients and no grants. */
  readonly env: OAuthEnv;
  readonly workspaces: Workspaces;
  readonly personIds: PersonIds;
}

/**
 * The token endpoint: code exchange, refresh (RFC 6749) and revocation (RFC 7009). A code or token
 * names its person, so the request goes to that person's object and is answered there. One that
 * names nobody of ours is answered here by the same library over storage that holds no grants: the
 * client is authenticated and gets the same errors, and no object is woken.
 */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  async serve(request: Request, origin: string): Promise<Response> {
    const { servers, env, workspaces, personIds } = this.#options;
    const form = await formBody(request);
    canonicaliseResources(form, origin);
    const canonical = new Request(`${origin}/token`, {
      method: request.method,
      headers: request.headers,
      body: form.toString(),
    });
    const presented = presentedToken(form);
    const parts = presented === null ? undefined : tokenParts(presented);
    const personId = parts && (await personIds.parse(parts.outwardPerson));
    return personId === undefined
      ? serveToken(servers.for(origin), canonical, env)
      : workspaces.token(personId, canonical);
  }
}

/** The library's `fetch` wants a context and, for the endpoints of the authorization server, uses none of it. */
export const NO_CONTEXT = {
  waitUntil: () => undefined,
  passThroughOnException: () => undefined,
  props: {},
} as unknown as ExecutionContext;

/**
 * Has the library answer a request to the token endpoint. What our storage refuses while the library
 * authenticates the client (an assertion that was used before) is an OAuth error like its own.
 */
export async function serveToken(
  server: OAuthAuthorizationServer<OAuthEnv>,
  request: Request,
  env: OAuthEnv,
): Promise<Response> {
  return server.fetch(request, env, NO_CONTEXT).catch((thrown: unknown) => {
    if (!(thrown instanceof OAuthError)) throw thrown;
    return Response.json(
      { error: thrown.code, error_description: thrown.description },
      { status: thrown.statusCode, headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache' } },
    );
  });
}

/** The one value that decides whose grant this is about. */
export function presentedToken(form: URLSearchParams): string | null {
  const grantType = form.get('grant_type');
  if (grantType === 'authorization_code') return form.get('code');
  if (grantType === 'refresh_token') return form.get('refresh_token');
  // As the library sees it: what names no grant type and a token is a revocation.
  return grantType === null || grantType === '' ? form.get('token') : null;
}

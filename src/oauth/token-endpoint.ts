import { OAuthError } from '@cloudflare/workers-oauth-provider';
import type { OAuthAuthorizationServer } from '@cloudflare/workers-oauth-provider';

import type { AuditTrail } from '../directory/audit.ts';
import { formBody } from '../http/body.ts';
import { fromBase64Url } from '../lib/encoding.ts';
import { parseJson } from '../lib/json.ts';
import type { Workspaces } from '../workspace/client.ts';
import { DEVICE_GRANT } from './model.ts';
import type { PersonIds } from './person-ids.ts';
import { tokenParts } from './person-ids.ts';
import { canonicaliseResources } from './resource.ts';
import { withRefusal } from './server.ts';
import type { AuthorizationServers, OAuthEnv, Refusal } from './server.ts';

interface TokenEndpointOptions {
  readonly servers: AuthorizationServers;
  /** Storage that knows clients and no grants. */
  readonly env: OAuthEnv;
  readonly workspaces: Workspaces;
  readonly personIds: PersonIds;
  readonly audit: AuditTrail;
  /** Answers devices, whose codes name nobody before a person has answered. */
  readonly device: (call: DeviceCall) => Promise<Response>;
}

/** A request of a client that is about a device. */
export interface DeviceCall {
  readonly request: Request;
  readonly form: URLSearchParams;
  readonly origin: string;
  readonly requestId: string;
}

/**
 * The token endpoint: code exchange, refresh (RFC 6749), revocation (RFC 7009) and devices (RFC 8628). A code or token
 * names its person, so the request goes to that person's object and is answered there. One that
 * names nobody of ours is answered here by the same library over storage that holds no grants: the
 * client is authenticated and gets the same errors, and no object is woken.
 */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  async serve(request: Request, origin: string, requestId: string): Promise<Response> {
    const { servers, env, workspaces, personIds, audit, device } = this.#options;
    const form = await formBody(request);
    if (form.get('grant_type') === DEVICE_GRANT) return device({ request, form, origin, requestId });
    canonicaliseResources(form, origin);
    const canonical = new Request(`${origin}/token`, {
      method: request.method,
      headers: request.headers,
      body: form.toString(),
    });
    const presented = presentedToken(form);
    const parts = presented === null ? undefined : tokenParts(presented);
    const personId = parts && (await personIds.parse(parts.outwardPerson));
    if (personId !== undefined) return workspaces.token(personId, canonical, requestId);
    const { response, refusal } = await serveToken(servers.for(origin), canonical, env);
    const clientId = refusal?.clientAuthenticated === true ? presentedClient(canonical, form) : undefined;
    if (refusal && clientId !== undefined)
      await audit.record({ action: 'token_refused', clientId, requestId, detail: { reason: refusal.reason } });
    return response;
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
): Promise<{ readonly response: Response; readonly refusal: Refusal | undefined }> {
  return withRefusal(() => server.fetch(request, env, NO_CONTEXT)).catch((thrown: unknown) => {
    if (!(thrown instanceof OAuthError)) throw thrown;
    const clientAuthenticated = thrown.code !== 'invalid_client';
    return {
      response: Response.json(
        { error: thrown.code, error_description: thrown.description },
        { status: thrown.statusCode, headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache' } },
      ),
      refusal: { reason: clientAuthenticated ? 'grant_revoked' : 'client_assertion_replayed', clientAuthenticated },
    };
  });
}

/** Who a request says its client is: in the form, in an assertion or in HTTP Basic. Only a claim until it is authenticated. */
export function presentedClient(request: Request, form: URLSearchParams): string | undefined {
  const named = form.get('client_id');
  if (named !== null && named !== '') return named;
  const assertion = form.get('client_assertion');
  if (assertion !== null && assertion !== '') return issuerOf(assertion);
  const [, basic = ''] = /^Basic\s+(\S+)$/i.exec(request.headers.get('Authorization') ?? '') ?? [];
  const bytes = fromBase64Url(basic.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''));
  const [encoded = ''] = new TextDecoder().decode(bytes).split(':');
  try {
    return encoded === '' ? undefined : decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

/** The client that a JWT says it is of (RFC 7523 §3), unchecked. */
function issuerOf(assertion: string): string | undefined {
  const claims = parseJson(new TextDecoder().decode(fromBase64Url(assertion.split('.')[1] ?? '')));
  const issuer = typeof claims === 'object' && claims !== null && 'iss' in claims ? claims.iss : undefined;
  return typeof issuer === 'string' ? issuer : undefined;
}

/** The one value that decides whose grant this is about. */
export function presentedToken(form: URLSearchParams): string | null {
  const grantType = form.get('grant_type');
  if (grantType === 'authorization_code') return form.get('code');
  if (grantType === 'refresh_token') return form.get('refresh_token');
  // As the library sees it: what names no grant type and a token is a revocation.
  return grantType === null || grantType === '' ? form.get('token') : null;
}

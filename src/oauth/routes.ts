import { endpoint, way } from '../http/endpoint.ts';
import type { HttpContext, Route } from '../http/route.ts';
import { CarrelError } from '../lib/errors.ts';
import type { Registrations } from './registrations.ts';
import type { AuthorizationServers, OAuthEnv } from './server.ts';
import { NO_CONTEXT } from './token-endpoint.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

interface OAuthRoutesOptions {
  readonly tokens: TokenEndpoint;
  readonly servers: AuthorizationServers;
  readonly env: OAuthEnv;
  readonly registrations: Registrations;
}

const noSuchDocument = () => new CarrelError('not_found', 'There is no such discovery document here.');

/** What clients ask of the authorization server themselves: /register, /token, its metadata. */
export function oauthRoutes({ tokens, servers, env, registrations }: OAuthRoutesOptions): Route[] {
  const metadata = way({
    handle: async ({ request, origin, requestId }: HttpContext) => {
      await registrations.noteDiscovery(requestId);
      return servers.for(origin).fetch(request, env, NO_CONTEXT);
    },
  });

  const register = way({
    handle: ({ request, origin, requestId }: HttpContext) =>
      registrations.within(request.headers.get('CF-Connecting-IP') ?? undefined, requestId, () =>
        servers.for(origin).fetch(request, env, NO_CONTEXT),
      ),
  });

  const token = way({
    handle: ({ request, origin, requestId }: HttpContext) => tokens.serve(request, origin, requestId),
  });

  const documents = () => import('./operations.ts');

  return [
    {
      path: '/register',
      methods: { POST: endpoint(async () => (await documents()).registerClient, register) },
      crossOrigin: 'any',
    },
    {
      path: '/token',
      methods: { POST: endpoint(async () => (await documents()).token, token) },
      crossOrigin: 'any',
    },
    {
      path: '/.well-known/oauth-authorization-server',
      methods: { GET: endpoint(async () => (await documents()).authorizationServer, metadata) },
      crossOrigin: 'any',
    },
    // Clients look for more documents than there are. In a browser, a 404 that they may not read looks like
    // a server that is down, and they do not go on to the next.
    { path: '/.well-known/*', methods: { GET: () => Promise.reject(noSuchDocument()) }, crossOrigin: 'any' },
  ];
}

import type { AddressLimit } from '../http/address-limit.ts';
import { formBody } from '../http/body.ts';
import { endpoint, way } from '../http/endpoint.ts';
import type { HttpContext, Route } from '../http/route.ts';
import { clientAddress } from '../lib/client-address.ts';
import { CarrelError } from '../lib/errors.ts';
import { DEVICE_GRANT } from './model.ts';
import type { Registrations } from './registrations.ts';
import type { AuthorizationServers, OAuthEnv } from './server.ts';
import { NO_CONTEXT } from './token-endpoint.ts';
import type { DeviceCall, TokenEndpoint } from './token-endpoint.ts';

interface OAuthRoutesOptions {
  readonly tokens: TokenEndpoint;
  readonly servers: AuthorizationServers;
  readonly env: OAuthEnv;
  readonly registrations: Registrations;
  readonly limit: AddressLimit;
  /** Begins for a device (RFC 8628 §3.1). @param address of the client */
  readonly device: (call: DeviceCall, address: string | undefined) => Promise<Response>;
}

const noSuchDocument = () => new CarrelError('not_found', 'There is no such discovery document here.');

/** What clients ask of the authorization server themselves: /register, /token, /device_authorization, its metadata. */
export function oauthRoutes({ tokens, servers, env, registrations, limit, device }: OAuthRoutesOptions): Route[] {
  const metadata = way({
    handle: async ({ request, origin, requestId }: HttpContext) => {
      await registrations.noteDiscovery(requestId);
      // With GET also for HEAD, which has no body to add to.
      const read = new Request(request.url, { headers: request.headers });
      const response = await servers.for(origin).fetch(read, env, NO_CONTEXT);
      const document = await response.json<{ grant_types_supported: string[] }>();
      return Response.json(
        {
          ...document,
          device_authorization_endpoint: `${origin}/device_authorization`,
          grant_types_supported: [...document.grant_types_supported, DEVICE_GRANT],
        },
        response,
      );
    },
  });

  const register = way({
    handle: async ({ request, origin, requestId }: HttpContext) => {
      await limit(request);
      const address = clientAddress(request.headers);
      return registrations.register(await request.text(), { address, origin, requestId }, (body) =>
        servers.for(origin).fetch(new Request(request, { body, method: 'POST' }), env, NO_CONTEXT),
      );
    },
  });

  const token = way({
    handle: async ({ request, origin, requestId }: HttpContext) => {
      await limit(request);
      return tokens.serve(request, origin, requestId);
    },
  });

  const deviceAuthorization = way({
    handle: async ({ request, origin, requestId }: HttpContext) => {
      await limit(request);
      const form = await formBody(request);
      return device({ request, form, origin, requestId }, clientAddress(request.headers));
    },
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
      path: '/device_authorization',
      methods: {
        POST: endpoint(async () => (await import('./device/operations.ts')).deviceAuthorization, deviceAuthorization),
      },
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

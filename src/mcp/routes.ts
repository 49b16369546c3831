import type { AccessControl } from '../http/access.ts';
import { endpoint as described, way } from '../http/endpoint.ts';
import { prefersHtml, seeOther } from '../http/html.ts';
import { methodNotAllowed } from '../http/problem.ts';
import type { HttpContext, Route } from '../http/route.ts';
import { CarrelError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { acceptingBoth, asAccepted } from './accept.ts';
import type { Registry } from './registry.ts';
import type { McpEndpoint } from './server.ts';

interface McpRoutesOptions {
  readonly endpoint: McpEndpoint;
  readonly registry: Registry;
  readonly access: AccessControl;
}

/** Longer than any name or address here. The SDK repeats in its errors what it does not know. */
const MAX_NAME_LENGTH = 2000;

/** @throws CarrelError `invalid_input` */
function refuseLongNames(body: unknown): void {
  for (const message of Array.isArray(body) ? (body as unknown[]) : [body]) {
    const { method, params } = (message ?? {}) as { method?: unknown; params?: { name?: unknown; uri?: unknown } };
    for (const name of [method, params?.name, params?.uri])
      if (typeof name === 'string' && name.length > MAX_NAME_LENGTH)
        throw new CarrelError('invalid_input', 'The name of what is asked for is longer than any there is.');
  }
}

/** The MCP endpoint, Streamable HTTP of both eras. */
export function mcpRoutes({ endpoint, registry, access }: McpRoutesOptions): Route[] {
  const serve = async (context: HttpContext) => {
    const { request, url, origin, requestId } = context;
    return access.serve(context, '/mcp', async ({ principal, workspace, token, expiresAt, resourceMetadataUrl }) => {
      const selection = await registry.select(url.searchParams);
      const text = await request.text();
      const body = parseJson(text);
      refuseLongNames(body);
      const given = request.headers;
      const headers = acceptingBoth(given);
      const answer = await endpoint.serve({
        // The SDK classifies by the parsed body and, where it is no JSON, reads and refuses it itself.
        request:
          body !== undefined && headers === given
            ? request
            : new Request(request.url, { method: 'POST', headers, body: text, signal: request.signal }),
        body,
        token,
        tokenExpiresAt: expiresAt,
        context: { principal, workspace, origin, requestId, signal: request.signal },
        selection,
        resourceMetadataUrl,
      });
      return asAccepted(answer, request.headers.get('Accept'), Array.isArray(body));
    });
  };
  // No stream to open and no session to end. Without a token the challenge comes first: clients look for it
  // with any method. A person who opens the address wants to know what it is.
  const none = (context: HttpContext) =>
    prefersHtml(context.request)
      ? seeOther('/')
      : access.serve(context, '/mcp', async () => methodNotAllowed(['POST'], context.requestId));
  const post = { ...described(async () => (await import('./operations.ts')).mcp, way({ handle: serve })), scopes: [] };
  return [{ path: '/mcp', methods: { GET: none, POST: post, DELETE: none }, allow: ['POST'], crossOrigin: 'local' }];
}

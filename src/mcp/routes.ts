import type { AccessControl } from '../http/access.ts';
import { prefersHtml, seeOther } from '../http/html.ts';
import { methodNotAllowed } from '../http/problem.ts';
import type { HttpContext, Route } from '../http/route.ts';
import { parseJson } from '../lib/json.ts';
import type { Registry } from './registry.ts';
import type { McpEndpoint } from './server.ts';

interface McpRoutesOptions {
  readonly endpoint: McpEndpoint;
  readonly registry: Registry;
  readonly access: AccessControl;
}

/** The MCP endpoint, Streamable HTTP of both eras. */
export function mcpRoutes({ endpoint, registry, access }: McpRoutesOptions): Route[] {
  const serve = async (context: HttpContext) => {
    const { request, url, origin, requestId } = context;
    return access.serve(context, '/mcp', async ({ principal, workspace, token, expiresAt, resourceMetadataUrl }) => {
      const selection = registry.select(url.searchParams);
      const text = await request.text();
      return endpoint.serve({
        // The SDK classifies by the parsed body and, where it is no JSON, reads and refuses it itself.
        request: new Request(request.url, {
          method: 'POST',
          headers: request.headers,
          body: text,
          signal: request.signal,
        }),
        body: parseJson(text),
        token,
        tokenExpiresAt: expiresAt,
        context: { principal, workspace, origin, requestId, signal: request.signal },
        selection,
        resourceMetadataUrl,
      });
    });
  };
  // No stream to open and no session to end. Without a token the challenge comes first: clients look for it
  // with any method. A person who opens the address wants to know what it is.
  const none = (context: HttpContext) =>
    prefersHtml(context.request)
      ? seeOther('/')
      : access.serve(context, '/mcp', async () => methodNotAllowed(['POST'], context.requestId));
  return [{ path: '/mcp', methods: { GET: none, POST: serve, DELETE: none }, allow: ['POST'], crossOrigin: 'local' }];
}

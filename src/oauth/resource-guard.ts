import { OAuthResourceServer } from '@cloudflare/workers-oauth-provider';

import { endpoint, way } from '../http/endpoint.ts';
import type { HttpContext, Route } from '../http/route.ts';
import { BoundedMap } from '../lib/bounded-map.ts';
import { clientAddress } from '../lib/client-address.ts';
import { asCarrelError } from '../lib/errors.ts';
import type { KnownToken, TokenCheck } from './token-check.ts';

/** A resource that has RFC 9728 metadata of its own: the origin, which covers everything, and the MCP endpoint. */
export type ResourcePath = '' | '/mcp';

/** Answers a request whose token was read. */
type Serve = (known: KnownToken, token: string) => Promise<Response>;

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const RESOURCES: readonly ResourcePath[] = ['', '/mcp'];

/** For requests that can get no further than metadata or a challenge. */
const refuse = (): Promise<Response> => Promise.reject(new TypeError('a request without a token was let through'));

/** One request on its way through the library, in the place where the library hands on an environment. */
interface Asked {
  readonly serve: Serve;
  /** From which it came; undefined where there is no edge. */
  readonly address: string | undefined;
  known: KnownToken | undefined;
  /** Why the token could not be read, where that is our fault: the library would answer 503 and say nothing. */
  failure: unknown;
}

/**
 * The resource server: metadata, challenges, bearer tokens. Each resource names itself in its own
 * metadata (RFC 9728 §3.3; VS Code compares), while all accept a token for the origin.
 */
export class ResourceGuard {
  readonly #tokens: TokenCheck;
  readonly #scopes: readonly string[];
  readonly #servers = new BoundedMap<string, OAuthResourceServer<Asked, object>>(32);

  constructor(tokens: TokenCheck, scopes: readonly string[]) {
    this.#tokens = tokens;
    this.#scopes = scopes;
  }

  /** Where the metadata of a resource is. */
  static metadataUrl(origin: string, path: ResourcePath): string {
    return `${origin}${WELL_KNOWN}${path}`;
  }

  /** The metadata documents (RFC 9728), each naming the resource that its own path implies. */
  routes(): Route[] {
    return RESOURCES.map((path) => ({
      path: `${WELL_KNOWN}${path}`,
      methods: {
        GET: endpoint(
          async () => (await import('./operations.ts')).protectedResource(path),
          way({ handle: ({ request, origin }: HttpContext) => this.#fetch(request, origin, path, refuse) }),
        ),
      },
      crossOrigin: 'any',
    }));
  }

  /** Serves a request with a token that is one of ours and not expired; challenges any other (RFC 6750). */
  async protect(request: Request, origin: string, path: ResourcePath, serve: Serve): Promise<Response> {
    return this.#fetch(request, origin, path, serve);
  }

  /** The challenge for a token that the workspace refused: only a 401 makes a client sign in again. */
  async challenge(request: Request, origin: string, path: ResourcePath): Promise<Response> {
    const refused = new Request(request.url, { method: 'POST', headers: { Authorization: 'Bearer refused' } });
    return this.protect(refused, origin, path, refuse);
  }

  async #fetch(request: Request, origin: string, path: ResourcePath, serve: Serve): Promise<Response> {
    const address = clientAddress(request.headers);
    const asked: Asked = { serve, address, known: undefined, failure: undefined };
    const response = await this.#server(origin, path).fetch(request, asked, {} as ExecutionContext);
    if (asked.failure !== undefined) throw asCarrelError(asked.failure);
    return response;
  }

  #server(origin: string, path: ResourcePath): OAuthResourceServer<Asked, object> {
    const resource = origin + path;
    let server = this.#servers.get(resource);
    if (!server) {
      server = new OAuthResourceServer<Asked, object>({
        resourceMetadata: { resource, authorization_servers: [origin], resource_name: 'Carrel' },
        requiredScopes: [...this.#scopes],
        validateToken: (asked) => async (audience, token) => {
          const known = await this.#tokens.read(token, origin, asked.address).catch((thrown: unknown) => {
            asked.failure = thrown;
            throw thrown;
          });
          asked.known = known;
          return known ? { props: {}, audience, expiresAt: known.facts.expiresAt } : null;
        },
        handler: {
          fetch: (_request: Request, { serve, known }: Asked, context: { auth?: { token: string } }) =>
            known ? serve(known, context.auth?.token ?? '') : refuse(),
        },
      });
      this.#servers.set(resource, server);
    }
    return server;
  }
}

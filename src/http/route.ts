import type { Principal } from '../mcp/context.ts';
import type { OpenWorkspace } from '../workspace/client.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A request on its way to a handler. */
export interface HttpContext {
  readonly request: Request;
  readonly url: URL;
  /** The origin of this deployment, as the guard accepted it. */
  readonly origin: string;
  /** The variables of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly requestId: string;
}

/** Answers a request; throws a CarrelError (or an error of the OAuth library) for the wrapper to map. */
export type Handler = (context: HttpContext) => Response | Promise<Response>;

/** A request that bears an access token, with the workspace that it opens. */
export interface AuthorisedContext extends HttpContext {
  readonly principal: Principal;
  readonly workspace: OpenWorkspace;
}

export type AuthorisedHandler = (context: AuthorisedContext) => Response | Promise<Response>;

/** A path with all that it answers. A method that is not here gets 405 with `Allow`. GET answers HEAD too. */
export interface Route {
  /** As in Hono: `/files/:id`. */
  readonly path: string;
  readonly methods: Partial<Record<Method, Handler>>;
  /**
   * Bytes that a body may have. Undefined: 1 MB, held against Content-Length and against the bytes
   * as they come. `stream`: the handler enforces its own limit.
   */
  readonly body?: 'stream';
  /**
   * Whose pages may call it, besides our own: OAuth and MCP clients that run in a browser do. `local`:
   * pages on this machine only. Undefined: nobody's.
   */
  readonly crossOrigin?: 'any' | 'local';
  /** What `Allow` says, where it is less than the methods: some answer only to point elsewhere. */
  readonly allow?: readonly Method[];
}

/** A path that needs an access token, with the scope of each method. */
export interface ProtectedRoute {
  readonly path: string;
  readonly methods: Partial<Record<Method, { readonly scope: string; readonly handle: AuthorisedHandler }>>;
  readonly body?: 'stream';
}

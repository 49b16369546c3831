import type { GatedCall } from '../approvals/gate.ts';
import type { Principal } from '../mcp/context.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import type { InputSchemas, Operation } from './operation.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

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
  /** Does what changes something, with a workspace that refuses it where a rule of the person asks. */
  readonly gated: <Result>(call: GatedCall, run: (workspace: OpenWorkspace) => Promise<Result>) => Promise<Result>;
}

/**
 * One method of a path that programs use. Its description is made of the very schemas that check its
 * requests, so that it can promise nothing else; the prose is loaded when somebody reads it.
 */
export interface Endpoint<Context extends HttpContext = HttpContext> {
  readonly handle: (context: Context) => Response | Promise<Response>;
  /** What it takes; several where it can be called in several ways. */
  readonly inputs: readonly InputSchemas[];
  /** The scopes that its access token needs; undefined where it needs no token. */
  readonly scopes?: readonly string[];
  readonly describe: () => Promise<Operation>;
}

/** A path with all that it answers. A method that is not here gets 405 with `Allow`. GET answers HEAD too. */
export interface Route {
  /** As in Hono: `/files/:id`. */
  readonly path: string;
  /** A plain handler is for people and their forms; what programs call describes itself. */
  readonly methods: Partial<Record<Method, Handler | Endpoint>>;
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
  /** What every answer bears here, errors and preflights as well, and a page of another origin may read. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What `Allow` says, where it is less than the methods: some answer only to point elsewhere. */
  readonly allow?: readonly Method[];
}

/** A path that needs an access token, with the scope of each method. */
export interface ProtectedRoute {
  readonly path: string;
  readonly methods: Partial<Record<Method, Endpoint<AuthorisedContext> & { readonly scope: string }>>;
  readonly body?: 'stream';
  readonly headers?: Readonly<Record<string, string>>;
}

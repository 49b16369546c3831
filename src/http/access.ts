import { insufficientScope } from '@cloudflare/workers-oauth-provider';

import { gated } from '../approvals/gate.ts';
import type { Gatekeeper } from '../approvals/gate.ts';
import type { Principal } from '../mcp/context.ts';
import { ResourceGuard } from '../oauth/resource-guard.ts';
import type { ResourcePath } from '../oauth/resource-guard.ts';
import type { KnownToken } from '../oauth/token-check.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import { newObserver } from '../workspace/rpc-client.ts';
import type { RpcWorkspaces } from '../workspace/rpc-client.ts';
import type { Endpoint, HttpContext, Method, ProtectedRoute, Route } from './route.ts';

/** What a request with an access token may use. */
export interface Access {
  readonly principal: Principal;
  readonly workspace: OpenWorkspace;
  readonly token: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Where the resource that was asked describes itself, for challenges. */
  readonly resourceMetadataUrl: string;
}

/**
 * Lets requests with an access token through to a workspace. Each pays one round trip to it, which
 * also checks the caller: where the handler makes none, one is made here before the answer leaves.
 */
export class AccessControl {
  readonly #guard: ResourceGuard;
  readonly #workspaces: RpcWorkspaces;
  readonly #approvals: () => Promise<Gatekeeper>;

  constructor(guard: ResourceGuard, workspaces: RpcWorkspaces, approvals: () => Promise<Gatekeeper>) {
    this.#approvals = approvals;
    this.#guard = guard;
    this.#workspaces = workspaces;
  }

  async serve(
    context: HttpContext,
    path: ResourcePath,
    handle: (access: Access) => Promise<Response>,
  ): Promise<Response> {
    const { request, origin } = context;
    return this.#guard.protect(request, origin, path, async (known, token) => {
      const observer = newObserver();
      const principal = principalOf(known);
      const workspace = this.#workspaces.open(principal.workspaceId, callerOf(known), observer);
      const resourceMetadataUrl = ResourceGuard.metadataUrl(origin, path);
      const { expiresAt } = known.facts;
      const answer = handle({ principal, workspace, token, expiresAt, resourceMetadataUrl }).then(begun);
      await Promise.allSettled([answer]);
      // Also where the handler made no call or failed before one, and where one is still on its way
      // while the stream has begun: what a refused caller gets is the refusal.
      await (observer.first ??
        workspace.check().catch((thrown: unknown) => {
          if (!observer.refusal) throw thrown;
        }));
      const { refusal, admitted } = observer;
      // Of a batch that is half done, those that were too many say so for themselves: what was done must be told.
      if (!refusal || (refusal.code === 'limit_exceeded' && admitted)) return answer;
      await answer.then(
        ({ body }) => body?.cancel(),
        () => undefined,
      );
      // Only a 401 makes a client sign in again, which is no way out of too many calls.
      if (refusal.code !== 'unauthenticated') throw refusal;
      return this.#guard.challenge(request, origin, path);
    });
  }

  /** A route of which every method needs an access token with its scope. */
  route({ path, methods, ...rest }: ProtectedRoute): Route {
    const endpoints = Object.entries(methods).map(([method, { scope, handle, inputs, describe }]) => {
      const guarded = (context: HttpContext) =>
        this.serve(context, '', async ({ principal, workspace, token }) => {
          const open = { ...context, principal, workspace };
          if (principal.scopes.includes(scope))
            return handle({
              ...open,
              gated: (call, run) => gated(this.#approvals, open, call, (admitted) => run(admitted.workspace)),
            });
          return insufficientScope({ token, audience: context.origin, scope: [...principal.scopes] }, [scope]);
        });
      return [method as Method, { handle: guarded, inputs, describe, scopes: [scope] } satisfies Endpoint];
    });
    return { path, methods: Object.fromEntries(endpoints) as Route['methods'], crossOrigin: 'any', ...rest };
  }
}

function callerOf({ grantId, tokenHash }: KnownToken) {
  return { kind: 'token', grantId, tokenHash } as const;
}

function principalOf({ personId, grantId, facts }: KnownToken): Principal {
  return {
    personId,
    workspaceId: personId,
    grantId,
    clientId: facts.clientId,
    scopes: facts.scopes,
    label: facts.props.label,
  };
}

/**
 * The response once its first bytes are there. A stream of events is answered before the tool has
 * run; until something was sent, the answer can still become a 401.
 */
async function begun(response: Response): Promise<Response> {
  if (response.body === null || !response.headers.get('Content-Type')?.startsWith('text/event-stream')) return response;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const first = await reader.read();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (first.done) controller.close();
      else controller.enqueue(first.value);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return new Response(body, response);
}

import { asCarrelError } from '../lib/errors.ts';
import type { CarrelError } from '../lib/errors.ts';
import type { TokenFacts } from '../oauth/model.ts';
import type { Caller, OpenWorkspace, WorkspaceHealth, Workspaces } from './client.ts';
import type { WorkspaceObject } from './object.ts';

/** What came of the round trips of one request. */
export interface CallObserver {
  /** The first of them, settled when it is back; undefined while there was none. */
  first: Promise<void> | undefined;
  refusal: CarrelError | undefined;
}

type Stub = DurableObjectStub<WorkspaceObject>;

/** The workspaces, over the RPC of Durable Objects. */
export class RpcWorkspaces implements Workspaces {
  readonly #namespace: DurableObjectNamespace<WorkspaceObject>;

  constructor(namespace: DurableObjectNamespace<WorkspaceObject>) {
    this.#namespace = namespace;
  }

  /** @param observer is told of each round trip, so that a request can pay exactly one and see a refusal */
  open(workspaceId: string, caller: Caller, observer?: CallObserver): OpenWorkspace {
    const stub = this.#stub(workspaceId);
    const attempt = async (path: readonly string[], parameters: readonly unknown[]): Promise<unknown> => {
      try {
        // Not awaited before the method is called on it: the pipeline is what makes this one round trip.
        const opened = stub.open(caller);
        release(opened);
        let target: unknown = opened;
        for (const name of path.slice(0, -1)) target = (target as Record<string, unknown>)[name];
        const method = path.at(-1) ?? '';
        return await (target as Record<string, (...values: readonly unknown[]) => Promise<unknown>>)[method]?.(
          ...parameters,
        );
      } catch (thrown) {
        const error = asCarrelError(thrown);
        if (observer && error.code === 'unauthenticated') observer.refusal = error;
        throw error;
      }
    };
    const call = (path: readonly string[], parameters: readonly unknown[]): Promise<unknown> => {
      const result = attempt(path, parameters);
      const settled = () => undefined;
      if (observer) observer.first ??= result.then(settled, settled);
      return result;
    };
    return new Proxy({} as OpenWorkspace, {
      get: (_target, store) => {
        if (store === 'check') return () => call(['check'], []);
        return new Proxy(
          {},
          {
            get:
              (_methods, method) =>
              (...parameters: unknown[]) =>
                call([String(store), String(method)], parameters),
          },
        );
      },
    });
  }

  async token(personId: string, request: Request): Promise<Response> {
    return this.#stub(personId).token(request);
  }

  async authorize(input: Parameters<Workspaces['authorize']>[0]): Promise<string> {
    return this.#stub(input.personId).authorize(input);
  }

  async holdsGrant(personId: string, clientId: string, redirectUri: string): Promise<boolean> {
    return this.#stub(personId).holdsGrant(clientId, redirectUri);
  }

  async describeToken(personId: string, token: string, origin: string): Promise<TokenFacts | undefined> {
    return this.#stub(personId).describeToken(token, origin);
  }

  async revokeGrant(personId: string, grantId: string): Promise<void> {
    await this.#stub(personId).revokeGrant(grantId);
  }

  async writeStanding(personId: string, standing: Parameters<Workspaces['writeStanding']>[1]): Promise<void> {
    await this.#stub(personId).writeStanding(standing);
  }

  async health(workspaceId: string): Promise<WorkspaceHealth> {
    return this.#stub(workspaceId).health();
  }

  #stub(workspaceId: string): Stub {
    return this.#namespace.getByName(workspaceId);
  }
}

/**
 * Lets go of an opened workspace as soon as it is there: calls that were made on it go on. A refusal
 * rejects it as well as the call; the call's is the one that is reported.
 */
function release(opened: PromiseLike<Disposable>): void {
  void opened.then(
    (access) => access[Symbol.dispose](),
    () => undefined,
  );
}

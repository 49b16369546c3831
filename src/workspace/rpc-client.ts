import type { CallIntent } from '../approvals/model.ts';
import { CarrelError } from '../lib/errors.ts';
import type { GrantSummary, Narrowing, PersonalToken, TokenFacts } from '../oauth/model.ts';
import type { Caller, CallOutcome, OpenWorkspace, Remote, WorkspaceHealth, Workspaces } from './client.ts';
import type { Stores } from './features.ts';
import type { WorkspaceObject } from './object.ts';

/** What came of the round trips of one request. */
export interface CallObserver {
  /** The first of them, settled when it is back; undefined while there was none. */
  first: Promise<void> | undefined;
  refusal: CarrelError | undefined;
  /** Whether a round trip was let in: those that follow it belong to the same request. */
  admitted: boolean;
}

/** For a request that has made no call yet. */
export const newObserver = (): CallObserver => ({ first: undefined, refusal: undefined, admitted: false });

type Tail<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : never;

type Stub = DurableObjectStub<WorkspaceObject>;

/** What the RPC types make of {@link WorkspaceObject.run} is wider than what it gives. */
type Run = (caller: Caller, store?: string, method?: string, parameters?: readonly unknown[]) => Promise<CallOutcome>;

/** Neither a store nor a method: what awaits a store looks for a `then`, and would wait for it for ever. */
const isNoName = (property: string | symbol): property is symbol => typeof property === 'symbol' || property === 'then';

/** `notes.add#2` for the third call of a method. */
function nthOf(counts: Map<string, number>, method: string): string {
  const count = counts.get(method) ?? 0;
  counts.set(method, count + 1);
  return `${method}#${count}`;
}

/** The workspaces, over the RPC of Durable Objects. */
export class RpcWorkspaces implements Workspaces {
  readonly #namespace: DurableObjectNamespace<WorkspaceObject>;

  constructor(namespace: DurableObjectNamespace<WorkspaceObject>) {
    this.#namespace = namespace;
  }

  /**
   * Opens a workspace for one request: what follows its first call does not count as another.
   *
   * @param observer is told of each round trip, so that a request can pay exactly one and see a refusal
   */
  open(workspaceId: string, { asks, ...caller }: Caller, observer: CallObserver = newObserver()): OpenWorkspace {
    const stub = this.#stub(workspaceId) as unknown as { readonly run: Run };
    const counts = new Map<string, number>();
    let intent = asks;
    const attempt = async (...call: Tail<Parameters<Run>>): Promise<unknown> => {
      const from = caller.kind === 'job' ? { ...caller, call: nthOf(counts, `${call[0]}.${call[1]}`) } : caller;
      const as = intent ? { ...from, asks: intent } : from;
      const outcome = await stub.run(observer.admitted ? { ...as, continues: true } : as, ...call);
      if (outcome.ok || outcome.admitted) observer.admitted = true;
      // What was let in goes on to its end: a rule that is made meanwhile must not leave half of it.
      if (outcome.ok) intent = undefined;
      if (outcome.ok) return outcome.value;
      const { code, message, details } = outcome.error;
      const error = new CarrelError(code, message, { details });
      // That the access has ended outweighs that there were too many calls: only then a client signs in again.
      if (!outcome.admitted && observer.refusal?.code !== 'unauthenticated') observer.refusal = error;
      throw error;
    };
    const call = (...parameters: Tail<Parameters<Run>>): Promise<unknown> => {
      const result = attempt(...parameters);
      const settled = () => undefined;
      observer.first ??= result.then(settled, settled);
      return result;
    };
    return new Proxy({} as OpenWorkspace, {
      get: (_target, store) => {
        if (isNoName(store)) return undefined;
        if (store === 'check') return () => call();
        if (store === 'asking')
          return (next: CallIntent) => this.open(workspaceId, { ...caller, asks: next }, observer);
        return new Proxy(
          {},
          {
            get: (_methods, method) =>
              isNoName(method) ? undefined : (...parameters: unknown[]) => call(store, method, parameters),
          },
        );
      },
    });
  }

  async token(personId: string, request: Request, requestId: string): Promise<Response> {
    return this.#stub(personId).token(request, requestId);
  }

  async authorize(input: Parameters<Workspaces['authorize']>[0]): Promise<string> {
    return this.#stub(input.personId).authorize(input);
  }

  async authorizeDevice(...call: Parameters<Workspaces['authorizeDevice']>): Promise<Response> {
    const response = await this.#stub(call[0].personId).authorizeDevice(...call);
    // A body that comes over RPC must be read at once: it ends with the call, whatever is awaited meanwhile.
    return new Response(await response.text(), response);
  }

  async holdsGrant(
    personId: string,
    clientId: string,
    redirectUri: string,
    scopes: readonly string[],
  ): Promise<boolean> {
    return this.#stub(personId).holdsGrant(clientId, redirectUri, scopes);
  }

  async describeToken(personId: string, token: string, origin: string): Promise<TokenFacts | undefined> {
    return this.#stub(personId).describeToken(token, origin);
  }

  async listGrants(personId: string): Promise<GrantSummary[]> {
    return this.#stub(personId).listGrants();
  }

  async describePersonalToken(personId: string, grantId: string, tokenHash: string): Promise<TokenFacts | undefined> {
    return this.#stub(personId).describePersonalToken(grantId, tokenHash);
  }

  async personalTokens(personId: string): Promise<readonly PersonalToken[]> {
    return this.#stub(personId).personalTokens();
  }

  async addPersonalToken(
    personId: string,
    token: Omit<PersonalToken, 'lastUsedAt'>,
    tokenHash: string,
  ): Promise<boolean> {
    return this.#stub(personId).addPersonalToken(token, tokenHash);
  }

  async removePersonalToken(personId: string, grantId: string): Promise<boolean> {
    return this.#stub(personId).removePersonalToken(grantId);
  }

  async revokeGrant(personId: string, grantId: string): Promise<boolean> {
    return this.#stub(personId).revokeGrant(grantId);
  }

  async narrowGrant(personId: string, grantId: string, scopes: readonly string[]): Promise<Narrowing | undefined> {
    return this.#stub(personId).narrowGrant(grantId, scopes);
  }

  async writeStanding(personId: string, standing: Parameters<Workspaces['writeStanding']>[1]): Promise<void> {
    await this.#stub(personId).writeStanding(standing);
  }

  upkeep(workspaceId: string): Remote<Stores['upkeep']> {
    // As with `Run`: what the RPC types make of the method is wider than what it is.
    const stub = this.#stub(workspaceId) as unknown as Pick<WorkspaceObject, 'upkeep'>;
    return new Proxy({} as Remote<Stores['upkeep']>, {
      get: (_methods, method) =>
        isNoName(method) ? undefined : async (...parameters: unknown[]) => stub.upkeep(method, parameters),
    });
  }

  async wipe(workspaceId: string): Promise<number> {
    return this.#stub(workspaceId).wipe(workspaceId);
  }

  async health(workspaceId: string): Promise<WorkspaceHealth> {
    return this.#stub(workspaceId).health();
  }

  #stub(workspaceId: string): Stub {
    return this.#namespace.getByName(workspaceId);
  }
}

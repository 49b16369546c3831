import type { Quota } from '../files/model.ts';
import { noSuchSession } from '../sessions/model.ts';
import type { Session } from '../sessions/model.ts';
import type { SchemaStep } from './schema.ts';
import type { Database } from './sql.ts';

/** What a store gets from the workspace that it lives in. */
export interface StoreContext {
  readonly db: Database;
  /** The session of an id or a slug; the default one when none is named. */
  readonly findSession: (reference: string | undefined) => Session | undefined;
  /** Has the agenda run a task of {@link WorkspaceObject.alarm} no later than then (ms since the epoch). */
  readonly schedule: (task: string, due: number) => void;
  /** What this workspace may hold now. */
  readonly quota: () => Quota;
}

/** A class of stores, with the tables that it needs. */
export interface StoreClass {
  new (context: StoreContext): Store;
  /** Append-only. Several stores may share the tables of one of them. */
  readonly schema?: readonly SchemaStep[];
}

/**
 * The base of the stores that `features.ts` names. What such a class declares itself, and is not
 * `#private`, can be called from the Worker: one call is one round trip, runs to its end before
 * anything else does as long as it does not await, and carries plain values only.
 */
export abstract class Store {
  protected readonly db: Database;
  readonly #context: StoreContext;

  constructor(context: StoreContext) {
    this.db = context.db;
    this.#context = context;
  }

  /**
   * The session that a caller names by id or slug; the default one when none is named.
   *
   * @throws CarrelError `not_found`
   */
  protected session(reference: string | undefined): Session {
    const session = this.findSession(reference);
    if (!session) throw noSuchSession();
    return session;
  }

  /** See {@link StoreContext.findSession}. */
  protected findSession(reference: string | undefined): Session | undefined {
    return this.#context.findSession(reference);
  }

  /** See {@link StoreContext.schedule}. */
  protected schedule(task: string, due: number): void {
    this.#context.schedule(task, due);
  }
}

import { DurableObject, RpcTarget } from 'cloudflare:workers';

import type { OAuthRecordRepo } from '../directory/oauth-repo.ts';
import { purgeUploads } from '../files/purge.ts';
import type { FileBucket } from '../files/bucket.ts';
import { CarrelError } from '../lib/errors.ts';
import { GrantKeeper } from '../oauth/grant-keeper.ts';
import type { AuthorizeInput, TokenFacts } from '../oauth/model.ts';
import type { AuthorizationServers } from '../oauth/server.ts';
import type { Pause } from '../oauth/storage.ts';
import { GrantStore } from '../oauth/store.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { Agenda } from './agenda.ts';
import type { AgendaTask } from './agenda.ts';
import type { Caller, WorkspaceHealth } from './client.ts';
import { createStores, SCHEMA } from './features.ts';
import type { Stores } from './features.ts';
import { migrate, schemaVersions } from './schema.ts';
import { Database } from './sql.ts';
import { StandingStore } from './standing.ts';
import type { Standing } from './standing.ts';

const HOUR_MS = 3_600_000;

/** What a workspace needs from outside itself. */
export interface WorkspaceDependencies {
  readonly servers: AuthorizationServers;
  readonly records: OAuthRecordRepo;
  readonly bucket: FileBucket;
  readonly telemetry: Telemetry;
  /** Tests only: a delay before each access of the OAuth library to storage. */
  readonly pause?: Pause;
}

/**
 * One workspace: all that belongs to one person, behind thin RPC. It holds the person's grants as
 * well, so that one round trip both checks a caller and does what the caller asks.
 */
export class WorkspaceObject extends DurableObject {
  readonly #db: Database;
  readonly #stores: Stores;
  readonly #grants: GrantStore;
  readonly #standing: StandingStore;
  readonly #keeper: GrantKeeper;
  readonly #agenda: Agenda;
  readonly #dependencies: WorkspaceDependencies;

  constructor(state: DurableObjectState, env: object, dependencies: WorkspaceDependencies) {
    super(state, env);
    this.#dependencies = dependencies;
    this.#db = new Database(state.storage);
    migrate(this.#db, SCHEMA, Date.now());
    this.#agenda = new Agenda(this.#db, state.storage);
    this.#stores = createStores(this.#db, (due) => state.waitUntil(this.#agenda.schedule('uploads', due)));
    this.#grants = new GrantStore(this.#db);
    this.#standing = new StandingStore(this.#db);
    this.#keeper = new GrantKeeper(this.#grants, dependencies.servers, dependencies.records, dependencies.pause);
  }

  /**
   * The feature stores, for a caller who may use them now. Thanks to promise pipelining
   * `stub.open(caller).files.list(…)` is one round trip.
   *
   * @throws CarrelError `unauthenticated` (a token) or `forbidden` (an address) when the grant, the
   * token or the person's standing no longer allows it
   */
  open(caller: Caller): WorkspaceAccess {
    const now = Date.now();
    if (caller.kind === 'token') {
      if (!this.#isEntitled() || !this.#grants.isAlive(caller.grantId, caller.tokenHash, now))
        throw new CarrelError('unauthenticated', 'This access was ended. Sign in again.');
    } else if (!this.#isEntitled() || !this.#grants.isGrantAlive(caller.grantId, now)) {
      throw new CarrelError('forbidden', 'The access that made this address was ended. Ask for a new address.');
    }
    return new WorkspaceAccess(this.#stores);
  }

  async token(request: Request): Promise<Response> {
    const response = await this.#keeper.token(request, this.#isEntitled());
    if (response.ok) await this.#scheduleSweep(Date.now());
    return response;
  }

  async authorize(input: AuthorizeInput): Promise<string> {
    if (!this.#isEntitled()) throw new CarrelError('forbidden', 'This account was disabled.');
    const redirectTo = await this.#keeper.authorize(input);
    await this.#scheduleSweep(Date.now());
    return redirectTo;
  }

  holdsGrant(clientId: string, redirectUri: string): boolean {
    return this.#isEntitled() && this.#keeper.holdsGrant(clientId, redirectUri);
  }

  async describeToken(token: string, origin: string): Promise<TokenFacts | undefined> {
    const facts = await this.#keeper.describe(token, origin);
    return facts?.clientId === undefined || facts.expiresAt === undefined
      ? undefined
      : { clientId: facts.clientId, scopes: facts.scope ?? [], expiresAt: facts.expiresAt, props: facts.props };
  }

  revokeGrant(grantId: string): void {
    this.#grants.revoke(grantId, Date.now());
  }

  writeStanding(standing: Standing): void {
    this.#standing.write(standing, Date.now());
  }

  health(): WorkspaceHealth {
    return { schema: schemaVersions(this.#db) };
  }

  override async alarm(): Promise<void> {
    const tasks: Record<string, AgendaTask> = {
      oauth: async (now) => {
        this.#grants.sweep(now);
        return this.#nextSweep(now);
      },
      uploads: (now) => purgeUploads(this.#stores.files, this.#dependencies.bucket, now),
    };
    await this.#agenda.run(tasks, Date.now(), (task, error) =>
      this.#dependencies.telemetry.record({ type: 'agenda_failed', task, error }),
    );
  }

  /** Whether the person may enter at all. Somebody of whom this object was told nothing may not. */
  #isEntitled(): boolean {
    const standing = this.#standing.read();
    return standing !== undefined && !standing.disabled;
  }

  async #scheduleSweep(now: number): Promise<void> {
    const due = this.#nextSweep(now);
    if (due !== undefined) await this.#agenda.schedule('oauth', due);
  }

  /** At most hourly, and never again once there is nothing left: a workspace that nobody uses sleeps. */
  #nextSweep(now: number): number | undefined {
    const expiry = this.#grants.nextExpiry();
    return expiry === undefined ? undefined : Math.max(expiry, now + HOUR_MS);
  }
}

/** The stores of a workspace, for a caller who was checked. One getter a store, on the prototype: RPC serves no others. */
export class WorkspaceAccess extends RpcTarget {
  readonly #stores: Stores;

  constructor(stores: Stores) {
    super();
    this.#stores = stores;
  }

  get sessions(): Stores['sessions'] {
    return this.#stores.sessions;
  }

  get state(): Stores['state'] {
    return this.#stores.state;
  }

  get files(): Stores['files'] {
    return this.#stores.files;
  }

  check(): void {}
}

import { DurableObject } from 'cloudflare:workers';

import type { AuditTrail } from '../directory/audit.ts';
import type { OAuthRecordRepo } from '../directory/oauth-repo.ts';
import type { Role } from '../directory/types.ts';
import type { Quota } from '../files/model.ts';
import type { FileBucket } from '../files/bucket.ts';
import type { Runner } from '../jobs/durable.ts';
import { CarrelError } from '../lib/errors.ts';
import { GrantKeeper } from '../oauth/grant-keeper.ts';
import type { OnReuse } from '../oauth/grant-keeper.ts';
import { LibraryGrants } from '../oauth/library-grants.ts';
import { PERSONAL_TOKEN_CLIENT } from '../oauth/model.ts';
import type {
  AuthorizeInput,
  ClientCredentials,
  GrantSummary,
  Narrowing,
  PersonalToken,
  TokenFacts,
} from '../oauth/model.ts';
import type { AuthorizationServers } from '../oauth/server.ts';
import type { Pause } from '../oauth/storage.ts';
import { isPersonalGrant } from '../oauth/personal-token.ts';
import { PersonalTokenStore } from '../oauth/personal-token-store.ts';
import { GrantStore } from '../oauth/store.ts';
import { Rate } from '../lib/rate.ts';
import { callOnce, REPEATABLE } from '../jobs/once.ts';
import type { SweptFiles, Telemetry } from '../telemetry/telemetry.ts';
import { Agenda } from './agenda.ts';
import type { AgendaTask } from './agenda.ts';
import type { Caller, CallOutcome, WorkspaceHealth } from './client.ts';
import { Features, SCHEMA } from './features.ts';
import type { LaterStores, OwnStores } from './features.ts';
import { migrate, schemaVersions } from './schema.ts';
import { Database } from './sql.ts';
import { StandingStore } from './standing.ts';
import type { Standing } from './standing.ts';

const HOUR_MS = 3_600_000;
/** Stores with which approvals are answered and their rules made: not for everybody who may call. */
const ANSWERED = /^(?:decisions|approvalRules)$/;

/** What a workspace needs from outside itself. */
export interface WorkspaceDependencies {
  readonly servers: AuthorizationServers;
  readonly records: OAuthRecordRepo;
  readonly bucket: FileBucket;
  readonly telemetry: Telemetry;
  readonly audit: AuditTrail;
  readonly onReuse: OnReuse;
  /** Of all apps of this person together, and as many by signed addresses; 0 for any number. */
  readonly callsPerMinute: number;
  /** What a workspace may hold, by the role of its person. */
  readonly quotas: Readonly<Record<Role, Quota>>;
  /** Where the runs of jobs run. */
  readonly runner: Runner;
  readonly jobs: { readonly patience: number; readonly keep: number };
  /** Removes the tables of a workspace, which are in an object of their own. */
  readonly wipeDatasets: (workspaceId: string) => Promise<void>;
  /** Tests only: a delay before each access of the OAuth library to storage. */
  readonly pause?: Pause;
}

/**
 * One workspace: all that belongs to one person, behind thin RPC. It holds the person's grants as
 * well, so that one round trip both checks a caller and does what the caller asks.
 */
export class WorkspaceObject extends DurableObject {
  readonly #db: Database;
  readonly #features: Features;
  readonly #stores: OwnStores;
  readonly #grants: GrantStore;
  readonly #libraryGrants: LibraryGrants;
  readonly #personalTokens: PersonalTokenStore;
  readonly #standing: StandingStore;
  readonly #keeper: GrantKeeper;
  readonly #agenda: Agenda;
  readonly #calls: Rate;
  /** Apart from the person's own: who was given an address must not use up what the person's apps may do. */
  readonly #callsByAddress: Rate;
  readonly #dependencies: WorkspaceDependencies;

  constructor(state: DurableObjectState, env: object, dependencies: WorkspaceDependencies) {
    super(state, env);
    this.#dependencies = dependencies;
    this.#db = new Database(state.storage);
    migrate(this.#db, SCHEMA, Date.now());
    this.#agenda = new Agenda(this.#db, state.storage);
    this.#features = new Features({
      db: this.#db,
      schedule: (task, due) => state.waitUntil(this.#agenda.schedule(task, due)),
      quota: () => dependencies.quotas[this.#standing.read()?.role ?? 'member'],
    });
    this.#stores = this.#features.stores;
    this.#grants = new GrantStore(this.#db);
    this.#libraryGrants = new LibraryGrants(this.#grants);
    this.#personalTokens = new PersonalTokenStore(this.#db);
    this.#standing = new StandingStore(this.#db);
    this.#calls = new Rate(dependencies.callsPerMinute);
    this.#callsByAddress = new Rate(dependencies.callsPerMinute);
    this.#keeper = new GrantKeeper({ ...dependencies, grants: this.#grants });
  }

  /**
   * Runs a method of a feature store for a caller who may use it now: one round trip both checks the
   * caller and does what the caller asks, with nothing in between. Without a store it only checks.
   *
   * A refusal (`unauthenticated` for a token, `forbidden` for an address, `limit_exceeded`) and every other CarrelError
   * is a value: the platform counts an exception that leaves an object as a failure of the object.
   */
  async run(
    caller: Caller,
    store?: string,
    method?: string,
    parameters: readonly unknown[] = [],
  ): Promise<CallOutcome> {
    let admitted = false;
    try {
      if (store !== undefined) await this.#features.prepare(store);
      if (caller.kind === 'job') await this.#features.prepare('runs');
      // The last thing to wait for: what was found to ask for nothing before it must still do so after it.
      const isAsked = (caller.asks && this.#standing.read()?.asks) || ANSWERED.test(store ?? '');
      const approvals = isAsked ? await this.#approvals() : undefined;
      this.#admit(caller, Date.now());
      admitted = true;
      approvals?.admit(caller, store, this.#features, this.#personalTokens);
      // What is called now may make other rules.
      if (approvals) this.#standing.forget();
      if (store === undefined || method === undefined) return { ok: true, value: undefined };
      const call = () => this.#features.call(store, method, parameters);
      const once = caller.kind === 'job' && caller.step !== '' && !REPEATABLE.has(store);
      return {
        ok: true,
        value: await (once ? callOnce(this.#db, this.#features.later('runs'), caller, call) : call()),
      };
    } catch (error) {
      if (!(error instanceof CarrelError)) throw error;
      const { code, message, details } = error;
      return { ok: false, admitted, error: { code, message, details } };
    }
  }

  async token(request: Request, requestId: string): Promise<Response> {
    const response = await this.#keeper.token(request, this.#isEntitled(), requestId);
    if (response.ok) await this.#scheduleSweep(Date.now());
    return response;
  }

  async authorize(input: AuthorizeInput): Promise<string> {
    if (!this.#isEntitled()) throw new CarrelError('forbidden', 'This account was disabled.');
    const redirectTo = await this.#keeper.authorize(input);
    await this.#scheduleSweep(Date.now());
    return redirectTo;
  }

  async authorizeDevice(
    input: AuthorizeInput & { readonly deviceHash: string },
    credentials: ClientCredentials,
    requestId: string,
  ): Promise<Response> {
    // Disabled after they allowed it, before the device came for it.
    if (!this.#isEntitled()) {
      const about = { personId: input.personId, clientId: input.request.clientId, requestId };
      const detail = { reason: 'person_disabled' };
      await this.#dependencies.audit.record({ ...about, action: 'token_refused', detail });
      return Response.json({ error: 'access_denied', error_description: 'The account was disabled.' }, { status: 400 });
    }
    const response = await this.#keeper.authorizeDevice(input, credentials, requestId);
    await this.#scheduleSweep(Date.now());
    return response;
  }

  holdsGrant(clientId: string, redirectUri: string, scopes: readonly string[]): boolean {
    return this.#isEntitled() && this.#libraryGrants.holds(clientId, redirectUri, scopes);
  }

  async describeToken(token: string, origin: string): Promise<TokenFacts | undefined> {
    const facts = await this.#keeper.describe(token, origin);
    return facts?.clientId === undefined || facts.expiresAt === undefined
      ? undefined
      : { clientId: facts.clientId, scopes: facts.scope ?? [], expiresAt: facts.expiresAt, props: facts.props };
  }

  listGrants(): GrantSummary[] {
    return this.#libraryGrants.summaries();
  }

  /** What a personal token stands for; undefined for one that was ended or has expired. */
  describePersonalToken(grantId: string, tokenHash: string): TokenFacts | undefined {
    const token = this.#personalTokens.find(grantId, tokenHash, Date.now());
    return (
      token && {
        clientId: PERSONAL_TOKEN_CLIENT,
        scopes: token.scopes,
        expiresAt: Math.floor(token.expiresAt / 1000),
        props: { label: token.label },
      }
    );
  }

  personalTokens(): readonly PersonalToken[] {
    return this.#personalTokens.list(Date.now());
  }

  addPersonalToken(token: Omit<PersonalToken, 'lastUsedAt'>, tokenHash: string): boolean {
    return this.#isEntitled() && this.#personalTokens.add(token, tokenHash, Date.now());
  }

  async removePersonalToken(grantId: string): Promise<boolean> {
    const removed = this.#personalTokens.remove(grantId);
    await this.#tellJobs((runs) => runs.pauseAll(grantId, Date.now()));
    return removed;
  }

  async revokeGrant(grantId: string): Promise<boolean> {
    const ended = this.#keeper.end(grantId);
    await this.#tellJobs((runs) => runs.pauseAll(grantId, Date.now()));
    return ended;
  }

  async narrowGrant(grantId: string, scopes: readonly string[]): Promise<Narrowing | undefined> {
    return this.#keeper.narrow(grantId, scopes);
  }

  async writeStanding(standing: Standing): Promise<void> {
    this.#standing.write(standing, Date.now());
    if (standing.disabled) await this.#tellJobs((runs) => runs.cancelAll(Date.now()));
  }

  /**
   * Removes all that is here and its bytes in the bucket. Whoever comes meanwhile or afterwards finds
   * an object that was told of nobody, and is refused.
   *
   * @param workspaceId under which its bytes are
   */
  async wipe(workspaceId: string): Promise<number> {
    this.#standing.write({ role: 'member', disabled: true }, Date.now());
    const { bucket, wipeDatasets } = this.#dependencies;
    await wipeDatasets(workspaceId);
    const removed = await bucket.deleteAll(`${workspaceId}/`);
    await this.ctx.storage.deleteAll();
    this.#standing.forget();
    this.#features.forget();
    migrate(this.#db, SCHEMA, Date.now());
    // As of a step of an import that had been let in before.
    await wipeDatasets(workspaceId);
    // An upload that was under way when the first listing was made has its bytes there by now.
    return removed + (await bucket.deleteAll(`${workspaceId}/`));
  }

  /** A method of the store with which the operator compares the index with the bucket; no caller is let in by it. */
  upkeep(method: string, parameters: readonly unknown[]): unknown {
    return this.#features.call('upkeep', method, parameters);
  }

  health(): WorkspaceHealth {
    return { schema: schemaVersions(this.#db) };
  }

  override async alarm(): Promise<void> {
    const { telemetry } = this.#dependencies;
    const swept = (what: 'uploads' | 'trash' | 'links', removed: SweptFiles) =>
      telemetry.record({ type: 'files_swept', what, removed });
    const tasks: Record<string, AgendaTask> = {
      oauth: async (now) => {
        this.#grants.sweep(now);
        return this.#nextSweep(now);
      },
      // What only an alarm needs is loaded by it.
      uploads: async (now) =>
        (await import('../files/purge.ts')).purgeUploads(this.#stores, this.#dependencies.bucket, now, swept),
      verify: async (now) =>
        (await import('../files/verify.ts')).completeUploads(this.#stores, this.#dependencies.bucket, now),
      texts: async (now) => {
        // What reads PDF and the like is loaded when there is something to read.
        const { readTexts } = await import('../files/read-texts.ts');
        return readTexts(this.#stores.texts, this.#dependencies.bucket, now);
      },
      trash: async (now) => (await import('../files/purge.ts')).purgeTrash(this.#stores.files, now, swept),
      shares: async (now) => (await import('../files/purge.ts')).purgeLinks(this.#stores.shares, now, swept),
      jobs: async (now) => {
        await this.#features.prepare('runs');
        const { tendJobs } = await import('../jobs/tend.ts');
        const { runner, jobs } = this.#dependencies;
        return tendJobs(this.#features.later('runs'), runner, jobs, now);
      },
      schedules: async (now) => {
        await this.#features.prepare('schedules');
        const { fireSchedules } = await import('../schedules/fire.ts');
        // Of a disabled person nothing starts; what was missed is made up for when they may enter again.
        if (!this.#isEntitled()) return now + HOUR_MS;
        return fireSchedules(
          (store) => this.#features.later(store),
          (grant, scopes) => this.#covers(grant, scopes, now),
          now,
        );
      },
      approvals: async (now) =>
        (await this.#approvals()).expire(this.#features, this.#dependencies.audit, now, async (jobId) => {
          await this.#features.prepare('jobs');
          this.#features.later('jobs').proceed(jobId, now);
        }),
    };
    await this.#agenda.run(tasks, Date.now(), (task, error) =>
      telemetry.record({ type: 'agenda_failed', task, error }),
    );
  }

  async #approvals() {
    await this.#features.prepare('approvals');
    return import('../approvals/admission.ts');
  }

  /** @throws CarrelError when the grant, the token, the person's standing or the rate of calls does not allow it */
  #admit(caller: Caller, now: number): void {
    if (caller.kind === 'token') {
      const tokens = isPersonalGrant(caller.grantId) ? this.#personalTokens : this.#grants;
      if (!this.#isEntitled() || !tokens.isAlive(caller.grantId, caller.tokenHash, now))
        throw new CarrelError('unauthenticated', 'This access was ended. Sign in again.');
      if (!isPersonalGrant(caller.grantId) && this.#grants.noteUse(caller.grantId, now))
        this.ctx.waitUntil(this.#keeper.recordFirstUse(caller.grantId));
    } else if (caller.kind === 'address') {
      if (!this.#isEntitled() || !this.#outlives(caller, now))
        throw new CarrelError('forbidden', 'The access that made this address was ended. Ask for a new address.');
    } else if (caller.kind === 'share') {
      if (!this.#isEntitled() || !this.#stores.shares.isAlive(caller.shareId, now))
        throw new CarrelError('not_found', 'There is no such share.');
    } else if (caller.kind === 'job') {
      this.#admitRun(caller, now);
    } else if (!this.#isEntitled()) {
      throw new CarrelError('forbidden', 'This account was disabled.');
    }
    // The pages of a person are slow enough, and must open also while an app calls without end.
    if (caller.continues === true || caller.kind === 'person' || caller.kind === 'job') return;
    // Only now: whoever may not call uses up nothing.
    const wait = (caller.kind === 'token' ? this.#calls : this.#callsByAddress).take(now);
    if (wait !== undefined)
      throw new CarrelError('limit_exceeded', `Too many calls in a minute. Go on in ${wait} s.`, {
        details: { retry_after: wait },
      });
  }

  /** A job does what its access allows now: it ends with the person, and stops with its grant or a part of it. */
  #admitRun({ jobId, run }: Extract<Caller, { kind: 'job' }>, now: number): void {
    const runs = this.#features.later('runs');
    const { grantId, scopes } = runs.admit(jobId, run);
    if (!this.#isEntitled()) runs.cancelAll(now);
    else if (grantId !== undefined && !this.#covers(grantId, scopes, now)) runs.pause(jobId, 'access_ended', now);
    else return;
    // Says that the run is over.
    runs.admit(jobId, run);
  }

  #covers(grantId: string, scopes: readonly string[], now: number): boolean {
    return isPersonalGrant(grantId)
      ? this.#personalTokens.exists(grantId, now)
      : scopes.every((scope) => this.#libraryGrants.hasScope(grantId, scope));
  }

  /** Tells the jobs of a workspace that an access ended. What is missed here, the next call of a run meets. */
  async #tellJobs(tell: (runs: LaterStores['runs']) => void): Promise<void> {
    if (!this.#features.wasUsed('jobs')) return;
    await this.#features.prepare('runs');
    tell(this.#features.later('runs'));
  }

  /** Whether what made a signed address is still there, and may still do what the address does. */
  #outlives({ grantId, scope }: Extract<Caller, { kind: 'address' }>, now: number): boolean {
    return isPersonalGrant(grantId)
      ? this.#personalTokens.exists(grantId, now)
      : this.#libraryGrants.hasScope(grantId, scope);
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

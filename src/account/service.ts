import type { AdmissionRepo } from '../directory/admission-repo.ts';
import type { AuditTrail } from '../directory/audit.ts';
import type { DeviceRepo } from '../directory/device-repo.ts';
import type { PeopleRepo } from '../directory/people-repo.ts';
import type { BrowserSession, LinkedIdentity } from '../directory/types.ts';
import { CarrelError } from '../lib/errors.ts';
import type { ClientName, ClientNames } from '../oauth/client-names.ts';
import { deviceRedirect } from '../oauth/model.ts';
import type { GrantSummary } from '../oauth/model.ts';
import type { Scope } from '../oauth/scopes.ts';
import type { Workspaces } from '../workspace/client.ts';

/** An app that a person let in. */
export interface ConnectedApp extends GrantSummary, ClientName {
  /** When it last called or renewed its access, ms since the epoch, to the hour. */
  readonly lastUsedAt: number;
  /** Whether it is on a device whose code the person entered, and so has no redirect. */
  readonly onDevice: boolean;
  /** Its scopes, as people are told of them. */
  readonly permissions: readonly Pick<Scope, 'name' | 'title' | 'sentence'>[];
}

interface AccountServiceOptions {
  readonly people: PeopleRepo;
  readonly admissions: AdmissionRepo;
  readonly workspaces: Workspaces;
  readonly devices: Pick<DeviceRepo, 'withdraw'>;
  readonly clients: ClientNames;
  readonly scopes: readonly Scope[];
  readonly audit: AuditTrail;
  readonly grantIdleSeconds: number;
}

/** Passkeys are kept with what proves them, and have a page of their own. */
const PASSKEY = 'passkey';

/**
 * What people see and end of their own. Everything is asked for by the person who is signed in: what
 * belongs to somebody else is not there.
 */
export class AccountService {
  readonly #options: AccountServiceOptions;

  constructor(options: AccountServiceOptions) {
    this.#options = options;
  }

  /** The ways in which a person signs in, and which of them may go: never the last one. */
  async identities(personId: string): Promise<(LinkedIdentity & { readonly removable: boolean })[]> {
    const identities = await this.#options.admissions.identities(personId);
    return identities.map((identity) => ({
      ...identity,
      removable: identities.length > 1 && identity.provider !== PASSKEY,
    }));
  }

  /**
   * Takes a way to sign in from a person. Browsers that it signed in are signed out: whoever removes an
   * account that somebody else got into must not leave that one inside.
   *
   * @param session of the browser that asks, which stays
   * @throws CarrelError `not_found`, `conflict`
   */
  async unlink(
    personId: string,
    { provider, subject }: Pick<LinkedIdentity, 'provider' | 'subject'>,
    session: string | undefined,
    requestId: string,
  ): Promise<void> {
    const { admissions, people, audit } = this.#options;
    const identities = await this.identities(personId);
    const identity = identities.find((each) => each.provider === provider && each.subject === subject);
    if (!identity) throw new CarrelError('not_found', 'There is no such way to sign in.');
    if (provider === PASSKEY) throw new CarrelError('conflict', 'Passkeys are removed on their own page.');
    // The repo counts once more, while it deletes: two removals at once must not leave nothing.
    if (!identity.removable || !(await admissions.unlinkIdentity(personId, provider, subject)))
      throw new CarrelError('conflict', 'This is your only way to sign in. Link another one first.');
    const ended = await people.endSessions(personId, { except: session, provider });
    await audit.record({ action: 'identity_removed', personId, requestId, detail: { provider, sessions: ended } });
  }

  /** The browsers in which a person is signed in, newest first. */
  async sessions(personId: string): Promise<BrowserSession[]> {
    return this.#options.people.sessions(personId, Date.now());
  }

  /** Signs a person out in every browser but one. */
  async signOutElsewhere(personId: string, session: string | undefined, requestId: string): Promise<void> {
    const sessions = await this.#options.people.endSessions(personId, { except: session });
    await this.#options.audit.record({ action: 'sessions_ended', personId, requestId, detail: { sessions } });
  }

  async apps(personId: string, origin: string): Promise<ConnectedApp[]> {
    const { workspaces, clients, scopes, grantIdleSeconds } = this.#options;
    const grants = await workspaces.listGrants(personId);
    const ids = [...new Set(grants.map(({ clientId }) => clientId))];
    const names = new Map(await Promise.all(ids.map(async (id) => [id, await clients.of(id, origin)] as const)));
    return grants.map((grant) => {
      const { name, domain } = names.get(grant.clientId) ?? { name: undefined, domain: undefined };
      // Each renewal moves the end of a grant, and nothing else does.
      const renewedAt = grant.expiresAt === undefined ? 0 : grant.expiresAt - grantIdleSeconds * 1000;
      const lastUsedAt = Math.max(grant.createdAt, grant.lastUsedAt ?? 0, Math.min(renewedAt, Date.now()));
      // One of a toolset that has been taken out since has no words any more.
      const permissions = grant.scopes.map(
        (scope) => scopes.find((each) => each.name === scope) ?? { name: scope, title: scope, sentence: '' },
      );
      const onDevice = grant.redirectUri === deviceRedirect(origin);
      return { ...grant, name, domain, lastUsedAt, onDevice, permissions };
    });
  }

  /**
   * Leaves an app only these of its scopes, from its next request on, without another sign-in.
   *
   * @throws CarrelError `not_found`, `invalid_input`
   */
  async narrow(personId: string, grantId: string, scopes: readonly string[], requestId: string): Promise<void> {
    const { workspaces, devices, audit } = this.#options;
    const grant = await this.#grant(personId, grantId);
    const narrowed = await workspaces.narrowGrant(personId, grantId, scopes);
    if (!narrowed) throw notConnected();
    // What was written decides, and not what the page showed: of two forms at once, the second finds less.
    const { left, taken } = narrowed;
    if (left.length === 0)
      throw new CarrelError('invalid_input', 'Leave the app at least one permission, or disconnect it.');
    if (taken.length === 0) return;
    await devices.withdraw(personId, grant.clientId);
    const detail = { by: personId, taken: taken.join(' ') };
    await audit.record({ action: 'grant_narrowed', personId, clientId: grant.clientId, grantId, requestId, detail });
  }

  /** Ends what a person lets an app do, from its next request on. @throws CarrelError `not_found` */
  async revoke(personId: string, grantId: string, requestId: string): Promise<void> {
    const { workspaces, devices, audit } = this.#options;
    // Only what is there: each revocation is remembered for weeks, and must not be to have for asking.
    const { clientId } = await this.#grant(personId, grantId);
    // A device that was allowed and has not come yet would be let in afterwards.
    await devices.withdraw(personId, clientId);
    if (!(await workspaces.revokeGrant(personId, grantId))) return;
    await audit.record({ action: 'grant_revoked', personId, clientId, grantId, requestId, detail: { by: personId } });
  }

  /** @throws CarrelError `not_found` */
  async #grant(personId: string, grantId: string): Promise<GrantSummary> {
    const grants = await this.#options.workspaces.listGrants(personId);
    const grant = grants.find((each) => each.grantId === grantId);
    if (!grant) throw notConnected();
    return grant;
  }
}

const notConnected = () => new CarrelError('not_found', 'This app is not connected, or was disconnected before.');

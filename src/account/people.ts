import type { AdmissionRepo } from '../directory/admission-repo.ts';
import type { AuditQuery, AuditRepo } from '../directory/audit-repo.ts';
import type { AuditTrail } from '../directory/audit.ts';
import type { PeopleRepo } from '../directory/people-repo.ts';
import type { DirectoryService } from '../directory/service.ts';
import type { AuditLine, Invitation, Person, PersonEntry, Role } from '../directory/types.ts';
import type { Admission } from '../identity/admission.ts';
import { CarrelError } from '../lib/errors.ts';
import type { Workspaces } from '../workspace/client.ts';

/** Who asks: a person, or the operator, who holds the secrets of the deployment. */
export type Actor = Pick<Person, 'id' | 'role'> | 'operator';

/** A role that can be given. Owner is who claims the deployment. */
export type GivenRole = Exclude<Role, 'owner'>;

interface PeopleServiceOptions {
  readonly people: PeopleRepo;
  readonly admissions: AdmissionRepo;
  readonly admission: Admission;
  readonly directory: DirectoryService;
  readonly lines: AuditRepo;
  readonly audit: AuditTrail;
  readonly workspaces: Workspaces;
}

const PEOPLE_PAGE = 100;
const AUDIT_PAGE = 50;
const INVITATIONS_SHOWN = 100;

/** Whether this role runs the deployment's people. */
const mayManage = (role: Role): boolean => role === 'owner' || role === 'admin';

const noSuchPerson = () => new CarrelError('not_found', 'There is no such person here.');

/**
 * The people of the deployment, for those who run it. No role opens anybody's workspace: what is in
 * there is read by its own person alone, whoever owns the deployment. So an auditor, who must see no
 * content, needs no rule of their own there, and has a workspace like everybody.
 *
 * Nobody changes themselves or the owner here, so there is always somebody who can let people in again.
 */
export class PeopleService {
  readonly #options: PeopleServiceOptions;

  constructor(options: PeopleServiceOptions) {
    this.#options = options;
  }

  /** @throws CarrelError `forbidden` */
  async list(actor: Actor, after?: string): Promise<{ people: PersonEntry[]; next: string | undefined }> {
    requireManager(actor);
    const people = await this.#options.people.list(PEOPLE_PAGE + 1, after);
    const page = people.slice(0, PEOPLE_PAGE);
    return { people: page, next: people.length > PEOPLE_PAGE ? page.at(-1)?.id : undefined };
  }

  /** @throws CarrelError `forbidden`, `not_found`, `conflict` */
  async changeRole(actor: Actor, id: string, role: GivenRole, requestId: string): Promise<void> {
    const person = await this.#find(actor, id);
    if (person.role === role) return;
    await this.#change(person, { role, disabledAt: person.disabledAt });
    const detail = { by: nameOf(actor), from: person.role, to: role };
    await this.#options.audit.record({ action: 'role_changed', personId: id, requestId, detail });
    if (!mayManage(role)) await this.#withdrawAll(actor, id, requestId);
  }

  /** Ends a person's access with the next call, and signs out their browsers. @throws CarrelError */
  async disable(actor: Actor, id: string, requestId: string): Promise<void> {
    const person = await this.#find(actor, id);
    if (person.disabledAt !== undefined) return;
    await this.#change(person, { role: person.role, disabledAt: Date.now() });
    // They end with the standing already. Gone, they do not come back with the person.
    const sessions = await this.#options.people.endSessions(id);
    const detail = { by: nameOf(actor), sessions };
    await this.#options.audit.record({ action: 'person_disabled', personId: id, requestId, detail });
    await this.#withdrawAll(actor, id, requestId);
  }

  /** @throws CarrelError `forbidden`, `not_found`, `conflict` */
  async enable(actor: Actor, id: string, requestId: string): Promise<void> {
    const person = await this.#find(actor, id);
    if (person.disabledAt === undefined) return;
    await this.#change(person, { role: person.role, disabledAt: undefined });
    const detail = { by: nameOf(actor) };
    await this.#options.audit.record({ action: 'person_enabled', personId: id, requestId, detail });
  }

  /**
   * Removes a person with all their data, for good. For the operator alone: no page does what cannot be
   * taken back. The object first: it refuses whoever comes from then on.
   *
   * @throws CarrelError `forbidden`, `not_found`
   */
  async delete(actor: Actor, id: string, requestId: string): Promise<{ objects: number }> {
    if (actor !== 'operator') throw forbidden();
    const person = await this.#find(actor, id);
    const objects = await this.#options.workspaces.wipe(id);
    await this.#options.people.delete(id);
    const detail = { by: actor, role: person.role, objects };
    await this.#options.audit.record({ action: 'person_deleted', personId: id, requestId, detail });
    return { objects };
  }

  /** What deleting a person would remove. @throws CarrelError `forbidden`, `not_found` */
  async inspect(actor: Actor, id: string): Promise<{ person: PersonEntry; apps: number }> {
    const person = await this.#find(actor, id);
    return { person, apps: (await this.#options.workspaces.listGrants(id)).length };
  }

  /** The newest invitations, used ones as well. @throws CarrelError `forbidden` */
  async invitations(actor: Actor): Promise<Invitation[]> {
    requireManager(actor);
    return this.#options.admissions.invitations(INVITATIONS_SHOWN);
  }

  /** @returns the secret of the link, which is kept nowhere @throws CarrelError `forbidden` */
  async invite(actor: Person, role: GivenRole, note: string, requestId: string): Promise<string> {
    requireManager(actor);
    return this.#options.admission.invite(actor, role, note, requestId);
  }

  /** @throws CarrelError `forbidden`, `not_found` */
  async withdraw(actor: Actor, invitation: string, requestId: string): Promise<void> {
    requireManager(actor);
    if (!(await this.#options.admissions.deleteInvitation(invitation)))
      throw new CarrelError('not_found', 'There is no such invitation, or somebody has used it.');
    await this.#noteWithdrawal(actor, invitation, requestId);
  }

  /** The audit, newest first, with how its people are called. @throws CarrelError `forbidden` */
  async audit(
    actor: Actor,
    query: Omit<AuditQuery, 'limit'>,
  ): Promise<{ lines: AuditLine[]; names: ReadonlyMap<string, string>; next: number | undefined }> {
    if (actor !== 'operator' && !mayManage(actor.role) && actor.role !== 'auditor') throw forbidden();
    const found = await this.#options.lines.list({ ...query, limit: AUDIT_PAGE + 1 });
    const lines = found.slice(0, AUDIT_PAGE);
    const ids = lines.flatMap(({ personId, detail }) => [personId, detail['by']]);
    const names = await this.#options.people.emails(ids.filter((id) => typeof id === 'string'));
    return { lines, names, next: found.length > AUDIT_PAGE ? lines.at(-1)?.id : undefined };
  }

  /** The person whom an actor may change. */
  async #find(actor: Actor, id: string): Promise<PersonEntry> {
    requireManager(actor);
    const person = await this.#options.people.find(id);
    if (!person) throw noSuchPerson();
    if (actor === 'operator') return person;
    if (person.role === 'owner') throw new CarrelError('forbidden', 'Nobody can change the owner here.');
    if (person.id === actor.id) throw new CarrelError('forbidden', 'Nobody can change themselves here: ask another.');
    return person;
  }

  /**
   * Writes a standing to the person's object first, where it holds from the next request on, and to the
   * directory second, which takes one of two changes at once.
   */
  async #change(person: PersonEntry, change: Pick<Person, 'role' | 'disabledAt'>): Promise<void> {
    const { directory, people } = this.#options;
    await directory.writeStanding({ ...person, ...change });
    const taken = await people.change(person, change);
    await this.#settle(person.id);
    if (!taken) throw new CarrelError('conflict', 'Somebody else changed this person just now. Look again.');
  }

  /**
   * Gives the object what the directory has, until the directory has not changed since. Of several who
   * change one person at once, the one who writes to the object last has then seen the last change, so
   * that nobody stays let in whom the directory calls disabled.
   */
  async #settle(id: string): Promise<void> {
    const { directory, people } = this.#options;
    let written: Person | undefined;
    for (;;) {
      const present = await people.find(id);
      if (!present || (present.role === written?.role && present.disabledAt === written.disabledAt)) return;
      await directory.writeStanding(present);
      written = present;
    }
  }

  /** The invitations of somebody who may no longer invite: a way back in, or one for a friend. */
  async #withdrawAll(actor: Actor, id: string, requestId: string): Promise<void> {
    for (const invitation of await this.#options.people.withdrawInvitations(id))
      await this.#noteWithdrawal(actor, invitation, requestId);
  }

  async #noteWithdrawal(actor: Actor, invitation: string, requestId: string): Promise<void> {
    const personId = actor === 'operator' ? undefined : actor.id;
    await this.#options.audit.record({ action: 'invitation_withdrawn', personId, requestId, detail: { invitation } });
  }
}

const forbidden = () =>
  new CarrelError('forbidden', 'Your role does not allow this. Ask whoever runs this deployment.');

/** @throws CarrelError `forbidden` */
function requireManager(actor: Actor): void {
  if (actor !== 'operator' && !mayManage(actor.role)) throw forbidden();
}

function nameOf(actor: Actor): string {
  return actor === 'operator' ? actor : actor.id;
}

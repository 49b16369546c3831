import type { AdmissionRepo } from '../directory/admission-repo.ts';
import type { AuditTrail } from '../directory/audit.ts';
import type { DirectoryService } from '../directory/service.ts';
import type { Person, Role, Vouched } from '../directory/types.ts';
import { sha256Hex, toBase64Url } from '../lib/encoding.ts';
import { newId } from '../lib/ids.ts';
import type { Keyring } from '../lib/keyring.ts';

/** Who may enter without an invitation. All empty: nobody. */
export interface AdmissionRules {
  /** Addresses in lower case. Only an address that the provider has verified counts. */
  readonly emails: readonly string[];
  readonly domains: readonly string[];
  readonly groups: readonly string[];
}

/** An invitation, as the person sees it who was given its link. */
export interface InvitationOffer {
  readonly role: Exclude<Role, 'owner'>;
  /** How its maker is called; undefined when that is not known. */
  readonly by: string | undefined;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

/** What a browser was given to be let in with, and what it is worth now. */
export type Ticket = { readonly kind: 'owner' } | { readonly kind: 'invitation'; readonly role: Role };

export type Entry =
  | { readonly ok: true; readonly person: Person }
  | { readonly ok: false; readonly problem: string; readonly reason: string };

interface AdmissionOptions {
  readonly directory: DirectoryService;
  readonly repo: AdmissionRepo;
  readonly audit: AuditTrail;
  readonly keyring: Keyring;
  readonly rules: AdmissionRules;
}

const INVITATION_MS = 7 * 86_400_000;

const DISABLED = 'This account was disabled. Ask whoever runs this deployment.';
const NOT_ADMITTED =
  'You are signed in there, but nobody has let you in here. Ask whoever runs this deployment for an invitation.';

const TAKEN: Entry = { ok: false, problem: 'This passkey is known here already.', reason: 'identity_taken' };

/**
 * Who may enter: nobody, but whom the owner lets in. Every first sign-in passes here, whoever vouches.
 * Later ones do too: a person who was disabled does not come back by signing in.
 */
export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** What a ticket is worth now; undefined for one that is used, expired or nobody's. */
  async ticket(ticket: string | undefined): Promise<Ticket | undefined> {
    const [kind, secret = ''] = ticket?.split('.', 2) ?? [];
    if (kind === 'owner')
      return (await this.#isOwnerCode(secret)) && !(await this.#options.repo.hasOwner()) ? { kind } : undefined;
    if (kind !== 'invitation') return undefined;
    const invitation = await this.#options.repo.invitation(await sha256Hex(secret), Date.now());
    return invitation && { kind, role: invitation.role };
  }

  /** Whether somebody owns this deployment. */
  async isClaimed(): Promise<boolean> {
    return this.#options.repo.hasOwner();
  }

  /** What the link with this secret offers; undefined when it is used, expired, withdrawn or nobody's. */
  async offer(secret: string): Promise<InvitationOffer | undefined> {
    const invitation = await this.#options.repo.invitation(await sha256Hex(secret), Date.now());
    if (!invitation) return undefined;
    const { role, createdBy, expiresAt } = invitation;
    return { role, by: await this.#options.repo.email(createdBy), expiresAt };
  }

  /** Writes down that somebody came with a code or a link that is worth nothing. */
  async noteRefusal(kind: Ticket['kind'], requestId: string): Promise<void> {
    await this.#options.audit.record({ action: 'invitation_refused', requestId, detail: { kind } });
  }

  /** Lets the person of an identity in, or says why not. Written to the audit either way. */
  async enter(identity: Vouched, ticket: string | undefined, requestId: string): Promise<Entry> {
    const { directory, audit } = this.#options;
    const provider = identity.provider;
    const known = await directory.find(identity);
    let entry: Entry;
    // Anybody can make a passkey with the id of another's: it is no proof of being them.
    if (known && identity.passkey) entry = TAKEN;
    else entry = known ? await this.#return(known, ticket, requestId) : await this.#admit(identity, ticket, requestId);
    if (known && entry.ok) await this.#options.repo.touchIdentity(identity, Date.now());
    await audit.record(
      entry.ok
        ? { action: 'signed_in', personId: entry.person.id, requestId, detail: { provider } }
        : { action: 'sign_in_refused', personId: known?.id, requestId, detail: { provider, reason: entry.reason } },
    );
    return entry;
  }

  /** Lets a person back in who proved to be them with something that is no identity: a recovery code. */
  async readmit(person: Person, provider: string, requestId: string): Promise<Entry> {
    const entry = await this.#return(person, undefined, requestId);
    await this.#options.audit.record(
      entry.ok
        ? { action: 'signed_in', personId: person.id, requestId, detail: { provider } }
        : { action: 'sign_in_refused', personId: person.id, requestId, detail: { provider, reason: entry.reason } },
    );
    return entry;
  }

  /** @returns the secret of the link; only its hash is stored */
  async invite(by: Person, role: Exclude<Role, 'owner'>, note: string, requestId: string): Promise<string> {
    const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(24)));
    const now = Date.now();
    const id = newId('inv');
    await this.#options.repo.insertInvitation(
      { id, role, note, createdBy: by.id, createdAt: now, expiresAt: now + INVITATION_MS, usedBy: undefined },
      await sha256Hex(secret),
    );
    await this.#options.audit.record({
      action: 'invitation_made',
      personId: by.id,
      requestId,
      detail: { invitation: id, role },
    });
    return secret;
  }

  /** The code with which the first owner claims this deployment. Made of its secret, and kept nowhere. */
  static async ownerCode(keyring: Keyring): Promise<string> {
    return (await keyring.sign('owner-code', 'claim')).replaceAll(/[^a-zA-Z0-9]/g, '').slice(0, 24);
  }

  async #isOwnerCode(code: string): Promise<boolean> {
    // Both hashed, so that the time of the comparison tells nothing of the code.
    const [given, right] = await Promise.all([
      sha256Hex(code),
      Admission.ownerCode(this.#options.keyring).then(sha256Hex),
    ]);
    return given === right;
  }

  async #return(person: Person, ticket: string | undefined, requestId: string): Promise<Entry> {
    if (person.disabledAt !== undefined) return { ok: false, problem: DISABLED, reason: 'disabled' };
    const worth = await this.ticket(ticket);
    if (worth?.kind === 'owner' && (await this.#options.repo.claimOwnership(person.id))) {
      const owner: Person = { ...person, role: 'owner' };
      await this.#options.directory.writeStanding(owner);
      await this.#options.audit.record({ action: 'owner_claimed', personId: person.id, requestId });
      return { ok: true, person: owner };
    }
    return { ok: true, person };
  }

  async #admit(identity: Vouched, ticket: string | undefined, requestId: string): Promise<Entry> {
    const { directory, repo, audit } = this.#options;
    const id = newId('per');
    const worth = await this.ticket(ticket);
    let role: Role = 'member';
    let by = this.#rule(identity);
    if (worth?.kind === 'owner') {
      role = 'owner';
      by = 'owner_code';
    } else if (worth?.kind === 'invitation') {
      // Claimed before the person exists: of two who use one link, the second stays outside.
      const secretHash = await sha256Hex(ticket?.split('.', 2)[1] ?? '');
      if (await repo.useInvitation(secretHash, id, Date.now())) {
        role = worth.role;
        by = 'invitation';
      }
    }
    if (by === undefined)
      return {
        ok: false,
        problem: ticket === undefined ? NOT_ADMITTED : `The invitation was used or has expired. ${NOT_ADMITTED}`,
        reason: ticket === undefined ? 'not_admitted' : 'invitation_unusable',
      };
    const person = await directory.create(id, identity, role);
    // Two who claim at the same time: the directory takes one owner.
    if (!person) return { ok: false, problem: 'Somebody else has claimed this deployment.', reason: 'owner_exists' };
    if (identity.passkey && person.id !== id) return TAKEN;
    await audit.record({
      action: 'person_admitted',
      personId: person.id,
      requestId,
      detail: { by, role: person.role },
    });
    if (role === 'owner') await audit.record({ action: 'owner_claimed', personId: person.id, requestId });
    return { ok: true, person };
  }

  /** The rule that lets a stranger in. An address counts only where the provider has verified it. */
  #rule({ provider, email, emailVerified, groups }: Vouched): string | undefined {
    const { rules } = this.#options;
    if (provider === 'dev') return 'development';
    const address = emailVerified ? email?.toLowerCase() : undefined;
    if (address !== undefined && rules.emails.includes(address)) return 'address';
    const domain = address?.slice(address.lastIndexOf('@') + 1);
    if (domain !== undefined && rules.domains.includes(domain)) return 'domain';
    return groups.some((group) => rules.groups.includes(group)) ? 'group' : undefined;
  }
}

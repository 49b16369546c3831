import { passkeyOf } from './passkey-statements.ts';
import type { Identity, Invitation, LinkedIdentity, Person, SignInAttempt } from './types.ts';

interface InvitationRow {
  id: string;
  role: Invitation['role'];
  note: string;
  created_by: string;
  created_at: number;
  expires_at: number;
  used_by: string | null;
}

const INVITATION = 'id, role, note, created_by, created_at, expires_at, used_by';

function toInvitation(row: InvitationRow): Invitation {
  return {
    id: row.id,
    role: row.role,
    note: row.note,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedBy: row.used_by ?? undefined,
  };
}

/** What lets a person in, in D1: attempts to sign in, invitations, the identities of persons. */
export class AdmissionRepo {
  readonly #d1: D1Database;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  async insertAttempt(secretHash: string, attempt: SignInAttempt, expiresAt: number): Promise<void> {
    await this.#d1
      .prepare('INSERT INTO sign_in_attempts (secret_hash, provider, kept, expires_at) VALUES (?, ?, ?, ?)')
      .bind(secretHash, attempt.provider, attempt.kept, expiresAt)
      .run();
  }

  /** Takes an attempt out: of several that come back with one secret, one finds it. */
  async takeAttempt(secretHash: string, now: number): Promise<SignInAttempt | undefined> {
    const row = await this.#d1
      .prepare('DELETE FROM sign_in_attempts WHERE secret_hash = ? RETURNING provider, kept, expires_at')
      .bind(secretHash)
      .first<SignInAttempt & { expires_at: number }>();
    return row !== null && row.expires_at > now ? { provider: row.provider, kept: row.kept } : undefined;
  }

  async insertInvitation(invitation: Invitation, secretHash: string): Promise<void> {
    await this.#d1
      .prepare(
        `INSERT INTO invitations (id, secret_hash, role, note, created_by, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .bind(
        invitation.id,
        secretHash,
        invitation.role,
        invitation.note,
        invitation.createdBy,
        invitation.createdAt,
        invitation.expiresAt,
      )
      .run();
  }

  /** The invitation of a secret, as long as it can be used. */
  async invitation(secretHash: string, now: number): Promise<Invitation | undefined> {
    const row = await this.#d1
      .prepare(`SELECT ${INVITATION} FROM invitations WHERE secret_hash = ? AND used_at IS NULL AND expires_at > ?`)
      .bind(secretHash, now)
      .first<InvitationRow>();
    return row === null ? undefined : toInvitation(row);
  }

  async invitations(limit: number): Promise<Invitation[]> {
    const { results } = await this.#d1
      .prepare(`SELECT ${INVITATION} FROM invitations ORDER BY created_at DESC LIMIT ?`)
      .bind(limit)
      .all<InvitationRow>();
    return results.map(toInvitation);
  }

  /** @returns whether there was one that nobody had used */
  async deleteInvitation(id: string): Promise<boolean> {
    const row = await this.#d1
      .prepare('DELETE FROM invitations WHERE id = ? AND used_at IS NULL RETURNING id')
      .bind(id)
      .first();
    return row !== null;
  }

  /** Claims an invitation for a person: of several that use it at the same time, one is told true. */
  async useInvitation(secretHash: string, personId: string, now: number): Promise<boolean> {
    const row = await this.#d1
      .prepare(
        `UPDATE invitations SET used_by = ?, used_at = ? WHERE secret_hash = ? AND used_at IS NULL AND expires_at > ? RETURNING id`,
      )
      .bind(personId, now, secretHash, now)
      .first();
    return row !== null;
  }

  /** How a person is called. */
  async email(personId: string): Promise<string | undefined> {
    const row = await this.#d1
      .prepare('SELECT email FROM persons WHERE id = ?')
      .bind(personId)
      .first<{ email: string | null }>();
    return row?.email ?? undefined;
  }

  /** Notes that an identity was used to sign in. */
  async touchIdentity({ provider, subject }: Pick<Identity, 'provider' | 'subject'>, now: number): Promise<void> {
    await this.#d1
      .prepare('UPDATE identities SET last_used_at = ? WHERE provider = ? AND subject = ?')
      .bind(now, provider, subject)
      .run();
  }

  /** Whether somebody owns this deployment. */
  async hasOwner(): Promise<boolean> {
    return (await this.#d1.prepare(`SELECT 1 FROM persons WHERE role = 'owner'`).first()) !== null;
  }

  /** Makes a person the owner where there is none; of two at the same time the unique index lets one. */
  async claimOwnership(personId: string): Promise<boolean> {
    const row = await this.#d1
      .prepare(
        `UPDATE persons SET role = 'owner' WHERE id = ? AND NOT EXISTS (SELECT 1 FROM persons WHERE role = 'owner') RETURNING id`,
      )
      .bind(personId)
      .first();
    return row !== null;
  }

  /** Links an identity to a person. @returns false when it is somebody's already */
  async linkIdentity(person: Pick<Person, 'id'>, identity: Identity, now: number): Promise<boolean> {
    const insert = this.#d1
      .prepare(
        `INSERT INTO identities (provider, subject, person_id, created_at, label, last_used_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING person_id`,
      )
      .bind(identity.provider, identity.subject, person.id, now, identity.label, now);
    const [linked] = await this.#d1.batch([insert, ...passkeyOf(this.#d1, person.id, identity, now)]);
    return linked?.results.length === 1;
  }

  async identities(personId: string): Promise<LinkedIdentity[]> {
    const { results } = await this.#d1
      .prepare(
        `SELECT provider, subject, person_id AS personId, label, created_at AS createdAt, last_used_at AS lastUsedAt
         FROM identities WHERE person_id = ? ORDER BY created_at`,
      )
      .bind(personId)
      .all<LinkedIdentity & { label: string | null; lastUsedAt: number | null }>();
    return results.map((row) => ({ ...row, label: row.label ?? row.subject, lastUsedAt: row.lastUsedAt ?? undefined }));
  }

  /** Unlinks an identity, but never the last one of a person, who could not come back. */
  async unlinkIdentity(personId: string, provider: string, subject: string): Promise<boolean> {
    const [unlinked] = await this.#d1.batch([
      this.#d1
        .prepare(
          `DELETE FROM identities WHERE person_id = ? AND provider = ? AND subject = ?
           AND (SELECT count(*) FROM identities WHERE person_id = ?) > 1 RETURNING subject`,
        )
        .bind(personId, provider, subject, personId),
      // The key of a passkey goes with its identity.
      this.#d1
        .prepare(
          `DELETE FROM passkeys WHERE credential_id = ? AND person_id = ? AND NOT EXISTS
           (SELECT 1 FROM identities WHERE provider = 'passkey' AND subject = credential_id)`,
        )
        .bind(subject, personId),
    ]);
    return unlinked?.results.length === 1;
  }

  async sweep(now: number): Promise<void> {
    await this.#d1.prepare('DELETE FROM sign_in_attempts WHERE expires_at <= ?').bind(now).run();
  }
}

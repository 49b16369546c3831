import { passkeyOf } from './passkey-statements.ts';
import type { Identity, Person, Role, SignInSession } from './types.ts';

interface PersonRow {
  id: string;
  email: string | null;
  role: Role;
  disabled_at: number | null;
}

function toPerson(row: PersonRow): Person {
  return {
    id: row.id,
    email: row.email ?? undefined,
    role: row.role,
    disabledAt: row.disabled_at ?? undefined,
  };
}

/** Persons, their identities and their browsers' sign-in sessions, in D1. */
export class DirectoryRepo {
  readonly #d1: D1Database;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  async personByIdentity(identity: Pick<Identity, 'provider' | 'subject'>): Promise<Person | undefined> {
    const row = await this.#d1
      .prepare(
        `SELECT persons.id, persons.email, persons.role, persons.disabled_at
         FROM identities JOIN persons ON persons.id = identities.person_id
         WHERE identities.provider = ? AND identities.subject = ?`,
      )
      .bind(identity.provider, identity.subject)
      .first<PersonRow>();
    return row === null ? undefined : toPerson(row);
  }

  /**
   * Adds a person with a first identity, unless the identity exists: then nothing is written.
   *
   * @returns false for a second owner
   */
  async insertPerson(person: Person, identity: Identity, now: number): Promise<boolean> {
    const statements = [
      this.#d1
        .prepare(
          `INSERT INTO persons (id, email, role, created_at) SELECT ?, ?, ?, ?
           WHERE NOT EXISTS (SELECT 1 FROM identities WHERE provider = ? AND subject = ?)`,
        )
        .bind(person.id, person.email ?? null, person.role, now, identity.provider, identity.subject),
      this.#d1
        .prepare(
          `INSERT INTO identities (provider, subject, person_id, created_at, label, last_used_at) SELECT ?, ?, ?, ?, ?, ?
           WHERE EXISTS (SELECT 1 FROM persons WHERE id = ?)`,
        )
        .bind(identity.provider, identity.subject, person.id, now, identity.label, now, person.id),
      ...passkeyOf(this.#d1, person.id, identity, now),
    ];
    try {
      await this.#d1.batch(statements);
      return true;
    } catch (error) {
      if (String(error).includes('persons_one_owner') || String(error).includes('persons.role')) return false;
      throw error;
    }
  }

  async insertSignIn(
    tokenHash: string,
    personId: string,
    provider: string,
    now: number,
    expiresAt: number,
  ): Promise<void> {
    await this.#d1
      .prepare(
        'INSERT INTO sign_in_sessions (token_hash, person_id, provider, created_at, expires_at) VALUES (?, ?, ?, ?, ?)',
      )
      .bind(tokenHash, personId, provider, now, expiresAt)
      .run();
  }

  async signInSession(tokenHash: string, now: number): Promise<SignInSession | undefined> {
    const row = await this.#d1
      .prepare(
        `SELECT persons.id, persons.email, persons.role, persons.disabled_at, sign_in_sessions.provider,
           sign_in_sessions.expires_at AS expiresAt
         FROM sign_in_sessions JOIN persons ON persons.id = sign_in_sessions.person_id
         WHERE sign_in_sessions.token_hash = ? AND sign_in_sessions.expires_at > ?`,
      )
      .bind(tokenHash, now)
      .first<PersonRow & { provider: string; expiresAt: number }>();
    return row === null ? undefined : { person: toPerson(row), provider: row.provider, expiresAt: row.expiresAt };
  }

  async deleteSignIn(tokenHash: string): Promise<void> {
    await this.#d1.prepare('DELETE FROM sign_in_sessions WHERE token_hash = ?').bind(tokenHash).run();
  }

  /** The newest migration that the database has. */
  async schemaVersion(): Promise<string | undefined> {
    const row = await this.#d1
      .prepare('SELECT name FROM d1_migrations ORDER BY id DESC LIMIT 1')
      .first<{ name: string }>();
    return row?.name;
  }

  async sweep(now: number): Promise<void> {
    await this.#d1.prepare('DELETE FROM sign_in_sessions WHERE expires_at <= ?').bind(now).run();
  }
}

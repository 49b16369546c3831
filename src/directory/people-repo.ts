import type { BrowserSession, Person, PersonEntry, Role } from './types.ts';

interface PersonRow {
  id: string;
  email: string | null;
  role: Role;
  disabled_at: number | null;
  created_at: number;
  last_sign_in_at: number | null;
}

/** The later of two places: a session is swept when it ends, an identity goes when it is removed. */
const SELECT = `SELECT id, email, role, disabled_at, created_at, nullif(max(
    coalesce((SELECT max(last_used_at) FROM identities WHERE person_id = persons.id), 0),
    coalesce((SELECT max(created_at) FROM sign_in_sessions WHERE person_id = persons.id), 0)
  ), 0) AS last_sign_in_at FROM persons`;

function toEntry(row: PersonRow): PersonEntry {
  return {
    id: row.id,
    email: row.email ?? undefined,
    role: row.role,
    disabledAt: row.disabled_at ?? undefined,
    createdAt: row.created_at,
    lastSignInAt: row.last_sign_in_at ?? undefined,
  };
}

/** The people of the deployment as a whole, and the browsers of each, in D1. */
export class PeopleRepo {
  readonly #d1: D1Database;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  /** In the order in which they came. @param after the id of the last person of the page before */
  async list(limit: number, after?: string): Promise<PersonEntry[]> {
    const { results } = await this.#d1
      .prepare(
        `${SELECT} WHERE ?1 IS NULL OR (created_at, id) > (SELECT created_at, id FROM persons WHERE id = ?1)
         ORDER BY created_at, id LIMIT ?2`,
      )
      .bind(after ?? null, limit)
      .all<PersonRow>();
    return results.map(toEntry);
  }

  async find(id: string): Promise<PersonEntry | undefined> {
    const row = await this.#d1.prepare(`${SELECT} WHERE id = ?`).bind(id).first<PersonRow>();
    return row === null ? undefined : toEntry(row);
  }

  /** How people are called, by their ids. */
  async emails(ids: readonly string[]): Promise<Map<string, string>> {
    const { results } = await this.#d1
      .prepare('SELECT id, email FROM persons WHERE email IS NOT NULL AND id IN (SELECT value FROM json_each(?))')
      .bind(JSON.stringify(ids))
      .all<{ id: string; email: string }>();
    return new Map(results.map(({ id, email }) => [id, email]));
  }

  /** Changes role and standing, if they are still what `before` says: of two changes at once, one is told true. */
  async change(before: Person, { role, disabledAt }: Pick<Person, 'role' | 'disabledAt'>): Promise<boolean> {
    const row = await this.#d1
      .prepare(
        'UPDATE persons SET role = ?, disabled_at = ? WHERE id = ? AND role = ? AND disabled_at IS ? RETURNING id',
      )
      .bind(role, disabledAt ?? null, before.id, before.role, before.disabledAt ?? null)
      .first();
    return row !== null;
  }

  async sessions(personId: string, now: number): Promise<BrowserSession[]> {
    const { results } = await this.#d1
      .prepare(
        `SELECT token_hash AS id, provider, created_at AS createdAt, expires_at AS expiresAt FROM sign_in_sessions
         WHERE person_id = ? AND expires_at > ? ORDER BY created_at DESC`,
      )
      .bind(personId, now)
      .all<BrowserSession>();
    return results;
  }

  /**
   * Ends the sessions of a person's browsers.
   *
   * @param provider only those that it vouched for
   * @returns how many there were
   */
  async endSessions(personId: string, { except, provider }: SessionChoice = {}): Promise<number> {
    const { results } = await this.#d1
      .prepare(
        `DELETE FROM sign_in_sessions WHERE person_id = ?1 AND (?2 IS NULL OR token_hash <> ?2)
         AND (?3 IS NULL OR provider = ?3) RETURNING token_hash`,
      )
      .bind(personId, except ?? null, provider ?? null)
      .all();
    return results.length;
  }

  /** Takes back the invitations of a person that nobody has used. @returns their ids */
  async withdrawInvitations(createdBy: string): Promise<string[]> {
    const { results } = await this.#d1
      .prepare('DELETE FROM invitations WHERE created_by = ? AND used_at IS NULL RETURNING id')
      .bind(createdBy)
      .all<{ id: string }>();
    return results.map(({ id }) => id);
  }

  /** Removes all that the directory knows of a person. The audit stays: it names the id alone. */
  async delete(id: string): Promise<void> {
    const tables = ['recovery_codes', 'passkeys', 'sign_in_sessions', 'identities', 'grants'];
    await this.#d1.batch([
      ...tables.map((table) => this.#d1.prepare(`DELETE FROM ${table} WHERE person_id = ?`).bind(id)),
      this.#d1.prepare('DELETE FROM invitations WHERE created_by = ?').bind(id),
      this.#d1.prepare('DELETE FROM persons WHERE id = ?').bind(id),
    ]);
  }
}

interface SessionChoice {
  readonly except?: string | undefined;
  readonly provider?: string | undefined;
}

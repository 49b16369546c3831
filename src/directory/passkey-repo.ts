import type { Passkey, Person, Role } from './types.ts';

interface PasskeyRow {
  credential_id: string;
  person_id: string;
  public_key: string;
  counter: number;
  transports: string;
  name: string;
  created_at: number;
  last_used_at: number | null;
}

const PASSKEY = `SELECT credential_id, passkeys.person_id, public_key, counter, transports, name, passkeys.created_at, last_used_at
  FROM passkeys JOIN identities ON identities.provider = 'passkey' AND identities.subject = credential_id
    AND identities.person_id = passkeys.person_id`;

function toPasskey(row: PasskeyRow): Passkey {
  return {
    credentialId: row.credential_id,
    personId: row.person_id,
    publicKey: row.public_key,
    counter: row.counter,
    transports: JSON.parse(row.transports) as string[],
    name: row.name,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}

/** Passkeys and recovery codes, in D1. A passkey comes and goes with its identity: see AdmissionRepo. */
export class PasskeyRepo {
  readonly #d1: D1Database;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  async find(credentialId: string): Promise<Passkey | undefined> {
    const row = await this.#d1.prepare(`${PASSKEY} WHERE credential_id = ?`).bind(credentialId).first<PasskeyRow>();
    return row === null ? undefined : toPasskey(row);
  }

  async list(personId: string): Promise<Passkey[]> {
    const { results } = await this.#d1
      .prepare(`${PASSKEY} WHERE passkeys.person_id = ? ORDER BY passkeys.created_at, credential_id`)
      .bind(personId)
      .all<PasskeyRow>();
    return results.map(toPasskey);
  }

  /**
   * Notes a use, with what the authenticator counts. The comparison is made where the counter is, so
   * that of two uses with one count the second is refused, however close they come.
   *
   * @returns false when the count has not gone up, as that of a copy would; one that always says 0 counts nothing
   */
  async countUse(credentialId: string, counter: number): Promise<boolean> {
    const row = await this.#d1
      .prepare(
        `UPDATE passkeys SET counter = ? WHERE credential_id = ? AND (counter < ? OR (counter = 0 AND ? = 0))
         RETURNING credential_id`,
      )
      .bind(counter, credentialId, counter, counter)
      .first();
    return row !== null;
  }

  /** @returns whether the person has it */
  async rename(personId: string, credentialId: string, name: string): Promise<boolean> {
    const [renamed] = await this.#d1.batch([
      this.#d1
        .prepare('UPDATE passkeys SET name = ? WHERE person_id = ? AND credential_id = ? RETURNING credential_id')
        .bind(name, personId, credentialId),
      this.#d1
        .prepare(`UPDATE identities SET label = ? WHERE person_id = ? AND provider = 'passkey' AND subject = ?`)
        .bind(name, personId, credentialId),
    ]);
    return renamed?.results.length === 1;
  }

  /** Puts new recovery codes in the place of all that there were. */
  async replaceCodes(personId: string, hashes: readonly string[], now: number): Promise<void> {
    await this.#d1.batch([
      this.#d1.prepare('DELETE FROM recovery_codes WHERE person_id = ?').bind(personId),
      ...hashes.map((hash) =>
        this.#d1
          .prepare('INSERT INTO recovery_codes (code_hash, person_id, created_at) VALUES (?, ?, ?)')
          .bind(hash, personId, now),
      ),
    ]);
  }

  async codesLeft(personId: string): Promise<number> {
    const row = await this.#d1
      .prepare('SELECT count(*) AS left FROM recovery_codes WHERE person_id = ?')
      .bind(personId)
      .first<{ left: number }>();
    return row?.left ?? 0;
  }

  /** Takes a code out: of several that come with it, one gets the person. */
  async takeCode(hash: string): Promise<Person | undefined> {
    const code = await this.#d1
      .prepare('DELETE FROM recovery_codes WHERE code_hash = ? RETURNING person_id')
      .bind(hash)
      .first<{ person_id: string }>();
    if (code === null) return undefined;
    const row = await this.#d1
      .prepare('SELECT id, email, role, disabled_at FROM persons WHERE id = ?')
      .bind(code.person_id)
      .first<{ id: string; email: string | null; role: Role; disabled_at: number | null }>();
    return row === null
      ? undefined
      : { id: row.id, email: row.email ?? undefined, role: row.role, disabledAt: row.disabled_at ?? undefined };
  }
}

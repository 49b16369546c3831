/** How many registrations there may be since a moment. */
export interface RegistrationLimit {
  /** ms since the epoch. */
  readonly since: number;
  readonly ofAddress: number;
  readonly inAll: number;
}

/** Clients of one statement of the sweep. */
const SWEEP_ROWS = 500;

/** The registrations of clients, in D1. */
export class RegistrationRepo {
  readonly #d1: D1Database;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  /**
   * Takes a place for one registration. Counting and taking are one statement, so that many who register
   * at the same time cannot all be the last.
   *
   * @returns false when there is none left
   */
  async take(slot: string, addressHash: string, limit: RegistrationLimit, now: number): Promise<boolean> {
    const row = await this.#d1
      .prepare(
        `INSERT INTO client_registrations (slot, address_hash, created_at) SELECT ?1, ?2, ?3
         WHERE (SELECT count(*) FROM client_registrations WHERE address_hash = ?2 AND created_at > ?4) < ?5
           AND (SELECT count(*) FROM client_registrations WHERE created_at > ?4) < ?6
         RETURNING slot`,
      )
      .bind(slot, addressHash, now, limit.since, limit.ofAddress, limit.inAll)
      .first();
    return row !== null;
  }

  async name(slot: string, clientId: string): Promise<void> {
    await this.#d1.prepare('UPDATE client_registrations SET client_id = ? WHERE slot = ?').bind(clientId, slot).run();
  }

  async release(slot: string): Promise<void> {
    await this.#d1.prepare('DELETE FROM client_registrations WHERE slot = ?').bind(slot).run();
  }

  /** Forgets clients that registered before a moment and that nobody ever granted anything. */
  async sweep(before: number): Promise<void> {
    const { results } = await this.#d1
      .prepare(
        `DELETE FROM client_registrations WHERE slot IN (
           SELECT slot FROM client_registrations WHERE created_at < ? LIMIT ?
         ) RETURNING client_id AS clientId`,
      )
      .bind(before, SWEEP_ROWS)
      .all<{ clientId: string | null }>();
    const clients = results.map(({ clientId }) => clientId).filter((clientId) => clientId !== null);
    if (clients.length === 0) return;
    const unused = this.#d1.prepare(
      `DELETE FROM oauth_records WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM grants WHERE client_id = ?2)`,
    );
    await this.#d1.batch(clients.map((clientId) => unused.bind(`client:${clientId}`, clientId)));
  }
}

import { randomName } from '../lib/ids.ts';

/** How often something may be done since a moment. */
export interface AttemptLimit {
  readonly kind: 'device_request' | 'device_code_guess';
  /** Who does it: a person's id, or a keyed hash of an address. */
  readonly key: string;
  readonly ofKey: number;
  /** By all together; undefined for any number. */
  readonly inAll?: number;
  /** ms since the epoch. */
  readonly since: number;
}

/** Counts what may be done only so often, in D1. */
export class AttemptRepo {
  readonly #d1: D1Database;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  /**
   * Takes a place for one attempt. Counting and taking are one statement, so that many at the same time
   * cannot all be the last.
   *
   * @returns the place, or undefined when there is none left
   */
  async take({ kind, key, ofKey, inAll, since }: AttemptLimit, now: number): Promise<string | undefined> {
    const row = await this.#d1
      .prepare(
        `INSERT INTO attempts (slot, kind, key, at) SELECT ?1, ?2, ?3, ?4
         WHERE (SELECT count(*) FROM attempts WHERE kind = ?2 AND key = ?3 AND at > ?5) < ?6
           AND (?7 IS NULL OR (SELECT count(*) FROM attempts WHERE kind = ?2 AND at > ?5) < ?7)
         RETURNING slot`,
      )
      .bind(randomName(), kind, key, now, since, ofKey, inAll ?? null)
      .first<{ slot: string }>();
    return row?.slot;
  }

  /** Gives a place back: what was done with it does not count. */
  async release(slot: string): Promise<void> {
    await this.#d1.prepare('DELETE FROM attempts WHERE slot = ?').bind(slot).run();
  }

  async sweep(before: number): Promise<void> {
    await this.#d1.prepare('DELETE FROM attempts WHERE at <= ?').bind(before).run();
  }
}

/** A device that asks to be let in. */
export interface DeviceRequest {
  readonly deviceHash: string;
  readonly clientId: string;
  /** Names with spaces between; empty for all. */
  readonly scope: string;
  /** ms since the epoch. */
  readonly expiresAt: number;
  readonly intervalSeconds: number;
  readonly polledAt: number;
}

/** A request with whether somebody has answered it. */
export interface AnsweredDeviceRequest extends DeviceRequest {
  readonly answered: boolean;
}

/** How long a poll that has claimed an answer may take before another may claim it, in ms. */
const CLAIM_MS = 30_000;

/** What a person answered to a device. */
export type DeviceAnswer =
  | { readonly answer: 'denied' }
  | { readonly answer: 'allowed'; readonly personId: string; readonly scopes: readonly string[] };

type RequestRow = {
  deviceHash: string;
  clientId: string;
  scope: string;
  expiresAt: number;
  intervalSeconds: number;
  polledAt: number;
  answer: DeviceAnswer['answer'] | null;
};

const SELECT = `SELECT device_hash AS deviceHash, client_id AS clientId, scope, expires_at AS expiresAt,
    interval_seconds AS intervalSeconds, polled_at AS polledAt, answer FROM device_requests`;

/** Devices that ask to be let in, in D1, until their client has fetched what a person answered. */
export class DeviceRepo {
  readonly #d1: D1Database;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  /** @returns false when the code for people is another device's: it must be made anew */
  async insert(request: DeviceRequest, userCodeHash: string, now: number): Promise<boolean> {
    const row = await this.#d1
      .prepare(
        `INSERT INTO device_requests (device_hash, user_code_hash, client_id, scope, created_at, expires_at, interval_seconds, polled_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING device_hash`,
      )
      .bind(
        request.deviceHash,
        userCodeHash,
        request.clientId,
        request.scope,
        now,
        request.expiresAt,
        request.intervalSeconds,
        request.polledAt,
      )
      .first();
    return row !== null;
  }

  /** The request that this code is for, if nobody has answered it. */
  async open(key: { readonly userCodeHash: string } | { readonly deviceHash: string }, now: number) {
    const [column, value] =
      'userCodeHash' in key ? ['user_code_hash', key.userCodeHash] : ['device_hash', key.deviceHash];
    const row = await this.#d1
      .prepare(`${SELECT} WHERE ${column} = ? AND answer IS NULL AND expires_at > ?`)
      .bind(value, now)
      .first<RequestRow>();
    return (row ?? undefined) satisfies DeviceRequest | undefined;
  }

  /** Answers a request. @returns false when somebody else has, or it has expired */
  async answer(deviceHash: string, given: DeviceAnswer, now: number): Promise<boolean> {
    const [personId, scopes] = given.answer === 'allowed' ? [given.personId, given.scopes.join(' ')] : [null, null];
    const row = await this.#d1
      .prepare(
        `UPDATE device_requests SET answer = ?, person_id = ?, allowed_scope = ?
         WHERE device_hash = ? AND answer IS NULL AND expires_at > ? RETURNING device_hash`,
      )
      .bind(given.answer, personId, scopes, deviceHash, now)
      .first();
    return row !== null;
  }

  /**
   * Takes the answer to a request of this client, for a while: of several polls, one gets it. It is gone with
   * {@link finish}, so that an answer is not lost when what follows fails.
   */
  async claim(deviceHash: string, clientId: string, now: number): Promise<DeviceAnswer | undefined> {
    const row = await this.#d1
      .prepare(
        `UPDATE device_requests SET claimed_at = ?3
         WHERE device_hash = ?1 AND client_id = ?2 AND answer IS NOT NULL AND expires_at > ?3
           AND (claimed_at IS NULL OR claimed_at <= ?3 - ?4)
         RETURNING answer, person_id AS personId, allowed_scope AS scope`,
      )
      .bind(deviceHash, clientId, now, CLAIM_MS)
      .first<{ answer: 'allowed' | 'denied'; personId: string; scope: string }>();
    if (!row) return undefined;
    return row.answer === 'denied'
      ? { answer: 'denied' }
      : { answer: 'allowed', personId: row.personId, scopes: row.scope.split(' ') };
  }

  /** Gives an answer back that was claimed and not delivered: the next poll gets it. */
  async release(deviceHash: string): Promise<void> {
    await this.#d1.prepare('UPDATE device_requests SET claimed_at = NULL WHERE device_hash = ?').bind(deviceHash).run();
  }

  /** Ends a request whose answer was delivered. @returns what the answer was until then */
  async finish(deviceHash: string): Promise<DeviceAnswer['answer'] | undefined> {
    const row = await this.#d1
      .prepare('DELETE FROM device_requests WHERE device_hash = ? RETURNING answer')
      .bind(deviceHash)
      .first<{ answer: DeviceAnswer['answer'] }>();
    return row?.answer;
  }

  /** Takes back what a person allowed a client whose device has not come for it. */
  async withdraw(personId: string, clientId: string): Promise<void> {
    await this.#d1
      .prepare(
        `UPDATE device_requests SET answer = 'denied', person_id = NULL, allowed_scope = NULL
         WHERE person_id = ? AND client_id = ?`,
      )
      .bind(personId, clientId)
      .run();
  }

  /** Of this client, answered or not, expired or not. */
  async find(deviceHash: string, clientId: string): Promise<AnsweredDeviceRequest | undefined> {
    const row = await this.#d1
      .prepare(`${SELECT} WHERE device_hash = ? AND client_id = ?`)
      .bind(deviceHash, clientId)
      .first<RequestRow>();
    return row ? { ...row, answered: row.answer !== null } : undefined;
  }

  /** Notes a poll, and how long the client must wait before the next. */
  async notePoll(deviceHash: string, intervalSeconds: number, now: number): Promise<void> {
    await this.#d1
      .prepare('UPDATE device_requests SET polled_at = ?, interval_seconds = ? WHERE device_hash = ?')
      .bind(now, intervalSeconds, deviceHash)
      .run();
  }

  async sweep(now: number): Promise<void> {
    await this.#d1.prepare('DELETE FROM device_requests WHERE expires_at <= ?').bind(now).run();
  }
}

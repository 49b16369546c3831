import type { AuditAction, AuditEntry, AuditLine } from './types.ts';

interface AuditRow {
  id: number;
  at: number;
  action: AuditAction;
  person_id: string | null;
  client_id: string | null;
  grant_id: string | null;
  request_id: string | null;
  detail: string;
}

/** Rows of one statement of the sweep, and statements of one sweep. */
const SWEEP_ROWS = 1000;
const SWEEP_ROUNDS = 50;

const COLUMNS = 'at, action, person_id, client_id, grant_id, request_id, detail';

function valuesOf({ action, personId, clientId, grantId, requestId, detail }: AuditEntry, now: number) {
  return [
    now,
    action,
    personId ?? null,
    clientId ?? null,
    grantId ?? null,
    requestId ?? null,
    JSON.stringify(detail ?? {}),
  ];
}

/** Which lines of the audit. */
export interface AuditQuery {
  /** ms since the epoch. */
  readonly since?: number | undefined;
  /** The id of the last line of the page before. */
  readonly before?: number | undefined;
  readonly person?: string | undefined;
  readonly actions?: readonly AuditAction[] | undefined;
  readonly limit: number;
}

/** Which lines about one person. */
export interface PersonAuditQuery {
  /** ms since the epoch. */
  readonly since: number;
  readonly person: string;
  readonly actions: readonly AuditAction[];
  readonly limit: number;
}

function toLine(row: AuditRow): AuditLine {
  return {
    id: row.id,
    at: row.at,
    action: row.action,
    personId: row.person_id ?? undefined,
    clientId: row.client_id ?? undefined,
    grantId: row.grant_id ?? undefined,
    requestId: row.request_id ?? undefined,
    detail: JSON.parse(row.detail) as AuditLine['detail'],
  };
}

/** The audit in D1. Rows are added and read, and leave only with their age. */
export class AuditRepo {
  readonly #d1: D1Database;

  constructor(d1: D1Database) {
    this.#d1 = d1;
  }

  async append(entry: AuditEntry, now: number): Promise<void> {
    await this.#d1
      .prepare(`INSERT INTO audit (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`)
      .bind(...valuesOf(entry, now))
      .run();
  }

  /** Appends a line, unless there are `limit` of its action about the same person, or about nobody, since then. */
  async appendAtMost(entry: AuditEntry, now: number, limit: number, since: number): Promise<void> {
    await this.#d1
      .prepare(
        `INSERT INTO audit (${COLUMNS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
         WHERE (SELECT count(*) FROM audit WHERE at > ?8 AND action = ?2 AND person_id IS ?3) < ?9`,
      )
      .bind(...valuesOf(entry, now), since, limit)
      .run();
  }

  /** Newest first. What a person did to somebody else names them as `by`, and is found as theirs, too. */
  async list({ since = 0, before, person, actions, limit }: AuditQuery): Promise<AuditLine[]> {
    const { results } = await this.#d1
      .prepare(
        `SELECT * FROM audit WHERE at >= ?1 AND id < ?2 AND (?3 IS NULL OR person_id = ?3 OR detail ->> 'by' = ?3)
         AND (?4 IS NULL OR action IN (SELECT value FROM json_each(?4))) ORDER BY id DESC LIMIT ?5`,
      )
      .bind(since, before ?? Number.MAX_SAFE_INTEGER, person ?? null, actions ? JSON.stringify(actions) : null, limit)
      .all<AuditRow>();
    return results.map(toLine);
  }

  /** What is about one person, newest first. It reads that person's lines alone, however many there are of others. */
  async ofPerson({ person, since, actions, limit }: PersonAuditQuery): Promise<AuditLine[]> {
    const { results } = await this.#d1
      .prepare(
        `SELECT * FROM audit WHERE person_id = ? AND at >= ? AND action IN (SELECT value FROM json_each(?))
         ORDER BY at DESC, id DESC LIMIT ?`,
      )
      .bind(person, since, JSON.stringify(actions), limit)
      .all<AuditRow>();
    return results.map(toLine);
  }

  /** Removes lines from before a moment, in pieces: one statement over a year's flood would time out. */
  async sweep(before: number): Promise<void> {
    for (let round = 0; round < SWEEP_ROUNDS; round++) {
      const { meta } = await this.#d1
        .prepare('DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? LIMIT ?)')
        .bind(before, SWEEP_ROWS)
        .run();
      if (meta.rows_written === 0) return;
    }
  }

  /** When each of these clients registered, as far as the audit goes back: ms since the epoch, by client. */
  async registrations(clientIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { results } = await this.#d1
      .prepare(
        // The first line of a client that registered says so: one row of each, and not all that it ever did.
        `SELECT value AS clientId, (
           SELECT CASE action WHEN 'client_registered' THEN at END FROM audit
           WHERE client_id = value ORDER BY at, id LIMIT 1
         ) AS at FROM json_each(?)`,
      )
      .bind(JSON.stringify(clientIds))
      .all<{ clientId: string; at: number | null }>();
    return new Map(results.flatMap(({ clientId, at }) => (at === null ? [] : [[clientId, at]])));
  }
}

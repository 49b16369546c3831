import { CarrelError } from '../lib/errors.ts';
import { randomName } from '../lib/ids.ts';
import type { SchemaStep } from '../workspace/schema.ts';
import { Store } from '../workspace/storage.ts';
import { MAX_FAILURES, MAX_SCHEDULES, noSuchSchedule } from './model.ts';
import type { LastRun, Schedule, ScheduleContent, ScheduleOutcome, SchedulePause } from './model.ts';

type ScheduleRow = {
  id: string;
  name: string;
  cron: string;
  timeZone: string;
  definition: string;
  recipe: string | null;
  version: number | null;
  input: string;
  sessionId: string;
  authority: string;
  pausedBecause: SchedulePause | null;
  nextAt: number | null;
  failures: number;
  plannedAt: number | null;
  lastAt: number | null;
  outcome: ScheduleOutcome | null;
  message: string | null;
  jobId: string | null;
  /** Whether the end of that job is not counted among the failures yet. */
  isOpen: number;
  jobStatus: NonNullable<Schedule['job']>['status'] | null;
};

const SELECT = `SELECT schedules.id, name, cron, time_zone AS timeZone, schedules.definition, recipe, version, schedules.input,
  schedules.session_id AS sessionId, authority, schedules.paused_because AS pausedBecause, next_at AS nextAt, failures,
  planned_at AS plannedAt, last_at AS lastAt, outcome, schedules.message, job_id AS jobId, is_open AS isOpen,
  jobs.status AS jobStatus FROM schedules LEFT JOIN jobs ON jobs.id = job_id`;

const SCHEMA: readonly SchemaStep[] = [
  {
    name: 'schedules: create',
    sql: `
      CREATE TABLE schedules (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        cron TEXT NOT NULL,
        time_zone TEXT NOT NULL,
        definition TEXT NOT NULL,
        recipe TEXT,
        version INTEGER,
        input TEXT NOT NULL,
        session_id TEXT NOT NULL,
        authority TEXT NOT NULL,
        paused_because TEXT,
        next_at INTEGER,
        failures INTEGER NOT NULL DEFAULT 0,
        planned_at INTEGER,
        last_at INTEGER,
        outcome TEXT,
        message TEXT,
        job_id TEXT,
        is_open INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;`,
  },
];

/** The schedules of a workspace. Their times are worked out by whoever calls: a store has no clock. */
export class ScheduleStore extends Store {
  static readonly schema = SCHEMA;

  /**
   * Saves a schedule, with nothing counted against it. Of two that save the same, the later one wins with all that it says.
   *
   * @throws CarrelError `limit_exceeded`, `not_found` (the session)
   */
  save(content: ScheduleContent): Schedule {
    const { name, cron, timeZone, definition, recipe, version, input, authority, pausedBecause, nextAt } = content;
    const { id: sessionId } = this.session(content.session);
    return this.db.transaction(() => {
      const there = this.db.first('SELECT 1 FROM schedules WHERE name = ?', name);
      const count = this.db.first<{ count: number }>('SELECT count(*) AS count FROM schedules')?.count ?? 0;
      if (!there && count >= MAX_SCHEDULES)
        throw new CarrelError('limit_exceeded', `There are ${MAX_SCHEDULES} schedules already. Delete one first.`, {
          details: { limit: MAX_SCHEDULES },
        });
      this.db.run(
        `INSERT INTO schedules (id, name, cron, time_zone, definition, recipe, version, input, session_id, authority, paused_because, next_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET cron = excluded.cron, time_zone = excluded.time_zone,
           definition = excluded.definition, recipe = excluded.recipe, version = excluded.version, input = excluded.input,
           session_id = excluded.session_id, authority = excluded.authority, paused_because = excluded.paused_because,
           next_at = excluded.next_at, failures = 0, is_open = 0`,
        randomName(),
        name,
        cron,
        timeZone,
        definition,
        recipe ?? null,
        version ?? null,
        input,
        sessionId,
        JSON.stringify(authority),
        pausedBecause ?? null,
        nextAt ?? null,
      );
      if (nextAt !== undefined) this.schedule('schedules', nextAt);
      return this.get(name);
    });
  }

  /** @throws CarrelError `not_found` */
  get(name: string): Schedule {
    const found = this.find(name);
    if (!found) throw noSuchSchedule();
    return found;
  }

  find(name: string): Schedule | undefined {
    const row = this.db.first<ScheduleRow>(`${SELECT} WHERE name = ?`, name);
    return row && this.#schedule(row);
  }

  list(): Schedule[] {
    return this.db.all<ScheduleRow>(`${SELECT} ORDER BY name`).map((row) => this.#schedule(row));
  }

  /** @returns whether there was one */
  remove(name: string): boolean {
    return this.db.run('DELETE FROM schedules WHERE name = ?', name) > 0;
  }

  /** @throws CarrelError `not_found` */
  pause(name: string, because: SchedulePause): Schedule {
    if (this.db.run('UPDATE schedules SET paused_because = ?, next_at = NULL WHERE name = ?', because, name) === 0)
      throw noSuchSchedule();
    return this.get(name);
  }

  /** Those whose time has come, the longest overdue first. */
  due(now: number): Schedule[] {
    return this.db
      .all<ScheduleRow>(`${SELECT} WHERE next_at <= ? ORDER BY next_at, name`, now)
      .map((row) => this.#schedule(row));
  }

  /** When the next of them is due (ms). */
  nextDue(): number | undefined {
    return this.db.first<{ due: number | null }>('SELECT min(next_at) AS due FROM schedules')?.due ?? undefined;
  }

  /**
   * What came of a time, and when the next one is. The failures are as {@link Schedule} had them, this one included.
   *
   * @param jobId of the job that was started; undefined leaves the one before
   */
  note(
    name: string,
    { plannedAt, at, outcome, message }: LastRun,
    { jobId, failures, nextAt }: { jobId: string | undefined; failures: number; nextAt: number | undefined },
  ): void {
    this.db.run(
      `UPDATE schedules SET planned_at = ?, last_at = ?, outcome = ?, message = ?, failures = ?, next_at = ?,
         job_id = coalesce(?, job_id), is_open = CASE WHEN ? IS NULL THEN is_open AND ? = 'skipped' ELSE 1 END WHERE name = ?`,
      plannedAt,
      at,
      outcome,
      message ?? null,
      failures,
      nextAt ?? null,
      jobId ?? null,
      jobId ?? null,
      outcome,
      name,
    );
  }

  #schedule(row: ScheduleRow): Schedule {
    const { pausedBecause, plannedAt, lastAt, outcome, message, jobId, jobStatus, sessionId } = row;
    const session = this.findSession(sessionId);
    const failures = countedFailures(row);
    return {
      id: row.id,
      name: row.name,
      cron: row.cron,
      timeZone: row.timeZone,
      definition: row.definition,
      recipe: row.recipe ?? undefined,
      version: row.version ?? undefined,
      input: row.input,
      session: session
        ? { id: session.id, slug: session.slug, title: session.title }
        : { id: sessionId, slug: sessionId, title: '' },
      authority: JSON.parse(row.authority) as Schedule['authority'],
      // As soon as the last of them failed, and not only when its next time comes.
      pausedBecause: pausedBecause ?? (failures >= MAX_FAILURES ? 'failures' : undefined),
      nextAt: failures >= MAX_FAILURES ? undefined : (row.nextAt ?? undefined),
      failures,
      last:
        plannedAt === null || lastAt === null || outcome === null
          ? undefined
          : { plannedAt, at: lastAt, outcome, message: message ?? undefined },
      job: jobId === null || jobStatus === null ? undefined : { id: jobId, status: jobStatus },
    };
  }
}

/** The failures in a row, with the end of the last job. One that somebody cancelled is none, and ends no row. */
function countedFailures({ failures, isOpen, jobStatus }: ScheduleRow): number {
  if (isOpen === 0) return failures;
  if (jobStatus === 'failed') return failures + 1;
  return jobStatus === 'completed' ? 0 : failures;
}

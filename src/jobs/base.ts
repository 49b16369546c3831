import type { SessionRef } from '../sessions/model.ts';
import { Store } from '../workspace/storage.ts';
import type { Database } from '../workspace/sql.ts';
import { ENDED, MAX_RUNNING, noSuchJob } from './model.ts';
import type { Job, JobError, JobStatus, PauseReason, Waiting } from './model.ts';

/** A job without what is large. */
export type JobRow = {
  id: string;
  definition: string;
  source: string | null;
  sessionId: string;
  status: JobStatus;
  pausedBecause: PauseReason | null;
  run: number;
  revision: number;
  done: number;
  total: number | null;
  message: string | null;
  currentStep: string | null;
  steps: number;
  attempts: number;
  waiting: string | null;
  hasResult: number;
  error: string | null;
  personId: string;
  workspaceId: string;
  grantId: string | null;
  clientId: string;
  label: string;
  scopes: string;
  origin: string;
  createdAt: number;
  startedAt: number | null;
  updatedAt: number;
  finishedAt: number | null;
};

export const SELECT_JOBS = `SELECT id, definition, source, session_id AS sessionId, status, paused_because AS pausedBecause, run,
  revision, done, total, message, current_step AS currentStep, steps, attempts, waiting, result IS NOT NULL AS hasResult,
  error, person_id AS personId, workspace_id AS workspaceId, grant_id AS grantId, client_id AS clientId, label, scopes, origin,
  created_at AS createdAt, started_at AS startedAt, updated_at AS updatedAt, finished_at AS finishedAt FROM jobs`;

const DAY_MS = 86_400_000;

/** Who waits for a job to change, by workspace: a call waits in the object itself, and asks nobody again and again. */
const waiters = new WeakMap<Database, Map<string, Set<() => void>>>();

/** The base of the stores of jobs. */
export abstract class JobsStore extends Store {
  /** @throws CarrelError `not_found` */
  protected row(id: string): JobRow {
    const row = this.db.first<JobRow>(`${SELECT_JOBS} WHERE id = ?`, id);
    if (!row) throw noSuchJob();
    return row;
  }

  protected toJob(row: JobRow): Job {
    const { done, total, message, waiting, error, source, scopes } = row;
    return {
      id: row.id,
      definition: row.definition,
      status: row.status,
      session: this.#session(row.sessionId),
      progress: { done, total: total ?? undefined, message: message ?? undefined },
      currentStep: row.currentStep ?? undefined,
      steps: row.steps,
      run: row.run,
      attempts: row.attempts,
      waiting: waiting === null ? [] : (JSON.parse(waiting) as Waiting[]),
      pausedBecause: row.pausedBecause ?? undefined,
      error: error === null ? undefined : (JSON.parse(error) as JobError),
      hasResult: row.hasResult === 1,
      origin: source ?? undefined,
      clientId: row.clientId,
      scopes: JSON.parse(scopes) as string[],
      createdAt: row.createdAt,
      startedAt: row.startedAt ?? undefined,
      updatedAt: row.updatedAt,
      finishedAt: row.finishedAt ?? undefined,
      revision: row.revision,
    };
  }

  /**
   * Gives a job another status. Whoever waits for it is told, and one that waits for a place gets the place that became free.
   *
   * @param fields columns that change with it
   */
  protected enter(
    id: string,
    status: JobStatus,
    now: number,
    fields: Record<string, string | number | null> = {},
  ): void {
    const all = { due_at: null, waiting: null, paused_because: null, current_step: null, ...fields };
    const names = Object.keys(all);
    this.db.run(
      `UPDATE jobs SET status = ?, updated_at = ?, revision = revision + 1${names.map((name) => `, ${name} = ?`).join('')} WHERE id = ?`,
      status,
      now,
      ...Object.values(all),
      id,
    );
    if (ENDED.has(status)) {
      this.db.run('UPDATE jobs SET finished_at = ? WHERE id = ?', now, id);
      this.db.run('DELETE FROM job_writes WHERE job_id = ?', id);
      this.schedule('jobs', now + DAY_MS);
    }
    this.tell(id);
    this.promote(now);
  }

  /**
   * Lets queued jobs run while there are places. Of several clients the one with the fewest running jobs is next, so
   * that one that starts a hundred keeps nobody else waiting; of one client, the oldest job.
   */
  protected promote(now: number): void {
    for (;;) {
      const running = this.db.first<{ count: number }>(`SELECT count(*) AS count FROM jobs WHERE status = 'running'`);
      if ((running?.count ?? 0) >= MAX_RUNNING) return;
      const next = this.db.first<{ id: string }>(
        `SELECT id FROM jobs AS queued WHERE status = 'queued' ORDER BY
           (SELECT count(*) FROM jobs WHERE status = 'running' AND client_id = queued.client_id), created_at, id LIMIT 1`,
      );
      if (!next) return;
      this.db.run(
        `UPDATE jobs SET status = 'running', run = run + 1, due_at = ?, updated_at = ?, revision = revision + 1,
           started_at = coalesce(started_at, ?) WHERE id = ?`,
        now,
        now,
        now,
        next.id,
      );
      this.schedule('jobs', now);
      this.tell(next.id);
    }
  }

  /** Wakes whoever waits for a job to change. */
  protected tell(id: string): void {
    const waiting = waiters.get(this.db)?.get(id);
    for (const wake of waiting ?? []) wake();
  }

  /** Resolves when a job changes, or after so many ms. */
  protected async change(id: string, milliseconds: number): Promise<void> {
    const all = waiters.get(this.db) ?? new Map<string, Set<() => void>>();
    waiters.set(this.db, all);
    const ofJob = all.get(id) ?? new Set();
    all.set(id, ofJob);
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        ofJob.delete(wake);
        if (ofJob.size === 0) all.delete(id);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      ofJob.add(wake);
    });
  }

  #session(id: string): SessionRef {
    const session = this.findSession(id);
    return session ? { id: session.id, slug: session.slug, title: session.title } : { id, slug: id, title: '' };
  }
}

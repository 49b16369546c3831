import { CarrelError } from '../lib/errors.ts';
import { JobsStore, SELECT_JOBS } from './base.ts';
import type { JobRow } from './base.ts';
import type { RunReference } from './durable.ts';
import { MAX_DURATION_MS, MAX_OUTCOME_CHARACTERS, MAX_STALLS, MAX_STEPS, runIsOver } from './model.ts';
import type { JobAuthority, JobError, PauseReason, Progress, StepState, Waiting } from './model.ts';

/** What a run begins with. */
export interface RunStart {
  readonly definition: string;
  /** JSON. */
  readonly input: string;
  readonly session: string;
  readonly authority: JobAuthority;
  readonly startedAt: number;
}

/** What a step has given. */
export interface KnownStep {
  readonly name: string;
  readonly state: StepState;
  /** JSON. */
  readonly outcome: string | undefined;
  readonly error: string | undefined;
  readonly wait: string | undefined;
}

const DAY_MS = 86_400_000;
/** Bytes of outcomes that one answer carries. */
const PAGE_BYTES = 4_000_000;

/**
 * Jobs, as their runs see them, and as the workspace tends them. A run is let in while the job runs in it: of two runs of
 * one job, the later one wins, and every further call of the earlier one is refused.
 */
export class RunStore extends JobsStore {
  /** @throws CarrelError for a run that is over */
  admit(id: string, run: number): JobAuthority {
    const row = this.db.first<JobRow>(`${SELECT_JOBS} WHERE id = ? AND run = ? AND status = 'running'`, id, run);
    if (!row) throw runIsOver();
    return authorityOf(row);
  }

  /** What a run begins with. It counts as moving from here on. */
  begin(id: string, patience: number, now: number): RunStart {
    const row = this.row(id);
    const { input } = this.db.first<{ input: string }>('SELECT input FROM jobs WHERE id = ?', id) ?? { input: '{}' };
    this.#moved(id, now + patience);
    this.db.run('UPDATE jobs SET nudged = 0 WHERE id = ?', id);
    const { definition, sessionId: session, startedAt } = row;
    return { definition, input, session, authority: authorityOf(row), startedAt: startedAt ?? now };
  }

  /** What the steps gave in the runs before this one, a page at a time. */
  known(id: string, after: number): { readonly steps: readonly KnownStep[]; readonly next: number | undefined } {
    const steps: KnownStep[] = [];
    let bytes = 0;
    const rows = this.db.all<{
      name: string;
      number: number;
      state: StepState;
      outcome: string | null;
      error: string | null;
      wait: string | null;
    }>(
      `SELECT name, number, state, outcome, error, wait FROM job_steps WHERE job_id = ? AND number > ? AND state <> 'running'
       ORDER BY number LIMIT 500`,
      id,
      after,
    );
    for (const [index, { number, name, state, outcome, error, wait }] of rows.entries()) {
      steps.push({ name, state, outcome: outcome ?? undefined, error: error ?? undefined, wait: wait ?? undefined });
      bytes += outcome?.length ?? 0;
      if (bytes > PAGE_BYTES || index === 499) return { steps, next: number };
    }
    return { steps, next: undefined };
  }

  /**
   * That a step is begun, for the first time or again.
   *
   * @returns what it gave (JSON) where it is finished already and the word of that was lost: it must not be done again,
   *   because what it wrote is remembered no longer
   * @throws CarrelError `too_large`
   */
  beginStep(id: string, name: string, input: string | undefined, patience: number, now: number): string | undefined {
    const known = this.db.first<{ state: StepState; outcome: string | null }>(
      'SELECT state, outcome FROM job_steps WHERE job_id = ? AND name = ?',
      id,
      name,
    );
    if (known?.state === 'finished') return known.outcome ?? 'null';
    this.db.transaction(() => {
      const { begun } = this.db.first<{ begun: number }>('SELECT begun FROM jobs WHERE id = ?', id) ?? { begun: 0 };
      if (!known && begun >= MAX_STEPS)
        throw new CarrelError('too_large', 'The job has as many steps as one may have.', {
          details: { limit: MAX_STEPS },
        });
      this.db.run(
        `INSERT INTO job_steps (job_id, name, number, state, attempts, input, started_at) VALUES (?, ?, ?, 'running', 1, ?, ?)
         ON CONFLICT (job_id, name) DO UPDATE SET state = 'running', attempts = attempts + 1, error = NULL`,
        id,
        name,
        begun,
        input ?? null,
        now,
      );
      this.db.run(
        'UPDATE jobs SET current_step = ?, attempts = attempts + 1, begun = begun + ?, revision = revision + 1, updated_at = ? WHERE id = ?',
        name,
        known ? 0 : 1,
        now,
        id,
      );
      this.#moved(id, now + patience);
    });
    this.tell(id);
    return undefined;
  }

  /** That a step is done, with what it gave. @throws CarrelError `too_large` */
  finishStep(
    id: string,
    name: string,
    outcome: string,
    progress: Progress | undefined,
    patience: number,
    now: number,
  ): void {
    this.db.transaction(() => {
      const { bytes } = this.db.first<{ bytes: number }>('SELECT bytes FROM jobs WHERE id = ?', id) ?? { bytes: 0 };
      if (bytes + outcome.length > MAX_OUTCOME_CHARACTERS)
        throw new CarrelError(
          'too_large',
          'The steps of the job give more than one job may keep. Let them write files.',
          {
            details: { limit: MAX_OUTCOME_CHARACTERS },
          },
        );
      this.db.run(
        `UPDATE job_steps SET state = 'finished', outcome = ?, error = NULL, finished_at = ? WHERE job_id = ? AND name = ?`,
        outcome,
        now,
        id,
        name,
      );
      // What it wrote cannot be written again now: no run begins it again.
      this.db.run('DELETE FROM job_writes WHERE job_id = ? AND step = ?', id, name);
      this.db.run(
        'UPDATE jobs SET steps = steps + 1, bytes = bytes + ?, stalls = 0, revision = revision + 1, updated_at = ? WHERE id = ?',
        outcome.length,
        now,
        id,
      );
      if (progress) this.#progressed(id, progress);
      this.#moved(id, now + patience);
    });
    this.tell(id);
  }

  /** That a step did not go well. @param isFinal whether it is not tried again */
  failStep(id: string, name: string, error: JobError, isFinal: boolean, patience: number, now: number): void {
    this.db.run(
      `UPDATE job_steps SET state = ?, error = ?, finished_at = ? WHERE job_id = ? AND name = ? AND state <> 'finished'`,
      isFinal ? 'failed' : 'running',
      JSON.stringify(error),
      isFinal ? now : null,
      id,
      name,
    );
    this.#moved(id, now + patience);
    this.tell(id);
  }

  /** That a run still works, and how far it is. */
  beat(id: string, progress: Progress | undefined, patience: number, now: number): void {
    if (progress) {
      this.#progressed(id, progress);
      this.db.run('UPDATE jobs SET revision = revision + 1, updated_at = ? WHERE id = ?', now, id);
      this.tell(id);
    }
    this.#moved(id, now + patience);
  }

  /** Keeps what a step waits for now, whatever it waited for before. */
  replaceWait(id: string, name: string, wait: Waiting, patience: number, now: number): Waiting {
    this.db.run('UPDATE job_steps SET wait = NULL WHERE job_id = ? AND name = ?', id, name);
    return this.keepWait(id, name, wait, patience, now);
  }

  /** Keeps a step that finishes by itself or by somebody else, such as a sleep or a question. One that is there stays. */
  keepWait(id: string, name: string, wait: Waiting, patience: number, now: number): Waiting {
    const there = this.db.first<{ wait: string | null }>(
      'SELECT wait FROM job_steps WHERE job_id = ? AND name = ?',
      id,
      name,
    );
    if (there?.wait) return JSON.parse(there.wait) as Waiting;
    this.beginStep(id, name, undefined, patience, now);
    this.db.run(
      `UPDATE job_steps SET state = 'waiting', wait = ? WHERE job_id = ? AND name = ?`,
      JSON.stringify(wait),
      id,
      name,
    );
    return wait;
  }

  /** Ends a run that cannot go on until something happens. The job waits for the first of these. */
  suspend(id: string, waiting: readonly Waiting[], progress: Progress | undefined, now: number): void {
    this.db.transaction(() => {
      if (progress) this.#progressed(id, progress);
      // Answered between the moment when the run looked and now: it goes on at once.
      const isOpen = waiting.every(
        ({ step }) =>
          this.db.first(`SELECT 1 FROM job_steps WHERE job_id = ? AND name = ? AND state = 'waiting'`, id, step) !==
          undefined,
      );
      const until = Math.min(...waiting.map((each) => each.until));
      const isNudged = this.db.first('SELECT 1 FROM jobs WHERE id = ? AND nudged = 1', id) !== undefined;
      if (isOpen && !isNudged && until > now) {
        this.enter(id, 'waiting', now, { waiting: JSON.stringify(waiting), due_at: until, stalls: 0 });
        this.schedule('jobs', until);
      } else this.enter(id, 'queued', now);
    });
  }

  complete(id: string, result: string, progress: Progress | undefined, now: number): void {
    this.db.transaction(() => {
      if (progress) this.#progressed(id, progress);
      this.enter(id, 'completed', now, { result });
    });
  }

  fail(id: string, error: JobError, now: number): void {
    this.enter(id, 'failed', now, { error: JSON.stringify(error) });
  }

  /** What a call of a step has written in a run before, or in this one. */
  written(id: string, step: string, call: string): { readonly value?: unknown } | undefined {
    const row = this.db.first<{ value: string }>(
      'SELECT value FROM job_writes WHERE job_id = ? AND step = ? AND call = ?',
      id,
      step,
      call,
    );
    return row && (JSON.parse(row.value) as { value?: unknown });
  }

  noteWritten(id: string, step: string, call: string, value: unknown): void {
    this.db.run(
      'INSERT INTO job_writes (job_id, step, call, value) VALUES (?, ?, ?, ?)',
      id,
      step,
      call,
      JSON.stringify({ value }),
    );
  }

  /** Pauses what works with an access that was ended. */
  pauseAll(grantId: string, now: number): void {
    for (const { id } of this.db.all<{ id: string }>(
      `SELECT id FROM jobs WHERE grant_id = ? AND status IN ('queued', 'running', 'waiting')`,
      grantId,
    ))
      this.pause(id, 'access_ended', now);
  }

  pause(id: string, reason: PauseReason, now: number): void {
    this.enter(id, 'paused', now, { paused_because: reason });
  }

  /** Of a person who may not enter any more. */
  cancelAll(now: number): void {
    // First those that wait for a place: otherwise each that is cancelled lets one of them begin.
    for (const status of ['queued', 'running', 'waiting', 'paused'])
      for (const { id } of this.db.all<{ id: string }>('SELECT id FROM jobs WHERE status = ?', status))
        this.enter(id, 'cancelled', now);
  }

  /**
   * Begins runs of what was promoted, of what waited long enough, and of what no longer moves.
   *
   * @returns the runs to begin. They are begun again if they do not say a word.
   */
  launch(patience: number, limit: number, now: number): RunReference[] {
    return this.db.transaction(() => {
      for (const { id } of this.db.all<{ id: string }>(
        `SELECT id FROM jobs WHERE status = 'waiting' AND due_at <= ?`,
        now,
      ))
        this.enter(id, 'queued', now);
      const long = this.db.all<{ id: string }>(
        `SELECT id FROM jobs WHERE status IN ('running', 'waiting') AND started_at <= ?`,
        now - MAX_DURATION_MS,
      );
      for (const { id } of long)
        this.fail(id, { code: 'limit_exceeded', message: 'The job took longer than a job may.' }, now);
      const still = this.db.all<{ id: string; stalls: number }>(
        `SELECT id, stalls FROM jobs WHERE status = 'running' AND due_at <= ? AND launched_run = run`,
        now,
      );
      for (const { id, stalls } of still)
        if (stalls >= MAX_STALLS)
          this.fail(
            id,
            { code: 'unavailable', message: 'The job stopped again and again in the same step, and was given up.' },
            now,
          );
        else this.db.run('UPDATE jobs SET run = run + 1, stalls = stalls + 1 WHERE id = ?', id);
      this.promote(now);
      const runs = this.db.all<RunReference & Record<string, string | number>>(
        `UPDATE jobs SET launched_run = run, due_at = ? WHERE id IN
           (SELECT id FROM jobs WHERE status = 'running' AND launched_run < run ORDER BY due_at LIMIT ?)
         RETURNING workspace_id AS workspaceId, id AS jobId, run`,
        now + patience,
        limit,
      );
      return runs;
    });
  }

  /**
   * Removes jobs that ended before then, with what their steps gave. One that the state of a session names stays.
   *
   * @returns how many
   */
  sweep(limit: number, before: number): number {
    return this.db.transaction(() => {
      const over = this.db.all<{ id: string }>(
        `SELECT id FROM jobs WHERE finished_at <= ?
           AND NOT EXISTS (SELECT 1 FROM state WHERE instr(value, jobs.id) > 0) LIMIT ?`,
        before,
        limit,
      );
      for (const { id } of over) {
        this.db.run('DELETE FROM job_steps WHERE job_id = ?', id);
        this.db.run('DELETE FROM job_writes WHERE job_id = ?', id);
        this.db.run('DELETE FROM jobs WHERE id = ?', id);
      }
      return over.length;
    });
  }

  /** When there is next something to tend (ms); those that ended are looked at daily. */
  nextDue(now: number): number | undefined {
    const due = this.db.first<{ due: number | null }>('SELECT min(due_at) AS due FROM jobs WHERE due_at IS NOT NULL');
    const ended = this.db.first('SELECT 1 FROM jobs WHERE finished_at IS NOT NULL LIMIT 1');
    const times = [due?.due ?? undefined, ended && now + DAY_MS].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #progressed(id: string, { done, total, message }: Progress): void {
    this.db.run(
      'UPDATE jobs SET done = ?, total = ?, message = ? WHERE id = ?',
      done,
      total ?? null,
      message ?? null,
      id,
    );
  }

  #moved(id: string, due: number): void {
    this.db.run('UPDATE jobs SET due_at = ? WHERE id = ?', due, id);
  }
}

function authorityOf(row: JobRow): JobAuthority {
  const { personId, workspaceId, grantId, clientId, label, scopes, origin } = row;
  return {
    personId,
    workspaceId,
    grantId: grantId ?? undefined,
    clientId,
    label,
    scopes: JSON.parse(scopes) as string[],
    origin,
  };
}

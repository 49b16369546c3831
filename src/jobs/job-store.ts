import type { Position } from '../lib/cursor.ts';
import { CarrelError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import { JobsStore, SELECT_JOBS } from './base.ts';
import type { JobRow } from './base.ts';
import { ENDED, MAX_ACTIVE } from './model.ts';
import type { Job, JobAuthority, JobError, JobStatus, StepState, StepSummary, Submission, Waiting } from './model.ts';
import { JOB_SCHEMA } from './schema.ts';

/** Characters of a step's input and outcome that are shown. */
const SHOWN_CHARACTERS = 2000;

type StepRow = {
  name: string;
  number: number;
  state: StepState;
  attempts: number;
  input: string | null;
  outcome: string | null;
  error: string | null;
  startedAt: number;
  finishedAt: number | null;
};

/** What a job was asked to do, besides what lists show. */
export interface JobDetail extends Job {
  /** JSON. */
  readonly input: string;
}

/** Jobs, as those see them who start and follow them. */
export class JobStore extends JobsStore {
  static readonly schema = JOB_SCHEMA;

  /**
   * Records a job, which from here on will run. Submitting again with the key of an earlier one gives that one.
   *
   * @throws CarrelError `not_found` (the session), `conflict` (the key was used for something else), `limit_exceeded`
   */
  submit({ definition, input, session, idempotencyKey, authority, source }: Submission, now: number): JobDetail {
    return this.db.transaction(() => {
      const { id: sessionId } = this.session(session);
      const { clientId, personId, workspaceId, grantId, label, scopes, origin } = authority;
      if (idempotencyKey !== undefined) {
        const there = this.ofKey(clientId, idempotencyKey, definition, input, session);
        if (there) return there;
      }
      const active = this.db.first<{ count: number }>(
        `SELECT count(*) AS count FROM jobs WHERE status IN ('queued', 'running', 'waiting', 'paused')`,
      );
      if ((active?.count ?? 0) >= MAX_ACTIVE)
        throw new CarrelError(
          'limit_exceeded',
          'There are as many unfinished jobs as there may be. Wait for some, or cancel them.',
          {
            details: { jobs: active?.count ?? 0, limit: MAX_ACTIVE },
          },
        );
      const id = newId('job');
      this.db.run(
        `INSERT INTO jobs (id, definition, source, session_id, input, idempotency_key, status, person_id, workspace_id, grant_id,
           client_id, label, scopes, origin, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        definition,
        source ?? null,
        sessionId,
        input,
        idempotencyKey ?? null,
        personId,
        workspaceId,
        grantId ?? null,
        clientId,
        label,
        JSON.stringify(scopes),
        origin,
        now,
        now,
      );
      this.promote(now);
      return this.find(id);
    });
  }

  /**
   * What was submitted with this key before.
   *
   * @throws CarrelError `not_found` (the session), `conflict` (the key was used for something else)
   */
  ofKey(
    clientId: string,
    key: string,
    definition: string,
    input: string,
    session: string | undefined,
  ): JobDetail | undefined {
    const { id: sessionId } = this.session(session);
    const there = this.db.first<{ id: string; definition: string; input: string; sessionId: string }>(
      `SELECT id, definition, input, session_id AS sessionId FROM jobs WHERE client_id = ? AND idempotency_key = ?`,
      clientId,
      key,
    );
    if (there && (there.definition !== definition || there.input !== input || there.sessionId !== sessionId))
      throw new CarrelError('conflict', 'This idempotency key was used for a job with another input. Use a new one.');
    return there && this.find(there.id);
  }

  /** @throws CarrelError `not_found` */
  find(id: string): JobDetail {
    const row = this.row(id);
    const input = this.db.first<{ input: string }>('SELECT input FROM jobs WHERE id = ?', id)?.input ?? '{}';
    return { ...this.toJob(row), input };
  }

  /** Newest first. */
  list({
    status,
    definition,
    source,
    limit,
    after,
  }: {
    readonly status: JobStatus | undefined;
    readonly definition: string | undefined;
    readonly source?: string | undefined;
    readonly limit: number;
    readonly after: Position | undefined;
  }): { readonly jobs: readonly Job[]; readonly next: Position | undefined } {
    const filters: [string, string | number][] = [];
    if (status !== undefined) filters.push(['status = ?', status]);
    if (definition !== undefined) filters.push(['definition = ?', definition]);
    if (source !== undefined) filters.push(['source = ?', source]);
    const [createdAt, id] = after ?? [];
    const where = filters.map(([condition]) => condition);
    const values = filters.map(([, value]) => value);
    if (after) where.push('(created_at, id) < (?, ?)');
    const rows = this.db.all<JobRow>(
      `${SELECT_JOBS} ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''} ORDER BY created_at DESC, id DESC LIMIT ?`,
      ...values,
      ...(after ? [Number(createdAt), String(id)] : []),
      limit + 1,
    );
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      jobs: page.map((row) => this.toJob(row)),
      next: rows.length > limit && last ? [last.createdAt, last.id] : undefined,
    };
  }

  /**
   * The steps of a job in the order in which they were begun first.
   *
   * @throws CarrelError `not_found`
   */
  steps(
    id: string,
    limit: number,
    after: number | undefined,
  ): { steps: readonly StepSummary[]; next: number | undefined } {
    this.row(id);
    const rows = this.db.all<StepRow>(
      `SELECT name, number, state, attempts, substr(input, 1, ?) AS input, substr(outcome, 1, ?) AS outcome, error,
         started_at AS startedAt, finished_at AS finishedAt FROM job_steps WHERE job_id = ? AND number > ? ORDER BY number LIMIT ?`,
      SHOWN_CHARACTERS,
      SHOWN_CHARACTERS,
      id,
      after ?? -1,
      limit + 1,
    );
    const steps = rows.slice(0, limit).map(({ number: _number, input, outcome, error, finishedAt, ...step }) => ({
      ...step,
      input: input ?? undefined,
      outcome: outcome ?? undefined,
      error: error ?? undefined,
      finishedAt: finishedAt ?? undefined,
    }));
    return { steps, next: rows.length > limit ? rows[limit - 1]?.number : undefined };
  }

  /** @returns the result as JSON text with the job; undefined where it has none @throws CarrelError `not_found` */
  result(id: string): { readonly job: Job; readonly result: string | undefined } {
    const row = this.row(id);
    const { result } = this.db.first<{ result: string | null }>('SELECT result FROM jobs WHERE id = ?', id) ?? {};
    return { job: this.toJob(row), result: result ?? undefined };
  }

  /**
   * Resolves when a job has changed since this revision, or after so many ms.
   *
   * @returns nothing: whoever waited may not be allowed any more to know
   */
  async wait(id: string, revision: number, milliseconds: number): Promise<void> {
    const row = this.row(id);
    if (row.revision === revision && !ENDED.has(row.status)) await this.change(id, milliseconds);
  }

  /** Cancels a job. Cancelling one that was cancelled changes nothing. @throws CarrelError `not_found`, `conflict` */
  cancel(id: string, now: number): Job {
    const { status } = this.row(id);
    if (status === 'completed' || status === 'failed') throw unfit('cancelled', status);
    if (status !== 'cancelled') this.enter(id, 'cancelled', now);
    return this.toJob(this.row(id));
  }

  /** Pauses a job: what its current step has begun may be done again. @throws CarrelError `not_found`, `conflict` */
  pause(id: string, now: number): Job {
    const { status } = this.row(id);
    if (ENDED.has(status)) throw unfit('paused', status);
    if (status !== 'paused') this.enter(id, 'paused', now, { paused_because: 'asked' });
    return this.toJob(this.row(id));
  }

  /**
   * Lets a paused job go on, for whoever asks: from here on it has their access and ends with it.
   *
   * @throws CarrelError `not_found`, `conflict`, `forbidden` for somebody who may do less than the job
   */
  resume(id: string, authority: JobAuthority, now: number): Job {
    const { status, scopes } = this.row(id);
    if (status !== 'paused') throw unfit('resumed', status);
    this.#hand(id, JSON.parse(scopes) as string[], authority);
    this.enter(id, 'queued', now);
    return this.toJob(this.row(id));
  }

  /**
   * Begins a failed or cancelled job again at the step that did not finish. @throws CarrelError as {@link resume}
   */
  retry(id: string, authority: JobAuthority, now: number): Job {
    const { status, scopes } = this.row(id);
    if (status !== 'failed' && status !== 'cancelled') throw unfit('retried', status);
    this.#hand(id, JSON.parse(scopes) as string[], authority);
    this.db.run(`DELETE FROM job_steps WHERE job_id = ? AND state IN ('failed', 'waiting')`, id);
    this.enter(id, 'queued', now, { error: null, finished_at: null, started_at: null });
    return this.toJob(this.row(id));
  }

  /** What a job waits for from a person. @throws CarrelError `not_found`, `conflict` */
  question(id: string, step: string | undefined): Waiting {
    const job = this.toJob(this.row(id));
    const asked = job.waiting.filter((each) => each.for === 'input');
    if (job.status !== 'waiting' || asked.length === 0) throw unfit('answered', job.status);
    const found = step === undefined && asked.length === 1 ? asked[0] : asked.find((each) => each.step === step);
    if (!found)
      throw new CarrelError(
        'invalid_input',
        'The job asks for more than one thing: name the step that the answer is for.',
      );
    return found;
  }

  /** Answers what a job waits for; of two answers the first counts. @throws CarrelError `not_found`, `conflict` */
  answer(id: string, step: string, answer: string, now: number): Job {
    const { until } = this.question(id, step);
    if (until <= now) throw new CarrelError('conflict', 'The time to answer is over.');
    this.db.run(
      `UPDATE job_steps SET state = 'finished', outcome = ?, finished_at = ? WHERE job_id = ? AND name = ? AND state = 'waiting'`,
      answer,
      now,
      id,
      step,
    );
    return this.#settled(id, step, now);
  }

  /** Says that nobody will answer: the step that asks fails. @throws CarrelError `not_found`, `conflict` */
  decline(id: string, step: string, now: number): Job {
    this.question(id, step);
    const error: JobError = { code: 'forbidden', message: 'The person declined to answer.', step };
    this.db.run(
      `UPDATE job_steps SET state = 'failed', error = ?, finished_at = ? WHERE job_id = ? AND name = ? AND state = 'waiting'`,
      JSON.stringify(error),
      now,
      id,
      step,
    );
    return this.#settled(id, step, now);
  }

  /** A job that asks for several things goes on when the last of them is answered. */
  #settled(id: string, step: string, now: number): Job {
    const job = this.toJob(this.row(id));
    const left = job.waiting.filter((each) => each.step !== step);
    if (left.some((each) => each.for === 'input')) {
      this.db.run('UPDATE jobs SET waiting = ?, revision = revision + 1 WHERE id = ?', JSON.stringify(left), id);
      this.tell(id);
    } else this.enter(id, 'queued', now);
    return this.toJob(this.row(id));
  }

  /** What waits for something that happened elsewhere, such as an approval, goes on and looks. */
  proceed(id: string, now: number): void {
    const row = this.db.first<JobRow>(`${SELECT_JOBS} WHERE id = ?`, id);
    if (row?.status === 'waiting') this.enter(id, 'queued', now);
    // It looked before this happened, and is about to wait for it.
    else this.db.run('UPDATE jobs SET nudged = 1 WHERE id = ?', id);
  }

  /** Whoever lets a job go on must be allowed what it may do. */
  #hand(id: string, needed: readonly string[], { grantId, clientId, label, scopes }: JobAuthority): void {
    const lacking = needed.filter((scope) => !scopes.includes(scope));
    if (lacking.length > 0)
      throw new CarrelError(
        'forbidden',
        `This job needs permissions that this connection lacks: ${lacking.join(', ')}.`,
      );
    this.db.run(
      'UPDATE jobs SET grant_id = ?, client_id = ?, label = ?, idempotency_key = NULL WHERE id = ? AND client_id <> ?',
      grantId ?? null,
      clientId,
      label,
      id,
      clientId,
    );
    this.db.run('UPDATE jobs SET grant_id = ?, stalls = 0 WHERE id = ?', grantId ?? null, id);
  }
}

function unfit(action: string, status: JobStatus): CarrelError {
  return new CarrelError('conflict', `A job that is ${status} cannot be ${action}.`, {
    details: { job_status: status },
  });
}

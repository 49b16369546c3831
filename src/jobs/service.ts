import { encodeCursor, placeOf } from '../lib/cursor.ts';
import { itemsWithinBudget, OUTPUT_BUDGET_CHARACTERS } from '../lib/budget.ts';
import { CarrelError } from '../lib/errors.ts';
import { invalidArguments } from '../lib/invalid-arguments.ts';
import { canonicalJson, isNestedWithin } from '../lib/json.ts';
import type { Principal } from '../mcp/context.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import type { JobDefinition } from './definition.ts';
import type { JobDetail } from './job-store.ts';
import { answerSchema, ENDED, MAX_VALUE_CHARACTERS } from './model.ts';
import type { Job, JobAuthority, JobStatus, StepSummary } from './model.ts';

/** For whom something is done with jobs. */
export interface JobContext {
  readonly workspace: OpenWorkspace;
  readonly principal: Principal;
  readonly origin: string;
}

export interface StartInput {
  readonly definition: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly session?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** What starts it, such as `recipe:weekly`. */
  readonly source?: string | undefined;
}

/** A result, or the part of its JSON text that fits. */
export interface JobResult {
  readonly job: Job;
  readonly value: unknown;
  readonly part:
    | { readonly text: string; readonly nextOffset: number | undefined; readonly characters: number }
    | undefined;
}

export interface JobServiceOptions {
  readonly definitions: () => Promise<ReadonlyMap<string, JobDefinition>>;
  /** How long a job that ended is kept, in ms. */
  readonly keep: number;
}

/** How deep the input of a job may be nested. */
const MAX_DEPTH = 64;
/** How long one call may wait, in ms. */
export const MAX_WAIT_MS = 50_000;

/** Jobs: who may start what, and what may be done with one that is there. */
export class JobService {
  readonly #options: JobServiceOptions;

  constructor(options: JobServiceOptions) {
    this.#options = options;
  }

  async definitions(): Promise<readonly JobDefinition[]> {
    return [...(await this.#options.definitions()).values()].filter(({ isInternal }) => !isInternal);
  }

  /** When a job that ended is removed (ms since the epoch). */
  expiryOf({ finishedAt }: Job): number | undefined {
    return finishedAt === undefined ? undefined : finishedAt + this.#options.keep;
  }

  /**
   * Starts a job, once for each idempotency key. It is recorded, and will run, when this returns.
   *
   * @throws CarrelError `not_found` (definition, session), `invalid_input`, `forbidden` (scopes), `conflict` (the key),
   *   `limit_exceeded`, and whatever the definition checks beforehand; then there is no job
   * @param isOurs whether Carrel starts it, and not somebody who names it
   */
  async start(context: JobContext, start: StartInput, isOurs = false): Promise<JobDetail> {
    const { definition, session, idempotencyKey, source } = start;
    const { jobs } = context.workspace;
    if (idempotencyKey !== undefined && isNestedWithin(start.input, MAX_DEPTH)) {
      // Before anything is checked: what was there when it was started may be gone.
      const { clientId } = context.principal;
      const there = await jobs.ofKey(clientId, idempotencyKey, definition, canonicalJson(start.input), session);
      if (there) return there;
    }
    const { input, authority } = await this.prepare(context, start, isOurs);
    return jobs.submit({ definition, input, session, idempotencyKey, authority, source }, Date.now());
  }

  /**
   * Checks what would be started, and starts nothing.
   *
   * @returns the input as JSON, and for whom the job would work
   * @throws CarrelError as {@link start}, but for what only the record knows
   */
  async prepare(
    context: JobContext,
    { definition: name, input }: Pick<StartInput, 'definition' | 'input'>,
    isOurs = false,
  ): Promise<{ readonly input: string; readonly authority: JobAuthority }> {
    const all = await this.#options.definitions();
    const definition = all.get(name);
    if (!definition || (definition.isInternal && !isOurs)) {
      const names = (await this.definitions()).map((each) => each.name);
      throw new CarrelError('not_found', `There is no such kind of job. There are: ${names.join(', ')}.`);
    }
    if (!isNestedWithin(input, MAX_DEPTH)) throw new CarrelError('invalid_input', 'The input is nested too deeply.');
    const text = canonicalJson(input);
    if (text.length > MAX_VALUE_CHARACTERS)
      throw new CarrelError(
        'too_large',
        'The input of a job has at most 256 KB as JSON. Keep larger things as files.',
        {
          details: { characters: text.length, limit: MAX_VALUE_CHARACTERS },
        },
      );
    const parsed = definition.input.safeParse(input);
    if (!parsed.success) throw invalidArguments(parsed.error, input, Object.keys(definition.input.shape));
    const scopes = definition.scopes(parsed.data as never);
    const lacking = scopes.filter((scope) => !context.principal.scopes.includes(scope));
    if (lacking.length > 0)
      throw new CarrelError(
        'forbidden',
        `This job needs permissions that this connection lacks: ${lacking.join(', ')}. Connect again and allow them.`,
      );
    await definition.check?.(parsed.data as never, context);
    const also = definition.alsoScopes?.filter((scope) => context.principal.scopes.includes(scope)) ?? [];
    return { input: text, authority: { ...authorityOf(context), scopes: [...new Set([...scopes, ...also])] } };
  }

  async list(
    { workspace }: JobContext,
    filter: {
      readonly status?: JobStatus | undefined;
      readonly definition?: string | undefined;
      readonly source?: string | undefined;
      readonly limit: number;
      readonly cursor?: string | undefined;
    },
  ): Promise<{ readonly jobs: readonly Job[]; readonly nextCursor: string | undefined }> {
    const { status, definition, source, limit, cursor } = filter;
    const page = await workspace.jobs.list({ status, definition, source, limit, after: placeOf(cursor, 2) });
    const jobs = itemsWithinBudget(page.jobs);
    const last = jobs.at(-1);
    const next = jobs.length < page.jobs.length && last ? [last.createdAt, last.id] : page.next;
    return { jobs, nextCursor: next && encodeCursor(next) };
  }

  /**
   * A job; with a time, it waits that long (ms) for it to end or to wait for somebody. Without, one round trip.
   *
   * @param told is called with each change while it waits
   */
  async get({ workspace }: JobContext, id: string, wait = 0, told?: (job: Job) => Promise<void>): Promise<JobDetail> {
    const deadline = Date.now() + Math.min(wait, MAX_WAIT_MS);
    let job = await workspace.jobs.find(id);
    while (Date.now() < deadline && !isSettled(job)) {
      await told?.(job);
      await workspace.jobs.wait(id, job.revision, deadline - Date.now());
      job = await workspace.jobs.find(id);
    }
    return job;
  }

  /** Waits for a job to change. */
  async changed({ workspace }: JobContext, job: Job, milliseconds: number): Promise<JobDetail> {
    await workspace.jobs.wait(job.id, job.revision, milliseconds);
    return workspace.jobs.find(job.id);
  }

  async steps(
    { workspace }: JobContext,
    id: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<{ readonly steps: readonly StepSummary[]; readonly nextCursor: string | undefined }> {
    const after = placeOf(cursor, 1);
    const page = await workspace.jobs.steps(id, limit, after && Number(after[0]));
    return { steps: page.steps, nextCursor: page.next === undefined ? undefined : encodeCursor([page.next]) };
  }

  /** @throws CarrelError `not_found`, `conflict` while there is none, or for a job that ended without one */
  async result(
    { workspace }: Pick<JobContext, 'workspace'>,
    id: string,
    offset: number | undefined,
  ): Promise<JobResult> {
    const { job, result } = await workspace.jobs.result(id);
    if (result === undefined)
      throw new CarrelError(
        'conflict',
        ENDED.has(job.status)
          ? `The job is ${job.status} and has no result. \`job_get\` says why.`
          : `The job is ${job.status}: its result is not ready. Ask again when \`job_get\` says that it is completed.`,
        { details: { job_status: job.status } },
      );
    const room = Math.floor((OUTPUT_BUDGET_CHARACTERS - 3000) / 3);
    if (offset === undefined && result.length <= room)
      return { job, value: JSON.parse(result) as unknown, part: undefined };
    const end = (offset ?? 0) + room;
    return {
      job,
      value: undefined,
      part: {
        text: result.slice(offset ?? 0, end),
        nextOffset: end < result.length ? end : undefined,
        characters: result.length,
      },
    };
  }

  /** The result of a completed job, however large. */
  async whole({ workspace }: Pick<JobContext, 'workspace'>, id: string): Promise<unknown> {
    const { result } = await workspace.jobs.result(id);
    return JSON.parse(result ?? 'null') as unknown;
  }

  async cancel({ workspace }: Pick<JobContext, 'workspace'>, id: string): Promise<Job> {
    return workspace.jobs.cancel(id, Date.now());
  }

  async pause({ workspace }: JobContext, id: string): Promise<Job> {
    return workspace.jobs.pause(id, Date.now());
  }

  async resume(context: JobContext, id: string): Promise<Job> {
    return context.workspace.jobs.resume(id, authorityOf(context), Date.now());
  }

  async retry(context: JobContext, id: string): Promise<Job> {
    return context.workspace.jobs.retry(id, authorityOf(context), Date.now());
  }

  /** @throws CarrelError `not_found`, `conflict` (it asks for nothing), `invalid_input` (another form) */
  async answer(
    { workspace }: Pick<JobContext, 'workspace'>,
    id: string,
    step: string | undefined,
    answer: unknown,
  ): Promise<Job> {
    const question = await workspace.jobs.question(id, step);
    const flat = answerSchema.safeParse(answer);
    if (!flat.success) throw invalidArguments(flat.error, answer, []);
    const { Validator } = await import('@cfworker/json-schema');
    const { valid, errors } = new Validator(question.schema as never, '2020-12', false).validate(flat.data);
    if (!valid)
      throw new CarrelError(
        'invalid_input',
        `The answer does not fit the form that was asked for: ${errors.map((each) => each.instanceLocation).join(', ')}`,
      );
    return workspace.jobs.answer(id, question.step, JSON.stringify(flat.data), Date.now());
  }
  /** The person does not answer: the step that asks fails. @throws CarrelError `not_found`, `conflict` */
  async decline({ workspace }: Pick<JobContext, 'workspace'>, id: string, step: string): Promise<Job> {
    return workspace.jobs.decline(id, step, Date.now());
  }
}

/** Whether waiting longer would tell nothing: it ended, or somebody must do something first. */
function isSettled({ status }: Job): boolean {
  return ENDED.has(status) || status === 'paused' || status === 'waiting';
}

function authorityOf({ principal, origin }: JobContext): JobAuthority {
  const { personId, workspaceId, grantId, clientId, label, scopes } = principal;
  return { personId, workspaceId, grantId: grantId === '' ? undefined : grantId, clientId, label, scopes, origin };
}

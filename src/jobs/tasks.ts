import { OUTPUT_BUDGET_CHARACTERS } from '../lib/budget.ts';
import { CarrelError } from '../lib/errors.ts';
import type { RequestContext } from '../mcp/context.ts';
import { StartedTask } from '../mcp/tasks.ts';
import type { DetailedTask, Tasks, TaskState, ToolOutcome } from '../mcp/tasks.ts';
import { ENDED, noSuchJob } from './model.ts';
import type { Job } from './model.ts';
import type { JobService } from './service.ts';
import { jobLines, showJob } from './tools/shared.ts';

const INTERNAL_ERROR = -32603;

/** The kind of job that calls a tool. */
const TOOL_CALL = 'tool_call';
/** How long a call of a tool that can take long may take and be no task, in ms. */
const QUICK_CALL_MS = 5000;
/** How often a client may look, in ms. */
const POLL_MS = 1000;

/** Jobs, as the protocol's tasks. */
export class JobTasks implements Tasks {
  readonly #service: JobService;

  constructor(service: JobService) {
    this.#service = service;
  }

  async call(
    context: RequestContext,
    tool: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<StartedTask | ToolOutcome> {
    const start = { definition: TOOL_CALL, input: { tool, arguments: input } };
    const begun = await this.#service.start(context, start, true);
    const job = await this.#service.get(context, begun.id, QUICK_CALL_MS);
    if (job.status === 'failed' && job.error)
      throw new CarrelError(job.error.code, job.error.message, { details: job.error.details ?? {} });
    if (job.status !== 'completed') return new StartedTask(taskOf(job, this.#service.expiryOf(job), context.origin));
    return this.#outcomeOf(context, job);
  }

  async get(context: RequestContext, taskId: string): Promise<DetailedTask> {
    const job = await this.#find(context, taskId);
    const state = taskOf(job, this.#service.expiryOf(job), context.origin);
    if (state.status === 'input_required') return { ...state, inputRequests: requestsOf(job) };
    if (state.status === 'failed')
      return { ...state, error: { code: INTERNAL_ERROR, message: job.error?.message ?? 'The job failed.' } };
    return state.status === 'completed' ? { ...state, result: await this.#resultOf(context, job) } : state;
  }

  async update(context: RequestContext, taskId: string, responses: Readonly<Record<string, unknown>>): Promise<void> {
    const job = await this.#find(context, taskId);
    const asked = new Set(job.waiting.filter((each) => each.for === 'input').map(({ step }) => step));
    for (const [step, response] of Object.entries(responses)) {
      // What was not asked for, or was answered before, is left alone.
      if (!asked.has(step)) continue;
      const { action, content } = (response ?? {}) as { action?: unknown; content?: unknown };
      if (action === 'accept') await this.#service.answer(context, taskId, step, content);
      else if (action === 'decline' || action === 'cancel') await this.#service.decline(context, taskId, step);
      else throw new CarrelError('invalid_input', 'An answer says accept, decline or cancel.');
    }
  }

  async cancel(context: RequestContext, taskId: string): Promise<void> {
    const job = await this.#find(context, taskId);
    if (!ENDED.has(job.status)) await this.#service.cancel(context, taskId);
  }

  /** A task is for the client that began it, and for whoever may see jobs. */
  async #find(context: RequestContext, taskId: string): Promise<Job> {
    const job = await this.#service.get(context, taskId);
    const { clientId, scopes } = context.principal;
    if (job.clientId !== clientId && !scopes.includes('jobs:read')) throw noSuchJob();
    return job;
  }

  /** What the tool that began it would have answered, had it waited. */
  async #resultOf(context: RequestContext, job: Job): Promise<Record<string, unknown>> {
    const shown = showJob(job, this.#service.expiryOf(job), context.origin);
    if (job.status !== 'completed')
      return {
        isError: true,
        content: [{ type: 'text', text: `${job.error?.code ?? 'unavailable'}: ${job.error?.message ?? 'It failed.'}` }],
      };
    if (job.definition === TOOL_CALL) {
      const { structured, text } = await this.#outcomeOf(context, job);
      return { content: [{ type: 'text', text }], structuredContent: structured };
    }
    const { value } = await this.#service.result(context, job.id, undefined);
    return finished(shown, value);
  }

  async #outcomeOf(context: RequestContext, job: Job): Promise<ToolOutcome> {
    const { structured, text } = (await this.#service.whole(context, job.id)) as Omit<ToolOutcome, 'content'>;
    return { structured, text, content: [] };
  }
}

/** A finished job with its result, as tools answer it. */
export function finished(job: ReturnType<typeof showJob>, result: unknown): Record<string, unknown> {
  const text = result === undefined ? jobLines(job) : JSON.stringify(result);
  return {
    content: [{ type: 'text', text: text.length * 2 > OUTPUT_BUDGET_CHARACTERS ? jobLines(job) : text }],
    structuredContent: { job, ...(result === undefined ? {} : { result }) },
  };
}

/** A job as a task. */
export function taskOf(job: Job, expiry: number | undefined, origin: string): TaskState {
  const { status, message } = stateOf(job, origin);
  return {
    taskId: job.id,
    status,
    ...(message === undefined ? {} : { statusMessage: message }),
    createdAt: new Date(job.createdAt).toISOString(),
    lastUpdatedAt: new Date(job.updatedAt).toISOString(),
    ttlMs: expiry === undefined ? null : Math.max(1, expiry - job.createdAt),
    pollIntervalMs: POLL_MS,
  };
}

function stateOf(job: Job, origin: string): { status: TaskState['status']; message?: string | undefined } {
  switch (job.status) {
    case 'queued':
      return { status: 'working', message: 'Waits for its turn.' };
    case 'paused':
      return { status: 'working', message: 'Paused.' };
    case 'running':
      return { status: 'working', message: job.progress.message ?? job.currentStep };
    case 'waiting': {
      if (job.waiting.some((each) => each.for === 'input')) return { status: 'input_required' };
      const approval = job.waiting.find((each) => each.for === 'approval')?.approval;
      return { status: 'working', message: approval && `Waits for an approval: ${origin}/approvals/${approval}` };
    }
    case 'cancelled':
      return { status: 'cancelled' };
    case 'completed':
      return { status: 'completed' };
    case 'failed':
      // What went wrong in the work is an answer of the tool; what broke is a failure.
      return { status: job.error?.code === 'internal' ? 'failed' : 'completed' };
  }
}

function requestsOf(job: Job): Record<string, unknown> {
  return Object.fromEntries(
    job.waiting
      .filter((each) => each.for === 'input')
      .map(({ step, message, schema }) => [
        step,
        { method: 'elicitation/create', params: { mode: 'form', message, requestedSchema: schema } },
      ]),
  );
}

import * as z from 'zod';

import type { CallContext } from '../../mcp/context.ts';
import { CREATE, defineTool, READ, UPDATE } from '../../mcp/toolset.ts';
import { session } from '../../sessions/model.ts';
import { STATUSES } from '../model.ts';
import type { Job, JobStatus } from '../model.ts';
import type { JobDefinition } from '../definition.ts';
import { MAX_WAIT_MS } from '../service.ts';
import type { JobService } from '../service.ts';
import { idempotencyKey, jobId, jobLines, showJob, shownJob, shownStep, showSteps } from './shared.ts';
import { following, started, withResult } from './started.ts';

/** What to do after something was done to a job. */
const NEXT: Readonly<Record<JobStatus, string>> = {
  queued: 'job_get with wait follows it.',
  running: 'job_get with wait follows it.',
  waiting: 'job_get says for what.',
  paused: 'job_resume lets it go on.',
  completed: 'job_result has what it came to.',
  failed: 'job_get says why, job_retry tries again.',
  cancelled: 'job_retry begins it again.',
};

/** Tools around jobs, whatever they do. */
export function jobTools(service: JobService, definitions: readonly JobDefinition[]) {
  const show = (job: Job, { origin }: CallContext) => showJob(job, service.expiryOf(job), origin);
  // Not the whole job, of which every definition with it would repeat the schema.
  const now = {
    output: z.object({ job: z.string(), status: z.enum(STATUSES), next: z.string() }),
    text: ({ job, status, next }: { job: string; status: JobStatus; next: string }) => `${job}: ${status}. ${next}`,
  };
  const asItIs = ({ id, status }: Job) => ({ job: id, status, next: NEXT[status] });

  const start = defineTool('job_start', {
    title: 'Start a job',
    description: `Starts work that goes on after this chat. Kinds:\n${definitions
      .map(({ name, description }) => `- ${name}: ${description}`)
      .join('\n')}\nA wrong input is answered with what is expected. Follow it with job_get.`,
    behaviour: CREATE,
    tasks: 'optional',
    input: z.strictObject({
      definition: z.string().trim().min(1).max(100),
      input: z.record(z.string(), z.unknown()).default({}),
      session,
      idempotency_key: idempotencyKey.optional().describe('The same key again gives the same job'),
      wait: z
        .int()
        .min(0)
        .max(MAX_WAIT_MS / 1000)
        .default(0)
        .describe('Seconds'),
    }),
    ...withResult,
    handle: async ({ wait, idempotency_key: key, ...input }, context) => {
      const begun = await service.start(context, { ...input, session: input.session, idempotencyKey: key });
      return started(service, begun, wait, context);
    },
  });

  const list = defineTool('job_list', {
    title: 'List jobs',
    description: 'Your jobs, newest first.',
    behaviour: READ,
    input: z.strictObject({
      status: z.enum(STATUSES).optional(),
      definition: z.string().trim().max(100).optional(),
      limit: z.int().min(1).max(100).default(20),
      cursor: z.string().max(2000).optional(),
    }),
    output: z.object({ jobs: z.array(shownJob), next_cursor: z.string().optional() }),
    handle: async (input, context) => {
      const { jobs, nextCursor } = await service.list(context, input);
      return { jobs: jobs.map((job) => show(job, context)), ...(nextCursor && { next_cursor: nextCursor }) };
    },
    text: ({ jobs, next_cursor: next }) =>
      [jobs.length === 0 ? 'There are no jobs.' : jobs.map(jobLines).join('\n'), next && `More with cursor ${next}`]
        .filter(Boolean)
        .join('\n'),
  });

  const get = defineTool('job_get', {
    title: 'Follow a job',
    description:
      'How a job is; with `wait`, as soon as it has ended or waits for somebody, or after that many seconds. With `steps`, what each step was given and gave.',
    behaviour: READ,
    input: z.strictObject({
      job: jobId,
      wait: z
        .int()
        .min(0)
        .max(MAX_WAIT_MS / 1000)
        .default(0)
        .describe('Seconds'),
      steps: z.boolean().default(false),
      cursor: z.string().max(2000).optional().describe('For more steps'),
    }),
    output: z.object({ job: shownJob, steps: z.array(shownStep).optional(), next_cursor: z.string().optional() }),
    handle: async (input, context) => {
      const job = show(await service.get(context, input.job, input.wait * 1000, following(context)), context);
      if (!input.steps) return { job };
      const { steps, nextCursor } = await service.steps(context, input.job, 20, input.cursor);
      return {
        job,
        steps: showSteps(steps),
        ...(nextCursor && { next_cursor: nextCursor }),
      };
    },
    text: ({ job, steps = [], next_cursor: next }) =>
      [
        jobLines(job),
        ...steps.map(
          ({ name, state, attempts, outcome, error }) =>
            `- ${name}: ${state}, ${attempts}×${error ? `, ${error}` : ''}${outcome ? `\n  ${outcome}` : ''}`,
        ),
        ...(next === undefined ? [] : [`More steps with cursor ${next}`]),
      ].join('\n'),
  });

  const result = defineTool('job_result', {
    title: 'Read the result of a job',
    description:
      'What a completed job came to. One that is too large for an answer comes as parts of its JSON text: go on with `offset`. What a job wrote to the shelf is named there.',
    behaviour: READ,
    input: z.strictObject({ job: jobId, offset: z.int().min(0).optional() }),
    output: z.object({
      job: z.string(),
      definition: z.string(),
      result: z.unknown().optional(),
      part: z.object({ text: z.string(), next_offset: z.int().optional(), characters: z.int() }).optional(),
    }),
    handle: async (input, context) => {
      const { job, value, part } = await service.result(context, input.job, input.offset);
      return {
        job: job.id,
        definition: job.definition,
        ...(part
          ? {
              part: {
                text: part.text,
                characters: part.characters,
                ...(part.nextOffset === undefined ? {} : { next_offset: part.nextOffset }),
              },
            }
          : { result: value }),
      };
    },
    text: ({ result: value, part }) =>
      part
        ? `${part.text}\n(of ${part.characters} characters${part.next_offset === undefined ? '' : `; go on at ${part.next_offset}`})`
        : JSON.stringify(value, undefined, 1),
  });

  const acting = (
    name: string,
    title: string,
    description: string,
    act: (context: CallContext, id: string) => Promise<Job>,
    destructive = false,
  ) =>
    defineTool(name, {
      title,
      description,
      behaviour: { ...UPDATE, destructive },
      input: z.strictObject({ job: jobId }),
      ...now,
      handle: async ({ job }, context) => asItIs(await act(context, job)),
    });

  const cancel = acting(
    'job_cancel',
    'Cancel a job',
    'Ends a job. What it has written stays.',
    (context, id) => service.cancel(context, id),
    true,
  );
  const pause = acting('job_pause', 'Pause a job', 'Stops a job until job_resume.', (context, id) =>
    service.pause(context, id),
  );
  const resume = acting(
    'job_resume',
    'Resume a job',
    'Lets a paused job go on, with the permissions of this connection.',
    (context, id) => service.resume(context, id),
  );
  const retry = acting(
    'job_retry',
    'Retry a job',
    'Begins a failed or cancelled job again at the step that did not finish.',
    (context, id) => service.retry(context, id),
  );

  const answer = defineTool('job_answer', {
    title: 'Answer a job',
    description:
      'Gives a job the input that it asks for, as `waiting` of job_get says. Ask the person; it is never an approval.',
    behaviour: CREATE,
    input: z.strictObject({
      job: jobId,
      step: z.string().max(200).optional().describe('Where it asks for more than one thing'),
      answer: z.record(z.string(), z.unknown()),
    }),
    ...now,
    handle: async (input, context) => asItIs(await service.answer(context, input.job, input.step, input.answer)),
  });

  return [start, list, get, result, cancel, pause, resume, retry, answer];
}

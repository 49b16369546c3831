import * as z from 'zod';

import type { way as Way } from '../http/endpoint.ts';
import type { AuthorisedContext } from '../http/route.ts';
import { CarrelError } from '../lib/errors.ts';
import { sessionReference } from '../sessions/model.ts';
import { jobEvents } from './events.ts';
import { STATUSES } from './model.ts';
import type { Job } from './model.ts';
import type { jobPage, oneJob, resultOfJob } from './operations.ts';
import { MAX_WAIT_MS } from './service.ts';
import type { JobService } from './service.ts';
import { idempotencyKey, jobId, showJob, showSteps } from './tools/shared.ts';

const submission = z
  .strictObject({
    definition: z.string().trim().min(1).max(100).describe('The kind of job: the tool `job_start` lists them'),
    input: z.record(z.string(), z.unknown()).default({}).describe('What this kind of job takes'),
    session: sessionReference.optional().describe('Id or slug of a session; without one, the session `default`'),
  })
  .meta({ id: 'JobSubmission', description: 'A job that somebody wants to start.' });

const given = z
  .strictObject({
    answer: z.record(z.string(), z.unknown()).describe('As the `schema` of what the job waits for has it'),
    step: z.string().max(200).optional().describe('Which step asked, where several did'),
  })
  .meta({ id: 'JobAnswer', description: 'What a job asked a person for.' });

const cursor = z.string().max(2000).optional().describe('The `next_cursor` of the page before');

const listing = z.strictObject({
  status: z.enum(STATUSES).optional().describe('Only those'),
  definition: z.string().max(100).optional().describe('Only of this kind'),
  limit: z.coerce.number().pipe(z.int().min(1).max(100)).default(20).describe('Jobs of one page'),
  cursor,
});

const looking = z.strictObject({
  wait: z.coerce
    .number()
    .pipe(
      z
        .int()
        .min(0)
        .max(MAX_WAIT_MS / 1000),
    )
    .default(0)
    .describe('Seconds to wait for its end, or until it needs somebody'),
  steps: z.stringbool().default(false).describe('With a page of what its steps were given and gave'),
  cursor,
});

const byId = z.object({ id: jobId.describe('Id of a job') });

/**
 * What is asked over HTTP, and who answers.
 *
 * @param way handed over and not imported: what this module shares with the entry becomes a module that each isolate loads
 */
export function jobWays(service: JobService, way: typeof Way) {
  const show = (job: Job, { origin }: AuthorisedContext) => showJob(job, service.expiryOf(job), origin);
  const acting = (
    tool: string,
    summary: string,
    act: (context: AuthorisedContext, id: string) => Promise<Job>,
    destructive = false,
  ) =>
    way({
      params: byId,
      handle: async (context: AuthorisedContext, { params }) => {
        const call = { intent: { tool, destructive }, summary, arguments: { job: params.id } };
        const job = await context.gated(call, (workspace) => act({ ...context, workspace }, params.id));
        return answer<typeof oneJob>({ job: show(job, context) });
      },
    });

  return {
    list: way({
      query: listing,
      handle: async (context: AuthorisedContext, { query }) => {
        const { jobs, nextCursor } = await service.list(context, query);
        return answer<typeof jobPage>({ jobs: jobs.map((job) => show(job, context)), next_cursor: nextCursor });
      },
    }),

    start: way({
      json: submission,
      handle: async (context: AuthorisedContext, { json }) => {
        const key = keyOf(context.request.headers.get('Idempotency-Key'));
        const { definition, input, session } = json;
        const call = { intent: { tool: 'job_start', destructive: false }, summary: 'Start a job', arguments: json };
        const job = await context.gated(call, (workspace) =>
          service.start({ ...context, workspace }, { definition, input, session, idempotencyKey: key }),
        );
        const response = answer<typeof oneJob>({ job: show(job, context) }, 202);
        response.headers.set('Location', `/jobs/${job.id}`);
        return response;
      },
    }),

    get: way({
      params: byId,
      query: looking,
      handle: async (context: AuthorisedContext, { params, query }) => {
        const job = show(await service.get(context, params.id, query.wait * 1000), context);
        if (!query.steps) return answer<typeof oneJob>({ job });
        const { steps, nextCursor } = await service.steps(context, params.id, 100, query.cursor);
        return answer<typeof oneJob>({ job, steps: showSteps(steps), next_cursor: nextCursor });
      },
    }),

    result: way({
      params: byId,
      handle: async (context: AuthorisedContext, { params }) => {
        const { job, value, part } = await service.result(context, params.id, undefined);
        const result = part ? await service.whole(context, params.id) : value;
        return answer<typeof resultOfJob>({ job: job.id, definition: job.definition, result });
      },
    }),

    events: way({
      params: byId,
      handle: async (context: AuthorisedContext, { params }) => {
        const job = await service.get(context, params.id);
        return jobEvents(job, {
          known: context.request.headers.get('Last-Event-ID'),
          changed: async (last, milliseconds) => service.changed(context, last, milliseconds),
          show: (each) => show(each, context),
        });
      },
    }),

    // As the tools of the same names: what the person wants to be asked about has no other way in.
    pause: acting('job_pause', 'Pause a job', async (context, id) => service.pause(context, id)),
    resume: acting('job_resume', 'Resume a job', async (context, id) => service.resume(context, id)),
    cancel: acting('job_cancel', 'Cancel a job', async (context, id) => service.cancel(context, id), true),
    retry: acting('job_retry', 'Retry a job', async (context, id) => service.retry(context, id)),

    answer: way({
      params: byId,
      json: given,
      handle: async (context: AuthorisedContext, { params, json }) => {
        const intent = { tool: 'job_answer', destructive: false };
        const call = { intent, summary: 'Answer a job', arguments: { job: params.id, ...json } };
        const job = await context.gated(call, (workspace) =>
          service.answer({ ...context, workspace }, params.id, json.step, json.answer),
        );
        return answer<typeof oneJob>({ job: show(job, context) });
      },
    }),
  };
}

/** The header's value, which the draft of the IETF wants quoted and most clients send as it is. */
function keyOf(header: string | null): string | undefined {
  if (header === null) return undefined;
  const { data } = idempotencyKey.safeParse(/^"(.*)"$/.exec(header)?.[1] ?? header);
  if (data === undefined) throw new CarrelError('invalid_input', 'The Idempotency-Key must have 1 to 200 characters.');
  return data;
}

function answer<Schema extends z.ZodType>(body: z.output<Schema>, status = 200): Response {
  return Response.json(body, { status, headers: { 'Cache-Control': 'private, no-store' } });
}

import * as z from 'zod';

import type { CallContext } from '../../mcp/context.ts';
import { StartedTask } from '../../mcp/tasks.ts';
import type { Job } from '../model.ts';
import type { JobService } from '../service.ts';
import { taskOf } from '../tasks.ts';
import { jobLines, showJob, shownJob } from './shared.ts';

/** How long a call that may become a task waits for the work to be quick, in ms. */
const QUICK_MS = 500;

/** What a tool answers that starts a job: the job and, where it was quick, its result. */
export const withResult = {
  output: z.object({ job: shownJob, result: z.unknown().optional() }),
  text: ({ job, result }: { job: z.output<typeof shownJob>; result?: unknown }) =>
    result === undefined ? jobLines(job) : `${jobLines(job)}\n${JSON.stringify(result)}`,
};

/** Tells the client of progress while a call waits. */
export function following(context: CallContext) {
  return async ({ progress, currentStep }: Job) =>
    context.progress(progress.done, progress.total, progress.message ?? currentStep);
}

/**
 * The answer of a tool that has started a job: what it came to where it is quick, or else a task for a client that
 * understands them, and the job for the others.
 *
 * @param wait how long it may take, in seconds
 */
export async function started(service: JobService, begun: Job, wait: number, context: CallContext) {
  const patience = Math.max(wait * 1000, context.takesTasks ? QUICK_MS : 0);
  const job = patience === 0 ? begun : await service.get(context, begun.id, patience, following(context));
  if (context.takesTasks && job.status !== 'completed')
    return new StartedTask(taskOf(job, service.expiryOf(job), context.origin));
  const shown = showJob(job, service.expiryOf(job), context.origin);
  if (job.status !== 'completed') return { job: shown };
  const { value } = await service.result(context, job.id, undefined);
  return { job: shown, ...(value === undefined ? {} : { result: value }) };
}

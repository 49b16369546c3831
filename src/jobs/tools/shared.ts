import * as z from 'zod';

import { fencedLine } from '../../lib/untrusted.ts';
import { sessionRef } from '../../sessions/model.ts';
import { STATUSES } from '../model.ts';
import type { Job, StepSummary } from '../model.ts';

export const jobId = z.string().trim().min(1).max(100).describe('Its id');

export const idempotencyKey = z.string().trim().min(1).max(200);

/** A job, as tools and HTTP show it. */
export const shownJob = z.object({
  id: z.string(),
  definition: z.string(),
  status: z.enum(STATUSES),
  session: sessionRef,
  progress: z.object({ done: z.number(), total: z.number().optional(), message: z.string().optional() }).optional(),
  current_step: z.string().optional(),
  steps_done: z.int(),
  attempts: z.int(),
  waiting: z
    .array(
      z.object({
        for: z.enum(['input', 'approval', 'time']),
        step: z.string(),
        until: z.string(),
        message: z.string().optional(),
        schema: z.unknown().optional(),
        approval: z.string().optional(),
        url: z.string().optional(),
      }),
    )
    .optional(),
  paused_because: z.enum(['asked', 'access_ended']).optional(),
  error: z.object({ code: z.string(), message: z.string(), step: z.string().optional() }).optional(),
  result_ready: z.boolean(),
  started_by: z.string().optional(),
  created_at: z.string(),
  started_at: z.string().optional(),
  finished_at: z.string().optional(),
  kept_until: z.string().optional(),
  poll_after_seconds: z.int().optional(),
});

export type ShownJob = z.output<typeof shownJob>;

/** A step, as tools and HTTP show it. */
export const shownStep = z.object({
  name: z.string(),
  state: z.enum(['running', 'finished', 'failed', 'waiting']),
  attempts: z.int(),
  input: z.string().optional(),
  outcome: z.string().optional(),
  error: z.string().optional(),
  started_at: z.string(),
  finished_at: z.string().optional(),
});

const at = (time: number) => new Date(time).toISOString();

/**
 * @param expiry when it is removed, for one that has ended
 * @param origin of this deployment, for the page of an approval
 */
export function showJob(job: Job, expiry: number | undefined, origin: string): ShownJob {
  const { progress, waiting, error } = job;
  const hasProgress = progress.done > 0 || progress.total !== undefined || progress.message !== undefined;
  return {
    id: job.id,
    definition: job.definition,
    status: job.status,
    session: job.session,
    ...(hasProgress ? { progress: { ...progress } } : {}),
    ...(job.currentStep === undefined ? {} : { current_step: job.currentStep }),
    steps_done: job.steps,
    attempts: job.attempts,
    ...(waiting.length === 0
      ? {}
      : {
          waiting: waiting.map(({ until, approval, ...each }) => ({
            ...each,
            until: at(until),
            ...(approval === undefined ? {} : { approval, url: `${origin}/approvals/${approval}` }),
          })),
        }),
    ...(job.pausedBecause === undefined ? {} : { paused_because: job.pausedBecause }),
    ...(error === undefined
      ? {}
      : {
          error: {
            code: error.code,
            message: error.message,
            ...(error.step === undefined ? {} : { step: error.step }),
          },
        }),
    result_ready: job.hasResult,
    ...(job.origin === undefined ? {} : { started_by: job.origin }),
    created_at: at(job.createdAt),
    ...(job.startedAt === undefined ? {} : { started_at: at(job.startedAt) }),
    ...(job.finishedAt === undefined ? {} : { finished_at: at(job.finishedAt) }),
    ...(expiry === undefined ? {} : { kept_until: at(expiry) }),
    ...pollOf(job),
  };
}

export function showSteps(steps: readonly StepSummary[]): z.output<typeof shownStep>[] {
  return steps.map(({ startedAt, finishedAt, ...step }) => ({
    ...step,
    started_at: at(startedAt),
    ...(finishedAt === undefined ? {} : { finished_at: at(finishedAt) }),
  }));
}

/** When it is worth asking again: soon after the start, seldom later. */
function pollOf({ status, startedAt, createdAt, updatedAt }: Job): { poll_after_seconds?: number } {
  if (status !== 'queued' && status !== 'running') return {};
  const seconds = (updatedAt - (startedAt ?? createdAt)) / 10_000;
  return { poll_after_seconds: Math.round(Math.min(60, Math.max(2, seconds))) };
}

/** What a person reads of a job in a line or two. */
export function jobLines(job: ShownJob): string {
  const { progress } = job;
  const done = progress && ` ${progress.done}${progress.total === undefined ? '' : ` of ${progress.total}`}`;
  const lines = [
    `${job.id} (${job.definition}): ${job.status}${done ?? ''}${progress?.message ? `, ${progress.message}` : ''}`,
  ];
  if (job.current_step !== undefined && job.status === 'running') lines.push(`Now: ${job.current_step}`);
  for (const each of job.waiting ?? [])
    lines.push(
      each.for === 'time'
        ? `Sleeps until ${each.until}.`
        : `Waits for ${each.for === 'input' ? 'an answer' : 'an approval'} until ${each.until}: ${each.message ?? ''}${each.url === undefined ? '' : ` ${each.url}`}`,
    );
  if (job.paused_because === 'access_ended') lines.push('Paused, because the access that it worked with has ended.');
  if (job.error)
    lines.push(
      `${job.error.code}: ${job.error.message}${job.error.step === undefined ? '' : ` (step ${fencedLine(job.error.step)})`}`,
    );
  if (job.result_ready) lines.push('Its result is ready: job_result.');
  return lines.join('\n');
}

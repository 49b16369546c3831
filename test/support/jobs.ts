import * as z from 'zod';

import { defineJob } from '../../src/jobs/definition.ts';
import type { JobDefinition, JobRun, Json, StepContext } from '../../src/jobs/definition.ts';
import { CarrelError } from '../../src/lib/errors.ts';

/** What steps did in this isolate, in order. What a test counts as done it looks for in storage. */
export const done: string[] = [];

/** What a step does the next time that it is begun, by its name. */
export const mishaps = new Map<string, (() => Promise<void> | void)[]>();

async function mishap(step: string): Promise<void> {
  await mishaps.get(step)?.shift()?.();
}

/** Adds 1 to a key of the session. What happens to the step happens after it wrote. */
async function add(
  { workspace }: StepContext,
  { id, session }: Pick<JobRun<unknown>, 'id' | 'session'>,
  { name, key }: { readonly name: string; readonly key: string },
): Promise<number> {
  const { entry } = await workspace.state.get(session, key);
  const next = (entry === undefined ? 0 : (JSON.parse(entry.value) as number)) + 1;
  await workspace.state.set(session, key, JSON.stringify(next), undefined, Date.now());
  await mishap(name);
  done.push(`${id} ${name}`);
  return next;
}

/** Counts in the state of its session: a step that writes twice is seen. */
const count: JobDefinition = defineJob({
  name: 'test_count',
  title: 'Count',
  description: 'Adds 1 to a key of the session, once for each step.',
  input: z.strictObject({ key: z.string().min(1).max(50), steps: z.int().min(1).max(200).default(3) }),
  output: z.object({ count: z.number() }),
  scopes: ['sessions:write'],
  async run(job) {
    let last = 0;
    for (let index = 0; index < job.input.steps; index++) {
      const name = `add-${index}`;
      last = await job.step(name, async (context) => add(context, job, { name, key: job.input.key }));
      job.progress(index + 1, job.input.steps, `added ${index + 1}`);
    }
    return { count: last };
  },
});

/** Does what its input says, a step each. */
const plan: JobDefinition = defineJob({
  name: 'test_plan',
  title: 'Plan',
  description: 'Steps of all kinds.',
  input: z.strictObject({
    steps: z.array(
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('do'), name: z.string() }),
        z.strictObject({ kind: z.literal('write'), name: z.string(), key: z.string() }),
        z.strictObject({ kind: z.literal('fail'), name: z.string(), code: z.enum(['conflict', 'unavailable']) }),
        z.strictObject({ kind: z.literal('ask'), name: z.string(), within: z.number().optional() }),
        z.strictObject({ kind: z.literal('sleep'), name: z.string(), milliseconds: z.number() }),
        z.strictObject({ kind: z.literal('together'), name: z.string() }),
        z.strictObject({ kind: z.literal('approve'), name: z.string(), files: z.array(z.string()).default([]) }),
        z.strictObject({ kind: z.literal('large'), name: z.string(), bytes: z.number() }),
      ]),
    ),
  }),
  output: z.object({ gave: z.array(z.unknown()) }),
  scopes: ['sessions:write'],
  async run(job) {
    const gave: Json[] = [];
    for (const step of job.input.steps) {
      const { name } = step;
      const ask = async (which: string) =>
        job.ask<Json>(which, {
          message: 'Which colour?',
          schema: z.strictObject({ colour: z.enum(['red', 'blue']), count: z.int().optional() }),
          ...(step.kind === 'ask' && step.within !== undefined ? { within: step.within } : {}),
        });
      const act = async (which: string) =>
        job.step(which, async () => {
          await mishap(which);
          done.push(`${job.id} ${which}`);
          return which;
        });
      if (step.kind === 'do') gave.push(await act(name));
      else if (step.kind === 'write') gave.push(await job.step(name, async (context) => add(context, job, step)));
      else if (step.kind === 'ask') gave.push(await ask(name));
      else if (step.kind === 'sleep') await job.sleepUntil(name, (await job.now(`${name}-from`)) + step.milliseconds);
      else if (step.kind === 'approve')
        await job.approve(name, { summary: 'Do it?', action: 'test_plan', arguments: { name }, files: step.files });
      else if (step.kind === 'together')
        gave.push(await Promise.all([ask(`${name}-left`), ask(`${name}-right`), act(`${name}-middle`)]));
      else if (step.kind === 'large') gave.push(await job.step(name, async () => 'x'.repeat(step.bytes)));
      else
        await job.step(
          name,
          async () => {
            await mishap(name);
            throw new CarrelError(step.code, 'It went wrong.');
          },
          { retries: 1 },
        );
    }
    return { gave };
  },
});

export const testJobs = (): readonly JobDefinition[] => [count, plan];

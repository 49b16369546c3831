import { setTimeout as sleep } from 'node:timers/promises';

import { inputRequired } from '@modelcontextprotocol/server';
import * as z from 'zod';

import { defineJob } from '../../src/jobs/definition.ts';
import type { JobDefinition } from '../../src/jobs/definition.ts';
import type { JobService } from '../../src/jobs/service.ts';
import { started, withResult } from '../../src/jobs/tools/started.ts';
import { CarrelError } from '../../src/lib/errors.ts';
import { StartedTask } from '../../src/mcp/tasks.ts';
import { taskOf } from '../../src/jobs/tasks.ts';
import { defineTool, READ } from '../../src/mcp/define-tool.ts';
import type { Tool } from '../../src/mcp/define-tool.ts';
import { fixtureTool } from './fixture-tool.ts';

const said = z.object({ text: z.string() });
const confirm = z.object({ confirm: z.boolean() });
const name = z.object({ name: z.string() });

/** The work behind the tools of the scenarios `tasks-*`. */
export const taskJobs = (): readonly JobDefinition[] => [
  defineJob({
    name: 'slow_compute',
    title: 'Slow',
    description: 'Takes so many seconds.',
    input: z.strictObject({ seconds: z.number().default(0), label: z.string().default('') }),
    output: said,
    scopes: [],
    async run(job) {
      await job.sleepUntil('computing', (await job.now('start')) + job.input.seconds * 1000);
      return { text: `Computed ${job.input.label}.` };
    },
  }),
  defineJob({
    name: 'failing_job',
    title: 'Fails',
    description: 'Fails after a second.',
    input: z.strictObject({}),
    output: said,
    scopes: [],
    run: async (job) =>
      job.step('fail', async () => {
        await sleep(1000);
        throw new CarrelError('conflict', 'It always fails.');
      }),
  }),
  defineJob({
    name: 'protocol_error_job',
    title: 'Breaks',
    description: 'Breaks.',
    input: z.strictObject({}),
    output: said,
    scopes: [],
    async run(job) {
      await job.step('begin', async () => null);
      throw new TypeError('it broke');
    },
  }),
  defineJob({
    name: 'confirm_delete',
    title: 'Confirm',
    description: 'Asks first.',
    input: z.strictObject({ filename: z.string() }),
    output: said,
    scopes: [],
    async run(job) {
      const answer = await job.ask<z.output<typeof confirm>>('confirm', { message: 'Delete it?', schema: confirm });
      return { text: answer.confirm ? `Deleted ${job.input.filename}.` : 'Kept.' };
    },
  }),
  defineJob({
    name: 'multi_input',
    title: 'Two questions',
    description: 'Asks two things at once.',
    input: z.strictObject({}),
    output: said,
    scopes: [],
    async run(job) {
      const ask = async (step: string) =>
        job.ask<z.output<typeof name>>(step, { message: `Which ${step}?`, schema: name });
      const [first, second] = await Promise.all([ask('first'), ask('second')]);
      return { text: `${first.name} and ${second.name}` };
    },
  }),
  defineJob({
    name: 'greet_later',
    title: 'Greet',
    description: 'Greets somebody.',
    input: z.strictObject({ name: z.string() }),
    output: said,
    scopes: [],
    run: async (job) => ({ text: `Hello, ${job.input.name}!` }),
  }),
];

/** What the suite's scenarios `tasks-*` call. */
export function taskTools(load: () => Promise<JobService>): readonly Tool[] {
  const later = (definition: string, input: z.ZodObject, tasks: 'optional' | 'required') =>
    defineTool(definition, {
      description: 'Work that goes on.',
      behaviour: READ,
      tasks,
      input,
      ...withResult,
      async handle(given, context) {
        const service = await load();
        const job = await service.start(context, { definition, input: given });
        return started(service, job, context.takesTasks ? 0 : 5, context);
      },
    });
  return [
    fixtureTool('greet', {
      description: 'Greets somebody.',
      input: z.looseObject({ name: z.string() }),
      handle: (input) => `Hello, ${input.name}!`,
    }),
    later('slow_compute', z.strictObject({ seconds: z.number(), label: z.string().optional() }), 'optional'),
    later('failing_job', z.strictObject({}), 'required'),
    later('protocol_error_job', z.strictObject({}), 'required'),
    later('confirm_delete', z.strictObject({ filename: z.string() }), 'required'),
    later('multi_input', z.strictObject({}), 'required'),
    defineTool('test_tool_with_task', {
      description: 'Asks who somebody is, then greets them when there is time.',
      behaviour: READ,
      tasks: 'required',
      input: z.strictObject({}),
      ...withResult,
      async handle(_input, context) {
        const answer = context.accepted('user_name', name);
        if (!answer)
          return context.ask({
            user_name: inputRequired.elicit({
              message: 'Who are you?',
              requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
            }),
          });
        const service = await load();
        const job = await service.start(context, { definition: 'greet_later', input: answer });
        return new StartedTask(taskOf(job, service.expiryOf(job), context.origin));
      },
    }),
  ];
}

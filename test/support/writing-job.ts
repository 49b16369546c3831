import { setTimeout as sleep } from 'node:timers/promises';

import * as z from 'zod';

import type { Services } from '../../src/jobs/definitions/all.ts';
import { defineJob } from '../../src/jobs/definition.ts';
import type { JobDefinition } from '../../src/jobs/definition.ts';

/** Writes to everything that there is, in steps that take a while: a kill may come before, between and after the writes. */
export const writing = ({ uploads }: Services): readonly JobDefinition[] => [
  defineJob({
    name: 'test_write',
    title: 'Write',
    description: 'Counts in the state of the session and writes files.',
    input: z.strictObject({ number: z.int(), steps: z.int().max(20) }),
    output: z.object({ counted: z.array(z.number()), files: z.array(z.string()) }),
    scopes: ['sessions:write', 'files:write'],
    async run(job) {
      const key = `job-${job.input.number}`;
      const counted: number[] = [];
      const files: string[] = [];
      for (let index = 0; index < job.input.steps; index++) {
        counted.push(
          await job.step(`count-${index}`, async ({ workspace }) => {
            const { entry } = await workspace.state.get(undefined, key);
            const next = (entry === undefined ? 0 : (JSON.parse(entry.value) as number)) + 1;
            await sleep(20);
            await workspace.state.set(undefined, key, JSON.stringify(next), undefined, Date.now());
            await sleep(20);
            return next;
          }),
        );
        files.push(
          await job.step(`file-${index}`, async ({ workspace, principal }) => {
            await sleep(20);
            const file = await uploads.write(workspace, principal, {
              path: `jobs/${key}/${index}.txt`,
              session: undefined,
              content: `${key} ${index}\n`.repeat(1000),
            });
            await sleep(20);
            return `${file.id} ${file.version}`;
          }),
        );
        job.progress(index + 1, job.input.steps);
      }
      await job.sleepUntil('rest', (await job.now('from')) + 200);
      return { counted, files };
    },
  }),
];

import * as z from 'zod';

import type { Example, Operation } from '../http/operation.ts';
import { problemAnswer } from '../http/problem-schema.ts';
import { SAMPLE } from '../http/samples.ts';
import { job } from '../jobs/operations.ts';

/** What the routes of recipes answer, and what the documents say of them. Loaded with those alone. */

export const startedJob = z.object({ job }).meta({ id: 'StartedJob' });
export const changedJobs = z
  .object({ jobs: z.array(job).describe('Those that were changed, as they are now') })
  .meta({ id: 'ChangedJobs' });

const noRecipe: Example = {
  summary: 'A recipe that there is not',
  request: { params: { slug: 'nothing' }, json: {} },
  answer: {
    status: 404,
    json: {
      type: 'about:blank',
      title: 'Not found',
      status: 404,
      code: 'not_found',
      detail: 'There is no such recipe. `recipe_list` shows those that there are.',
      request_id: SAMPLE.requestId,
    },
  },
};

export const runRecipe: Operation = {
  id: 'runRecipe',
  group: 'Jobs',
  summary: 'Run a stored recipe',
  description: [
    'Starts a job that runs the recipe, in its latest version unless one is named. The job works with the permissions of this token that the recipe needs, and goes on when the answer is sent.',
    'What is wrong is found before there is a job: a missing input, a tool that is not here any more, a permission that is missing.',
  ].join('\n\n'),
  headers: { 'Idempotency-Key': 'The same key again, with the same inputs, gives the same job' },
  answers: {
    202: {
      description: 'The job, which runs or will run.',
      content: { 'application/json': startedJob },
      headers: { Location: 'Where the job is followed' },
    },
    404: problemAnswer('There is no such recipe, version or session.'),
    409: problemAnswer('The key was used for something else.'),
  },
  examples: {
    run: {
      summary: 'Run it once, however often this is sent',
      request: {
        params: { slug: 'weekly-report' },
        headers: { 'Idempotency-Key': '2026-11-20' },
        json: { inputs: { topic: 'wells' } },
      },
      answer: {
        status: 202,
        json: {
          job: {
            id: SAMPLE.jobId,
            definition: 'recipe_run',
            status: 'running',
            session: { id: 'ses_default', slug: 'default', title: 'Default' },
            steps_done: 0,
            attempts: 0,
            result_ready: false,
            started_by: 'recipe:weekly-report',
            created_at: '2026-11-20T08:25:19.671Z',
            poll_after_seconds: 2,
          },
        },
      },
    },
    missing: noRecipe,
  },
};

const acting = (
  id: string,
  summary: string,
  description: string,
  status: 'paused' | 'queued' | 'cancelled',
): Operation => ({
  id,
  group: 'Jobs',
  summary,
  description: `${description} With \`job\`, that one, which must be of this recipe; without a body, all of its jobs that this fits.`,
  answers: {
    200: { description: 'They were.', content: { 'application/json': changedJobs } },
    404: problemAnswer('There is no such recipe, or no such job of it.'),
    409: problemAnswer(`The job cannot be ${status === 'queued' ? 'resumed' : status} as it is.`),
  },
  examples: {
    all: {
      summary: 'All of them, of which there are none',
      request: { params: { slug: 'weekly-report' } },
      answer: { status: 200, json: { jobs: [] } },
    },
    missing: noRecipe,
  },
});

export const pauseRecipe = acting(
  'pauseRecipe',
  'Pause jobs of a recipe',
  'They stop until they are resumed.',
  'paused',
);
export const resumeRecipe = acting(
  'resumeRecipe',
  'Resume jobs of a recipe',
  'Paused ones go on, with the permissions of this token.',
  'queued',
);
export const stopRecipe = acting(
  'stopRecipe',
  'Stop jobs of a recipe',
  'They end for good. What they have written stays.',
  'cancelled',
);

import * as z from 'zod';

import { oauthError } from '../http/oauth-error.ts';
import type { Answer, Example, Operation } from '../http/operation.ts';
import { problemAnswer, problemDocument } from '../http/problem-schema.ts';
import { SAMPLE } from '../http/samples.ts';
import { shownJob, shownStep } from './tools/shared.ts';

/** What the routes of jobs answer, and what the documents say of them. Loaded with those alone. */

export const job = shownJob.meta({ id: 'Job', description: 'Work that goes on by itself, and how far it is.' });

export const oneJob = z
  .object({
    job,
    steps: z.array(shownStep).optional().describe('In the order in which they were begun'),
    next_cursor: z.string().optional().describe('For more steps'),
  })
  .meta({ id: 'OneJob', description: 'A job, with its steps where they were asked for.' });

export const jobPage = z
  .object({
    jobs: z.array(job),
    next_cursor: z.string().optional().describe('For the next page; absent on the last one'),
  })
  .meta({ id: 'JobPage', description: 'A page of jobs, newest first.' });

export const resultOfJob = z
  .object({ job: z.string(), definition: z.string(), result: z.unknown().describe('As the kind of job has it') })
  .meta({ id: 'JobResult', description: 'What a completed job came to.' });

const begun = {
  id: SAMPLE.newJobId,
  definition: 'extract_text',
  status: 'running',
  session: { id: 'ses_default', slug: 'default', title: 'Default' },
  steps_done: 0,
  attempts: 0,
  result_ready: false,
  created_at: '2026-11-20T07:25:19.750Z',
  started_at: '2026-11-20T07:25:19.750Z',
};

/** A job that has ended. */
const shown = {
  id: SAMPLE.jobId,
  definition: 'extract_text',
  status: 'completed',
  session: { id: 'ses_default', slug: 'default', title: 'Default' },
  progress: { done: 1, total: 1 },
  steps_done: 1,
  attempts: 1,
  result_ready: true,
  created_at: '2026-11-20T07:25:19.750Z',
  started_at: '2026-11-20T07:25:19.750Z',
  finished_at: '2026-11-20T07:25:20.112Z',
  kept_until: '2026-12-20T07:25:20.112Z',
};

const one = { 'application/json': oneJob };

const refused = (code: string, status: number, title: string, detail: string, more = {}): Example['answer'] => ({
  status,
  json: { ...more, type: 'about:blank', title, status, code, detail, request_id: SAMPLE.requestId },
});

const missing: Example = {
  summary: 'A job that is not there, or not yours',
  request: { params: { id: 'job_00000000000000000000' } },
  answer: refused('not_found', 404, 'Not found', 'There is no such job. `job_list` shows those there are.'),
};

/** Whoever lets a job work must be allowed what it does. */
const lacking: Answer = {
  description: 'The token lacks the scope, or one that the job needs.',
  content: { 'application/json': oauthError, 'application/problem+json': problemDocument },
};

const ended = (done: string): Example => ({
  summary: 'A job that has ended',
  request: { params: { id: SAMPLE.jobId }, ...(done === 'answered' ? { json: { answer: { colour: 'red' } } } : {}) },
  answer: refused('conflict', 409, 'In conflict with what is there', `A job that is completed cannot be ${done}.`, {
    job_status: 'completed',
  }),
});

const unfit = problemAnswer('The job is in a status in which this cannot be done.');

/** What is done to a job: all of these are alike. */
function acting(
  done: string,
  id: string,
  summary: string,
  description: string,
  more: Operation['answers'] = {},
): Operation {
  return {
    id,
    group: 'Jobs',
    summary,
    description,
    answers: { 200: { description: 'The job as it is now.', content: one }, 409: unfit, ...more },
    examples: { ended: ended(done), ...(done === 'answered' ? {} : { missing }) },
  };
}

export const OPERATIONS = {
  list: {
    id: 'listJobs',
    group: 'Jobs',
    summary: 'List jobs',
    description:
      'Your jobs, newest first, page by page. A page may hold fewer jobs than `limit` and still have a `next_cursor`.',
    answers: { 200: { description: 'A page of jobs.', content: { 'application/json': jobPage } } },
    examples: {
      completed: {
        summary: 'Those that have a result',
        request: { query: { status: 'completed', limit: '20' } },
        answer: { status: 200, json: { jobs: [shown] } },
      },
      wrong: {
        summary: 'A status that no job has',
        request: { query: { status: 'done' } },
        answer: refused(
          'invalid_input',
          400,
          'The request does not fit',
          'The arguments do not fit: `status` is an invalid option: expected one of "queued"|"running"|"waiting"|"paused"|"completed"|"failed"|"cancelled".',
        ),
      },
    },
  },

  start: {
    id: 'startJob',
    group: 'Jobs',
    summary: 'Start a job',
    description:
      'The job is recorded, and runs from then on, when this is answered. It works with the scopes that it needs of those that the token has, as long as the access behind the token is there. The same `Idempotency-Key` of the same client gives the same job again.',
    headers: { 'Idempotency-Key': 'At most 200 characters. With another input it is refused.' },
    answers: {
      202: {
        description: 'The job is there.',
        content: one,
        headers: { Location: 'Where the job is' },
      },
      403: lacking,
      404: problemAnswer('There is no such kind of job, or what it was given is not there.'),
      409: problemAnswer('The key was used for something else.'),
      413: problemAnswer('The input is larger than a job may be given.'),
      429: problemAnswer('There are as many jobs as there may be that have not ended.'),
    },
    examples: {
      start: {
        summary: 'The text of a file is read',
        request: {
          headers: { 'Idempotency-Key': 'table-2026-11-20' },
          json: { definition: 'extract_text', input: { files: ['table.csv'] } },
        },
        answer: { status: 202, json: { job: begun } },
      },
      nowhere: {
        summary: 'A session that is not there',
        request: { json: { definition: 'extract_text', input: { files: ['table.csv'] }, session: 'nowhere' } },
        answer: refused(
          'not_found',
          404,
          'Not found',
          'There is no such session. Give its slug or id: `session_list` shows them, `session_open` makes one.',
        ),
      },
    },
  },

  get: {
    id: 'getJob',
    group: 'Jobs',
    summary: 'Look at a job',
    description:
      'With `wait` it is answered as soon as the job has ended, was paused or needs somebody, or after so many seconds.',
    answers: { 200: { description: 'The job.', content: one }, 404: problemAnswer('There is no such job.') },
    examples: {
      ended: {
        summary: 'A job that has ended, with its steps',
        request: { params: { id: SAMPLE.jobId }, query: { wait: '20', steps: 'true' } },
        answer: {
          status: 200,
          json: {
            job: shown,
            steps: [{ name: 'read-1', state: 'finished', attempts: 1, started_at: shown.started_at }],
          },
        },
      },
      missing,
    },
  },

  result: {
    id: 'getJobResult',
    group: 'Jobs',
    summary: 'Fetch the result of a job',
    description: 'Whole. What a job wrote to the shelf is named there, and fetched as a file.',
    answers: {
      200: { description: 'What it came to.', content: { 'application/json': resultOfJob } },
      404: problemAnswer('There is no such job.'),
      409: problemAnswer('The job has no result, or none yet.'),
    },
    examples: {
      result: {
        summary: 'What was read',
        request: { params: { id: SAMPLE.jobId } },
        answer: {
          status: 200,
          json: {
            job: SAMPLE.jobId,
            definition: 'extract_text',
            result: { read: 1, refused: 0, files: [{ path: 'table.csv', outcome: 'read' }] },
          },
        },
      },
      missing,
    },
  },

  events: {
    id: 'followJob',
    group: 'Jobs',
    summary: 'Follow a job',
    description: [
      'Server-sent events: `event: job` with the job as it is, and with each change, until it has ended. The `id` of an event is the `revision` of the job; who sends it as `Last-Event-ID` is told only what is newer, and 204 when there is nothing more to come.',
      'A comment comes every 15 seconds in which nothing happens. An answer ends after 10 minutes: come again. If the access ends meanwhile, the last event is `event: refused` with a `code` and a `detail`.',
    ].join('\n\n'),
    headers: { 'Last-Event-ID': 'The `id` of the last event that the client has.' },
    answers: {
      200: { description: 'The events.', content: { 'text/event-stream': 'text' } },
      204: { description: 'The job has ended, and the client knows.' },
      404: problemAnswer('There is no such job.'),
    },
    examples: {
      ended: {
        summary: 'The only event of a job that has ended',
        request: { params: { id: SAMPLE.jobId } },
        answer: { status: 200, text: `event: job\nid: 6\nretry: 2000\ndata: ${JSON.stringify(shown)}\n\n` },
      },
      missing,
    },
  },

  pause: acting('paused', 'pauseJob', 'Pause a job', 'It stops until it is resumed. Pausing it again changes nothing.'),
  resume: acting(
    'resumed',
    'resumeJob',
    'Resume a job',
    'A paused job goes on, with the access of whoever resumes it, which must have all scopes of the job.',
    { 403: lacking },
  ),
  cancel: acting(
    'cancelled',
    'cancelJob',
    'Cancel a job',
    'It ends. What it has written stays. Cancelling it again changes nothing.',
  ),
  retry: acting(
    'retried',
    'retryJob',
    'Retry a job',
    'A failed or cancelled job begins again at the step that did not finish, with the access of whoever retries it.',
    { 403: lacking },
  ),
  answer: acting(
    'answered',
    'answerJob',
    'Answer a job',
    'Gives a job what it waits for from a person, as `waiting` says. Of two answers the first counts. It is never an approval.',
    { 400: problemAnswer('The answer does not fit what was asked for.') },
  ),
} satisfies Record<string, Operation>;

import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { call, connectWithToken } from '../../scripts/client/mcp.ts';
import { Deployment } from './support/deployment.ts';
import { operate } from './support/operator.ts';
import { signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

const JOBS = 100;
const STEPS = 2;
const KILLS = 10;

interface Job {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly error?: unknown;
}

/** The real bundle with a kind of job that writes to everything, and little patience with runs that are silent. */
const deployment = new Deployment({ JOB_STALL_SECONDS: '3' }, 'test/support/jobs-worker.ts');

let person: Person;

beforeAll(async () => {
  await deployment.start();
  person = await signUp(deployment.mcpUrl, 'jobs@example.com');
});
afterAll(() => deployment.remove());

const connected = () => connectWithToken(deployment.mcpUrl, person.token);

async function allJobs(): Promise<Job[]> {
  const client = await connected();
  const jobs: Job[] = [];
  let cursor: string | undefined;
  do {
    const page = await call<{ jobs: Job[]; next_cursor?: string }>(client, 'job_list', {
      limit: 100,
      ...(cursor && { cursor }),
    });
    jobs.push(...page.jobs);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return jobs;
}

/** What the bucket has of the person's, and what it lacks. */
async function inBucket(): Promise<{ readonly objects: number; readonly missing: number }> {
  const { output } = await operate(deployment, 'files', '--hours', '0');
  const of = (pattern: RegExp) => Number(pattern.exec(output)?.[1] ?? 0);
  return { objects: of(/jobs@example\.com +(\d+) objects?/), missing: of(/(\d+) that are missing/) };
}

describe('jobs and power cuts', () => {
  it('a hundred jobs end, and write everything exactly once, through ten kills', { timeout: 600_000 }, async () => {
    const client = await connected();
    for (let number = 0; number < JOBS; number++)
      await call(client, 'job_start', {
        definition: 'test_write',
        input: { number, steps: STEPS },
        idempotency_key: `n-${number}`,
      });
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(500 + Math.random() * 2000);
      await deployment.kill();
      await deployment.startAgain();
    }
    const ended = new Set(['completed', 'failed', 'cancelled']);
    let jobs = await allJobs();
    for (; jobs.some(({ status }) => !ended.has(status)); jobs = await allJobs()) await sleep(1000);
    const again = await connected();
    const attempts = jobs.reduce((sum, job) => sum + job.attempts, 0);
    let counted = 0;
    let files = 0;
    let firstVersions = 0;
    for (let number = 0; number < JOBS; number++)
      counted += (await call<{ value: number }>(again, 'state_get', { key: `job-${number}` })).value;
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await call<{ files: { version: number }[]; next_cursor?: string }>(again, 'file_list', {
        limit: 100,
        ...(cursor === undefined ? {} : { cursor }),
      });
      files += page.files.length;
      firstVersions += page.files.filter(({ version }) => version === 1).length;
      cursor = page.next_cursor;
    }
    // What a step that was cut off had sent is swept a minute after the step was begun again.
    let bucket = await inBucket();
    for (; bucket.objects > files; bucket = await inBucket()) await sleep(2000);
    console.log(
      `${jobs.length} jobs, ${KILLS} kills: ${jobs.filter(({ status }) => status === 'completed').length} completed, ` +
        `${attempts} attempts at ${JOBS * (2 * STEPS + 2)} steps; counted ${counted} of ${JOBS * STEPS}, ` +
        `${files} files of ${JOBS * STEPS}, ${firstVersions} of them version 1, ` +
        `${bucket.objects} objects in the bucket`,
    );
    expect(jobs.filter(({ status }) => status !== 'completed')).toEqual([]);
    expect(jobs).toHaveLength(JOBS);
    expect({ counted, files, firstVersions, ...bucket }).toEqual({
      objects: JOBS * STEPS,
      missing: 0,
      counted: JOBS * STEPS,
      files: JOBS * STEPS,
      firstVersions: JOBS * STEPS,
    });
    expect(attempts).toBeGreaterThan(JOBS * (2 * STEPS + 2));
  });
});

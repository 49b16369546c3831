import { beforeAll, describe, expect, test } from 'vitest';

import { Owner } from '../support/files.ts';
import { done, mishaps } from '../support/jobs.ts';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly steps_done: number;
}

let owner: Owner;

beforeAll(async () => {
  owner = await Owner.signIn('jobs@example.com');
});

const start = async (definition: string, input: object, more: object = {}) =>
  (await owner.call<{ job: Job }>('job_start', { definition, input, ...more })).job;
const get = async (job: string, wait = 20) => (await owner.call<{ job: Job }>('job_get', { job, wait })).job;
const result = async (job: string) => (await owner.call<{ result: unknown }>('job_result', { job })).result;
const state = async (key: string) => (await owner.call<{ value: unknown }>('state_get', { key })).value;

describe('a job', () => {
  test('runs to its end, and its result is there', async () => {
    const { id, status } = await start('test_count', { key: 'first', steps: 3 });
    expect(['queued', 'running']).toContain(status);
    expect(await get(id)).toMatchObject({ status: 'completed', steps_done: 3 });
    expect(await result(id)).toEqual({ count: 3 });
    expect(await state('first')).toBe(3);
    expect(done.filter((each) => each.startsWith(id))).toHaveLength(3);
  });

  test('writes once where a step is repeated after it wrote', async () => {
    mishaps.set('add-1', [
      () => {
        throw new Error('the connection broke');
      },
    ]);
    const { id } = await start('test_count', { key: 'again', steps: 3 });
    expect(await get(id)).toMatchObject({ status: 'completed', steps_done: 3, attempts: 4 });
    expect(await state('again')).toBe(3);
  });
});

test('the key of a job gives that job, also when what it was started with is gone', async () => {
  await owner.write('gone.txt', 'words');
  const more = { idempotency_key: 'once' };
  const { id } = await start('extract_text', { files: ['gone.txt'] }, more);
  await get(id);
  await owner.call('file_delete', { file: 'gone.txt' });
  expect((await start('extract_text', { files: ['gone.txt'] }, more)).id).toBe(id);
  await expect(start('extract_text', { files: ['gone.txt'] })).rejects.toThrow('not_found');
  await expect(start('extract_text', { files: ['other.txt'] }, more)).rejects.toThrow('conflict');
});

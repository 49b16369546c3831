import { beforeAll, describe, expect, it } from 'vitest';

import { Owner, problemOf } from '../support/files.ts';

interface Job {
  readonly id: string;
  readonly status: string;
}

let ada: Owner;

const waiting = { steps: [{ do: 'sleep', id: 'nap', seconds: 86_400 }] };
const writing = {
  inputs: { properties: { n: { type: 'integer' } }, required: ['n'] },
  steps: [{ do: 'tool', id: 'a', tool: 'state_set', arguments: { key: 'over-http', value: { $ref: 'inputs.n' } } }],
};

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
  for (const [recipe, plan] of [
    ['waiting', waiting],
    ['other', waiting],
    ['writing', writing],
    ['quiet', waiting],
  ] as const)
    await ada.call('recipe_save', { recipe, title: recipe, plan });
});

const post = async (path: string, json?: unknown, headers: Record<string, string> = {}, by = ada) =>
  by.fetch(`/workflows/${path}`, {
    method: 'POST',
    ...(json === undefined
      ? { headers }
      : { headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(json) }),
  });
const started = async (recipe: string, json: unknown = {}, headers: Record<string, string> = {}): Promise<Job> => {
  const response = await post(`${recipe}/run`, json, headers);
  expect(response.status).toBe(202);
  const { job } = await response.json<{ job: Job }>();
  expect(response.headers.get('Location')).toBe(`/jobs/${job.id}`);
  return job;
};
const acted = async (path: string, json?: unknown): Promise<Job[]> => {
  const response = await post(path, json);
  expect(response.status).toBe(200);
  return (await response.json<{ jobs: Job[] }>()).jobs;
};
const get = async (job: string, wait = 30) => (await ada.call<{ job: Job }>('job_get', { job, wait })).job;

describe('a workflow over HTTP', () => {
  it('runs, once for each Idempotency-Key', async () => {
    const job = await started('writing', { inputs: { n: 3 } }, { 'Idempotency-Key': 'monday' });
    expect(await started('writing', { inputs: { n: 3 } }, { 'Idempotency-Key': 'monday' })).toMatchObject({
      id: job.id,
    });
    expect((await started('writing', { inputs: { n: 3 } })).id).not.toBe(job.id);
    expect(await get(job.id)).toMatchObject({ status: 'completed' });
    expect(await ada.call('state_get', { key: 'over-http' })).toMatchObject({ value: 3 });
    const other = await problemOf(await post('writing/run', { inputs: { n: 4 } }, { 'Idempotency-Key': 'monday' }));
    expect(other).toMatchObject({ status: 409, code: 'conflict' });
  });

  it('is paused, resumed and stopped, one job or all', async () => {
    const [first, second, foreign] = await Promise.all([started('waiting'), started('waiting'), started('other')]);
    for (const { id } of [first, second, foreign]) await get(id);
    expect(await acted('waiting/pause', { job: first.id })).toMatchObject([{ id: first.id, status: 'paused' }]);
    expect(await acted('waiting/pause')).toMatchObject([{ id: second.id, status: 'paused' }]);
    expect(await acted('waiting/pause')).toEqual([]);
    expect(await acted('waiting/resume', { job: second.id })).toMatchObject([{ id: second.id }]);
    expect(await get(second.id)).toMatchObject({ status: 'waiting' });
    expect((await acted('waiting/stop', {})).map(({ id, status }) => `${id} ${status}`).toSorted()).toEqual(
      [first, second].map(({ id }) => `${id} cancelled`).toSorted(),
    );
    expect(await get(foreign.id)).toMatchObject({ status: 'waiting' });
    expect(await acted('waiting/stop')).toEqual([]);
  });

  it.each([
    ['a recipe that there is not', 'nothing/run', {}, 404, 'not_found'],
    ['a version that there is not', 'writing/run', { inputs: { n: 1 }, version: 9 }, 404, 'not_found'],
    ['an input that is missing', 'writing/run', {}, 400, 'invalid_input'],
    ['a field that there is not', 'writing/run', { input: {} }, 400, 'invalid_input'],
    ['no JSON', 'writing/run', undefined, 400, 'invalid_input'],
    ['a name that is none', 'No%20Slug/run', {}, 400, 'invalid_input'],
    ['nothing of an unknown recipe', 'nothing/stop', undefined, 404, 'not_found'],
    ['a job that there is not', 'waiting/pause', { job: 'job_none' }, 404, 'not_found'],
  ])('is refused with %s', async (_what, path, json, status, code) => {
    expect(await problemOf(await post(path, json))).toMatchObject({ status, code });
  });

  it('is refused with a job of another recipe, or one that the action does not fit', async () => {
    const foreign = await started('other');
    expect(await problemOf(await post('quiet/stop', { job: foreign.id }))).toMatchObject({ status: 404 });
    expect(await problemOf(await post('other/resume', { job: foreign.id }))).toMatchObject({
      status: 409,
      code: 'conflict',
    });
    await acted('other/stop', { job: foreign.id });
    expect(await problemOf(await post('other/resume', { job: foreign.id }))).toMatchObject({ status: 409 });
  });

  it('is refused with an Idempotency-Key that is none, and leaves no job', async () => {
    expect(await problemOf(await post('quiet/run', {}, { 'Idempotency-Key': 'x'.repeat(201) }))).toMatchObject({
      status: 400,
    });
    expect(await acted('quiet/stop')).toEqual([]);
  });

  it('needs a token with the permission, and is nobody else’s', async () => {
    const reader = await Owner.signIn('ada@example.com', 'jobs:read sessions:read');
    expect((await post('quiet/run', {}, {}, reader)).status).toBe(403);
    const eve = await Owner.signIn('eve@example.com');
    expect((await post('quiet/run', {}, {}, eve)).status).toBe(404);
    const weak = await Owner.signIn('ada@example.com', 'jobs:read jobs:write');
    expect(await problemOf(await post('writing/run', { inputs: { n: 1 } }, {}, weak))).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';

import { Owner } from '../support/files.ts';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly started_by?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly step?: string };
}

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

const ref = (path: string) => ({ $ref: path });
const call = (id: string, tool: string, input: Record<string, unknown>) => ({ do: 'tool', id, tool, arguments: input });
const save = async (recipe: string, plan: unknown, more: Record<string, unknown> = {}, by = ada) =>
  (await by.call<{ recipe: { version: number } }>('recipe_save', { recipe, title: recipe, plan, ...more })).recipe;
const run = async (input: Record<string, unknown>, by = ada) =>
  (await by.call<{ job: Job }>('recipe_run', { wait: 30, ...input })).job;
const result = async (job: string) => (await ada.call<{ result: unknown }>('job_result', { job })).result;
const jobs = async (by = ada) => (await by.call<{ jobs: Job[] }>('job_list', { limit: 100 })).jobs.length;

const count = {
  steps: [call('write', 'state_set', { key: 'count', value: ref('inputs.n') })],
  inputs: { properties: { n: { type: 'number', default: 1 } } },
};

describe('a stored recipe', () => {
  it('has a version for each time that it was saved, and they stay', async () => {
    expect(await save('versions', count)).toMatchObject({
      version: 1,
      steps: 1,
      scopes: ['sessions:write'],
      input_schema: { properties: { n: {} } },
    });
    expect(
      await save('versions', { steps: [call('a', 'whoami', {}), call('b', 'whoami', {})] }, { description: 'Twice' }),
    ).toMatchObject({ version: 2 });
    expect(await ada.call('recipe_list', { recipe: 'versions' })).toMatchObject({
      versions: [1, 2],
      plan: { steps: [{ id: 'a' }, { id: 'b' }] },
    });
    expect(await ada.call('recipe_list', { recipe: 'versions', version: 1 })).toMatchObject({
      recipes: [{ version: 1 }],
      plan: count,
    });
    expect(await ada.call('recipe_list')).toMatchObject({
      recipes: expect.arrayContaining([
        expect.objectContaining({ slug: 'versions', version: 2, description: 'Twice' }),
      ]) as unknown,
    });
  });

  it('is saved over what its writer saw, and over nothing else', async () => {
    await save('seen', count, { expected_version: 0 });
    await expect(save('seen', count, { expected_version: 0 })).rejects.toThrow(
      /conflict: The recipe has version 1 by now/,
    );
    expect(await save('seen', count, { expected_version: 1 })).toMatchObject({ version: 2 });
    const both = await Promise.allSettled([
      save('seen', count, { expected_version: 2 }),
      save('seen', count, { expected_version: 2 }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('keeps fifty versions', async () => {
    for (let number = 0; number < 52; number++) await save('many', count);
    const { versions } = await ada.call<{ versions: number[] }>('recipe_list', { recipe: 'many' });
    expect(versions).toHaveLength(50);
    expect(versions[0]).toBe(3);
    await expect(ada.call('recipe_list', { recipe: 'many', version: 1 })).rejects.toThrow('not_found');
  });

  it('is one of a hundred at most', async () => {
    const eve = await Owner.signIn('eve@example.com');
    for (let number = 0; number < 100; number++) await save(`r${number}`, count, {}, eve);
    await expect(save('one-more', count, {}, eve)).rejects.toThrow(/limit_exceeded: There are 100 recipes/);
    expect(await save('r7', count, {}, eve)).toMatchObject({ version: 2 });
    expect(await eve.call('recipe_delete', { recipe: 'r7' })).toMatchObject({ deleted: true });
    expect(await eve.call('recipe_delete', { recipe: 'r7' })).toMatchObject({ deleted: false });
    expect(await save('one-more', count, {}, eve)).toMatchObject({ version: 1 });
    const { recipes } = await eve.call<{ recipes: { slug: string }[] }>('recipe_list');
    expect(recipes).toHaveLength(100);
  });

  it('comes in parts where its plan is too large for an answer', async () => {
    const steps = Array.from({ length: 6 }, (_, index) =>
      call(`s${index}`, 'state_set', { key: 'k', value: 'x'.repeat(15_000) }),
    );
    await save('large', { steps });
    let text = '';
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const { part }: { part: { text: string; next_offset?: number } } = await ada.call('recipe_list', {
        recipe: 'large',
        offset,
      });
      text += part.text;
      offset = part.next_offset;
    }
    expect(JSON.parse(text)).toEqual({ steps });
  });

  it('needs of who saves it all that it needs of who runs it', async () => {
    const weak = await Owner.signIn('ada@example.com', 'jobs:read jobs:write sessions:read');
    await expect(save('escalation', count, {}, weak)).rejects.toThrow(/forbidden: .*sessions:write/);
    await expect(run({ recipe: 'versions', version: 1 }, weak)).rejects.toThrow(/forbidden: .*sessions:write/);
    expect(await save('allowed', { steps: [call('a', 'whoami', {})] }, {}, weak)).toMatchObject({ version: 1 });
  });

  it('is nobody else’s', async () => {
    const eve = await Owner.signIn('mallory@example.com');
    await expect(eve.call('recipe_list', { recipe: 'versions' })).rejects.toThrow('not_found');
    await expect(run({ recipe: 'versions' }, eve)).rejects.toThrow('not_found');
  });
});

describe('a run', () => {
  it('does what the plan says, with what it is given', async () => {
    await save('counting', count);
    const job = await run({ recipe: 'counting', inputs: { n: 42 } });
    expect(job).toMatchObject({ status: 'completed', started_by: 'recipe:counting' });
    expect(await result(job.id)).toMatchObject({
      result: { key: 'count', version: 1 },
      recipe: { slug: 'counting', version: 1 },
    });
    expect(await ada.call('state_get', { key: 'count' })).toMatchObject({ value: 42 });
  });

  it('runs the version that it is told, or the latest', async () => {
    await save('which', { steps: [call('a', 'whoami', {})], result: 'old' });
    await save('which', { steps: [call('a', 'whoami', {})], result: 'new' });
    expect(await result((await run({ recipe: 'which', version: 1 })).id)).toMatchObject({ result: 'old' });
    expect(await result((await run({ recipe: 'which' })).id)).toMatchObject({ result: 'new' });
  });

  it('goes through branches, a list of fifty, conditions and a sleep', async () => {
    const plan = {
      inputs: { properties: { names: { type: 'array', items: { type: 'string' } } }, required: ['names'] },
      steps: [
        {
          do: 'parallel',
          id: 'both',
          branches: {
            left: [call('mark', 'state_set', { key: 'left', value: 'here' })],
            right: [call('me', 'whoami', {})],
          },
        },
        {
          do: 'for_each',
          id: 'each',
          items: ref('inputs.names'),
          concurrency: 5,
          steps: [
            call('put', 'state_set', {
              key: { $text: 'item/${item}' },
              value: { index: ref('index'), by: ref('steps.me.person') },
            }),
            {
              do: 'when',
              id: 'odd',
              condition: { equals: [ref('item'), 'n7'] },
              steps: [call('seven', 'state_set', { key: 'seven', value: ref('item') })],
            },
          ],
        },
        { do: 'sleep', id: 'nap', seconds: 1 },
        call('keys', 'state_list', { prefix: 'item/', limit: 200 }),
      ],
      result: { keys: ref('steps.keys.keys.length'), left: ref('steps.both.left.key') },
    };
    const names = Array.from({ length: 50 }, (_, index) => `n${index}`);
    const job = await run({ plan, inputs: { names } });
    expect(job).toMatchObject({ status: 'completed' });
    expect(await result(job.id)).toEqual({ result: { keys: 50, left: 'left' } });
    expect(await ada.call('state_get', { key: 'seven' })).toMatchObject({ value: 'n7' });
    expect(await ada.call('state_get', { key: 'item/n49' })).toMatchObject({ value: { index: 49, by: ada.personId } });
    const { steps } = await ada.call<{ steps: { name: string; input?: string }[] }>('job_get', {
      job: job.id,
      steps: true,
    });
    expect(steps.map(({ name }) => name)).toContain('each[0].put');
  });

  it('is the same for the same key, and nothing for another input', async () => {
    const first = await run({ recipe: 'counting', idempotency_key: 'k1', inputs: { n: 1 } });
    expect((await run({ recipe: 'counting', idempotency_key: 'k1', inputs: { n: 1 } })).id).toBe(first.id);
    await expect(run({ recipe: 'counting', idempotency_key: 'k1', inputs: { n: 2 } })).rejects.toThrow(/conflict/);
  });

  it('fails with the step that failed, and can go on from there', async () => {
    const plan = {
      steps: [call('first', 'state_set', { key: 'before', value: 1 }), call('second', 'state_get', { key: 'late' })],
    };
    const job = await run({ plan });
    expect(job).toMatchObject({ status: 'failed', error: { code: 'not_found', step: 'second' } });
    await ada.call('state_set', { key: 'late', value: 'here' });
    await ada.call('job_retry', { job: job.id });
    expect((await ada.call<{ job: Job }>('job_get', { job: job.id, wait: 30 })).job).toMatchObject({
      status: 'completed',
    });
    expect(await ada.call('state_get', { key: 'before' })).toMatchObject({ version: 1 });
  });

  it('says so when what it gives is larger than a job keeps', async () => {
    const write = (id: string) => call(id, 'state_set', { key: `big/${id}`, value: 'x'.repeat(90_000) });
    await run({
      plan: {
        steps: [
          {
            do: 'for_each',
            id: 'w',
            items: ['x'],
            steps: [call('one', 'state_set', { key: 'big', value: { $literal: 'x'.repeat(30_000) } })],
          },
        ],
      },
    });
    const plan = {
      steps: [
        write('a'),
        {
          do: 'for_each',
          id: 'read',
          items: Array.from({ length: 9 }, () => 0),
          steps: [call('r', 'state_get', { key: 'big' })],
        },
      ],
    };
    const job = await run({ plan });
    expect(job).toMatchObject({ status: 'completed' });
    expect(await result(job.id)).toEqual({ result: null, too_large: true });
  });

  it.each([
    ['a tool that there is not', { plan: { steps: [call('a', 'thing_eat', {})] } }, /there is no tool `thing_eat`/],
    ['a cycle', { plan: { steps: [call('a', 'state_set', { key: 'x', value: ref('steps.a') })] } }, /a cycle/],
    [
      '10,000 steps',
      { plan: { steps: Array.from({ length: 10_000 }, (_, n) => ({ do: 'sleep', id: `s${n}`, seconds: 1 })) } },
      /too_large/,
    ],
    [
      'an answer for a person',
      { plan: { steps: [call('a', 'job_answer', { job: 'x', answer: {} })] } },
      /may not call `job_answer`/,
    ],
    [
      'a missing input',
      {
        plan: { inputs: { properties: { a: { type: 'string' } }, required: ['a'] }, steps: [call('a', 'whoami', {})] },
      },
      /the input `a` is missing/,
    ],
    ['an unknown recipe', { recipe: 'nowhere' }, /not_found/],
    ['a version that there is not', { recipe: 'counting', version: 99 }, /not_found/],
    ['neither recipe nor plan', {}, /Give a `recipe`/],
    ['both', { recipe: 'counting', plan: count }, /Give a `recipe`/],
  ])('is refused with %s, and leaves no job behind', async (_what, input, says) => {
    const before = await jobs();
    await expect(run(input)).rejects.toThrow(says);
    expect(await jobs()).toBe(before);
  });

  it('refuses a recipe with faults before it keeps it', async () => {
    await expect(
      save('broken', { steps: [call('a', 'file_delete', { path: 7 }), call('a', 'whoami', {})] }),
    ).rejects.toThrow(/invalid_input: .*steps\[1\]: the id `a`/);
    await expect(ada.call('recipe_list', { recipe: 'broken' })).rejects.toThrow('not_found');
  });

  it('does no more than it was allowed, whatever a plan can call', async () => {
    const reader = await Owner.signIn('ada@example.com', 'jobs:read jobs:write sessions:read');
    await expect(run({ plan: count }, reader)).rejects.toThrow(/forbidden: .*sessions:write/);
    expect(await run({ plan: { steps: [call('a', 'state_list', {})] } }, reader)).toMatchObject({
      status: 'completed',
    });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';

import { APPROVALS_SCOPE } from '../../src/approvals/model.ts';
import { ask, Keeper } from '../support/approvals.ts';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly waiting?: readonly {
    readonly for: string;
    readonly step: string;
    readonly message?: string;
    readonly approval?: string;
  }[];
  readonly error?: { readonly code: string; readonly step?: string };
}

let people = 0;
let ada: Keeper;

beforeEach(async () => {
  ada = await Keeper.come(`recipes-${++people}@example.com`);
});

const write = (key: string) => ({ do: 'tool', id: key, tool: 'state_set', arguments: { key, value: true } });
const sure = {
  do: 'approve',
  id: 'sure',
  summary: { $text: 'Publish ${inputs.what}?' },
  details: { what: { $ref: 'inputs.what' } },
};
const inputs = { properties: { what: { type: 'string', default: 'it' } } };
const run = async (steps: readonly object[], given = {}) =>
  (await ada.owner.call<{ job: Job }>('recipe_run', { plan: { inputs, steps }, inputs: given, wait: 20 })).job;
const follow = async (job: string) => (await ada.owner.call<{ job: Job }>('job_get', { job, wait: 20 })).job;
const approvalOf = ({ waiting }: Job, step = 'sure') => waiting?.find((each) => each.step === step)?.approval ?? '';
const keys = async () =>
  (await ada.owner.call<{ keys: { key: string; version: number }[] }>('state_list')).keys.map(
    ({ key, version }) => `${key} ${version}`,
  );

describe('a recipe that asks', () => {
  it('waits for the person, shows what it is about, and goes on once they approve', async () => {
    const job = await run([write('before'), sure, write('later')], { what: 'the report' });
    expect(job).toMatchObject({
      status: 'waiting',
      waiting: [{ for: 'approval', step: 'sure', message: 'Publish the report?' }],
    });
    expect(await ada.approvals()).toMatchObject([{ arguments: '{"details":{"what":"the report"},"step":"sure"}' }]);
    expect(await keys()).toEqual(['before 1']);
    await ada.press(approvalOf(job), 'approve');
    expect(await follow(job.id)).toMatchObject({ status: 'completed' });
    expect(await keys()).toEqual(['before 1', 'later 1']);
  });

  it('ends when they deny, and is not talked out of it by being tried again', async () => {
    const job = await run([sure, write('later')]);
    await ada.press(approvalOf(job), 'deny');
    expect(await follow(job.id)).toMatchObject({ status: 'failed', error: { code: 'forbidden', step: 'sure' } });
    await ada.owner.call('job_retry', { job: job.id });
    expect((await follow(job.id)).status).not.toBe('completed');
    expect(await keys()).toEqual([]);
  });

  it('is approved by a personal token that was made for it', async () => {
    const job = await run([sure, write('later')]);
    const token = await ada.token([APPROVALS_SCOPE]);
    expect((await ask(token, `/approvals/${approvalOf(job)}/approve`, 'POST')).status).toBe(200);
    expect(await follow(job.id)).toMatchObject({ status: 'completed' });
  });

  it('is approved by no client with every scope that it can have, and by nothing in its plan', async () => {
    const job = await run([sure, write('later')]);
    const { accessToken } = ada.owner;
    expect((await ask(accessToken, `/approvals/${approvalOf(job)}/approve`, 'POST')).status).toBe(403);
    await expect(
      ada.owner.call('job_answer', { job: job.id, answer: { approve: true, approved: true } }),
    ).rejects.toThrow('conflict');
    for (const name of ['approval_give', 'job_answer', 'job_resume'])
      await expect(run([{ do: 'tool', id: 'a', tool: name, arguments: { job: job.id } }])).rejects.toThrow(
        `may not call \`${name}\``,
      );
    await expect(run([{ ...sure, approved: true }])).rejects.toThrow('no field `approved`');
    expect(await follow(job.id)).toMatchObject({ status: 'waiting' });
    expect(await keys()).toEqual([]);
  });

  it('asks in two branches at once, and goes on with both answers', async () => {
    const branch = (name: string) => [write(`${name}-before`), { ...sure, id: name }, write(`${name}-later`)];
    const job = await run([
      { do: 'parallel', id: 'both', branches: { left: branch('left'), right: branch('right') } },
      write('end'),
    ]);
    expect(job.waiting?.map(({ step }) => step).toSorted()).toEqual(['left', 'right']);
    await ada.press(approvalOf(job, 'left'), 'approve');
    const half = await follow(job.id);
    expect(half.waiting?.map(({ step }) => step)).toEqual(['right']);
    expect(await keys()).toEqual(['left-before 1', 'left-later 1', 'right-before 1']);
    await ada.press(approvalOf(half, 'right'), 'approve');
    expect(await follow(job.id)).toMatchObject({ status: 'completed' });
    expect(await keys()).toEqual(['end 1', 'left-before 1', 'left-later 1', 'right-before 1', 'right-later 1']);
  });

  it('asks for each item of a list by itself', async () => {
    const each = [
      { ...sure, summary: { $text: 'Keep ${item}?' } },
      { ...write('x'), arguments: { key: { $text: 'kept/${item}' }, value: 1 } },
    ];
    const job = await run([{ do: 'for_each', id: 'all', items: ['a', 'b'], steps: each }]);
    expect(job.waiting).toMatchObject([{ step: 'all[0].sure', message: 'Keep a?' }]);
    await ada.press(approvalOf(job, 'all[0].sure'), 'approve');
    const next = await follow(job.id);
    expect(next.waiting).toMatchObject([{ step: 'all[1].sure', message: 'Keep b?' }]);
    await ada.press(approvalOf(next, 'all[1].sure'), 'deny');
    expect(await follow(job.id)).toMatchObject({ status: 'failed', error: { step: 'all[1].sure' } });
    expect(await keys()).toEqual(['kept/a 1']);
  });
});

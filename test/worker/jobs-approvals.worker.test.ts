import { beforeEach, describe, expect, it } from 'vitest';

import { Keeper } from '../support/approvals.ts';

interface Job {
  readonly id: string;
  readonly status: string;
  readonly waiting?: readonly { readonly for: string; readonly approval?: string; readonly url?: string }[];
  readonly error?: { readonly code: string; readonly message: string };
}

let people = 0;
let ada: Keeper;

beforeEach(async () => {
  ada = await Keeper.come(`approving-${++people}@example.com`);
});

const start = async (definition: string, input: object) =>
  (await ada.owner.call<{ job: Job }>('job_start', { definition, input, wait: 20 })).job;
const follow = async (job: string) => (await ada.owner.call<{ job: Job }>('job_get', { job, wait: 20 })).job;
const approvalOf = (job: Job) => job.waiting?.find((each) => each.for === 'approval')?.approval ?? '';

describe('a job that needs an approval', () => {
  const plan = (...steps: object[]) => ({ steps });
  const approve = { kind: 'approve', name: 'sure' };

  it('waits for the person, and goes on once they approve', async () => {
    const job = await start('test_plan', plan({ kind: 'do', name: 'before' }, approve, { kind: 'do', name: 'after' }));
    expect(job).toMatchObject({ status: 'waiting', waiting: [{ for: 'approval', message: 'Do it?' }] });
    expect((await ada.press(approvalOf(job), 'approve')).body).toContain('You approved this');
    expect(await follow(job.id)).toMatchObject({ status: 'completed' });
    expect(await ada.owner.call('job_result', { job: job.id })).toMatchObject({
      result: { gave: ['before', 'after'] },
    });
    expect(await ada.approvals()).toMatchObject([{ status: 'used' }]);
  });

  it('ends where the person denies', async () => {
    const job = await start('test_plan', plan(approve, { kind: 'do', name: 'never' }));
    await ada.press(approvalOf(job), 'deny');
    expect(await follow(job.id)).toMatchObject({ status: 'failed', error: { code: 'forbidden', step: 'sure' } });
  });

  it('ends where nobody answers in time', async () => {
    const job = await start('test_plan', plan(approve));
    await ada.owner.sql(`UPDATE approvals SET expires_at = created_at`);
    await ada.owner.runTask('approvals');
    expect(await follow(job.id)).toMatchObject({ status: 'failed', error: { code: 'forbidden' } });
  });

  it('is approved by no tool, whatever a client may do', async () => {
    const job = await start('test_plan', plan(approve));
    const answer = { job: job.id, answer: { approve: true } };
    await expect(ada.owner.call('job_answer', answer)).rejects.toThrow('conflict');
    await expect(ada.owner.call('job_resume', { job: job.id })).rejects.toThrow('conflict');
    await ada.owner.call('job_pause', { job: job.id });
    await ada.owner.call('job_resume', { job: job.id });
    expect(await follow(job.id)).toMatchObject({ status: 'waiting' });
    expect(await ada.approvals()).toMatchObject([{ status: 'pending' }]);
  });

  it('asks anew where a file was changed meanwhile', async () => {
    const { id: file } = await ada.owner.write('plan.txt', 'one');
    const job = await start('test_plan', plan({ ...approve, files: [file] }));
    const first = approvalOf(job);
    await ada.owner.write('plan.txt', 'two');
    // What is out of date cannot be approved, and the job asks for what is there now.
    expect((await ada.press(first, 'approve')).body).toContain('A file was changed since');
    const again = await follow(job.id);
    expect(again.status).toBe('waiting');
    expect(approvalOf(again)).not.toBe(first);
    await ada.press(approvalOf(again), 'approve');
    expect(await follow(job.id)).toMatchObject({ status: 'completed' });
  });
});

describe('a recipe, where the person wants to be asked before things are deleted', () => {
  const recipe = {
    plan: {
      steps: [
        { do: 'tool', id: 'write', tool: 'state_set', arguments: { key: 'begun', value: true } },
        { do: 'tool', id: 'remove', tool: 'file_delete', arguments: { file: 'old.txt' } },
        { do: 'tool', id: 'done', tool: 'state_set', arguments: { key: 'done', value: true } },
      ],
    },
  };

  beforeEach(async () => {
    await ada.owner.write('old.txt', 'one');
    await ada.rule({ tool: ['file_delete'] });
  });

  const run = async () => (await ada.owner.call<{ job: Job }>('recipe_run', { ...recipe, wait: 20 })).job;
  const files = async () => (await ada.owner.call<{ files: { path: string }[] }>('file_list')).files;

  it('waits at the step, does it once it is approved, and nothing twice', async () => {
    const job = await run();
    expect(job.status).toBe('waiting');
    expect(await files()).toHaveLength(1);
    await ada.press(approvalOf(job), 'approve');
    expect(await follow(job.id)).toMatchObject({ status: 'completed' });
    expect(await files()).toHaveLength(0);
    expect(await ada.owner.call('state_get', { key: 'begun' })).toMatchObject({ version: 1 });
  });

  it('ends at the step where it is denied', async () => {
    const job = await run();
    await ada.press(approvalOf(job), 'deny');
    expect(await follow(job.id)).toMatchObject({ status: 'failed', error: { code: 'forbidden', step: 'remove' } });
    expect(await files()).toHaveLength(1);
    await expect(ada.owner.call('state_get', { key: 'done' })).rejects.toThrow('not_found');
  });
});

import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { held, JobClient, unique } from '../support/job-client.ts';
import { done } from '../support/jobs.ts';
import { Person } from '../support/person.ts';
import { times } from '../support/rounds.ts';

const DAY_MS = 86_400_000;

afterEach(() => {
  vi.useRealTimers();
});

/** Two clients of one person. */
async function twoClients(scope?: string): Promise<[JobClient, JobClient]> {
  const person = new Person();
  return [await JobClient.signIn(undefined, person), await JobClient.signIn(scope, person)];
}

/** A job in a step that has written and is held. */
async function writing(client: JobClient) {
  const name = unique('held');
  const step = held(name);
  const after = unique('after');
  const id = await client.plan({ kind: 'write', name, key: 'k' }, { kind: 'do', name: after });
  await step.begun();
  return { id, name, after, release: step.release };
}

const valueOf = async (client: JobClient) => (await client.call<{ value: unknown }>('state_get', { key: 'k' })).value;
const isDone = (id: string, step: string) => done.includes(`${id} ${step}`);

describe('a job whose access ends', () => {
  it('is paused when its grant is revoked, and does nothing more', async () => {
    const [phone, laptop] = await twoClients();
    const { id, after, release } = await writing(phone);
    await phone.workspace.revokeGrant(phone.connection.grantId);
    expect(await laptop.get(id)).toMatchObject({ status: 'paused', paused_because: 'access_ended' });
    release();
    await laptop.act('resume', id);
    expect(await laptop.settled(id)).toMatchObject({ status: 'completed', steps_done: 2 });
    // Written before and once: the step that was held is done again by the other client's access.
    expect(await valueOf(laptop)).toBe(1);
    expect(isDone(id, after)).toBe(true);
  });

  it('is paused, queued and waiting ones too', async () => {
    const [phone, laptop] = await twoClients();
    const waiting = await phone.plan({ kind: 'ask', name: 'colour' });
    await phone.settled(waiting);
    const running = await Promise.all(times(5, async () => writing(phone)));
    const queued = await phone.plan({ kind: 'do', name: unique('queued') });
    await phone.workspace.revokeGrant(phone.connection.grantId);
    const jobs = await laptop.list();
    expect(jobs).toHaveLength(7);
    expect(new Set(jobs.map(({ status }) => status))).toEqual(new Set(['paused']));
    expect(jobs.map(({ id }) => id)).toContain(queued);
    for (const job of running) job.release();
  });

  it('is paused by its very next call when the grant may do less than the job', async () => {
    const [phone, laptop] = await twoClients();
    const { id, after, release } = await writing(phone);
    await phone.workspace.narrowGrant(phone.connection.grantId, ['jobs:read', 'jobs:write', 'sessions:read']);
    release();
    expect(await laptop.settled(id)).toMatchObject({ status: 'paused', paused_because: 'access_ended', steps_done: 0 });
    expect(isDone(id, after)).toBe(false);
  });

  it('goes on where the grant may do less than before, and all that the job does', async () => {
    const [phone, laptop] = await twoClients();
    const { id, release } = await writing(phone);
    await phone.workspace.narrowGrant(phone.connection.grantId, ['sessions:write']);
    release();
    expect(await laptop.settled(id)).toMatchObject({ status: 'completed' });
  });

  it('goes on with another client only if that may do all that the job does', async () => {
    const [phone, laptop] = await twoClients('jobs:read jobs:write sessions:read');
    const { id, release } = await writing(phone);
    await phone.workspace.revokeGrant(phone.connection.grantId);
    release();
    expect(await laptop.refusal('job_resume', { job: id })).toBe('forbidden');
    await laptop.act('cancel', id);
    expect(await laptop.refusal('job_retry', { job: id })).toBe('forbidden');
    expect((await laptop.get(id)).status).toBe('cancelled');
  });

  it('is cancelled when its person is disabled, and stays so', async () => {
    const ada = await JobClient.signIn();
    const { id, after, release } = await writing(ada);
    const asking = await ada.plan({ kind: 'ask', name: 'colour' });
    await ada.settled(asking);
    await ada.workspace.writeStanding({ role: 'member', disabled: true });
    release();
    await ada.workspace.writeStanding({ role: 'member', disabled: false });
    expect((await ada.list()).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
    expect(isDone(id, after)).toBe(false);
  });

  it('leaves nothing when its person is deleted', async () => {
    const ada = await JobClient.signIn();
    const { id, after, release } = await writing(ada);
    await ada.workspace.wipe(ada.connection.personId);
    // Its run comes back to an object that knows of nobody.
    release();
    const refused = await ada.workspace.run({ kind: 'job', jobId: id, run: 1, step: 'x' }, 'sessions', 'list', []);
    expect(refused).toMatchObject({ ok: false, error: { code: 'conflict' } });
    for (const table of ['jobs', 'job_steps', 'job_writes', 'state'])
      expect([table, await ada.rows(`SELECT * FROM ${table}`)]).toEqual([table, []]);
    expect(isDone(id, after)).toBe(false);
    const { FILES } = env as unknown as Bindings;
    expect((await FILES.list({ prefix: `${ada.connection.personId}/` })).objects).toEqual([]);
  });
});

describe('a run that is over', () => {
  it('can call nothing, whatever its number, its step or its job', async () => {
    const ada = await JobClient.signIn();
    const { id, release } = await writing(ada);
    await ada.act('pause', id);
    await ada.act('resume', id);
    release();
    await ada.settled(id);
    const write = async (caller: { jobId: string; run: number; step: string }) =>
      ada.workspace.run({ kind: 'job', ...caller }, 'state', 'set', [undefined, 'stolen', '1', undefined, Date.now()]);
    const refused = { ok: false, admitted: false, error: { code: 'conflict', details: { run_over: true } } };
    for (const run of [0, 1, 2, 3, -1, Number.NaN])
      for (const step of ['', 'held', 'invented']) expect(await write({ jobId: id, run, step })).toMatchObject(refused);
    expect(await write({ jobId: 'job_00000000000000000000', run: 1, step: 'x' })).toMatchObject(refused);
    expect(await ada.refusal('state_get', { key: 'stolen' })).toBe('not_found');
  });

  it('writes nothing while another goes on', async () => {
    const ada = await JobClient.signIn();
    const { id, name, release } = await writing(ada);
    await ada.act('pause', id);
    const again = held(name);
    await ada.act('resume', id);
    await again.begun();
    // The first run is let go while the second is in the same step: whatever it says now is refused.
    release();
    const old = { kind: 'job', jobId: id, run: 1, step: name } as const;
    const refused = await ada.workspace.run(old, 'runs', 'finishStep', [id, name, '"stolen"', undefined, 1000, 1]);
    expect(refused).toMatchObject({ ok: false, error: { details: { run_over: true } } });
    again.release();
    expect(await ada.settled(id)).toMatchObject({ status: 'completed' });
    expect(await ada.result(id)).toMatchObject({ gave: [expect.any(Number), expect.any(String)] });
    expect(await valueOf(ada)).toBe(1);
  });
});

describe('two that meet', () => {
  it('a cancellation and a step that writes: what was written stays, and nothing comes after', async () => {
    const ada = await JobClient.signIn();
    const { id, after, release } = await writing(ada);
    const cancelling = ada.act('cancel', id);
    release();
    expect(await cancelling).toBe('cancelled');
    expect(await valueOf(ada)).toBe(1);
    expect((await ada.get(id)).status).toBe('cancelled');
    expect(isDone(id, after)).toBe(false);
  });

  it('a pause and the end of a job: it is paused or completed, and goes on once', async () => {
    const ada = await JobClient.signIn();
    for (let round = 0; round < 12; round++) {
      const name = unique('held');
      const step = held(name);
      const id = await ada.plan({ kind: 'do', name });
      await step.begun();
      step.release();
      await scheduler.wait(round * 3);
      const refusal = await ada.refusal('job_pause', { job: id });
      const { status } = await ada.get(id);
      expect([refusal, status]).toEqual(
        status === 'paused' ? ['nothing was refused', 'paused'] : ['conflict', 'completed'],
      );
      if (status === 'paused') await ada.act('resume', id);
      expect((await ada.settled(id)).status).toBe('completed');
      expect(await ada.result(id)).toEqual({ gave: [name] });
    }
  });

  it('two that retry: one begins it again', async () => {
    const ada = await JobClient.signIn();
    const id = await ada.plan({ kind: 'fail', name: unique('bad'), code: 'conflict' });
    await ada.settled(id);
    const refusals = await Promise.all(times(5, async () => ada.refusal('job_retry', { job: id })));
    expect(refusals.filter((refusal) => refusal === 'nothing was refused')).toHaveLength(1);
    await ada.settled(id);
  });
});

describe('the watchdog', () => {
  const letPass = (milliseconds: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });

  it('takes up a run that was begun and never said a word', async () => {
    const ada = await JobClient.signIn();
    const { id, release } = await writing(ada);
    await ada.act('pause', id);
    release();
    await ada.rows(
      `UPDATE jobs SET status = 'running', run = run + 1, launched_run = run + 1, due_at = 1 WHERE id = ?`,
      id,
    );
    expect((await ada.get(id)).status).toBe('running');
    await ada.tend();
    expect(await ada.settled(id)).toMatchObject({ status: 'completed' });
    expect(await valueOf(ada)).toBe(1);
  });

  it('takes up one that is silent, which from then on is over', async () => {
    const ada = await JobClient.signIn();
    const { id, name, release } = await writing(ada);
    const again = held(name);
    letPass(600_000);
    await ada.tend();
    vi.useRealTimers();
    await again.begun();
    release();
    again.release();
    expect(await ada.settled(id)).toMatchObject({ status: 'completed' });
    expect(await valueOf(ada)).toBe(1);
  });

  it('leaves one alone that works', async () => {
    const ada = await JobClient.signIn();
    const { id, release } = await writing(ada);
    await ada.tend();
    expect(await ada.rows('SELECT run, stalls FROM jobs WHERE id = ?', id)).toEqual([{ run: 1, stalls: 0 }]);
    release();
    expect(await ada.settled(id)).toMatchObject({ status: 'completed' });
  });

  it('gives a job up that stops again and again, or takes longer than a job may', async () => {
    const ada = await JobClient.signIn();
    const [stuck, old] = [await writing(ada), await writing(ada)];
    await ada.rows('UPDATE jobs SET stalls = 8, due_at = 1 WHERE id = ?', stuck.id);
    await ada.rows('UPDATE jobs SET started_at = ? WHERE id = ?', Date.now() - 30 * DAY_MS, old.id);
    await ada.tend();
    expect(await ada.get(stuck.id)).toMatchObject({ status: 'failed', error: { code: 'unavailable' } });
    expect(await ada.get(old.id)).toMatchObject({ status: 'failed', error: { code: 'limit_exceeded' } });
    for (const job of [stuck, old]) job.release();
    await ada.act('retry', stuck.id);
    expect(await ada.settled(stuck.id)).toMatchObject({ status: 'completed' });
  });
});

describe('limits', () => {
  it('of jobs that have not ended, and of steps', async () => {
    const ada = await JobClient.signIn();
    const { id, release } = await writing(ada);
    await ada.rows(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 999)
       INSERT INTO jobs (id, definition, session_id, input, status, person_id, workspace_id, client_id, label, scopes, origin, created_at, updated_at)
       SELECT 'job_' || n, definition, session_id, input, 'paused', person_id, workspace_id, client_id, label, scopes, origin, 1, 1
         FROM jobs, numbers WHERE jobs.id = ?`,
      id,
    );
    expect(await ada.refusal('job_start', { definition: 'test_plan', input: { steps: [] } })).toBe('limit_exceeded');
    await ada.act('cancel', 'job_7');
    await ada.rows('UPDATE jobs SET begun = 10000 WHERE id = ?', id);
    release();
    expect(await ada.settled(id)).toMatchObject({ status: 'failed', error: { code: 'too_large' } });
  });
});

describe('retention', () => {
  it('removes what ended a month ago, and keeps what a session names', async () => {
    const ada = await JobClient.signIn();
    const [old, named, fresh, asking] = [
      await ada.plan({ kind: 'do', name: unique('old') }),
      await ada.plan(),
      await ada.plan(),
      await ada.plan({ kind: 'ask', name: 'colour' }),
    ];
    for (const id of [old, named, fresh, asking]) await ada.settled(id);
    expect((await ada.get(old)).kept_until).toBe(
      new Date(
        Number((await ada.rows('SELECT finished_at FROM jobs WHERE id = ?', old))[0]!['finished_at']) + 30 * DAY_MS,
      ).toISOString(),
    );
    await ada.call('state_set', { key: 'report', value: { from: [named] } });
    const monthAgo = Date.now() - 31 * DAY_MS;
    await ada.rows('UPDATE jobs SET finished_at = ? WHERE id IN (?, ?)', monthAgo, old, named);
    await ada.rows('UPDATE jobs SET created_at = ? WHERE id = ?', monthAgo, asking);
    await ada.tend();
    expect((await ada.list()).map(({ id }) => id).toSorted()).toEqual([named, fresh, asking].toSorted());
    expect(await ada.refusal('job_get', { job: old })).toBe('not_found');
    expect(await ada.refusal('job_result', { job: old })).toBe('not_found');
    for (const table of ['job_steps', 'job_writes'])
      expect(await ada.rows(`SELECT * FROM ${table} WHERE job_id = ?`, old)).toEqual([]);
    // And once nothing names it any more.
    await ada.call('state_delete', { key: 'report' });
    await ada.tend();
    expect(await ada.refusal('job_get', { job: named })).toBe('not_found');
  });
});

import { runInDurableObject } from 'cloudflare:test';
import { beforeAll, describe, expect, it } from 'vitest';

import { JobStore } from '../../src/jobs/job-store.ts';
import { RecipeStore } from '../../src/recipes/recipe-store.ts';
import { fireSchedules } from '../../src/schedules/fire.ts';
import { ScheduleStore } from '../../src/schedules/schedule-store.ts';
import { SessionStore } from '../../src/sessions/store.ts';
import { Database } from '../../src/workspace/sql.ts';
import type { StoreContext } from '../../src/workspace/storage.ts';
import { Owner } from '../support/files.ts';

interface Shown {
  readonly name: string;
  readonly next_runs: readonly string[];
  readonly paused_because?: string;
  readonly failures: number;
  readonly last_run?: {
    readonly planned_at: string;
    readonly outcome: string;
    readonly message?: string;
    readonly job?: string;
    readonly status?: string;
  };
}

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

const save = async (name: string, input: Record<string, unknown>, by = ada) =>
  (await by.call<{ schedule: Shown }>('schedule_save', { name, ...input })).schedule;
const shown = async (name: string, by = ada) => {
  const [schedule] = (await by.call<{ schedules: Shown[] }>('schedule_list', { name })).schedules;
  if (!schedule) throw new Error('there is none');
  return schedule;
};
const jobs = async (by = ada) =>
  (await by.call<{ jobs: { id: string; status: string; started_by?: string }[] }>('job_list', { limit: 100 })).jobs;
const ended = async (job: string, by = ada) => by.call<{ job: { status: string } }>('job_get', { job, wait: 30 });
/** Its time has come, as long ago as this. */
const overdue = async (name: string, minutes = 0, by = ada) => {
  await by.sql(`UPDATE schedules SET next_at = ${Date.now() - minutes * 60_000} WHERE name = '${name}'`);
  await by.runTask('schedules');
};
const daily = { cron: '0 8 * * *', time_zone: 'Europe/Berlin' };
const count = { definition: 'test_count', input: { key: 'scheduled', steps: 1 } };
const plan = {
  inputs: { properties: { n: { type: 'number', default: 1 } } },
  steps: [{ do: 'tool', id: 'a', tool: 'state_set', arguments: { key: 'by-schedule', value: { $ref: 'inputs.n' } } }],
};

/** The schedules of a workspace and its jobs, with a clock of the test’s. Jobs are recorded, and nothing runs them. */
async function withClock<Result>(
  owner: Owner,
  work: (clock: {
    stores: { schedules: ScheduleStore; jobs: JobStore; recipes: RecipeStore };
    fire: (now: number, covers?: () => boolean) => number | undefined;
  }) => Result,
): Promise<Result> {
  return runInDurableObject(owner.workspace, (_object, { storage }) => {
    const sessions: SessionStore = new SessionStore({ db: new Database(storage) } as StoreContext);
    const context: StoreContext = {
      db: new Database(storage),
      findSession: (reference) => sessions.find(reference),
      schedule: () => undefined,
      quota: () => {
        throw new Error('nobody asks');
      },
    };
    const stores = {
      schedules: new ScheduleStore(context),
      jobs: new JobStore(context),
      recipes: new RecipeStore(context),
    };
    const fire = (now: number, covers = () => true) => fireSchedules((name) => stores[name], covers, now);
    return work({ stores, fire });
  });
}

describe('a schedule', () => {
  it('shows its next three runs', async () => {
    const schedule = await save('morning', { ...daily, ...count });
    expect(schedule).toMatchObject({
      definition: 'test_count',
      time_zone: 'Europe/Berlin',
      scopes: ['sessions:write'],
      failures: 0,
    });
    expect(schedule.next_runs).toHaveLength(3);
    for (const next of schedule.next_runs)
      expect(new Date(next).toLocaleTimeString('sv', { timeZone: 'Europe/Berlin' })).toBe('08:00:00');
    expect(await ada.call('schedule_list', { name: 'morning' })).toMatchObject({
      input: { key: 'scheduled', steps: 1 },
    });
  });

  it('starts its job at its time', async () => {
    await save('starting', { ...daily, ...count });
    await overdue('starting');
    const { last_run: last, next_runs: next } = await shown('starting');
    expect(last).toMatchObject({ outcome: 'started' });
    expect(Date.parse(next[0] ?? '')).toBeGreaterThan(Date.now());
    expect(await ended(last?.job ?? '')).toMatchObject({
      job: { status: 'completed', started_by: 'schedule:starting' },
    });
    expect(await shown('starting')).toMatchObject({ last_run: { status: 'completed' }, failures: 0 });
  });

  it('starts a recipe, in the version that is the latest then, or the one that it names', async () => {
    await ada.call('recipe_save', { recipe: 'r', title: 'R', plan: { ...plan, result: 'first' } });
    await save('latest', { ...daily, recipe: 'r', inputs: { n: 7 } });
    await save('pinned', { ...daily, recipe: 'r', version: 1 });
    await ada.call('recipe_save', { recipe: 'r', title: 'R', plan: { ...plan, result: 'second' } });
    for (const [name, result] of [
      ['latest', 'second'],
      ['pinned', 'first'],
    ] as const) {
      await overdue(name);
      const job = (await shown(name)).last_run?.job ?? '';
      expect(await ended(job)).toMatchObject({ job: { status: 'completed', started_by: 'recipe:r' } });
      expect(await ada.call('job_result', { job })).toMatchObject({ result: { result } });
    }
    expect(await ada.call('schedule_list', { name: 'latest' })).toMatchObject({ input: { n: 7 } });
  });

  it('makes up once for what it missed, and goes on with the time that is next', async () => {
    await save('missed', { cron: '*/10 * * * *', ...count });
    const before = (await jobs()).length;
    await overdue('missed', 24 * 60);
    await ended((await shown('missed')).last_run?.job ?? '');
    for (let again = 0; again < 3; again++) await ada.runTask('schedules');
    expect((await shown('missed')).last_run).toMatchObject({ outcome: 'started', status: 'completed' });
    expect(await jobs()).toHaveLength(before + 1);
    const next = Date.parse((await shown('missed')).next_runs[0] ?? '');
    expect(next).toBeGreaterThan(Date.now());
    expect(next).toBeLessThanOrEqual(Date.now() + 600_000);
  });

  it('starts one job for one time, also when it is fired again before that is noted', async () => {
    const bob = await Owner.signIn('bob@example.com');
    await save('twice', { ...daily, ...count }, bob);
    await overdue('twice', 0, bob);
    const [first] = await jobs(bob);
    await ended(first?.id ?? '', bob);
    await bob.sql(
      `UPDATE schedules SET next_at = planned_at, job_id = NULL, is_open = 0, outcome = NULL WHERE name = 'twice'`,
    );
    await bob.runTask('schedules');
    expect((await jobs(bob)).map(({ id }) => id)).toEqual([first?.id]);
    expect(await shown('twice', bob)).toMatchObject({ last_run: { outcome: 'started', job: first?.id } });
  });

  it('leaves a time out while the job of the time before has not ended, and says so', async () => {
    await save('long', { ...daily, definition: 'test_plan', input: { steps: [{ kind: 'ask', name: 'colour' }] } });
    await overdue('long');
    const { last_run: first } = await shown('long');
    await ada.call('job_get', { job: first?.job, wait: 30 });
    await overdue('long');
    expect(await shown('long')).toMatchObject({
      failures: 0,
      last_run: {
        outcome: 'skipped',
        message: 'The job of the time before is still waiting.',
        job: first?.job,
        status: 'waiting',
      },
    });
    await ada.call('job_cancel', { job: first?.job });
    await overdue('long');
    expect(await shown('long')).toMatchObject({ last_run: { outcome: 'started' } });
  });

  it('is paused after five failures in a row, says why, and goes on when it is told', async () => {
    await save('failing', {
      ...daily,
      definition: 'test_plan',
      input: { steps: [{ kind: 'fail', name: 'x', code: 'conflict' }] },
    });
    for (let failures = 1; failures <= 5; failures++) {
      await overdue('failing');
      await ended((await shown('failing')).last_run?.job ?? '');
      expect(await shown('failing')).toMatchObject({ failures });
    }
    expect(await shown('failing')).toMatchObject({
      paused_because: 'failures',
      next_runs: [],
      last_run: { status: 'failed' },
    });
    const before = (await jobs()).length;
    await overdue('failing');
    expect(await jobs()).toHaveLength(before);
    expect(await save('failing', { paused: false })).toMatchObject({ failures: 0 });
    expect((await shown('failing')).paused_because).toBeUndefined();
    expect((await shown('failing')).next_runs).toHaveLength(3);
  });

  it('begins to count anew after a run that went well', async () => {
    await save('mixed', {
      ...daily,
      definition: 'test_plan',
      input: { steps: [{ kind: 'fail', name: 'x', code: 'conflict' }] },
    });
    for (let time = 0; time < 2; time++) {
      await overdue('mixed');
      await ended((await shown('mixed')).last_run?.job ?? '');
    }
    expect(await shown('mixed')).toMatchObject({ failures: 2 });
    await ada.sql(`UPDATE schedules SET input = '{"steps":[{"kind":"do","name":"x"}]}' WHERE name = 'mixed'`);
    await overdue('mixed');
    await ended((await shown('mixed')).last_run?.job ?? '');
    expect(await shown('mixed')).toMatchObject({ failures: 0, last_run: { status: 'completed' } });
  });

  it('counts as failed what could not be started, and says what was wrong', async () => {
    await ada.call('recipe_save', { recipe: 'gone', title: 'Gone', plan });
    await save('of-gone', { ...daily, recipe: 'gone' });
    await ada.call('recipe_delete', { recipe: 'gone' });
    await overdue('of-gone');
    expect(await shown('of-gone')).toMatchObject({
      failures: 1,
      last_run: { outcome: 'refused', message: expect.stringMatching(/^not_found: There is no such recipe/) as string },
    });
    expect((await shown('of-gone')).last_run?.job).toBeUndefined();
  });

  it('gives a recipe no more than it was given, whoever changed it since', async () => {
    const reader = await Owner.signIn('ada@example.com', 'jobs:read jobs:write sessions:read');
    const reading = { steps: [{ do: 'tool', id: 'a', tool: 'state_list', arguments: {} }] };
    await reader.call('recipe_save', { recipe: 'grown', title: 'Grown', plan: reading });
    await save('of-grown', { ...daily, recipe: 'grown' }, reader);
    await ada.call('recipe_save', { recipe: 'grown', title: 'Grown', plan });
    await overdue('of-grown');
    expect(await shown('of-grown')).toMatchObject({
      failures: 1,
      last_run: { outcome: 'refused', message: expect.stringMatching(/^forbidden: .*sessions:write/) as string },
    });
  });

  it('cannot be made, changed or let go on by who may not do what it does, and can be paused by them', async () => {
    const weak = await Owner.signIn('ada@example.com', 'jobs:read jobs:write');
    await expect(save('weak', { ...daily, ...count }, weak)).rejects.toThrow(/forbidden: .*sessions:write/);
    await save('strong', { ...daily, ...count });
    await expect(save('strong', { cron: '0 9 * * *' }, weak)).rejects.toThrow('forbidden');
    expect(await save('strong', { paused: true }, weak)).toMatchObject({ paused_because: 'asked', next_runs: [] });
    await expect(save('strong', { paused: false }, weak)).rejects.toThrow('forbidden');
    expect(await shown('strong')).toMatchObject({ paused_because: 'asked' });
  });

  it('is paused when the access that it worked with has ended', async () => {
    const leaving = await Owner.signIn('leaving@example.com');
    const staying = await Owner.signIn('leaving@example.com');
    await save('orphan', { ...daily, ...count }, leaving);
    const { grantId = '' } =
      (await staying.workspace.listGrants()).find(({ clientId }) => clientId === leaving.client.id) ?? {};
    expect(await staying.workspace.revokeGrant(grantId)).toBe(true);
    await overdue('orphan', 0, staying);
    expect(await jobs(staying)).toEqual([]);
    expect(await shown('orphan', staying)).toMatchObject({ paused_because: 'access_ended', next_runs: [] });
    expect((await save('orphan', { paused: false }, staying)).next_runs).toHaveLength(3);
  });

  it('starts nothing for a person who may not enter, and makes up for it when they may again', async () => {
    const eve = await Owner.signIn('eve@example.com');
    await save('away', { ...daily, ...count }, eve);
    await eve.workspace.writeStanding({ role: 'member', disabled: true });
    await overdue('away', 0, eve);
    await eve.workspace.writeStanding({ role: 'member', disabled: false });
    expect(await jobs(eve)).toEqual([]);
    await eve.runTask('schedules');
    expect(await jobs(eve)).toHaveLength(1);
  });

  it('is one of fifty at most, and is nobody else’s', async () => {
    const dan = await Owner.signIn('dan@example.com');
    for (let number = 0; number < 50; number++) await save(`s${number}`, { ...daily, ...count }, dan);
    await expect(save('one-more', { ...daily, ...count }, dan)).rejects.toThrow(
      /limit_exceeded: There are 50 schedules/,
    );
    await save('s7', { cron: '0 9 * * *' }, dan);
    expect(await dan.call('schedule_delete', { name: 's7' })).toMatchObject({ deleted: true });
    expect(await dan.call('schedule_delete', { name: 's7' })).toMatchObject({ deleted: false });
    await save('one-more', { ...daily, ...count }, dan);
    expect((await dan.call<{ schedules: Shown[] }>('schedule_list')).schedules).toHaveLength(50);
    const eve = await Owner.signIn('mallory@example.com');
    await expect(shown('s1', eve)).rejects.toThrow('not_found');
  });

  it('changes what it is told, and nothing else', async () => {
    await save('changing', { ...daily, ...count });
    expect(await save('changing', { time_zone: 'UTC' })).toMatchObject({
      cron: '0 8 * * *',
      time_zone: 'UTC',
      definition: 'test_count',
    });
    await ada.call('recipe_save', { recipe: 'c', title: 'C', plan });
    expect(await save('changing', { recipe: 'c', inputs: { n: 3 } })).toMatchObject({
      definition: 'recipe_run',
      recipe: 'c',
    });
    await save('changing', { cron: '0 10 * * *' });
    expect(await ada.call('schedule_list', { name: 'changing' })).toMatchObject({
      input: { n: 3 },
      schedules: [{ cron: '0 10 * * *', time_zone: 'UTC' }],
    });
    expect(await save('changing', { ...count, paused: true })).toMatchObject({
      paused_because: 'asked',
      definition: 'test_count',
    });
    expect((await save('changing', { cron: '0 11 * * *' })).paused_because).toBe('asked');
  });

  it.each([
    ['31 February', { cron: '0 0 31 2 *', ...count }, /never fires/],
    ['every minute', { cron: '* * * * *', ...count }, /more often than every 5 minutes/],
    ['six fields', { cron: '0 0 8 * * *', ...count }, /five fields/],
    ['a zone that there is not', { cron: '0 8 * * *', time_zone: 'Mars/Olympus', ...count }, /no such time zone/],
    ['nothing to run', { cron: '0 8 * * *' }, /needs `cron`, and/],
    ['no time', count, /needs `cron`, and/],
    ['a kind of job that there is not', { ...daily, definition: 'nothing' }, /not_found/],
    ['an input that does not fit', { ...daily, definition: 'test_count', input: { steps: 'many' } }, /invalid_input/],
    ['a recipe that there is not', { ...daily, recipe: 'nowhere' }, /not_found/],
    ['both', { ...daily, recipe: 'r', ...count }, /Give `definition` with `input`, or/],
    ['inputs of the other', { ...daily, definition: 'test_count', inputs: {} }, /Give `definition` with `input`, or/],
    ['a session that there is not', { ...daily, ...count, session: 'nowhere' }, /not_found/],
    [
      'more to give than a schedule keeps',
      { ...daily, definition: 'test_count', input: { key: 'x'.repeat(70_000) } },
      /too_large/,
    ],
  ])('is refused with %s', async (_what, input, says) => {
    await expect(save('refused', input)).rejects.toThrow(says);
    await expect(shown('refused')).rejects.toThrow('not_found');
  });
});

describe('a clock that is changed', () => {
  it.each([
    [
      'Europe/Berlin',
      '30 2 * * *',
      '2027-03-27T12:00:00Z',
      'summer',
      ['2027-03-28T01:00:00.000Z', '2027-03-29T00:30:00.000Z'],
    ],
    [
      'Europe/Berlin',
      '30 2 * * *',
      '2027-10-30T12:00:00Z',
      'winter',
      ['2027-10-31T00:30:00.000Z', '2027-11-01T01:30:00.000Z'],
    ],
    [
      'America/New_York',
      '30 2 * * *',
      '2027-03-13T12:00:00Z',
      'summer',
      ['2027-03-14T07:00:00.000Z', '2027-03-15T06:30:00.000Z'],
    ],
    [
      'America/New_York',
      '30 1 * * *',
      '2027-11-06T12:00:00Z',
      'winter',
      ['2027-11-07T05:30:00.000Z', '2027-11-08T06:30:00.000Z'],
    ],
    [
      'Australia/Lord_Howe',
      '15 2 * * *',
      '2027-10-02T10:00:00Z',
      'summer',
      ['2027-10-02T15:30:00.000Z', '2027-10-03T15:15:00.000Z'],
    ],
    [
      'Australia/Lord_Howe',
      '45 1 * * *',
      '2027-04-03T10:00:00Z',
      'winter',
      ['2027-04-03T14:45:00.000Z', '2027-04-04T15:15:00.000Z'],
    ],
  ])(
    'in %s at %s from %s to %s time has a schedule start one job a day',
    async (timeZone, cron, from, _to, expected) => {
      const owner = await Owner.signIn(`clock-${timeZone}-${from}@example.com`.toLowerCase().replaceAll(/[/:_]/g, '-'));
      await save('night', { ...daily, ...count }, owner);
      const started = await withClock(owner, ({ stores: { schedules, jobs: recorded }, fire }) => {
        const begin = Date.parse(from);
        const { session, authority } = schedules.get('night');
        const times: string[] = [];
        schedules.save({
          name: 'night',
          cron,
          timeZone,
          definition: 'test_count',
          recipe: undefined,
          version: undefined,
          input: '{"key":"x"}',
          session: session.id,
          authority,
          pausedBecause: undefined,
          nextAt: begin,
        });
        // The first time is noted as missed: from here on it knows its next one.
        fire(begin);
        for (let now = begin; now < begin + 48 * 3_600_000; now += 300_000) {
          const before = recorded.list({ status: undefined, definition: undefined, limit: 100, after: undefined }).jobs
            .length;
          for (const { id } of recorded.list({ status: 'running', definition: undefined, limit: 100, after: undefined })
            .jobs)
            recorded.cancel(id, now);
          fire(now);
          const after = recorded.list({ status: undefined, definition: undefined, limit: 100, after: undefined }).jobs
            .length;
          if (after > before) times.push(new Date(now).toISOString());
        }
        return times;
      });
      expect(started).toEqual(expected);
    },
  );
});

import { afterEach, describe, expect, it, vi } from 'vitest';

import { isLosing, loseAnswerOf } from '../support/delays.ts';
import { held, JobClient, unique } from '../support/job-client.ts';
import { done, mishaps } from '../support/jobs.ts';
import { Person } from '../support/person.ts';
import { times } from '../support/rounds.ts';

afterEach(() => {
  vi.useRealTimers();
});

const letPass = (milliseconds: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
const statusesOf = async (client: JobClient, ids: readonly string[]) => {
  const jobs = await client.list();
  return ids.map((id) => jobs.find((job) => job.id === id)?.status);
};
const countOf = async (client: JobClient) => (await client.rows('SELECT count(*) AS count FROM jobs'))[0]!['count'];
const doneOf = (id: string) => done.filter((each) => each.startsWith(id)).map((each) => each.split(' ')[1]);
const fails = () => {
  throw new Error('The connection broke.');
};

/** A job in a step that is held, with its client and what lets it go on. */
async function inStep(client: JobClient, kind = 'do', more: object = {}) {
  const name = unique('held');
  const step = held(name);
  const id = await client.plan({ kind, name, ...more });
  await step.begun();
  return { id, name, release: step.release };
}

describe('an idempotency key', () => {
  const plan = { definition: 'test_plan', input: { steps: [] }, idempotency_key: 'nightly' };

  it('gives the same job again, and refuses another input', async () => {
    const ada = await JobClient.signIn();
    const { job } = await ada.call<{ job: { id: string } }>('job_start', plan);
    await ada.settled(job.id);
    expect(await ada.call('job_start', plan)).toMatchObject({ job: { id: job.id, status: 'completed' } });
    const other = { ...plan, input: { steps: [{ kind: 'do', name: 'other' }] } };
    expect(await ada.refusal('job_start', other)).toBe('conflict');
    expect(await ada.refusal('job_start', { ...plan, definition: 'test_count', input: { key: 'k' } })).toBe('conflict');
    expect(await countOf(ada)).toBe(1);
  });

  it('submitted twenty times at once is one job', async () => {
    const ada = await JobClient.signIn();
    const answers = await Promise.all(times(20, async () => ada.call<{ job: { id: string } }>('job_start', plan)));
    expect(new Set(answers.map(({ job }) => job.id)).size).toBe(1);
    expect(await countOf(ada)).toBe(1);
  });

  it('of another client is of another job', async () => {
    const person = new Person();
    const [phone, laptop] = [await JobClient.signIn(undefined, person), await JobClient.signIn(undefined, person)];
    const [one, other] = [
      await phone.start('test_plan', plan.input, plan),
      await laptop.start('test_plan', plan.input, plan),
    ];
    expect(one.id).not.toBe(other.id);
  });
});

describe('what is wrong leaves no job behind', () => {
  it.each([
    ['a kind that there is not', 'not_found', { definition: 'nothing_such' }],
    ['a kind that nobody may name', 'not_found', { definition: 'tool_call', input: { tool: 'whoami', arguments: {} } }],
    ['a wrong input', 'invalid_input', { definition: 'test_count', input: { key: 'k', steps: 'many' } }],
    ['an input too much', 'invalid_input', { definition: 'test_count', input: { key: 'k', colour: 'red' } }],
    ['a session that is not there', 'not_found', { definition: 'test_count', input: { key: 'k' }, session: 'nowhere' }],
    ['too large an input', 'too_large', { definition: 'test_count', input: { key: 'k'.repeat(300_000) } }],
    [
      'too deep an input',
      'invalid_input',
      { definition: 'test_count', input: JSON.parse(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`) as object },
    ],
    ['an empty key', 'invalid_input', { definition: 'test_plan', input: { steps: [] }, idempotency_key: ' ' }],
  ])('%s: %s', async (_what, code, start) => {
    const ada = await JobClient.signIn();
    expect(await ada.refusal('job_start', start)).toBe(code);
    expect(await ada.list()).toEqual([]);
  });

  it('a client without the scope that the job needs: forbidden', async () => {
    const ada = await JobClient.signIn('jobs:read jobs:write');
    expect(await ada.refusal('job_start', { definition: 'test_plan', input: { steps: [] } })).toBe('forbidden');
    expect(await ada.list()).toEqual([]);
  });
});

describe('of many jobs', () => {
  it('five run at once, and the rest wait for a place', async () => {
    const ada = await JobClient.signIn();
    const jobs = await Promise.all(times(5, async () => inStep(ada)));
    const [sixth, seventh] = [
      await ada.plan({ kind: 'do', name: 'six' }),
      await ada.plan({ kind: 'do', name: 'seven' }),
    ];
    expect(await statusesOf(ada, [sixth, seventh])).toEqual(['queued', 'queued']);
    jobs[2]?.release();
    expect((await ada.settled(sixth)).status).toBe('completed');
    expect((await ada.settled(seventh)).status).toBe('completed');
    expect(
      await statusesOf(
        ada,
        jobs.map(({ id }) => id),
      ),
    ).toEqual(['running', 'running', 'completed', 'running', 'running']);
    for (const job of jobs) job.release();
  });

  it('the client that has fewest running ones is next', async () => {
    const person = new Person();
    const [busy, other] = [await JobClient.signIn(undefined, person), await JobClient.signIn(undefined, person)];
    const jobs = await Promise.all(times(5, async () => inStep(busy)));
    const queued = await busy.plan({ kind: 'do', name: unique('later') });
    const name = unique('first');
    const step = held(name);
    const fair = await other.plan({ kind: 'do', name });
    jobs[0]?.release();
    await step.begun();
    expect(await statusesOf(busy, [fair, queued])).toEqual(['running', 'queued']);
    step.release();
    expect((await busy.settled(queued)).status).toBe('completed');
    for (const job of jobs) job.release();
  });

  it('a waiting one needs no place', async () => {
    const ada = await JobClient.signIn();
    const asking = await Promise.all(times(6, async () => ada.plan({ kind: 'ask', name: 'colour' })));
    const last = await ada.plan({ kind: 'do', name: 'last' });
    expect((await ada.settled(last)).status).toBe('completed');
    await Promise.all(asking.map(async (id) => ada.settled(id)));
    expect(new Set(await statusesOf(ada, asking))).toEqual(new Set(['waiting']));
  });
});

describe('what fits a status', () => {
  const ACTIONS = ['pause', 'resume', 'cancel', 'retry', 'answer'] as const;
  const MORE: Record<string, object> = { answer: { answer: { colour: 'red' } } };

  /** A job in each status, with what can be done with it. */
  const STATUSES: Record<string, readonly [(ada: JobClient) => Promise<string>, Partial<Record<string, string>>]> = {
    queued: [
      async (ada) => {
        await Promise.all(times(5, async () => inStep(ada)));
        return ada.plan({ kind: 'do', name: unique('queued') });
      },
      { pause: 'paused', cancel: 'cancelled' },
    ],
    running: [async (ada) => (await inStep(ada)).id, { pause: 'paused', cancel: 'cancelled' }],
    waiting: [
      async (ada) => {
        const id = await ada.plan({ kind: 'ask', name: 'colour' });
        await ada.settled(id);
        return id;
      },
      { pause: 'paused', cancel: 'cancelled', answer: 'running' },
    ],
    paused: [
      async (ada) => {
        const { id } = await inStep(ada);
        await ada.act('pause', id);
        return id;
      },
      { pause: 'paused', resume: 'running', cancel: 'cancelled' },
    ],
    completed: [
      async (ada) => {
        const id = await ada.plan();
        await ada.settled(id);
        return id;
      },
      {},
    ],
    failed: [
      async (ada) => {
        const id = await ada.plan({ kind: 'fail', name: 'bad', code: 'conflict' });
        await ada.settled(id);
        return id;
      },
      { retry: 'running' },
    ],
    cancelled: [
      async (ada) => {
        const { id } = await inStep(ada);
        await ada.act('cancel', id);
        return id;
      },
      { cancel: 'cancelled', retry: 'running' },
    ],
  };

  const all = Object.entries(STATUSES).flatMap(([status, [prepare, fits]]) =>
    ACTIONS.map((action) => ({ action, status, prepare, becomes: fits[action] })),
  );

  it.each(all.filter(({ becomes }) => becomes !== undefined))(
    '$action of one that is $status: $becomes',
    async ({ action, status, prepare, becomes }) => {
      const ada = await JobClient.signIn();
      const id = await prepare(ada);
      expect((await ada.get(id)).status).toBe(status);
      expect(await ada.act(action, id, MORE[action])).toBe(becomes);
    },
  );

  it.each(all.filter(({ becomes }) => becomes === undefined))(
    '$action of one that is $status: conflict',
    async ({ action, status, prepare }) => {
      const ada = await JobClient.signIn();
      const id = await prepare(ada);
      expect(await ada.refusal(`job_${action}`, { job: id, ...MORE[action] })).toBe('conflict');
      expect((await ada.get(id)).status).toBe(status);
    },
  );
});

describe('a step', () => {
  it('that cannot go well fails the job at once, and a retry begins with it', async () => {
    const ada = await JobClient.signIn();
    const [before, bad] = [unique('before'), unique('bad')];
    const id = await ada.plan({ kind: 'write', name: before, key: 'k' }, { kind: 'fail', name: bad, code: 'conflict' });
    expect(await ada.settled(id)).toMatchObject({
      status: 'failed',
      attempts: 2,
      steps_done: 1,
      error: { code: 'conflict', message: 'It went wrong.', step: bad },
      result_ready: false,
    });
    expect(await ada.refusal('job_result', { job: id })).toBe('conflict');
    await ada.act('retry', id);
    expect(await ada.settled(id)).toMatchObject({ status: 'failed', attempts: 3, steps_done: 1 });
    expect(await ada.call('state_get', { key: 'k' })).toMatchObject({ value: 1 });
    const { steps } = await ada.call<{ steps: object[] }>('job_get', { job: id, steps: true });
    expect(steps).toMatchObject([
      { name: before, state: 'finished', attempts: 1, outcome: '1' },
      { name: bad, state: 'failed', error: expect.stringContaining('It went wrong.') },
    ]);
  });

  it('is tried again where what went wrong may pass, as often as it may be', async () => {
    const ada = await JobClient.signIn();
    const [flaky, down] = [unique('flaky'), unique('down')];
    mishaps.set(flaky, [fails, fails]);
    const id = await ada.plan(
      { kind: 'write', name: flaky, key: 'k' },
      { kind: 'fail', name: down, code: 'unavailable' },
    );
    expect(await ada.settled(id)).toMatchObject({ status: 'failed', error: { code: 'unavailable', step: down } });
    expect(await ada.call('state_get', { key: 'k' })).toMatchObject({ value: 1 });
    const { steps } = await ada.call<{ steps: object[] }>('job_get', { job: id, steps: true });
    expect(steps).toMatchObject([{ attempts: 3 }, { attempts: 2, state: 'failed' }]);
  });

  it.each(['runs.beginStep', 'state.set', 'runs.finishStep', 'runs.complete'])(
    'writes once where the answer of %s is lost',
    async (method) => {
      const ada = await JobClient.signIn();
      const [first, second] = [unique('first'), unique('second')];
      loseAnswerOf(method);
      const writing = await ada.plan(
        { kind: 'write', name: first, key: 'k' },
        { kind: 'write', name: second, key: 'k' },
      );
      expect(await ada.settled(writing)).toMatchObject({ status: 'completed', steps_done: 2 });
      expect(isLosing()).toBe(false);
      // What the step read it reads again, with what it wrote: where that matters, two steps do it.
      expect(await ada.result(writing)).toEqual({ gave: method === 'state.set' ? [2, 2] : [1, 2] });
      expect(await ada.call('state_get', { key: 'k' })).toMatchObject({ value: 2 });
    },
  );

  it('that gives more than a job keeps fails it, and so does such a result', async () => {
    const ada = await JobClient.signIn();
    const large = await ada.plan({ kind: 'large', name: 'large', bytes: 300_000 });
    expect(await ada.settled(large)).toMatchObject({ status: 'failed', error: { code: 'too_large', step: 'large' } });
    const many = await ada.plan(...times(3, (index) => ({ kind: 'large', name: `part-${index}`, bytes: 100_000 })));
    expect(await ada.settled(many)).toMatchObject({ status: 'failed', steps_done: 3, error: { code: 'too_large' } });
  });
});

describe('a result', () => {
  it('is refused before it is there, and comes in parts where it is large', async () => {
    const ada = await JobClient.signIn();
    const { id: running, release } = await inStep(ada);
    expect(await ada.refusal('job_result', { job: running })).toBe('conflict');
    release();
    const id = await ada.plan(...times(2, (index) => ({ kind: 'large', name: `part-${index}`, bytes: 100_000 })));
    await ada.settled(id);
    let text = '';
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const { part }: { part: { text: string; next_offset?: number } } = await ada.call('job_result', {
        job: id,
        ...(offset === 0 ? {} : { offset }),
      });
      text += part.text;
      offset = part.next_offset;
    }
    expect(JSON.parse(text)).toEqual({ gave: ['x'.repeat(100_000), 'x'.repeat(100_000)] });
    expect(await (await ada.http(`/jobs/${id}/result`)).json()).toMatchObject({ result: JSON.parse(text) as object });
  });
});

describe('a sleep', () => {
  it('that is short keeps the run, a long one gives its place back', async () => {
    const ada = await JobClient.signIn();
    const short = await ada.plan({ kind: 'sleep', name: 'nap', milliseconds: 300 }, { kind: 'do', name: 'after' });
    expect(await ada.settled(short)).toMatchObject({ status: 'completed' });
    const long = await ada.plan({ kind: 'sleep', name: 'night', milliseconds: 70_000 }, { kind: 'do', name: 'after' });
    expect(await ada.settled(long)).toMatchObject({ status: 'waiting', waiting: [{ for: 'time', step: 'night' }] });
    expect(await ada.refusal('job_answer', { job: long, answer: {} })).toBe('conflict');
    letPass(71_000);
    await ada.tend();
    expect(await ada.settled(long)).toMatchObject({ status: 'completed' });
  });
});

describe('a question', () => {
  it('is answered in its form, by its step, once', async () => {
    const ada = await JobClient.signIn();
    const id = await ada.plan({ kind: 'ask', name: 'colour' }, { kind: 'do', name: 'after' });
    expect(await ada.settled(id)).toMatchObject({ status: 'waiting', waiting: [{ for: 'input', step: 'colour' }] });
    const answer = async (more: object) => ada.refusal('job_answer', { job: id, ...more });
    expect(await answer({ answer: { colour: 'green' } })).toBe('invalid_input');
    expect(await answer({ answer: { colour: 'red', size: 3 } })).toBe('invalid_input');
    expect(await answer({ answer: { colour: ['red'] } })).toBe('invalid_input');
    expect(await answer({ answer: {} })).toBe('invalid_input');
    expect(await answer({ step: 'shape', answer: { colour: 'red' } })).toBe('invalid_input');
    const eve = await JobClient.signIn();
    expect(await eve.refusal('job_answer', { job: id, answer: { colour: 'red' } })).toBe('not_found');
    expect((await ada.get(id)).status).toBe('waiting');
    expect(await ada.act('answer', id, { answer: { colour: 'red', count: 2 } })).toBe('running');
    expect(await answer({ answer: { colour: 'blue' } })).toBe('conflict');
    await ada.settled(id);
    expect(await ada.result(id)).toEqual({ gave: [{ colour: 'red', count: 2 }, 'after'] });
  });

  it('is answered by one of two who answer at once', async () => {
    const ada = await JobClient.signIn();
    for (let round = 0; round < 10; round++) {
      const id = await ada.plan({ kind: 'ask', name: 'colour' });
      await ada.settled(id);
      const answers = await Promise.all(
        ['red', 'blue'].map(async (colour) => [
          colour,
          await ada.refusal('job_answer', { job: id, answer: { colour } }),
        ]),
      );
      const first = answers.find(([, refusal]) => refusal === 'nothing was refused');
      expect(answers.filter(([, refusal]) => refusal === 'conflict')).toHaveLength(1);
      await ada.settled(id);
      expect(await ada.result(id)).toEqual({ gave: [{ colour: first?.[0] }] });
    }
  });

  it('of several is told apart by its step, and the job goes on after the last', async () => {
    const ada = await JobClient.signIn();
    const name = unique('both');
    const id = await ada.plan({ kind: 'together', name });
    expect((await ada.settled(id)).waiting?.map(({ step }) => step)).toEqual([`${name}-left`, `${name}-right`]);
    const [left, right] = [{ colour: 'red' }, { colour: 'blue' }];
    expect(await ada.refusal('job_answer', { job: id, answer: left })).toBe('invalid_input');
    expect(await ada.act('answer', id, { step: `${name}-right`, answer: right })).toBe('waiting');
    expect(await ada.refusal('job_answer', { job: id, step: `${name}-right`, answer: left })).toBe('invalid_input');
    expect(await ada.act('answer', id, { step: `${name}-left`, answer: left })).toBe('running');
    expect(await ada.settled(id)).toMatchObject({ status: 'completed' });
    expect(await ada.result(id)).toEqual({ gave: [[left, right, `${name}-middle`]] });
    expect(doneOf(id)).toEqual([`${name}-middle`]);
  });

  it('that nobody answers in time fails the job, and is asked anew by a retry', async () => {
    const ada = await JobClient.signIn();
    const id = await ada.plan({ kind: 'ask', name: 'colour', within: 60_000 });
    await ada.settled(id);
    letPass(61_000);
    expect(await ada.refusal('job_answer', { job: id, answer: { colour: 'red' } })).toBe('conflict');
    await ada.tend();
    expect(await ada.settled(id)).toMatchObject({ status: 'failed', error: { code: 'forbidden', step: 'colour' } });
    vi.useRealTimers();
    await ada.act('retry', id);
    expect(await ada.settled(id)).toMatchObject({ status: 'waiting' });
    await ada.act('answer', id, { answer: { colour: 'red' } });
    expect(await ada.settled(id)).toMatchObject({ status: 'completed' });
  });

  it('is kept while the job is paused', async () => {
    const ada = await JobClient.signIn();
    const id = await ada.plan({ kind: 'ask', name: 'colour' });
    const [asked] = (await ada.settled(id)).waiting ?? [];
    await ada.act('pause', id);
    expect((await ada.get(id)).waiting).toBeUndefined();
    await ada.act('resume', id);
    expect((await ada.settled(id)).waiting).toEqual([asked]);
  });
});

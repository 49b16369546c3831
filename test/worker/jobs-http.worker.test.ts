import { beforeAll, describe, expect, it } from 'vitest';

import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { env } from 'cloudflare:workers';
import { held, JobClient, unique } from '../support/job-client.ts';
import type { ShownJob } from '../support/job-client.ts';
import { ORIGIN, Person } from '../support/person.ts';

let ada: JobClient;
beforeAll(async () => {
  ada = await JobClient.signIn();
});

const jobOf = async (response: Response) => (await response.json<{ job: ShownJob }>()).job;
const codeOf = async (response: Response) => `${response.status} ${(await response.json<{ code: string }>()).code}`;

interface Event {
  readonly event?: string;
  readonly id?: string;
  readonly retry?: string;
  /** What no client sees. */
  readonly comment?: string;
  readonly data?: ShownJob & { readonly code?: string };
}

/** The events of an answer, as they come. */
async function* eventsOf(response: Response): AsyncGenerator<Event> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body as ReadableStream<Uint8Array>) {
    text += decoder.decode(piece, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = block.split('\n').map((line) => {
        const colon = line.indexOf(':');
        return [colon === 0 ? 'comment' : line.slice(0, colon), line.slice(colon + 1).trim()] as const;
      });
      const { data, ...event } = Object.fromEntries(fields) as Record<string, string>;
      yield { ...event, ...(data === undefined ? {} : { data: JSON.parse(data) as ShownJob }) };
    }
  }
}

async function all(response: Response): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of eventsOf(response)) events.push(event);
  return events;
}

/** A job that is in a step until it is let go. */
async function inStep(owner = ada) {
  const name = unique('held');
  const { begun, release } = held(name);
  const id = await owner.plan({ kind: 'do', name });
  await begun();
  return { id, name, release };
}

describe('a job over HTTP', () => {
  it('is started, waited for, looked at, and its result fetched', async () => {
    const started = await ada.post('/jobs', { definition: 'test_count', input: { key: 'http', steps: 2 } });
    expect(started.status).toBe(202);
    const { id } = await jobOf(started);
    expect(started.headers.get('Location')).toBe(`/jobs/${id}`);
    const there = await ada.http(`/jobs/${id}?wait=20&steps=true`);
    expect(await there.json()).toMatchObject({
      job: { id, status: 'completed', steps_done: 2, progress: { done: 2, total: 2 } },
      steps: [
        { name: 'add-0', state: 'finished', attempts: 1, outcome: '1' },
        { name: 'add-1', outcome: '2' },
      ],
    });
    const result = await ada.http(`/jobs/${id}/result`);
    expect(result.headers.get('Cache-Control')).toBe('private, no-store');
    expect(await result.json()).toEqual({ job: id, definition: 'test_count', result: { count: 2 } });
    const list = await ada.http('/jobs?definition=test_count&status=completed&limit=1');
    expect(await list.json()).toMatchObject({ jobs: [{ id }] });
  });

  it('is one for each Idempotency-Key, quoted or not', async () => {
    const body = { definition: 'test_count', input: { key: 'once', steps: 1 } };
    const ids = await Promise.all(
      ['night-1', '"night-1"', 'night-2'].map(
        async (key) => (await jobOf(await ada.post('/jobs', body, { 'Idempotency-Key': key }))).id,
      ),
    );
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
    const other = { ...body, input: { ...body.input, steps: 2 } };
    expect(await codeOf(await ada.post('/jobs', other, { 'Idempotency-Key': 'night-1' }))).toBe('409 conflict');
    for (const key of ['""', 'x'.repeat(201)])
      expect(await codeOf(await ada.post('/jobs', body, { 'Idempotency-Key': key }))).toBe('400 invalid_input');
  });

  it('is paused, resumed, answered, cancelled and retried', async () => {
    const { id, release, name } = await inStep();
    expect((await jobOf(await ada.post(`/jobs/${id}/pause`))).status).toBe('paused');
    expect(await codeOf(await ada.http(`/jobs/${id}/result`))).toBe('409 conflict');
    release();
    const again = held(name);
    expect(['queued', 'running']).toContain((await jobOf(await ada.post(`/jobs/${id}/resume`))).status);
    await again.begun();
    expect((await jobOf(await ada.post(`/jobs/${id}/cancel`))).status).toBe('cancelled');
    again.release();
    expect(await codeOf(await ada.post(`/jobs/${id}/resume`))).toBe('409 conflict');
    expect((await ada.post(`/jobs/${id}/retry`)).status).toBe(200);
    expect((await ada.settled(id)).status).toBe('completed');

    const asks = await ada.plan({ kind: 'ask', name: 'colour' });
    await ada.settled(asks);
    expect(await codeOf(await ada.post(`/jobs/${asks}/answer`, { answer: { colour: 'green' } }))).toBe(
      '400 invalid_input',
    );
    expect((await ada.post(`/jobs/${asks}/answer`, { answer: { colour: 'red' } })).status).toBe(200);
    expect((await ada.settled(asks)).status).toBe('completed');
  });

  it('is refused with a code when something is wrong, and nothing is left behind', async () => {
    const before = (await ada.rows('SELECT count(*) AS count FROM jobs'))[0]!['count'];
    const start = async (body: unknown) => codeOf(await ada.post('/jobs', body));
    expect(await start({ definition: 'nothing_such' })).toBe('404 not_found');
    expect(await start({ definition: 'test_count', input: { key: '' } })).toBe('400 invalid_input');
    expect(await start({ definition: 'test_count', input: [] })).toBe('400 invalid_input');
    expect(await start({ definition: 'test_count', input: { key: 'k' }, session: 'nowhere' })).toBe('404 not_found');
    expect(await start({ definition: 'test_count', input: { key: 'k' }, mode: 'fast' })).toBe('400 invalid_input');
    expect(await codeOf(await ada.http('/jobs/job_00000000000000000000'))).toBe('404 not_found');
    expect(await codeOf(await ada.http('/jobs?cursor=nonsense'))).toBe('400 invalid_input');
    expect(await codeOf(await ada.http('/jobs/x?wait=51'))).toBe('400 invalid_input');
    expect((await ada.rows('SELECT count(*) AS count FROM jobs'))[0]!['count']).toBe(before);
  });

  it('of somebody else is one that is not there, whatever is tried', async () => {
    const { id, release } = await inStep();
    const eve = await JobClient.signIn();
    const answers = await Promise.all([
      ...['', '/result', '/events'].map(async (end) => eve.http(`/jobs/${id}${end}`)),
      ...['pause', 'resume', 'cancel', 'retry'].map(async (action) => eve.post(`/jobs/${id}/${action}`)),
      eve.post(`/jobs/${id}/answer`, { answer: {} }),
    ]);
    expect(new Set(await Promise.all(answers.map(codeOf)))).toEqual(new Set(['404 not_found']));
    expect(await (await eve.http('/jobs')).json()).toEqual({ jobs: [] });
    release();
    expect((await ada.settled(id)).status).toBe('completed');
  });

  it('needs the scope of what is done', async () => {
    const person = new Person();
    const reader = await JobClient.signIn('jobs:read sessions:read', person);
    expect((await reader.http('/jobs')).status).toBe(200);
    expect((await reader.post('/jobs', { definition: 'test_count', input: { key: 'k' } })).status).toBe(403);
    // It may start jobs, and not what this one does.
    const starter = await JobClient.signIn('jobs:write', person);
    expect(await codeOf(await starter.post('/jobs', { definition: 'test_count', input: { key: 'k' } }))).toBe(
      '403 forbidden',
    );
    expect((await starter.http('/jobs')).status).toBe(403);
  });

  it('is nowhere when the toolset is off', async () => {
    const app = createApp({ ...(env as unknown as Bindings), TOOLSETS: 'sessions' } as Bindings);
    const headers = { Authorization: `Bearer ${ada.connection.accessToken}` };
    expect((await app.fetch(new Request(`${ORIGIN}/jobs`, { headers }))).status).toBe(404);
  });
});

describe('the events of a job', () => {
  it('come with each change until it has ended, and a client that has the end is told to stop', async () => {
    const { id, release } = await inStep();
    const response = await ada.http(`/jobs/${id}/events`);
    expect(response.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
    const events = eventsOf(response);
    const first = (await events.next()).value as Event;
    expect(first).toMatchObject({ event: 'job', retry: '2000', data: { id, status: 'running' } });
    release();
    const rest: Event[] = [];
    for await (const event of events) rest.push(event);
    expect(rest.at(-1)).toMatchObject({ event: 'job', data: { status: 'completed', result_ready: true } });
    const ids = [first, ...rest].map((event) => Number(event.id));
    expect(ids).toEqual([...new Set(ids)].toSorted((one, other) => one - other));
    const known = { headers: { 'Last-Event-ID': String(ids.at(-1)) } };
    expect((await ada.http(`/jobs/${id}/events`, known)).status).toBe(204);
    // Who has less is told the end, once.
    expect(await all(await ada.http(`/jobs/${id}/events`, { headers: { 'Last-Event-ID': first.id ?? '' } }))).toEqual([
      expect.objectContaining({ id: String(ids.at(-1)), data: expect.objectContaining({ status: 'completed' }) }),
    ]);
  });

  it('begin without the job for a client that has it', async () => {
    const { id, release } = await inStep();
    const first = (await eventsOf(await ada.http(`/jobs/${id}/events`)).next()).value as Event;
    const events = eventsOf(await ada.http(`/jobs/${id}/events`, { headers: { 'Last-Event-ID': first.id ?? '' } }));
    expect((await events.next()).value).toEqual({ retry: '2000' });
    await ada.act('cancel', id);
    expect((await events.next()).value).toMatchObject({ data: { status: 'cancelled' } });
    expect((await events.next()).done).toBe(true);
    release();
  });

  it.each([
    ['was revoked', async ({ connection, workspace }: JobClient) => workspace.revokeGrant(connection.grantId)],
    [
      'was narrowed',
      async ({ connection, workspace }: JobClient) => workspace.narrowGrant(connection.grantId, ['jobs:write']),
    ],
    [
      'belongs to nobody who may enter',
      async ({ workspace }: JobClient) => workspace.writeStanding({ role: 'member', disabled: true }),
    ],
  ])('end with the next one when the access %s', async (_how, end) => {
    const client = await JobClient.signIn();
    const { id, release } = await inStep(client);
    const events = eventsOf(await client.http(`/jobs/${id}/events`));
    await events.next();
    await end(client);
    release();
    const { value } = (await events.next()) as { value: Event };
    expect(value).toMatchObject({ event: 'refused', data: { code: 'unauthenticated' } });
    expect(JSON.stringify(value)).not.toContain(id);
    expect((await events.next()).done).toBe(true);
  });

  it('are comments every 15 seconds in which nothing happens', async () => {
    const { id, release } = await inStep();
    const events = eventsOf(await ada.http(`/jobs/${id}/events`));
    await events.next();
    const began = Date.now();
    expect((await events.next()).value).toEqual({ comment: 'still there' });
    expect(Math.round((Date.now() - began) / 1000)).toBe(15);
    await ada.act('cancel', id);
    expect((await events.next()).value).toMatchObject({ data: { status: 'cancelled' } });
    release();
  });

  it('go on for others when one client leaves', async () => {
    const { id, release } = await inStep();
    const [leaving, staying] = await Promise.all([ada.http(`/jobs/${id}/events`), ada.http(`/jobs/${id}/events`)]);
    const events = eventsOf(staying);
    await events.next();
    await leaving.body?.cancel();
    release();
    let last: Event | undefined;
    for await (const event of events) last = event;
    expect(last?.data?.status).toBe('completed');
  });
});

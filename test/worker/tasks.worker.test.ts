import { beforeAll, describe, expect, inject, test } from 'vitest';

import { Owner } from '../support/files.ts';
import { rpc } from '../support/mcp.ts';

const library = inject('library');
const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };

let owner: Owner;

beforeAll(async () => {
  owner = await Owner.signIn('tasks@example.com');
  await owner.call('research_open', { topic: 'Tasks' });
});

/** A request of a client that declares tasks. */
async function request(method: string, params: Record<string, unknown>, from = owner) {
  return (await rpc(from.accessToken, method, params, { capabilities })).message;
}

const callTool = async (name: string, input: object, from = owner) =>
  (await request('tools/call', { name, arguments: input }, from)).result!;

async function settled(taskId: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { result } = await request('tasks/get', { taskId });
    if (!['working', 'input_required'].includes(String(result?.['status']))) return result!;
    await owner.call('job_get', { job: taskId, wait: 20 });
  }
}

describe('a tool that can take long', () => {
  test('answers at once where it is quick, also a client that understands tasks', async () => {
    const added = await callTool('source_add', { urls: [`${library}/article/31`] });
    expect(added).toMatchObject({ resultType: 'complete', structuredContent: { results: [{ outcome: 'added' }] } });
    expect(added['taskId']).toBeUndefined();
  });

  test('goes on as a task where it is not, and its result is that of the tool', async () => {
    const page = `${library}/held/32`;
    const { results } = await owner.call<{ results: { source: { key: string } }[] }>('source_add', { urls: [page] });
    const key = results[0]!.source.key;
    const task = await callTool('source_refresh', { sources: [key] });
    expect(task).toMatchObject({ resultType: 'task', status: 'working', ttlMs: null });
    await fetch(`${library}/release`);
    expect(await settled(String(task['taskId']))).toMatchObject({
      status: 'completed',
      result: { structuredContent: { results: [{ outcome: 'unchanged' }] } },
    });
  });

  test('says what is wrong as it does without tasks', async () => {
    const refused = await callTool('source_refresh', { sources: ['nothing2020'] });
    expect(refused).toMatchObject({ resultType: 'complete' });
  });

  test('is not started by its name as a job', async () => {
    await expect(
      owner.call('job_start', { definition: 'tool_call', input: { tool: 'source_add', arguments: {} } }),
    ).rejects.toThrow('not_found');
  });
});

describe('a task', () => {
  const plan = (...steps: object[]) => ({ definition: 'test_plan', input: { steps } });

  test('of job_start gives what the job came to', async () => {
    const task = await callTool(
      'job_start',
      plan({ kind: 'sleep', name: 'nap', milliseconds: 1500 }, { kind: 'do', name: 'done' }),
    );
    expect(task).toMatchObject({ resultType: 'task', status: 'working' });
    expect(await settled(String(task['taskId']))).toMatchObject({
      status: 'completed',
      result: { structuredContent: { result: { gave: ['done'] } } },
    });
  });

  test('asks, is told no, and fails as the tool would', async () => {
    const { taskId } = await callTool('job_start', plan({ kind: 'ask', name: 'colour' }));
    await owner.call('job_get', { job: taskId, wait: 20 });
    const { result } = await request('tasks/get', { taskId });
    expect(result).toMatchObject({
      status: 'input_required',
      inputRequests: { colour: { method: 'elicitation/create' } },
    });
    await request('tasks/update', { taskId, inputResponses: { colour: { action: 'decline' } } });
    expect(await settled(String(taskId))).toMatchObject({ status: 'completed', result: { isError: true } });
  });

  test('takes no answer of another form, and goes on with one that fits', async () => {
    const { taskId } = await callTool('job_start', plan({ kind: 'ask', name: 'colour' }));
    await owner.call('job_get', { job: taskId, wait: 20 });
    const wrong = await request('tasks/update', {
      taskId,
      inputResponses: { colour: { action: 'accept', content: { colour: 'green' } } },
    });
    expect(wrong.error).toMatchObject({ code: -32602 });
    await request('tasks/update', {
      taskId,
      inputResponses: { colour: { action: 'accept', content: { colour: 'red' } } },
    });
    expect(await settled(String(taskId))).toMatchObject({
      result: { structuredContent: { result: { gave: [{ colour: 'red' }] } } },
    });
  });

  test('of somebody else looks like none', async () => {
    const stranger = await Owner.signIn('stranger-to-tasks@example.com');
    const { taskId } = await callTool('job_start', plan({ kind: 'sleep', name: 'nap', milliseconds: 100_000 }));
    for (const method of ['tasks/get', 'tasks/cancel', 'tasks/update']) {
      const theirs = await request(method, { taskId }, stranger);
      const none = await request(method, { taskId: 'job_00000000000000000000' }, stranger);
      expect(theirs.error).toMatchObject({ code: -32602 });
      expect(theirs.error).toEqual(none.error);
    }
    await request('tasks/cancel', { taskId });
    expect(await settled(String(taskId))).toMatchObject({ status: 'cancelled' });
  });

  test('is not given to a client that did not declare them', async () => {
    const { message } = await rpc(owner.accessToken, 'tools/call', {
      name: 'job_start',
      arguments: plan({ kind: 'sleep', name: 'nap', milliseconds: 1000 }),
    });
    expect(message.result).toMatchObject({ resultType: 'complete', structuredContent: { job: { status: 'running' } } });
    const { message: refused } = await rpc(owner.accessToken, 'tasks/get', { taskId: 'job_00000000000000000000' });
    expect(refused.error).toMatchObject({ code: -32021 });
  });
});

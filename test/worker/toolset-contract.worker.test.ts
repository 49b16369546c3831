import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { rpc, rpcRequest, tool } from '../support/mcp.ts';
import type { RpcAnswer } from '../support/mcp.ts';
import { connected, OAuthClient, Person, send as sendTo } from '../support/person.ts';
import type { Connection } from '../support/person.ts';

const CAN_BE_ASKED = { capabilities: { elicitation: {} } };

let ada: Connection;
beforeAll(async () => {
  ada = await connected();
});

afterEach(() => vi.restoreAllMocks());

const text = ({ message }: RpcAnswer) => (message.result?.['content'] as { text: string }[] | undefined)?.[0]?.text;

/** Calls the tool that wants to be sure first. */
async function shred(thing: unknown, answers: Record<string, unknown> = {}, { accessToken } = ada): Promise<RpcAnswer> {
  return rpc(accessToken, 'tools/call', { name: 'probe_shred', arguments: thing, ...answers }, CAN_BE_ASKED);
}

const YES = { sure: { action: 'accept', content: { sure: true } } };

describe('a tool that asks first', () => {
  let state: unknown;
  beforeAll(async () => {
    state = (await shred({ thing: 'the draft' })).message.result?.['requestState'];
  });

  it('asks', async () => {
    expect(state).toEqual(expect.any(String));
    expect((await shred({ thing: 'the draft' })).message.result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { sure: { method: 'elicitation/create', params: { message: 'Shred the draft?' } } },
    });
  });

  it('goes on when the person agrees', async () => {
    const { message } = await shred({ thing: 'the draft' }, { inputResponses: YES, requestState: state });
    expect(message.result?.structuredContent).toEqual({ shredded: 'the draft', asked_for: { thing: 'the draft' } });
  });

  it.each([
    ['declined', { sure: { action: 'decline' } }],
    ['was not sure', { sure: { action: 'accept', content: { sure: false } } }],
    ['answered something else', { sure: { action: 'accept', content: { sure: 'yes' } } }],
    ['answered another question', { other: YES.sure }],
  ])('asks again when the person %s', async (_what, inputResponses) => {
    const { message } = await shred({ thing: 'the draft' }, { inputResponses, requestState: state });
    expect(message.result).toMatchObject({ resultType: 'input_required' });
  });

  it('asks again when there is an answer and no state', async () => {
    const { message } = await shred({ thing: 'the draft' }, { inputResponses: YES });
    expect(message.result).toMatchObject({ resultType: 'input_required' });
  });

  it('refuses a state that was given for another thing', async () => {
    const { message } = await shred({ thing: 'the thesis' }, { inputResponses: YES, requestState: state });
    expect([message.error?.code, message.result]).toEqual([-32602, undefined]);
  });

  it('takes no answer to a question that nobody put, in either era', async () => {
    const params = { name: 'probe_lend', arguments: { thing: 'everything' }, inputResponses: YES };
    const modern = await rpc(ada.accessToken, 'tools/call', params, CAN_BE_ASKED);
    expect(modern.message.result).toMatchObject({ resultType: 'input_required' });
    const legacy = await rpc(ada.accessToken, 'tools/call', params, { era: '2025' });
    expect([legacy.message.result?.isError, text(legacy)]).toEqual([true, expect.stringMatching(/^unsupported: /)]);
  });

  it('refuses a state of another tool, and of a prompt, with the same arguments', async () => {
    const same = { thing: 'the draft' };
    for (const [method, name] of [
      ['tools/call', 'probe_lend'],
      ['prompts/get', 'probe_pledge'],
    ] as const) {
      const send = async (answers: object) =>
        (await rpc(ada.accessToken, method, { name, arguments: same, ...answers }, CAN_BE_ASKED)).message;
      expect((await send({ inputResponses: YES, requestState: state })).error?.code).toBe(-32602);
      const asked = await send({});
      const answered = await send({ inputResponses: YES, requestState: asked.result?.['requestState'] });
      expect(JSON.stringify(answered.result)).toMatch(/the draft/);
    }
  });

  it('refuses a state of another person, and of another grant of the same one', async () => {
    const client = await OAuthClient.register();
    const person = new Person();
    const [first, second] = [await person.connect(client), await person.connect(client)];
    const { message } = await shred({ thing: 'the draft' }, {}, first);
    const answer = { inputResponses: YES, requestState: message.result?.['requestState'] };
    for (const other of [ada, second])
      expect((await shred({ thing: 'the draft' }, answer, other)).message.error?.code).toBe(-32602);
    expect((await shred({ thing: 'the draft' }, answer, first)).message.result?.structuredContent).toBeDefined();
  });

  it('refuses a state that was changed', async () => {
    for (const changed of [`${String(state)}x`, '', 'v1.e30.AAAA', 7]) {
      const { message } = await shred({ thing: 'the draft' }, { inputResponses: YES, requestState: changed });
      const asksOrRefuses = message.result?.['resultType'] === 'input_required' || message.error?.code === -32602;
      expect([String(changed), asksOrRefuses]).toEqual([String(changed), true]);
    }
  });

  it('says so to a client that cannot be asked', async () => {
    const call = { name: 'probe_shred', arguments: { thing: 'the draft' } };
    const modern = await rpc(ada.accessToken, 'tools/call', call);
    expect([modern.status, modern.message.error?.code]).toEqual([400, -32021]);
    const legacy = await rpc(ada.accessToken, 'tools/call', call, { era: '2025' });
    expect(legacy.message.result?.isError).toBe(true);
    expect(text(legacy)).toMatch(/^unsupported: .*cannot be asked/);
  });
});

it('a tool without words of its own shows its fields, and its name in words as title', async () => {
  const counted = await rpc(ada.accessToken, 'tools/call', { name: 'probe_count', arguments: {} });
  expect(text(counted)).toBe('counted: 3');
  const { message } = await rpc(ada.accessToken, 'tools/list');
  const tools = message.result?.['tools'] as { name: string; title: string }[];
  expect(tools.find(({ name }) => name === 'probe_count')?.title).toBe('Probe: count');
});

it("an answer that its tool did not promise is the log's: a client gets the request id", async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const answer = await rpc(ada.accessToken, 'tools/call', { name: 'probe_promise', arguments: {} });
  expect(text(answer)).toMatch(/^internal: Something went wrong on our side\..* \(request [0-9a-z]{20}\)$/);
  const requestId = text(answer)?.slice(-21, -1);
  const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)) as { requestId: string; error: object });
  expect(lines.find((line) => line.requestId === requestId)).toMatchObject({
    type: 'tool_failed',
    tool: 'probe_promise',
    error: {
      message:
        '`probe_promise` gave what its `output` does not allow: `at`: Invalid ISO datetime; `words.1`: Too big: expected string to have <=3 characters',
    },
  });
});

it('content counts against the budget, and an empty list says that it is empty', async () => {
  const shout = async (word: string) =>
    rpc(ada.accessToken, 'tools/call', { name: 'probe_shout', arguments: { word } });
  expect(text(await shout('x'.repeat(70)))).toMatch(/^words:/);
  expect(text(await shout('x'.repeat(80)))).toMatch(/^too_large: /);
  expect(text(await shout(''))).toBe('words: none');
});

it('a name without end is refused and not repeated', async () => {
  const name = 'n'.repeat(500_000);
  for (const [method, params] of [
    ['tools/call', { name, arguments: {} }],
    ['prompts/get', { name }],
    ['resources/read', { uri: `carrel://files/${name}` }],
  ] as const) {
    const answer = await rpc(ada.accessToken, method, params, { era: '2025' });
    expect([answer.status, answer.text.length < 1000]).toEqual([400, true]);
  }
});

describe('a client that takes no event stream', () => {
  const send = async (body: unknown, accept: string) => {
    const { headers } = rpcRequest('tools/call', {}, '2025');
    const response = await sendTo('/mcp', {
      method: 'POST',
      headers: { ...headers, Accept: accept, Authorization: `Bearer ${ada.accessToken}` },
      body: JSON.stringify(body),
    });
    return { type: response.headers.get('Content-Type'), json: await response.json<unknown>() };
  };
  const call = (id: number, name: string, input: object) => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name, arguments: input },
  });

  it.each(['application/json', '*/*'])('gets the whole answer, whatever stands in it (%s)', async (accept) => {
    const value = 'a\u2028data: {}\u2028b\u2029\ndata: []\n\n';
    await send(call(1, 'state_set', { key: 'odd', value }), accept);
    const { type, json } = await send(call(2, 'state_get', { key: 'odd' }), accept);
    expect([type, json]).toEqual([
      'application/json',
      expect.objectContaining({
        id: 2,
        result: expect.objectContaining({
          structuredContent: expect.objectContaining({ value }) as unknown,
        }) as unknown,
      }),
    ]);
  });

  it('gets the answer and no progress, and every answer of a batch', async () => {
    const counting = { ...call(3, 'probe_count', {}) };
    Object.assign(counting.params, { _meta: { progressToken: 'p' } });
    expect((await send(counting, 'application/json')).json).toMatchObject({ id: 3, result: {} });
    const batch = [call(4, 'whoami', {}), call(5, 'probe_count', {}), call(6, 'nothing', {})];
    const { json } = await send(batch, 'application/json');
    expect((json as { id: number }[]).map(({ id }) => id)).toEqual(expect.arrayContaining([4, 5, 6]));
  });
});

describe('a prompt', () => {
  const get = async (input: unknown, token = ada.accessToken) =>
    rpc(token, 'prompts/get', { name: 'probe_plan', arguments: input });

  it('is listed with its arguments, and said', async () => {
    const { message } = await rpc(ada.accessToken, 'prompts/list');
    expect(message.result?.['prompts']).toContainEqual(
      expect.objectContaining({
        name: 'probe_plan',
        arguments: [
          expect.objectContaining({ name: 'subject', required: true }),
          expect.objectContaining({ name: 'tone', required: false }),
        ],
      }),
    );
    expect((await get({ subject: 'tea' })).message.result?.['messages']).toEqual([
      { role: 'user', content: { type: 'text', text: 'Plan a probe of tea.' } },
    ]);
  });

  it('says what is wrong with its arguments', async () => {
    for (const [input, fault] of [
      [{}, /`subject` is missing/],
      [{ subject: 'x'.repeat(21) }, /`subject`/],
      [{ subject: 'tea', [`b${'o'.repeat(5000)}`]: 'x' }, /no argument/],
    ] as const) {
      const { message } = await get(input);
      expect(message.error?.code).toBe(-32602);
      expect(message.error?.message).toMatch(fault);
      expect(message.error?.message.length).toBeLessThan(500);
    }
  });

  it('completes an argument, at most 100 values, and nothing for others', async () => {
    const complete = async (name: string, argument: string) =>
      rpc(ada.accessToken, 'completion/complete', {
        ref: { type: 'ref/prompt', name },
        argument: { name: argument, value: 'te' },
      });
    const { completion } = (await complete('probe_plan', 'subject')).message.result as {
      completion: { values: string[]; total: number; hasMore: boolean };
    };
    expect([completion.values.length, completion.values[0], completion.total, completion.hasMore]).toEqual([
      100,
      'te0',
      150,
      true,
    ]);
    for (const argument of ['tone', 'toString', '__proto__'])
      expect((await complete('probe_plan', argument)).message.result?.['completion'], argument).toMatchObject({
        values: [],
      });
    expect((await complete('nothing', 'subject')).message.error?.code).toBe(-32602);
  });

  it('completes an argument with what is in the workspace', async () => {
    await tool(ada.accessToken, 'cart_add_item', { item: 'tea' });
    await tool(ada.accessToken, 'cart_add_item', { item: 'milk' });
    const { message } = await rpc(ada.accessToken, 'completion/complete', {
      ref: { type: 'ref/prompt', name: 'probe_buy' },
      argument: { name: 'item', value: 'te' },
    });
    expect(message.result?.['completion']).toMatchObject({ values: ['tea'] });
  });

  it('needs the read scope, to be got, listed and completed', async () => {
    const { accessToken } = await new Person().connect(await OAuthClient.register(), {}, ['sessions:read']);
    expect((await rpc(accessToken, 'prompts/list')).message.result?.['prompts']).toEqual([]);
    expect((await get({ subject: 'tea' }, accessToken)).status).toBe(403);
    const { message } = await rpc(accessToken, 'completion/complete', {
      ref: { type: 'ref/prompt', name: 'probe_plan' },
      argument: { name: 'subject', value: '' },
    });
    expect(message.error?.code).toBe(-32602);
  });
});

describe('the list of resources', () => {
  interface Page {
    readonly resources: readonly { readonly uri: string }[];
    readonly nextCursor?: string;
  }
  const page = async (token: string, cursor?: string) =>
    (await rpc(token, 'resources/list', cursor === undefined ? {} : { cursor })).message.result as unknown as Page;

  it('begins with what is there, for a client that looks at the first page only', async () => {
    const { accessToken } = await connected();
    const { resources } = await page(accessToken);
    expect(resources.slice(0, 2).map(({ uri }) => uri)).toEqual(['carrel://cart/default', 'carrel://rows/0-0']);
    await tool(accessToken, 'file_write', { path: 'a.txt', text: 'a' });
    const [cart, file, row] = (await page(accessToken)).resources;
    expect([cart, file, row]).toMatchObject([
      { uri: 'carrel://cart/default', mimeType: 'application/json' },
      { name: 'a.txt' },
      { uri: 'carrel://rows/0-0' },
    ]);
  });

  it('leads through all of them, a hundred and some a page, and gives up on nothing that is empty for long', async () => {
    const { accessToken } = await connected();
    const pages = [await page(accessToken)];
    for (let cursor = pages[0]?.nextCursor; cursor !== undefined; cursor = pages.at(-1)?.nextCursor)
      pages.push(await page(accessToken, cursor));
    expect(pages.map(({ resources }) => resources.length)).toEqual([101, 100, 0, 1]);
    expect(new Set(pages.flatMap(({ resources }) => resources.map(({ uri }) => uri))).size).toBe(202);
  });

  it.each(['', 'x', '7:', '0', '-1:'])('refuses %j, which is no cursor of it', async (cursor) => {
    const { message } = await rpc(ada.accessToken, 'resources/list', { cursor });
    expect(message.error).toMatchObject({ code: -32602, message: expect.stringMatching(/Start again/) as string });
  });

  it('has what is always there with its media type, which needs to be said once', async () => {
    await tool(ada.accessToken, 'cart_add_item', { item: 'tea' });
    const { message } = await rpc(ada.accessToken, 'resources/read', { uri: 'carrel://cart/default' });
    expect(message.result?.['contents']).toEqual([
      { uri: 'carrel://cart/default', mimeType: 'application/json', text: expect.stringMatching(/"tea"/) as string },
    ]);
  });
});

it('a client that may use no tool gets an empty list', async () => {
  const { accessToken } = await new Person().connect(await OAuthClient.register(), {}, ['probe:read']);
  const { message } = await rpc(accessToken, 'tools/list', {}, { address: '/mcp?toolsets=files' });
  expect(message.result?.['tools']).toEqual([]);
});

it('a server says of itself what its toolsets say, and no more', async () => {
  const discover = async (address: string) =>
    (await rpc(ada.accessToken, 'server/discover', {}, { address })).message.result as {
      instructions: string;
      capabilities: Record<string, unknown>;
    };
  const sessions = await discover('/mcp?toolsets=sessions');
  expect(sessions.instructions).toMatch(/session_open/);
  expect(sessions.instructions).not.toMatch(/file_upload/);
  expect(Object.keys(sessions.capabilities).toSorted()).toEqual(['extensions', 'resources', 'tools']);
  const probe = await discover('/mcp?toolsets=probe');
  expect(Object.keys(probe.capabilities).toSorted()).toEqual([
    'completions',
    'extensions',
    'prompts',
    'resources',
    'tools',
  ]);
});

it('progress goes to a client that asked for it, and to no other', async () => {
  const count = { name: 'probe_count', arguments: {} };
  const told = await rpc(ada.accessToken, 'tools/call', { ...count, _meta: { progressToken: 'p' } });
  expect(told.headers.get('Content-Type')).toMatch(/^text\/event-stream/);
  expect(told.text.match(/"progressToken":"p"/g)).toHaveLength(3);
  const quiet = await rpc(ada.accessToken, 'tools/call', count);
  expect(quiet.text).not.toMatch(/notifications\/progress/);
});

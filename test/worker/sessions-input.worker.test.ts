import { beforeAll, describe, expect, it } from 'vitest';

import { rpc, rpcRequest, tool } from '../support/mcp.ts';
import { connected, send } from '../support/person.ts';

const KB = 1024;

/** Of somebody who keeps nothing: what is refused leaves nothing behind. */
let accessToken: string;
beforeAll(async () => {
  ({ accessToken } = await connected());
});

/** The error of a tool call, which must not be `internal` and must say something. */
async function refusal(token: string, name: string, input: Record<string, unknown>): Promise<string> {
  const { failed, content, text } = await tool(token, name, input);
  expect(failed).toBe(true);
  const { error } = content as { error: { code: string; message: string } };
  expect(text).toContain(error.message);
  return error.code;
}

async function post(token: string, body: BodyInit, headers: Record<string, string> = {}) {
  const base = rpcRequest('tools/list', {}, '2025').headers;
  return send('/mcp', { method: 'POST', body, headers: { ...base, ...headers, Authorization: `Bearer ${token}` } });
}

describe('a body that is no request', () => {
  it.each([
    '',
    '{',
    'null',
    '"text"',
    '[]',
    '{}',
    '{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
    '{"jsonrpc":"2.0","id":1}',
    '\u{FEFF}{}',
    '<xml/>',
  ])('%j is refused with a JSON-RPC error', async (body) => {
    const response = await post(accessToken, body);
    expect(response.status).toBe(400);
    const { error } = await response.json<{ error: { code: number; message: string } }>();
    expect([-32_700, -32_600]).toContain(error.code);
  });

  it('of bytes that are no UTF-8 is refused', async () => {
    expect((await post(accessToken, new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]))).status).toBe(400);
  });

  it('of another media type is refused', async () => {
    expect((await post(accessToken, 'jsonrpc=2.0', { 'Content-Type': 'text/plain' })).status).toBe(415);
  });

  it('that wants no kind of answer there is, is refused', async () => {
    const { body } = rpcRequest('tools/list', {}, '2025');
    expect((await post(accessToken, body, { Accept: 'image/png' })).status).toBe(406);
  });

  it.each(['2025', '2026'] as const)('an unknown method of %s is refused', async (era) => {
    expect((await rpc(accessToken, 'tools/explode', {}, { era })).message.error?.code).toBe(-32_601);
  });

  it.each(['2025', '2026'] as const)('an unknown tool of %s is refused', async (era) => {
    for (const name of ['no_such_tool', '__proto__', 'constructor', 'toString', ''])
      expect((await rpc(accessToken, 'tools/call', { name, arguments: {} }, { era })).message.error?.code).toBe(
        -32_602,
      );
  });

  it('whose headers say something else than it does is refused', async () => {
    const { headers, ...request } = rpcRequest('tools/call', { name: 'whoami', arguments: {} });
    const lying = { ...headers, 'Mcp-Name': 'state_list', Authorization: `Bearer ${accessToken}` };
    expect((await send('/mcp', { ...request, headers: lying })).status).toBe(400);
  });
});

describe('arguments of the wrong shape', () => {
  const wrong: [string, Record<string, unknown>][] = [
    ['state_get', {}],
    ['state_get', { key: 1 }],
    ['state_get', { key: null }],
    ['state_get', { key: '' }],
    ['state_get', { key: 'a\u{0}b' }],
    ['state_get', { key: 'a\nb' }],
    ['state_get', { key: 'k'.repeat(257) }],
    ['state_get', { key: 'k', session: 5 }],
    ['state_get', { key: 'k', session: '' }],
    ['state_get', { key: 'k', session: 'x'.repeat(201) }],
    ['state_get', { key: 'k', offset: -1 }],
    ['state_get', { key: 'k', surprise: true }],
    ['state_set', { key: 'k' }],
    ['state_set', { key: 'k', value: 1, expected_version: -1 }],
    ['state_set', { key: 'k', value: 1, expected_version: 1.5 }],
    ['state_set', { key: 'k', value: 1, expected_version: '1' }],
    ['state_list', { limit: 0 }],
    ['state_list', { limit: 201 }],
    ['state_list', { cursor: 'no cursor' }],
    ['state_list', { cursor: 'WyJhIiwiYiJd' }],
    ['session_list', { cursor: '' }],
    ['session_list', { cursor: 'AAAA' }],
    ['session_list', { cursor: 'x'.repeat(2001) }],
    ['session_list', { archived: 'yes' }],
    ['session_open', { session: '   ' }],
    ['session_open', { session: 'a\u{7}b' }],
    ['session_open', { session: 'fine', description: 'd'.repeat(2001) }],
    ['session_update', {}],
    ['session_update', { slug: 'Not A Slug' }],
    ['session_update', { slug: '-edge-' }],
    ['session_update', { slug: 'a--b' }],
    ['session_update', { slug: 'ünïcode' }],
    ['session_update', { slug: 's'.repeat(65) }],
    ['whoami', { verbose: true }],
  ];

  it.each(wrong)('%s %j: invalid_input', async (name, input) => {
    expect(await refusal(accessToken, name, input)).toBe('invalid_input');
  });

  it('that are no object are refused', async () => {
    for (const wrongArguments of [[], 'text', 5]) {
      const { status, message } = await rpc(accessToken, 'tools/call', { name: 'whoami', arguments: wrongArguments });
      expect([status < 500, message.error?.code ?? message.result?.isError]).toEqual([
        true,
        expect.toBeOneOf([-32_602, true]),
      ]);
    }
  });
});

describe('a session that is named oddly', () => {
  it.each([
    '../default',
    'DEFAULT',
    "default' OR '1'='1",
    'ses_',
    'ses_default%',
    '*',
    '%',
    'd\u{435}fault',
    '\u{1F600}',
  ])('%j names none', async (session) => {
    const answer = await tool(accessToken, 'session_get', { session });
    expect(answer.content).toMatchObject({ error: { code: 'not_found' } });
  });

  it.each([
    '研究',
    '\u{1F600}\u{1F600}',
    '---',
    'Ünïcödé & Söhne',
    `${'long '.repeat(39)}title`,
    "'; DROP TABLE sessions; --",
  ])('can still be opened by the title %j and found again by its slug', async (title) => {
    const { accessToken: token } = await connected();
    const opened = await tool(token, 'session_open', { session: title });
    const { id, slug } = opened.content['session'] as { id: string; slug: string };
    expect(slug).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    for (const session of [id, slug, title])
      expect((await tool(token, 'session_open', { session })).content).toMatchObject({
        created: false,
        session: { id },
      });
  });

  it('cannot take the slug of another', async () => {
    const { accessToken: token } = await connected();
    await tool(token, 'session_open', { session: 'First' });
    await tool(token, 'session_open', { session: 'Second' });
    expect(await refusal(token, 'session_update', { session: 'second', slug: 'first' })).toBe('conflict');
  });
});

describe('a value', () => {
  it('has at most 256 KB as JSON', async () => {
    const { accessToken: token } = await connected();
    const fits = 'x'.repeat(256 * KB - 2);
    expect((await tool(token, 'state_set', { key: 'k', value: fits })).content).toMatchObject({ bytes: 256 * KB });
    expect(await refusal(token, 'state_set', { key: 'k', value: `${fits}x` })).toBe('too_large');
    // Bytes count, not characters.
    expect(await refusal(token, 'state_set', { key: 'k', value: '\u{E9}'.repeat(128 * KB) })).toBe('too_large');
    const { content } = await tool(token, 'state_get', { key: 'k' });
    expect(content).toMatchObject({ version: 1, part: { characters: 256 * KB } });
  });

  it('that is too large for one answer is read in parts, none lost', async () => {
    const { accessToken: token } = await connected();
    const value = { text: 'ä\u{1F600}"\\\n'.repeat(20_000) };
    await tool(token, 'state_set', { key: 'k', value });
    let json = '';
    let offset: number | undefined = 0;
    while (offset !== undefined) {
      const { part } = (await tool(token, 'state_get', { key: 'k', offset })).content as {
        part: { text: string; next_offset?: number };
      };
      json += part.text;
      offset = part.next_offset;
    }
    expect(JSON.parse(json)).toEqual(value);
  });

  it('of any kind comes back as it was', async () => {
    const { accessToken: token } = await connected();
    const scalars = [null, false, 0, -0.5, 1e21, '', 'null', '\u{FFFF}\u{0}\u{1F600}'];
    for (const value of [...scalars, [], {}, { a: [1, { b: null }] }, { '': 1, constructor: 2 }, scalars]) {
      await tool(token, 'state_set', { key: 'k', value });
      expect((await tool(token, 'state_get', { key: 'k' })).content).toMatchObject({ value });
    }
  });

  /** Sets a value that only its text can express. */
  const setText = async (token: string, json: string) => {
    const { headers, body } = rpcRequest('tools/call', { name: 'state_set', arguments: { key: 'k', value: 'VALUE' } });
    const text = body.replace('"VALUE"', json);
    const response = await send('/mcp', {
      method: 'POST',
      body: text,
      headers: { ...headers, Authorization: `Bearer ${token}` },
    });
    return { status: response.status, answer: await response.text() };
  };

  it('with a key called __proto__ comes back with it or is refused, and never comes back without it', async () => {
    const { accessToken: token } = await connected();
    const { answer } = await setText(token, '{"__proto__":{"a":1}}');
    if (answer.includes('invalid_input')) return;
    const { content } = await tool(token, 'state_get', { key: 'k' });
    expect(JSON.stringify(content['value'])).toBe('{"__proto__":{"a":1}}');
  });

  it.each([100, 1000, 5000, 100_000])('nested %i times is kept or refused, and is no fault of ours', async (depth) => {
    const { accessToken: token } = await connected();
    const { status, answer } = await setText(token, '['.repeat(depth) + ']'.repeat(depth));
    expect(status).toBeLessThan(500);
    expect(answer).not.toContain('internal');
    const { failed } = await tool(token, 'state_get', { key: 'k' });
    expect(failed).toBe(/invalid_input|too_large|"error":\{/.test(answer));
  });

  it('of keys that differ is kept apart, however odd they are', async () => {
    const { accessToken: token } = await connected();
    const keys = ['a', 'A', ' a', 'a ', 'a/b', '../a', 'é', 'e\u{301}', '\u{1F600}', '%', "a'b", 'k'.repeat(256)];
    for (const key of keys) await tool(token, 'state_set', { key, value: key });
    for (const key of keys)
      expect((await tool(token, 'state_get', { key })).content).toMatchObject({ key, value: key, version: 1 });
  });

  it('of a key that storage cannot hold as it is, is refused', async () => {
    const { accessToken: token } = await connected();
    // Half of a surrogate pair: SQLite would turn each into the same replacement character.
    for (const key of ['\uD800', 'a\uDFFF'])
      expect(await refusal(token, 'state_set', { key, value: 1 })).toBe('invalid_input');
  });
});

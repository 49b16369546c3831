import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it } from 'vitest';

import { call } from '../../scripts/client/mcp.ts';
import { rpc, tool } from '../support/mcp.ts';
import type { ToolAnswer } from '../support/mcp.ts';
import { connected, OAuthClient, ORIGIN, Person, send } from '../support/person.ts';
import { times } from '../support/rounds.ts';

type Call = (name: string, input?: Record<string, unknown>) => Promise<Record<string, unknown>>;

const MCP = new URL('/mcp', ORIGIN);
const asFetch = async (address: string | URL, init?: RequestInit) => send(address, init);

/** The SDK's client of 2026, as somebody with a token uses it. */
async function modernClient(token: string): Promise<Call> {
  const client = new Client({ name: 'modern', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(MCP, { requestInit, fetch: asFetch }));
  return async (name, input) => call(client, name, input);
}

/** The SDK's client of 2025. */
async function legacyClient(token: string): Promise<Call> {
  const client = new LegacyClient({ name: 'legacy', version: '1' });
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  await client.connect(new LegacyTransport(MCP, { requestInit, fetch: asFetch }));
  return async (name, input = {}) => {
    const result = await client.callTool({ name, arguments: input });
    if (result.isError === true) throw new Error((result.content as { text: string }[])[0]?.text);
    return result.structuredContent as Record<string, unknown>;
  };
}

/** Adds one to a number in the state, as often as it takes. */
async function increment(client: Call, key: string): Promise<void> {
  for (;;) {
    const { value, version } = await client('state_get', { key }).catch((thrown: unknown) => {
      if (!String(thrown).includes('not_found:')) throw thrown;
      return { value: 0, version: 0 };
    });
    try {
      await client('state_set', { key, value: Number(value) + 1, expected_version: version });
      return;
    } catch (thrown) {
      if (!String(thrown).includes('conflict:')) throw thrown;
    }
  }
}

describe('two clients of one person', () => {
  it('lose none of fifty updates that they make at once with compare-and-set', { timeout: 60_000 }, async () => {
    const ada = new Person();
    const grants = [await ada.connect(await OAuthClient.register()), await ada.connect(await OAuthClient.register())];
    const clients = [await modernClient(grants[0]!.accessToken), await legacyClient(grants[1]!.accessToken)];
    await Promise.all(times(50, async (index) => increment(clients[index % 2]!, 'counter')));
    for (const client of clients)
      expect(await client('state_get', { key: 'counter' })).toMatchObject({ value: 50, version: 50 });
  });

  it('of fifty writes at once that expect the same version, one is made and the others are told', async () => {
    const { accessToken } = await connected();
    await tool(accessToken, 'state_set', { key: 'k', value: 'first' });
    const answers = await Promise.all(
      times(50, async (index) => tool(accessToken, 'state_set', { key: 'k', value: index, expected_version: 1 })),
    );
    expect(answers.filter(({ failed }) => !failed)).toHaveLength(1);
    for (const { content } of answers.filter(({ failed }) => failed))
      expect(content).toEqual({ error: { code: 'conflict', message: expect.any(String), version: 2 } });
  });

  it('that open one new title at once work in one session', async () => {
    const { accessToken } = await connected();
    const opened = await Promise.all(
      times(20, async () => tool(accessToken, 'session_open', { session: 'Market study' })),
    );
    expect(new Set(opened.map(({ content }) => (content['session'] as { id: string }).id)).size).toBe(1);
    expect(opened.filter(({ content }) => content['created'] === true)).toHaveLength(1);
  });

  it('expect version 0 of a key that must be new, and cannot create it twice', async () => {
    const { accessToken } = await connected();
    const create = async () => tool(accessToken, 'state_set', { key: 'new', value: 1, expected_version: 0 });
    const [first, second] = [await create(), await create()];
    expect([first.failed, second.content]).toEqual([
      false,
      { error: expect.objectContaining({ code: 'conflict', version: 1 }) },
    ]);
    const gone = await tool(accessToken, 'state_delete', { key: 'new', expected_version: 2 });
    expect(gone.content).toMatchObject({ error: { code: 'conflict', version: 1 } });
  });
});

describe('two people', () => {
  /** An answer without what says which person or moment it was. */
  const told = ({ failed, content, text }: ToolAnswer) => ({ failed, content, text });

  it('never see each other’s sessions, by id or slug', async () => {
    const [ada, blaise] = [await connected(), await connected()];
    const opened = await tool(ada.accessToken, 'session_open', { session: 'Secret plans' });
    const { id, slug } = opened.content['session'] as { id: string; slug: string };
    const inputs = {
      session_get: {},
      session_update: { title: 'Mine now' },
      session_archive: {},
      state_get: { key: 'k' },
      state_set: { key: 'k', value: 1 },
      state_delete: { key: 'k' },
      state_list: {},
      file_list: {},
    };
    for (const [name, input] of Object.entries(inputs)) {
      const invented = await tool(blaise.accessToken, name, { ...input, session: 'ses_00000000000000000000' });
      expect([name, invented.failed]).toEqual([name, true]);
      for (const session of [id, slug])
        expect([name, told(await tool(blaise.accessToken, name, { ...input, session }))]).toEqual([
          name,
          told(invented),
        ]);
    }
    expect(await tool(blaise.accessToken, 'session_open', { session: id })).toEqual(
      await tool(blaise.accessToken, 'session_open', { session: 'ses_00000000000000000000' }),
    );
    const list = await tool(blaise.accessToken, 'session_list');
    expect((list.content['sessions'] as { slug: string }[]).map((session) => session.slug)).toEqual(['default']);
    expect((await tool(ada.accessToken, 'session_get', { session: id })).content['session']).toMatchObject({
      title: 'Secret plans',
    });
  });

  it('have states of their own under the same keys of the same session', async () => {
    const [ada, blaise] = [await connected(), await connected()];
    await tool(ada.accessToken, 'state_set', { key: 'shared', value: 'of Ada' });
    const missing = await tool(blaise.accessToken, 'state_get', { key: 'shared' });
    expect(missing.text.replace('shared', '')).toBe(
      (await tool(blaise.accessToken, 'state_get', { key: 'none' })).text.replace('none', ''),
    );
    expect((await tool(blaise.accessToken, 'state_list')).content['keys']).toEqual([]);
    expect((await tool(blaise.accessToken, 'state_delete', { key: 'shared' })).content).toMatchObject({
      deleted: false,
    });
    await tool(blaise.accessToken, 'state_set', { key: 'shared', value: 'of Blaise', expected_version: 0 });
    expect((await tool(ada.accessToken, 'state_get', { key: 'shared' })).content).toMatchObject({
      value: 'of Ada',
      version: 1,
    });
  });

  it('get nothing by each other’s cursors', async () => {
    const [ada, blaise] = [await connected(), await connected()];
    for (const index of times(3, (each) => each)) {
      await tool(ada.accessToken, 'session_open', { session: `Plan ${index}` });
      await tool(ada.accessToken, 'state_set', { key: `key ${index}`, value: index });
    }
    const sessions = await tool(ada.accessToken, 'session_list', { limit: 1 });
    const keys = await tool(ada.accessToken, 'state_list', { limit: 1 });
    const foreign = await tool(blaise.accessToken, 'session_list', { cursor: sessions.content['next_cursor'] });
    expect(foreign.text).not.toContain('Plan');
    expect(
      (await tool(blaise.accessToken, 'state_list', { cursor: keys.content['next_cursor'] })).content['keys'],
    ).toEqual([]);
  });

  it('are told apart by their identity, not by what their tokens claim', async () => {
    const [ada, blaise] = [await connected(), await connected()];
    const swapped = [...ada.accessToken.split(':').slice(0, 1), ...blaise.accessToken.split(':').slice(1)].join(':');
    expect((await rpc(swapped, 'tools/list')).status).toBe(401);
    const again = await new Person('ada@example.com').connect(await OAuthClient.register());
    const elsewhere = await new Person('ada@example.com').connect(await OAuthClient.register());
    expect(again.personId).toBe(elsewhere.personId);
  });
});

describe('a list', () => {
  it('shows everything once, page after page, while more is added', async () => {
    const { accessToken } = await connected();
    for (const index of times(7, (each) => each))
      await tool(accessToken, 'session_open', { session: `Session ${index}` });
    const seen: string[] = [];
    let cursor: unknown;
    do {
      const page = await tool(accessToken, 'session_list', { limit: 3, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...(page.content['sessions'] as { slug: string }[]).map(({ slug }) => slug));
      cursor = page.content['next_cursor'];
      await tool(accessToken, 'session_open', { session: `Added after ${seen.length}` });
    } while (cursor !== undefined);
    const expected = [...times(7, (index) => `session-${index}`), 'default'];
    expect(seen.toSorted()).toEqual(expected.toSorted());
  });

  it('of keys keeps to its prefix, also where that is a wildcard elsewhere', async () => {
    const { accessToken } = await connected();
    const keys = ['a%b', 'a_b', 'a*b', 'axb', 'A%b', 'a%', 'ä', '\u{1F600}', 'a%\u{1F600}'];
    for (const key of keys) await tool(accessToken, 'state_set', { key, value: key });
    for (const prefix of ['', 'a', 'a%', 'a_', 'ä', '\u{1F600}', 'none']) {
      const listed = (await tool(accessToken, 'state_list', { prefix })).content['keys'] as { key: string }[];
      expect([prefix, listed.map(({ key }) => key).toSorted()]).toEqual([
        prefix,
        keys.filter((key) => key.startsWith(prefix)).toSorted(),
      ]);
    }
  });
});

describe('the default session', () => {
  it('is where a tool works that is told of none, and every result names its session', async () => {
    const { accessToken } = await connected();
    for (const [name, input] of [
      ['state_set', { key: 'k', value: 1 }],
      ['state_get', { key: 'k' }],
      ['state_list', {}],
      ['whoami', {}],
    ] as const)
      expect((await tool(accessToken, name, input)).content).toMatchObject({
        session: { id: 'ses_default', slug: 'default' },
      });
    expect((await tool(accessToken, 'state_get', { key: 'k', session: 'default' })).content).toMatchObject({
      value: 1,
    });
  });

  it('stays: it cannot be archived, by whatever name', async () => {
    const { accessToken } = await connected();
    await tool(accessToken, 'session_update', { slug: 'home', title: 'Home' });
    for (const session of ['default', 'ses_default', 'home', 'Home']) {
      await tool(accessToken, 'session_archive', { session });
      const listed = (await tool(accessToken, 'session_list')).content['sessions'] as { id: string }[];
      expect([session, listed.map(({ id }) => id)]).toEqual([session, ['ses_default']]);
    }
  });

  it('stays the one that is called default', async () => {
    const { accessToken } = await connected();
    await tool(accessToken, 'state_set', { key: 'k', value: 'here' });
    await tool(accessToken, 'session_update', { slug: 'home' });
    await tool(accessToken, 'session_open', { session: 'default' });
    expect((await tool(accessToken, 'state_get', { key: 'k', session: 'default' })).content).toMatchObject({
      value: 'here',
    });
  });
});

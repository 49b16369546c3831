import { describe, expect, it, vi } from 'vitest';

import { rpc, statusOf } from '../support/mcp.ts';
import { codeOf, OAuthClient, Person, send, tokens } from '../support/person.ts';
import { times } from '../support/rounds.ts';

describe('a client that is allowed in again and again', () => {
  it('keeps the ten grants that were used last, whichever was made first', async () => {
    const [ada, client] = [new Person(), await OAuthClient.register()];
    vi.useFakeTimers({ toFake: ['Date'] });
    const connections = [];
    for (let index = 0; index < 10; index++) {
      vi.advanceTimersByTime(60_000);
      connections.push(await ada.connect(client));
    }
    const [oldest, second] = connections;
    // The one made first comes back every day; the one after it never did.
    vi.advanceTimersByTime(60_000);
    const refreshed = await tokens(await client.refresh(oldest?.refreshToken ?? ''));
    const eleventh = await ada.connect(client);
    expect(await statusOf(refreshed.access_token)).toBe(200);
    expect(await statusOf(eleventh.accessToken)).toBe(200);
    expect(await statusOf(second?.accessToken ?? '')).toBe(401);
    vi.useRealTimers();
  });

  it('loses nothing to codes that nobody redeems', async () => {
    const [ada, client] = [new Person(), await OAuthClient.register()];
    const connection = await ada.connect(client);
    const callbacks = [];
    for (const _ of times(12, () => undefined)) callbacks.push(await ada.allow(client));
    expect(new Set(callbacks.map(codeOf)).size).toBe(12);
    expect(await statusOf(connection.accessToken)).toBe(200);
  });
});

it('a refused caller gets the challenge also from a batch of the 2025 era', async () => {
  const connection = await new Person().connect(await OAuthClient.register());
  await connection.client.revoke(connection.refreshToken);
  for (const methods of [
    ['ping', 'tools/call'],
    ['tools/list', 'resources/list'],
  ]) {
    const body = methods.map((method, id) => ({
      jsonrpc: '2.0',
      id,
      method,
      params: { name: 'whoami', arguments: {} },
    }));
    const response = await send('/mcp', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        Authorization: `Bearer ${connection.accessToken}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
      },
    });
    expect([methods, response.status]).toEqual([methods, 401]);
  }
});

it('the default session keeps the name under which everybody finds it', async () => {
  const { accessToken } = await new Person().connect(await OAuthClient.register());
  for (const [name, input] of [
    ['session_update', { slug: 'main' }],
    ['session_archive', { session: 'default' }],
    ['session_archive', { session: 'ses_default' }],
  ] as const) {
    const { message } = await rpc(accessToken, 'tools/call', { name, arguments: input });
    expect(message.result?.['_meta']).toMatchObject({ 'carrel/error': { code: 'unsupported' } });
  }
});

it('titles that differ in more than case and spaces are different sessions', async () => {
  const { accessToken } = await new Person().connect(await OAuthClient.register());
  const open = async (session: string) => {
    const { message } = await rpc(accessToken, 'tools/call', { name: 'session_open', arguments: { session } });
    return (message.result!.structuredContent as { session: { id: string } }).session.id;
  };
  expect(await open('C#')).not.toBe(await open('C++'));
  expect(await open('Market Study')).toBe(await open('market  study'));
  expect(await open('C#')).toBe(await open('C#'));
});

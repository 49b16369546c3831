import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { allowCalls } from '../support/delays.ts';
import { statusOf, tool } from '../support/mcp.ts';
import { OAuthClient, Person, send } from '../support/person.ts';
import type { Connection } from '../support/person.ts';
import { times } from '../support/rounds.ts';

const CALLS = 8;

let connection: Connection;
let now: number;
beforeEach(async () => {
  allowCalls(CALLS);
  connection = await new Person().connect(await OAuthClient.register());
  allowCalls(undefined);
  now = Date.now();
  // A minute that turns in the middle would let more in.
  vi.useFakeTimers({ toFake: ['Date'], now });
});
afterEach(() => void vi.useRealTimers());

const nextMinute = () => {
  now += 61_000;
  vi.setSystemTime(now);
};
const useUp = async (but: number) => {
  for (const _ of times(CALLS - but, () => undefined)) expect(await statusOf(connection.accessToken)).toBe(200);
};
const fetched = async (url: string) => {
  const response = await send(url);
  await response.text();
  return response.status;
};
const put = async (url: string) => {
  const response = await send(url, { method: 'PUT', body: 'text' });
  await response.text();
  return response.status;
};

/** An address to upload to, and one to download from. */
async function addresses(): Promise<{ up: string; down: string }> {
  const { accessToken } = connection;
  const { upload } = (await tool(accessToken, 'file_upload', { path: 'a.txt', size: 4 })).content;
  const { file } = (await tool(accessToken, 'file_write', { path: 'b.txt', text: 'text' })).content;
  const { download } = (await tool(accessToken, 'file_link', { file: (file as { id: string }).id })).content;
  return { up: (upload as { url: string }).url, down: (download as { url: string }).url };
}

describe('the last call of a minute', () => {
  it('is done to its end, however often it goes to the workspace', async () => {
    await useUp(1);
    const { failed, text } = await tool(connection.accessToken, 'file_write', { path: 'b.txt', text: 'text' });
    expect([failed, text]).toEqual([false, text]);
    expect(await statusOf(connection.accessToken)).toBe(429);
  });

  it('by an address stores what was sent', async () => {
    const { up, down } = await addresses();
    for (const _ of times(CALLS - 1, () => undefined)) expect(await fetched(down)).toBe(200);
    expect(await put(up)).toBe(201);
    expect(await fetched(down)).toBe(429);
  });
});

it('who was given an address uses up nothing of what the person’s apps may do, nor the other way', async () => {
  const { up, down } = await addresses();
  const statuses = await Promise.all(times(3 * CALLS, async () => fetched(down)));
  expect(statuses.filter((status) => status === 200)).toHaveLength(CALLS);
  expect(await statusOf(connection.accessToken)).toBe(200);
  nextMinute();
  await useUp(0);
  expect(await statusOf(connection.accessToken)).toBe(429);
  expect(await put(up)).toBe(201);
});

describe('a batch of the 2025 era', () => {
  const add = async (count: number) => {
    const calls = times(count, (id) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'cart_add_item', arguments: { item: `tea ${id}` } },
    }));
    return send('/mcp', {
      method: 'POST',
      body: JSON.stringify(calls),
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'MCP-Protocol-Version': '2025-03-26',
        Authorization: `Bearer ${connection.accessToken}`,
      },
    });
  };

  it('of which some are too many tells what was done', async () => {
    const response = await add(CALLS + 4);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text.match(/"carrel\/error":\{"code":"limit_exceeded"/g)).toHaveLength(4);
    nextMinute();
    const { content } = await tool(connection.accessToken, 'cart_view');
    expect(JSON.stringify(content).match(/"tea \d+"/g)).toHaveLength(CALLS);
  });

  it('of which all are too many is refused', async () => {
    await useUp(0);
    const response = await add(3);
    expect([response.status, Number(response.headers.get('Retry-After')) > 0]).toEqual([429, true]);
    expect(await response.json()).toMatchObject({ code: 'limit_exceeded' });
  });
});

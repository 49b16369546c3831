import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { sha256Hex } from '../../src/lib/encoding.ts';
import { newId } from '../../src/lib/ids.ts';
import { makePersonalToken } from '../../src/oauth/personal-token.ts';
import { costOf } from '../support/costs.ts';
import { counted, resetReached, storageReached } from '../support/delays.ts';
import { rpcRequest } from '../support/mcp.ts';
import { connected, send } from '../support/person.ts';
import type { Connection } from '../support/person.ts';
import { times } from '../support/rounds.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';

const bindings = env as unknown as Bindings;
const REQUESTS = 10_000;
const AT_ONCE = 100;

/** Tokens of every form that somebody could make up. */
function invented(index: number): string {
  const person = `${newId('per')}.0123456789abcdef`;
  switch (index % 5) {
    case 0:
      return `${person}:AbCdEfGhIjKlMnOp:${'s'.repeat(32)}`;
    case 1:
      return makePersonalToken(person).token;
    case 2:
      return `carrel_pat_${'0'.repeat(103)}`;
    case 3:
      return `eyJhbGciOiJub25lIn0.${'e'.repeat(40)}.`;
    default:
      return 'x'.repeat(1 + (index % 500));
  }
}

it(`${REQUESTS} requests with invented tokens read no storage of any kind`, { timeout: 120_000 }, async () => {
  // An honest request first: what an isolate keeps of it must not open anything to the others.
  await connected();
  const { headers, ...init } = rpcRequest('tools/list');
  const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
  const statuses = new Set<number>();
  const cost = await costOf(async () => {
    for (let sent = 0; sent < REQUESTS; sent += AT_ONCE) {
      const answers = await Promise.all(
        times(AT_ONCE, async (index) => {
          const Authorization = `Bearer ${invented(sent + index)}`;
          return index % 2 === 0
            ? send('/mcp', { ...init, headers: { ...headers, Authorization } })
            : send('/files', { headers: { Authorization } });
        }),
      );
      for (const answer of answers) {
        statuses.add(answer.status);
        await answer.body?.cancel();
      }
    }
  });
  expect([...statuses]).toEqual([401]);
  expect(cost).toMatchObject({ roundTrips: 0, rowsRead: 0, d1Statements: 0, classA: 0, classB: 0 });

  // Counted, in one line a minute for any number.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  await send('/mcp', { ...init, headers: { ...headers, Authorization: 'Bearer invented' } });
  const counts = lines.mock.calls.map(([line]) => JSON.parse(String(line)) as { type: string; count: number });
  vi.useRealTimers();
  lines.mockRestore();
  expect(counts.every(({ type }) => type === 'invented_tokens')).toBe(true);
  expect(counts.length).toBeLessThanOrEqual(4);
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(REQUESTS + 1);
});

describe('tokens that bear the mark of a person and are none', () => {
  const PUBLIC_URL = 'https://carrel.example.com';
  /** As many as wrangler.toml says. */
  const LIMIT = 120;
  const outwardOf = ({ refreshToken }: Connection) => refreshToken.split(':')[0] ?? '';
  const guess = (outward: string, index: number) =>
    index % 2 === 0 ? `${outward}:AbCdEfGhIjKlMnOp:${'s'.repeat(30)}${index}` : makePersonalToken(outward).token;

  it('cost a call of their object and nothing else, are counted, and hold up nobody where there is no edge', async () => {
    const outward = outwardOf(await connected());
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 200_000 });
    onTestFinished(() => {
      vi.useRealTimers();
      lines.mockRestore();
    });
    await send('/files', { headers: { Authorization: 'Bearer invented' } });
    lines.mockClear();
    const cost = await costOf(async () => {
      for (const index of times(2 * LIMIT, (each) => each)) {
        const { status } = await send('/files', { headers: { Authorization: `Bearer ${guess(outward, index)}` } });
        expect(status).toBe(401);
      }
    });
    expect(cost).toMatchObject({ roundTrips: 2 * LIMIT, rowsWritten: 0, d1Statements: 0, classA: 0, classB: 0 });
    vi.setSystemTime(Date.now() + 61_000);
    await send('/files', { headers: { Authorization: 'Bearer invented' } });
    expect(lines.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown)).toEqual([
      { type: 'invented_tokens', count: 2 * LIMIT + 1 },
    ]);
  });

  it('are refused before their object is asked, of one person from one network, but for what the isolate knows', async () => {
    const [victim, other] = [await connected(), await connected()];
    const outward = outwardOf(victim);
    const { token, grantId } = makePersonalToken(outward);
    const [createdAt, expiresAt] = [Date.now(), Date.now() + 86_400_000];
    const kept = { grantId, name: 'script', label: 'ada', scopes: ['files:read'], createdAt, expiresAt };
    await bindings.WORKSPACE.getByName(victim.personId).addPersonalToken(kept, await sha256Hex(token));
    const vars = { DEPLOYMENT: 'production', PUBLIC_URL, DEV_SIGN_IN: '' };
    const asked = new Map<string, number>();
    // As the edge, but for its minutes, one of which could turn in the middle.
    const limit: RateLimit['limit'] = async ({ key }) => {
      asked.set(key, (asked.get(key) ?? 0) + 1);
      return { success: (asked.get(key) ?? 0) <= LIMIT };
    };
    const edge = { WORKSPACE: counted(bindings.WORKSPACE), MISSES_LIMIT: { limit } };
    const app = createApp({ ...bindings, ...vars, ...edge }, TEST_TOOLSETS);
    const list = async (bearer: string, address = '192.0.2.30') => {
      const headers = { Authorization: `Bearer ${bearer}`, 'CF-Connecting-IP': address };
      const response = await app.fetch(new Request(`${PUBLIC_URL}/files`, { headers }));
      await response.text();
      return response;
    };
    expect((await list(token)).status).toBe(200);
    // The last of these is the one that the edge says no to.
    for (const index of times(LIMIT + 1, (each) => each)) expect((await list(guess(outward, index))).status).toBe(401);
    resetReached();
    for (const index of times(50, (each) => each)) {
      const refused = await list(guess(outward, index));
      expect([refused.status, Number(refused.headers.get('Retry-After')) > 0]).toEqual([429, true]);
    }
    expect(storageReached()).toEqual({ directory: 0, workspaces: 0 });
    expect((await list(token)).status).toBe(200);
    expect((await list(guess(outwardOf(other), 0))).status).toBe(401);
    expect((await list(guess(outward, 0), '192.0.2.31')).status).toBe(401);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect((await list(guess(outward, 0))).status).toBe(401);
  });
});

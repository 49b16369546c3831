import { expect, it, vi } from 'vitest';

import { newId } from '../../src/lib/ids.ts';
import { makePersonalToken } from '../../src/oauth/personal-token.ts';
import { costOf } from '../support/costs.ts';
import { rpcRequest } from '../support/mcp.ts';
import { connected, send } from '../support/person.ts';
import { times } from '../support/rounds.ts';

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

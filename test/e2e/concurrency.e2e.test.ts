import { beforeAll, expect, it } from 'vitest';

import { call } from '../../scripts/client/mcp.ts';
import { useDeployment } from './support/deployment.ts';
import { callOverTheWire } from './support/json-rpc.ts';
import { signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

const deployment = useDeployment();
const WRITERS = 50;

let person: Person;

beforeAll(async () => {
  person = await signUp(deployment.mcpUrl, 'ada@example.com');
});

/** One write, which says what it expects. Every writer has a connection of its own. */
async function write(key: string, value: unknown, expected: number): Promise<{ won: boolean; version: number }> {
  const { message } = await callOverTheWire(deployment.mcpUrl, person.token, 'state_set', {
    key,
    value,
    expected_version: expected,
  });
  const { isError, structuredContent, content } = message.result as {
    isError?: boolean;
    structuredContent?: { version: number };
    content: { text: string }[];
  };
  if (isError !== true) return { won: true, version: structuredContent?.version ?? 0 };
  const conflict = /^conflict: .* \{"version":(\d+)\}$/.exec(content[0]?.text ?? '');
  if (!conflict) throw new Error(content[0]?.text);
  return { won: false, version: Number(conflict[1]) };
}

async function read(key: string): Promise<{ value: number[]; version: number }> {
  const { message } = await callOverTheWire(deployment.mcpUrl, person.token, 'state_get', { key });
  return message.result?.['structuredContent'] as { value: number[]; version: number };
}

const writers = Array.from({ length: WRITERS }, (_, index) => index);

it(`of ${WRITERS} writers who read the same version exactly one writes`, async () => {
  const outcomes = await Promise.all(writers.map((writer) => write('contested', writer, 0)));
  expect(outcomes.filter(({ won }) => won)).toEqual([{ won: true, version: 1 }]);
  expect(outcomes.filter(({ won }) => !won)).toEqual(
    Array.from({ length: WRITERS - 1 }, () => ({ won: false, version: 1 })),
  );
  const { value } = await call(person.client, 'state_get', { key: 'contested' });
  expect(value).toBe(outcomes.findIndex(({ won }) => won));
});

it(`${WRITERS} writers who read, add themselves and write lose no update`, async () => {
  // Ten to a key: with all at one, every round has one winner and the test a thousand writes.
  const keys = Array.from({ length: 5 }, (_, index) => `guests-${index}`);
  const keyOf = (writer: number) => keys[writer % keys.length] ?? '';
  for (const key of keys) await write(key, [], 0);
  // All have read before the first one writes, so that all but one of each ten meet another's version.
  const seen = await Promise.all(writers.map((writer) => read(keyOf(writer))));
  let conflicts = 0;
  const versions = await Promise.all(
    seen.map(async (first, writer) => {
      for (let current = first; ; current = await read(keyOf(writer))) {
        const outcome = await write(keyOf(writer), [...current.value, writer], current.version);
        if (outcome.won) return outcome.version;
        conflicts += 1;
      }
    }),
  );
  expect(conflicts).toBeGreaterThanOrEqual(WRITERS - keys.length);
  for (const key of keys) {
    const guests = writers.filter((writer) => keyOf(writer) === key);
    const { value, version } = await read(key);
    expect(value.toSorted((a, b) => a - b)).toEqual(guests);
    expect(version).toBe(guests.length + 1);
    // Each update made a version of its own, in the order in which the guests stand.
    expect(value.map((writer) => versions[writer])).toEqual(guests.map((_, index) => index + 2));
  }
});

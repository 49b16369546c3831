import { afterAll, beforeAll, expect, it } from 'vitest';

import { Deployment } from './support/deployment.ts';
import { bearer, signUp } from './support/people.ts';

const LIMIT = 30;
const deployment = new Deployment({ CALLS_PER_MINUTE: String(LIMIT) });
beforeAll(() => deployment.start());
afterAll(() => deployment.remove());

it('one person’s calls in a minute are bounded, and nobody else’s', async () => {
  const [ada, ben] = [
    await signUp(deployment.mcpUrl, 'ada@example.com'),
    await signUp(deployment.mcpUrl, 'ben@example.com'),
  ];
  const list = async ({ token }: { token: string }) => fetch(`${deployment.origin}/files`, { headers: bearer(token) });
  const answers = await Promise.all(Array.from({ length: 2 * LIMIT }, async () => list(ada)));
  const statuses = answers.map(({ status }) => status);
  // A minute may turn in between; then at most another thirty are taken.
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  const refused = answers.find(({ status }) => status === 429);
  const wait = Number(refused?.headers.get('Retry-After'));
  expect([wait >= 1, wait <= 60]).toEqual([true, true]);
  expect(await refused?.json()).toMatchObject({ code: 'limit_exceeded', retry_after: wait });
  expect((await list(ben)).status).toBe(200);
});

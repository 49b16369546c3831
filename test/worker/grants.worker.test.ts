import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { decide } from '../../scripts/client/browser.ts';
import { delayStorage } from '../support/delays.ts';
import { codeOf, Connection, outcome, tokens } from '../support/person.ts';
import { leftOf, ROUNDS, tally, times } from '../support/rounds.ts';

beforeAll(() => {
  // Tens of thousands of events, each a line.
  vi.spyOn(console, 'log').mockImplementation(() => {});
  delayStorage(20);
});

afterAll(() => {
  delayStorage(0);
  vi.restoreAllMocks();
});

describe('with 0 to 20 ms before each access to storage', { timeout: 240_000 }, () => {
  it('a code redeemed four times at once gives one token, and the replay ends that one too', async () => {
    const happened = await tally(ROUNDS, async ({ person, client }) => {
      const code = codeOf(await person.allow(client));
      const answers = await Promise.all(times(4, async () => client.redeem(code)));
      const [first, ...more] = await Promise.all(answers.filter(({ ok }) => ok).map(tokens));
      const refused = await Promise.all(answers.filter(({ ok }) => !ok).map(outcome));
      if (!first || more.length > 0) return `${more.length + (first ? 1 : 0)} tokens`;
      // RFC 6749 §4.1.2: a code that comes back was stolen from somebody, so what it gave is revoked.
      return `1 token, ${refused.join(', ')}; then ${await leftOf(new Connection(client, first), [first])}`;
    });
    expect(happened).toEqual({
      '1 token, invalid_grant, invalid_grant, invalid_grant; then 401, invalid_grant': ROUNDS,
    });
  });

  it('a consent page answered four times at once gives one code', async () => {
    const happened = await tally(ROUNDS, async ({ person, client }, round) => {
      if (round < 50) await person.allow(client);
      const page = await person.browser.open(client.authorizationUrl());
      const answers = await Promise.all(times(4, async () => decide(person.browser, page, 'approve')));
      const codes = answers.filter(({ left, url }) => left && url.searchParams.has('code'));
      const pages = answers.filter(({ left }) => !left).map(({ status }) => status);
      const redeemed = await Promise.all(codes.map(async ({ url }) => outcome(await client.redeem(codeOf(url)))));
      return `${codes.length} code, redeemed: ${redeemed.join(', ')}; pages: ${pages.join(', ')}`;
    });
    expect(happened).toEqual({ '1 code, redeemed: 200; pages: 400, 400, 400': ROUNDS });
  });

  it('a consent page allowed and denied at once is answered once', async () => {
    const happened = await tally(200, async ({ person, client }, round) => {
      if (round < 50) await person.allow(client);
      const page = await person.browser.open(client.authorizationUrl());
      const decisions = ['approve', 'deny', 'deny', 'approve'] as const;
      const answers = await Promise.all(decisions.map(async (decision) => decide(person.browser, page, decision)));
      return `${answers.filter(({ left }) => left).length} answer`;
    });
    expect(happened).toEqual({ '1 answer': 200 });
  });
});

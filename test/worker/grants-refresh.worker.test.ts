import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { REPLAY_MS } from '../../src/oauth/grant-keeper.ts';
import { delayStorage } from '../support/delays.ts';
import { statusOf } from '../support/mcp.ts';
import { connected, OAuthClient, ORIGIN, outcome, Person, sendForm, tokens } from '../support/person.ts';
import type { TokenAnswer } from '../support/person.ts';
import { ROUNDS, tally, times } from '../support/rounds.ts';

const { WORKSPACE } = env as unknown as Bindings;

beforeAll(() => {
  // Tens of thousands of events, each a line.
  vi.spyOn(console, 'log').mockImplementation(() => {});
});

afterEach(() => {
  delayStorage(0);
  vi.useRealTimers();
});

function pass(milliseconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
}

/** Refreshes twenty times at once with one token. @returns what the refresh tokens that came of it are good for */
async function twentyAtOnce(client: OAuthClient, refreshToken: string, resources: readonly (string | undefined)[]) {
  const answers = await Promise.all(
    times(20, async (index) => client.refresh(refreshToken, { resource: resources[index % resources.length] })),
  );
  const given = await Promise.all(answers.map(tokens));
  const next = await Promise.all(given.map(async ({ refresh_token }) => outcome(await client.refresh(refresh_token))));
  return [...new Set(next)].toSorted().join(', ');
}

describe('refreshing twenty times at once, with 0 to 20 ms before each access to storage', { timeout: 240_000 }, () => {
  it('succeeds every time, and so does whatever follows with what it gave', async () => {
    delayStorage(20);
    const current = new Map<string, readonly TokenAnswer[]>();
    const happened = await tally(ROUNDS, async ({ person, client }) => {
      const before = current.get(client.id) ?? [(await person.connect(client)).tokens];
      // The answers of the round before, each used as often as the others.
      const answers = await Promise.all(
        times(20, async (index) => client.refresh(before[index % before.length]?.refresh_token ?? '')),
      );
      const statuses = new Set(answers.map(({ status }) => status));
      if (statuses.size > 1 || !statuses.has(200)) return `refreshes: ${[...statuses].join(', ')}`;
      const after = await Promise.all(answers.map(tokens));
      current.set(client.id, after);
      const access = new Set(after.map(({ access_token }) => access_token));
      const used = await Promise.all([...access].map(statusOf));
      return `access: ${[...new Set(used)].join(', ')}`;
    });
    expect(happened).toEqual({ 'access: 200': ROUNDS });
  });

  it('leaves no dead token when the requests spell the resource differently or leave it out', async () => {
    delayStorage(20);
    const spellings = [
      undefined,
      ORIGIN,
      `${ORIGIN}/`,
      `${ORIGIN}/mcp`,
      `${ORIGIN}/mcp/`,
      `${ORIGIN}/mcp?toolsets=files`,
    ];
    const happened = await tally(100, async ({ person, client }) =>
      twentyAtOnce(client, (await person.connect(client)).refreshToken, spellings),
    );
    expect(happened).toEqual({ '200': 100 });
  });

  it('leaves no dead token when it comes long after a refresh whose answer was lost', async () => {
    const { client, refreshToken } = await connected();
    await tokens(await client.refresh(refreshToken));
    pass(REPLAY_MS + 1000);
    expect(await twentyAtOnce(client, refreshToken, [undefined])).toBe('200');
  });

  it('gives tokens that can all be used one after another as well', async () => {
    const { client, refreshToken } = await connected();
    const answers = await Promise.all(times(20, async () => client.refresh(refreshToken)));
    for (const { refresh_token } of await Promise.all(answers.map(tokens)))
      expect(await outcome(await client.refresh(refresh_token))).toBe('200');
  });
});

describe('a refresh that comes again', () => {
  it('gets the same answer within the grace period, also after its successor was used', async () => {
    const { client, refreshToken } = await connected();
    const first = await tokens(await client.refresh(refreshToken));
    const second = await tokens(await client.refresh(first.refresh_token));
    pass(REPLAY_MS - 1000);
    const { expires_in, ...again } = await tokens(await client.refresh(refreshToken));
    expect(first).toMatchObject(again);
    expect(expires_in).toBeLessThan(first.expires_in - 100);
    expect(await statusOf(again.access_token)).toBe(200);
    expect(await tokens(await client.refresh(again.refresh_token))).toMatchObject({
      refresh_token: second.refresh_token,
    });
  });

  it('is refused after the grace period, when its successor was used', async () => {
    const { client, refreshToken } = await connected();
    const first = await tokens(await client.refresh(refreshToken));
    const second = await tokens(await client.refresh(first.refresh_token));
    pass(REPLAY_MS + 1000);
    expect(await outcome(await client.refresh(refreshToken))).toBe('invalid_grant');
    expect(await outcome(await client.refresh(second.refresh_token))).toBe('200');
  });

  it('is refused to another client, and to its own one with a wrong secret', async () => {
    const client = await OAuthClient.register({ token_endpoint_auth_method: 'client_secret_post' });
    const { refreshToken } = await new Person().connect(client);
    const first = await tokens(await client.refresh(refreshToken));
    const stranger = await OAuthClient.register();
    expect(await outcome(await stranger.refresh(refreshToken))).toBe('invalid_grant');
    expect(await outcome(await client.refresh(refreshToken, { client_secret: 'guessed' }))).toBe('invalid_client');
    expect(await outcome(await client.refresh(refreshToken, { client_secret: undefined }))).toBe('invalid_client');
    expect(await tokens(await client.refresh(refreshToken))).toMatchObject({ access_token: first.access_token });
  });

  it('is authenticated in the header as well', async () => {
    const client = await OAuthClient.register({ token_endpoint_auth_method: 'client_secret_basic' });
    const basic = (secret: string) => ({ Authorization: `Basic ${btoa(`${client.id}:${secret}`)}` });
    const callback = await new Person().allow(client);
    const code = callback.searchParams.get('code') ?? '';
    const redeemed = await client.redeem(
      code,
      { client_id: undefined, client_secret: undefined },
      basic(client.secret ?? ''),
    );
    const refresh = { grant_type: 'refresh_token', refresh_token: (await tokens(redeemed)).refresh_token };
    const first = await tokens(await sendForm('/token', refresh, basic(client.secret ?? '')));
    expect(await outcome(await sendForm('/token', refresh, basic('guessed')))).toBe('invalid_client');
    expect(await tokens(await sendForm('/token', refresh, basic(client.secret ?? '')))).toMatchObject({
      access_token: first.access_token,
    });
  });

  it('is not answered from the store for another scope or resource', async () => {
    const { client, refreshToken } = await connected();
    const first = await tokens(await client.refresh(refreshToken));
    expect(await outcome(await client.refresh(refreshToken, { resource: 'https://elsewhere.example' }))).toBe(
      'invalid_target',
    );
    const narrower = await tokens(await client.refresh(refreshToken, { scope: 'sessions:read' }));
    expect(narrower.scope).toBe('sessions:read');
    expect(narrower.access_token).not.toBe(first.access_token);
    expect(await statusOf(narrower.access_token)).toBe(200);
  });

  it('does not get an access token that was revoked meanwhile', async () => {
    const { client, refreshToken } = await connected();
    const first = await tokens(await client.refresh(refreshToken));
    expect((await client.revoke(first.access_token)).status).toBe(200);
    const again = await tokens(await client.refresh(refreshToken));
    expect(again.access_token).not.toBe(first.access_token);
    expect([await statusOf(first.access_token), await statusOf(again.access_token)]).toEqual([401, 200]);
  });

  it('finds nothing once the grant was revoked', async () => {
    const { client, refreshToken, personId, grantId } = await connected();
    const first = await tokens(await client.refresh(refreshToken));
    const workspace = WORKSPACE.getByName(personId);
    const stored = async () =>
      runInDurableObject(workspace, (_object, { storage }) => [
        ...storage.sql.exec('SELECT grant_id FROM oauth_replays UNION ALL SELECT grant_id FROM oauth_records'),
      ]);
    expect(await stored()).toContainEqual({ grant_id: grantId });
    await workspace.revokeGrant(grantId);
    expect(await stored()).toEqual([]);
    expect(await outcome(await client.refresh(refreshToken))).toBe('invalid_grant');
    expect(await statusOf(first.access_token)).toBe(401);
  });

  it('can end the grant for as long as it would be answered', async () => {
    const { client, refreshToken } = await connected();
    const first = await tokens(await client.refresh(refreshToken));
    const second = await tokens(await client.refresh(first.refresh_token));
    expect((await client.revoke(refreshToken, { token_type_hint: 'refresh_token' })).status).toBe(200);
    for (const { access_token, refresh_token } of [first, second]) {
      expect(await statusOf(access_token)).toBe(401);
      expect(await outcome(await client.refresh(refresh_token))).toBe('invalid_grant');
    }
  });

  it('is kept so that storage alone opens nothing', async () => {
    const { client, refreshToken, accessToken, personId } = await connected();
    const first = await tokens(await client.refresh(refreshToken));
    const stored = await runInDurableObject(WORKSPACE.getByName(personId), (_object, { storage }) =>
      JSON.stringify([
        ...storage.sql.exec('SELECT * FROM oauth_replays'),
        ...storage.sql.exec('SELECT * FROM oauth_records'),
      ]),
    );
    expect(stored).toContain(client.id);
    for (const token of [refreshToken, accessToken, first.access_token, first.refresh_token])
      expect(stored).not.toContain(token.split(':')[2]);
  });
});

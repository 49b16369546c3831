import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { createApp } from '../../src/app.ts';
import type { App, Bindings } from '../../src/app.ts';
import { rpc, rpcRequest, statusOf } from '../support/mcp.ts';
import {
  codeOf,
  connected,
  OAuthClient,
  ORIGIN,
  outcome,
  Person,
  SCOPES,
  send,
  sendForm,
  tokens,
} from '../support/person.ts';
import { times } from '../support/rounds.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';

const bindings = env as unknown as Bindings & Record<string, unknown>;

afterEach(() => {
  vi.useRealTimers();
});

describe('a code', () => {
  it.each([
    [
      'a wrong verifier',
      { code_verifier: 'another-verifier-of-the-right-length-for-rfc-7636-is-this' },
      'invalid_grant',
    ],
    ['no verifier', { code_verifier: undefined }, 'invalid_request'],
    ['another redirect', { redirect_uri: 'http://127.0.0.1:1/other' }, 'invalid_grant'],
    ['another resource', { resource: 'https://elsewhere.example' }, 'invalid_target'],
    ['scopes that were not allowed', { scope: 'admin' }, 'invalid_scope'],
  ])('with %s is refused, and is still good for the right request', async (_what, changes, error) => {
    const client = await OAuthClient.register();
    const code = codeOf(await new Person().allow(client));
    const refused = await client.redeem(code, changes);
    expect(refused.headers.get('Content-Type')).toMatch(/^application\/json/);
    expect([refused.status, await outcome(refused)]).toEqual([400, error]);
    expect(await outcome(await client.redeem(code))).toBe('200');
  });

  it('is worth nothing to another client', async () => {
    const client = await OAuthClient.register();
    const code = codeOf(await new Person().allow(client));
    expect(await outcome(await (await OAuthClient.register()).redeem(code))).toBe('invalid_grant');
    expect(await outcome(await client.redeem(code))).toBe('200');
  });

  it('expires after ten minutes', async () => {
    const client = await OAuthClient.register();
    const code = codeOf(await new Person().allow(client));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    expect(await outcome(await client.redeem(code))).toBe('invalid_grant');
  });
});

describe('the resource that a token is for', () => {
  const spellings = [
    undefined,
    ORIGIN,
    `${ORIGIN}/`,
    `${ORIGIN}/mcp`,
    `${ORIGIN}/mcp/`,
    `${ORIGIN}/mcp?toolsets=files`,
  ];

  it.each(spellings)('can be spelt %s when the person is asked, and in any way later', async (asked) => {
    const client = await OAuthClient.register();
    const ada = new Person();
    for (const redeemed of spellings) {
      const callback = await ada.allow(client, { resource: asked });
      let current = await tokens(await client.redeem(codeOf(callback), { resource: redeemed }));
      expect(current.resource).toBe(ORIGIN);
      for (const refreshed of spellings)
        current = await tokens(await client.refresh(current.refresh_token, { resource: refreshed }));
      const files = await send('/files', { headers: { Authorization: `Bearer ${current.access_token}` } });
      expect([await statusOf(current.access_token), files.status]).toEqual([200, 200]);
    }
  });

  it('cannot be changed at a refresh', async () => {
    const { client, refreshToken } = await connected();
    for (const resource of ['https://elsewhere.example', `${ORIGIN}.elsewhere.example`, `${ORIGIN}/admin`, 'mcp', '']) {
      const refused = await client.refresh(refreshToken, { resource });
      expect([resource, refused.status, await outcome(refused)]).toEqual([resource, 400, 'invalid_target']);
    }
    expect(await outcome(await client.refresh(refreshToken))).toBe('200');
  });

  it('is the origin at which the person was asked: another spelling of loopback is another deployment', async () => {
    const { accessToken } = await connected();
    expect((await rpc(accessToken, 'tools/list', {}, { address: 'http://127.0.0.1:8787/mcp' })).status).toBe(401);
  });
});

describe('the token endpoint', () => {
  it.each([
    [
      'an invented code',
      { grant_type: 'authorization_code', code: 'per_x.y:z:1', code_verifier: 'x' },
      400,
      'invalid_grant',
    ],
    ['an invented refresh token', { grant_type: 'refresh_token', refresh_token: 'invented' }, 400, 'invalid_grant'],
    ['no code', { grant_type: 'authorization_code' }, 400, 'invalid_request'],
    [
      'a flow that is not offered',
      { grant_type: 'password', username: 'a', password: 'b' },
      400,
      'unsupported_grant_type',
    ],
    ['nothing', {}, 400, 'unsupported_grant_type'],
    ['a field twice', { grant_type: 'refresh_token', refresh_token: ['a', 'b'] }, 400, 'invalid_request'],
    [
      'an unknown client',
      { client_id: 'forgotten', grant_type: 'refresh_token', refresh_token: 'x' },
      401,
      'invalid_client',
    ],
  ])('answers %s with an OAuth error', async (_what, fields, status, error) => {
    const { id } = await OAuthClient.register();
    const response = await sendForm('/token', { client_id: id, ...fields });
    expect([response.status, await outcome(response)]).toEqual([status, error]);
  });

  it('takes forms only', async () => {
    const headers = { 'Content-Type': 'application/json' };
    const response = await send('/token', { method: 'POST', body: '{"grant_type":"refresh_token"}', headers });
    expect([response.status, await outcome(response)]).toEqual([400, 'invalid_request']);
  });

  it('lets pages of other origins read its answers', async () => {
    const headers = { Origin: 'https://inspector.example' };
    const response = await sendForm('/token', { grant_type: 'refresh_token' }, headers);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe(headers.Origin);
  });

  it('grants no scopes that the person did not', async () => {
    const client = await OAuthClient.register();
    const narrow = await new Person().connect(client, {}, ['sessions:read']);
    expect(narrow.tokens.scope).toBe('sessions:read');
    const wider = await tokens(await client.refresh(narrow.refreshToken, { scope: SCOPES }));
    expect(wider.scope).toBe('sessions:read');
    expect(await outcome(await client.refresh(wider.refresh_token, { scope: 'sessions:write' }))).toBe('invalid_scope');
  });

  it('lets a client have ten grants of one person: the eleventh ends the oldest', async () => {
    const client = await OAuthClient.register();
    const ada = new Person();
    const grants = [];
    for (const second of times(11, (index) => index)) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + second * 1000 });
      grants.push(await ada.connect(client));
    }
    expect(await Promise.all(grants.map(async ({ accessToken }) => statusOf(accessToken)))).toEqual([
      401,
      ...times(10, () => 200),
    ]);
  });
});

describe('a new PERSON_ID_KEY', () => {
  const [before, now] = [String(bindings['PERSON_ID_KEY']), 'the-key-after-the-rotation'.padEnd(64, '0')];
  const appWith = (keys: Record<string, string>) => createApp({ ...bindings, ...keys }, TEST_TOOLSETS);
  const statusAt = async (app: App, token: string) => {
    const { headers, ...request } = rpcRequest('tools/list');
    const sent = { ...request, headers: { ...headers, Authorization: `Bearer ${token}` } };
    return (await app.fetch(new Request(`${ORIGIN}/mcp`, sent))).status;
  };

  it('logs nobody out while the old one is among the retired', async () => {
    const rotated = appWith({ PERSON_ID_KEY: now, PERSON_ID_KEYS_RETIRED: before });
    const { client, accessToken, refreshToken } = await connected();
    expect(await statusAt(rotated, accessToken)).toBe(200);
    const fields = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: client.id };
    const request = new Request(`${ORIGIN}/token`, { method: 'POST', body: new URLSearchParams(fields) });
    const refreshed = await tokens(await rotated.fetch(request));
    expect(await statusAt(rotated, refreshed.access_token)).toBe(200);
  });

  it('alone refuses what the old one marked', async () => {
    const { accessToken } = await connected();
    expect(await statusAt(appWith({ PERSON_ID_KEY: now }), accessToken)).toBe(401);
    expect(await statusAt(appWith({}), accessToken)).toBe(200);
  });
});

describe('the directory', () => {
  it('knows which person granted what to which client, from before the grant', async () => {
    const client = await OAuthClient.register();
    const [, personId, grantId] = /^(per_\w+)\.\w+:([\w-]+):/.exec(codeOf(await new Person().allow(client))) ?? [];
    const rows = await bindings.DIRECTORY.prepare('SELECT person_id, client_id FROM grants WHERE grant_id = ?')
      .bind(grantId)
      .all();
    expect(rows.results).toEqual([{ person_id: personId, client_id: client.id }]);
  });

  it('is swept of what has expired, by the hour', async () => {
    const client = await OAuthClient.register();
    await new Person().open(client);
    const kept = async () => {
      const { results } = await bindings.DIRECTORY.prepare('SELECT key FROM oauth_records').all<{ key: string }>();
      const keys = results.map(({ key }) => key);
      return {
        questions: keys.some((key) => key.startsWith('transaction:')),
        client: keys.includes(`client:${client.id}`),
      };
    };
    expect(await kept()).toEqual({ questions: true, client: true });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    await createApp(bindings, TEST_TOOLSETS).scheduled();
    expect(await kept()).toEqual({ questions: false, client: true });
    vi.setSystemTime(Date.now() + 15 * 86_400_000);
    await createApp(bindings, TEST_TOOLSETS).scheduled();
    expect((await bindings.DIRECTORY.prepare('SELECT * FROM sign_in_sessions').all()).results).toEqual([]);
  });
});

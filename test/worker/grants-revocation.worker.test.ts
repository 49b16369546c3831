import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { delayStorage, resetReached, storageReached } from '../support/delays.ts';
import { rpc, rpcRequest, statusOf, tool } from '../support/mcp.ts';
import type { RpcRequest } from '../support/mcp.ts';
import { connected, OAuthClient, ORIGIN, outcome, Person, send, tokens } from '../support/person.ts';
import type { Connection } from '../support/person.ts';
import { leftOf, ROUNDS, tally } from '../support/rounds.ts';

const { WORKSPACE } = env as unknown as Bindings;

afterEach(() => {
  vi.useRealTimers();
});

/** The ways in which a client's access ends. */
const ENDINGS: Record<string, (connection: Connection) => Promise<unknown>> = {
  'its refresh token was revoked': async ({ client, refreshToken }) => client.revoke(refreshToken),
  'its access token was revoked': async ({ client, accessToken }) => client.revoke(accessToken),
  'the person ended the grant': async ({ personId, grantId }) => WORKSPACE.getByName(personId).revokeGrant(grantId),
  'the person was disabled': async ({ personId }) =>
    WORKSPACE.getByName(personId).writeStanding({ role: 'member', disabled: true }),
};

type CallInit = Omit<Partial<RpcRequest>, 'method'> & { method: string };

/** Calls that differ in how far they come before the workspace would be asked. */
const CALLS: Record<string, { address?: string; init?: CallInit }> = {
  'tools/call': { init: rpcRequest('tools/call', { name: 'whoami' }) },
  'tools/call of 2025': { init: rpcRequest('tools/call', { name: 'whoami' }, '2025') },
  'tools/list': { init: rpcRequest('tools/list') },
  'tools/list of 2025': { init: rpcRequest('tools/list', {}, '2025') },
  'server/discover': { init: rpcRequest('server/discover') },
  'initialize of 2025': {
    init: rpcRequest('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} }, '2025'),
  },
  'resources/list': { init: rpcRequest('resources/list') },
  'an unknown tool': { init: rpcRequest('tools/call', { name: 'no_such_tool' }) },
  'wrong arguments': { init: rpcRequest('tools/call', { name: 'state_get', arguments: { key: 1 } }) },
  'a notification': { init: { method: 'POST', body: '{"jsonrpc":"2.0","method":"notifications/initialized"}' } },
  'no JSON': { init: { method: 'POST', body: '{' } },
  'a toolset that is not here': { address: '/mcp?toolsets=nope', init: rpcRequest('tools/list') },
  GET: { init: { method: 'GET' } },
  'GET /files': { address: '/files', init: { method: 'GET' } },
};

async function call(name: string, token: string): Promise<Response> {
  const { address = '/mcp', init } = CALLS[name] ?? {};
  return send(address, {
    ...init,
    headers: { ...init?.headers, Authorization: `Bearer ${token}` },
  });
}

describe.each(Object.keys(ENDINGS))('once %s', (ending) => {
  it.each(Object.keys(CALLS))('the very next call is refused with a challenge: %s', async (name) => {
    const connection = await connected();
    expect((await call(name, connection.accessToken)).status).not.toBe(401);
    await ENDINGS[ending]?.(connection);
    const refused = await call(name, connection.accessToken);
    expect(refused.status).toBe(401);
    const challenge = refused.headers.get('WWW-Authenticate');
    expect(challenge).toContain('error="invalid_token"');
    const resource = name === 'GET /files' ? '' : '/mcp';
    expect(challenge).toContain(`resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource${resource}"`);
  });
});

describe(
  'a refresh that races a revocation, with 0 to 20 ms before each access to storage',
  { timeout: 240_000 },
  () => {
    beforeAll(() => {
      // Tens of thousands of events, each a line.
      vi.spyOn(console, 'log').mockImplementation(() => {});
      delayStorage(20);
    });

    afterAll(() => {
      delayStorage(0);
      vi.restoreAllMocks();
    });

    it('by its refresh token, leaves no grant', async () => {
      const happened = await tally(ROUNDS, async ({ person, client }) => {
        const connection = await person.connect(client);
        const [refreshed, revoked] = await Promise.all([
          client.refresh(connection.refreshToken),
          client.revoke(connection.refreshToken, { token_type_hint: 'refresh_token' }),
        ]);
        const answers = [connection.tokens, ...(refreshed.ok ? [await tokens(refreshed)] : [])];
        return `revoked: ${revoked.status}; then ${await leftOf(connection, answers)}`;
      });
      expect(happened).toEqual({ 'revoked: 200; then 401, invalid_grant': ROUNDS });
    });

    it('by the person, leaves no grant', async () => {
      let [granted, usual] = [0, 60];
      const happened = await tally(ROUNDS, async ({ person, client }) => {
        const connection = await person.connect(client);
        const started = Date.now();
        const refresh = client.refresh(connection.refreshToken).then(async (refreshed) => {
          usual = usual * 0.9 + (Date.now() - started) * 0.1;
          return refreshed.ok ? [await tokens(refreshed)] : [];
        });
        // Anywhere from before the refresh to a little after it.
        const revoke = async () => WORKSPACE.getByName(connection.personId).revokeGrant(connection.grantId);
        const [answers] = await Promise.all([refresh, scheduler.wait(Math.random() * usual * 1.5).then(revoke)]);
        granted += answers.length;
        return `then ${await leftOf(connection, [connection.tokens, ...answers])}`;
      });
      expect(happened).toEqual({ 'then 401, invalid_grant': ROUNDS });
      // Each came first in some of them, or this was no race.
      expect(granted).toBeGreaterThan(0);
      expect(granted).toBeLessThan(ROUNDS);
    });
  },
);

describe('revoking', () => {
  it('an access token leaves the grant and its other tokens', async () => {
    const { client, accessToken, refreshToken } = await connected();
    const second = await tokens(await client.refresh(refreshToken));
    await client.revoke(accessToken, { token_type_hint: 'access_token' });
    expect([await statusOf(accessToken), await statusOf(second.access_token)]).toEqual([401, 200]);
    expect(await outcome(await client.refresh(second.refresh_token))).toBe('200');
  });

  it('works without a hint, and with a wrong one', async () => {
    for (const token_type_hint of [undefined, 'access_token', 'refresh_token', 'nonsense']) {
      const { client, accessToken, refreshToken } = await connected();
      expect((await client.revoke(accessToken, { token_type_hint })).status).toBe(200);
      expect(await statusOf(accessToken)).toBe(401);
      expect((await client.revoke(refreshToken, { token_type_hint })).status).toBe(200);
      expect(await outcome(await client.refresh(refreshToken))).toBe('invalid_grant');
    }
  });

  it('is never answered with success while the token lives: an empty grant_type does not hide it', async () => {
    const { client, refreshToken } = await connected();
    const answer = await client.revoke(refreshToken, { grant_type: '' });
    const left = await outcome(await client.refresh(refreshToken));
    expect([answer.status, left]).toEqual([200, 'invalid_grant']);
  });

  it('says nothing of tokens that do not exist or are of another client, and leaves those alone', async () => {
    const { client, accessToken, refreshToken } = await connected();
    const stranger = await OAuthClient.register();
    for (const token of ['invented', 'a:b:c', `${accessToken}x`, accessToken, refreshToken]) {
      const answer = await stranger.revoke(token);
      expect([token, answer.status, await answer.text()]).toEqual([token, 200, '']);
    }
    expect([await statusOf(accessToken), await outcome(await client.refresh(refreshToken))]).toEqual([200, '200']);
  });

  it('needs the secret of a client that has one', async () => {
    const client = await OAuthClient.register({ token_endpoint_auth_method: 'client_secret_post' });
    const { accessToken, refreshToken } = await new Person().connect(client);
    expect(await outcome(await client.revoke(refreshToken, { client_secret: 'guessed' }))).toBe('invalid_client');
    expect(await statusOf(accessToken)).toBe(200);
  });

  it('is for as long as the person is disabled: no token is given, and none is lost', async () => {
    const { client, accessToken, refreshToken, personId } = await connected();
    const workspace = WORKSPACE.getByName(personId);
    await workspace.writeStanding({ role: 'member', disabled: true });
    expect(await outcome(await client.refresh(refreshToken))).toBe('invalid_grant');
    await workspace.writeStanding({ role: 'member', disabled: false });
    expect(await statusOf(accessToken)).toBe(200);
    expect(await outcome(await client.refresh(refreshToken))).toBe('200');
  });

  it('ends one grant of a person and leaves the others', async () => {
    const [ada, client] = [new Person(), await OAuthClient.register()];
    const [phone, laptop] = [await ada.connect(client), await ada.connect(client)];
    await client.revoke(phone.refreshToken);
    expect([await statusOf(phone.accessToken), await statusOf(laptop.accessToken)]).toEqual([401, 200]);
  });

  it('holds when the object starts anew, and when it has swept', async () => {
    const { client, accessToken, refreshToken, personId, grantId } = await connected();
    const workspace = WORKSPACE.getByName(personId);
    await workspace.revokeGrant(grantId);
    await evictDurableObject(workspace);
    expect([await statusOf(accessToken), await outcome(await client.refresh(refreshToken))]).toEqual([
      401,
      'invalid_grant',
    ]);
    await runDurableObjectAlarm(workspace);
    expect([await statusOf(accessToken), await outcome(await client.refresh(refreshToken))]).toEqual([
      401,
      'invalid_grant',
    ]);
  });
});

describe('time', () => {
  it('ends an access token after an hour and a grant after thirty days without a visit', async () => {
    const { client, accessToken, refreshToken } = await connected();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_601_000 });
    expect(await statusOf(accessToken)).toBe(401);
    const second = await tokens(await client.refresh(refreshToken));
    vi.setSystemTime(Date.now() + 29 * 86_400_000);
    const third = await tokens(await client.refresh(second.refresh_token));
    vi.setSystemTime(Date.now() + 30 * 86_400_000);
    expect(await outcome(await client.refresh(third.refresh_token))).toBe('invalid_grant');
  });

  it('sweeps what has expired, and nothing else', async () => {
    const { client, accessToken, refreshToken, personId } = await connected();
    await client.refresh(refreshToken);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_601_000 });
    const workspace = WORKSPACE.getByName(personId);
    expect(await runDurableObjectAlarm(workspace)).toBe(true);
    const left = await runInDurableObject(workspace, (_object, { storage }) => [
      ...storage.sql.exec('SELECT key FROM oauth_records UNION ALL SELECT presented_hash FROM oauth_replays'),
    ]);
    expect(left).toEqual([{ key: expect.stringMatching(/^grant:/) }]);
    expect(await statusOf(accessToken)).toBe(401);
  });
});

describe('a forged token', () => {
  it.each([
    ['of one part', 'x'],
    ['of three parts', 'a:b:c'],
    ['of a person who is none', 'per_00000000000000000000.0000000000000000:aaaaaaaaaaaaaaaa:bbbb'],
    ['without end', `per_${'z'.repeat(4000)}`],
  ])('%s is refused before any storage is read', async (_what, token) => {
    await connected();
    resetReached();
    expect((await rpc(token, 'tools/list')).status).toBe(401);
    expect(storageReached()).toEqual({ directory: 0, workspaces: 0 });
  });

  it('with any character of the person changed is refused before any storage is read', async () => {
    const { accessToken } = await connected();
    const end = accessToken.indexOf(':');
    resetReached();
    for (let index = 0; index < end; index++) {
      const other = accessToken[index] === 'a' ? 'b' : 'a';
      const forged = accessToken.slice(0, index) + other + accessToken.slice(index + 1);
      expect([forged, (await rpc(forged, 'tools/list')).status]).toEqual([forged, 401]);
    }
    expect(storageReached()).toEqual({ directory: 0, workspaces: 0 });
  });

  it('with any later character changed, added or left out is refused by the person’s own object', async () => {
    const { accessToken } = await connected();
    const [, grant = '', secret = ''] = accessToken.split(':');
    const start = accessToken.length - grant.length - secret.length - 1;
    resetReached();
    for (let index = start; index < accessToken.length; index += 3) {
      const other = accessToken[index] === 'a' ? 'b' : 'a';
      expect((await rpc(accessToken.slice(0, index) + other + accessToken.slice(index + 1), 'tools/list')).status).toBe(
        401,
      );
    }
    for (const forged of [`${accessToken}a`, accessToken.slice(0, -1)])
      expect((await rpc(forged, 'tools/list')).status).toBe(401);
    expect(storageReached().directory).toBe(0);
  });

  it('is no refresh token and no code: what is for one purpose opens nothing else', async () => {
    const { client, accessToken, refreshToken } = await connected();
    expect(await statusOf(refreshToken)).toBe(401);
    expect(await outcome(await client.refresh(accessToken))).toBe('invalid_grant');
    expect(await outcome(await client.redeem(refreshToken))).toBe('invalid_grant');
  });

  it.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'bearer x y', 'Bearer a, Bearer b'])(
    'in the header %j is challenged',
    async (authorization) => {
      const response = await send('/mcp', { ...rpcRequest('tools/list'), headers: { Authorization: authorization } });
      expect(response.status).toBe(401);
      expect(response.headers.get('WWW-Authenticate')).toMatch(/^Bearer /);
    },
  );

  it('in the address is not looked at', async () => {
    const { accessToken } = await connected();
    expect((await send(`/mcp?access_token=${accessToken}`, rpcRequest('tools/list'))).status).toBe(401);
  });
});

describe('a request with a token', () => {
  it('reaches its workspace once and the directory never', async () => {
    const { accessToken } = await connected();
    await tool(accessToken, 'whoami');
    for (const [method, params] of [
      ['tools/list', {}],
      ['tools/call', { name: 'state_list' }],
      ['nonsense', {}],
    ] as const) {
      resetReached();
      await rpc(accessToken, method, params);
      expect([method, storageReached()]).toEqual([method, { directory: 0, workspaces: 1 }]);
    }
  });
});

import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { auditDuring } from '../support/audit.ts';
import { delayStorage } from '../support/delays.ts';
import { tool, rpc, statusOf } from '../support/mcp.ts';
import { codeOf, Connection, OAuthClient, outcome, send, tokens } from '../support/person.ts';
import type { Visitor } from '../support/people.ts';
import { withRole } from '../support/people.ts';
import { times } from '../support/rounds.ts';

const SCOPES = ['files:read', 'files:write', 'sessions:read'];

let ada: Visitor;
let connection: Connection;
beforeEach(async () => {
  ada = await withRole('member');
  connection = await ada.connect(await OAuthClient.register(), {}, SCOPES);
});

/** What a person unticks on the page of their apps. */
async function keep(scopes: readonly string[], { grantId } = connection, who = ada): Promise<number> {
  const page = await who.browser.open('/account/apps');
  const token = /name="form_token" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
  const body = new URLSearchParams([['form_token', token], ...scopes.map((scope) => ['scope', scope])]);
  const answer = await who.browser.open(`/account/apps/${grantId}/narrow`, {
    method: 'POST',
    body: body.toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: 'http://localhost:8787' },
  });
  return answer.status;
}

const toolNames = async (token: string) => {
  const { message } = await rpc(token, 'tools/list');
  return (message.result!['tools'] as { name: string }[]).map(({ name }) => name);
};

describe('an app that may do less from now on', () => {
  it('has it with its next request, and stays connected', async () => {
    const { accessToken, refreshToken, client, grantId, personId } = connection;
    expect(await toolNames(accessToken)).toContain('file_write');
    const written = await auditDuring(async () => expect(await keep(['files:read', 'sessions:read'])).toBe(200));
    expect(written).toMatchObject([
      { action: 'grant_narrowed', personId, grantId, clientId: client.id, detail: { taken: 'files:write' } },
    ]);
    // The 401 sends the client to refresh, as at the end of each hour.
    expect(await statusOf(accessToken)).toBe(401);
    const next = await tokens(await client.refresh(refreshToken));
    expect(next.scope.split(' ').toSorted()).toEqual(['files:read', 'sessions:read']);
    expect(await toolNames(next.access_token)).not.toContain('file_write');
    const refused = await send('/files?path=a.txt', {
      method: 'POST',
      body: 'text',
      headers: { Authorization: `Bearer ${next.access_token}` },
    });
    expect(refused.status).toBe(403);
    expect((await ada.browser.open('/account/apps')).body).not.toContain('value="files:write"');
  });

  it('does not get it back by asking for it', async () => {
    const { client, refreshToken } = connection;
    await keep(['files:read']);
    expect(await outcome(await client.refresh(refreshToken, { scope: 'files:write' }))).toBe('invalid_scope');
    const next = await tokens(await client.refresh(refreshToken, { scope: 'files:read files:write' }));
    expect(next.scope).toBe('files:read');
  });

  it('does not get it back by a refresh that is repeated, answered before or under way', async () => {
    const { client, refreshToken } = connection;
    const before = await tokens(await client.refresh(refreshToken));
    await keep(['files:read']);
    expect(await statusOf(before.access_token)).toBe(401);
    const repeated = await tokens(await client.refresh(refreshToken));
    expect(repeated.scope).toBe('files:read');
  });

  it('keeps nothing that it was taken in a race with twenty refreshes', { timeout: 60_000 }, async () => {
    delayStorage(4);
    onTestFinished(() => delayStorage(0));
    const client = await OAuthClient.register();
    const kept = ['files:read'];
    for (const round of times(12, (index) => index)) {
      const raced = await ada.connect(client, {}, SCOPES);
      const later = async () => {
        // In the middle of them, elsewhere in each round.
        await scheduler.wait(4 * round);
        return keep(kept, raced);
      };
      const [status, ...answers] = await Promise.all([
        later(),
        ...times(20, async () => client.refresh(raced.refreshToken)),
      ]);
      expect(status).toBe(200);
      const given = await Promise.all(answers.map(tokens));
      // Before or after: whatever was given with more has ended, and what lives has no more than is left.
      const statuses = await Promise.all(given.map(async ({ access_token: token }) => statusOf(token)));
      const alive = given.filter((_, at) => statuses[at] === 200).map(({ scope }) => scope.split(' ').toSorted());
      expect(alive).toEqual(alive.map(() => kept));
      const next = await tokens(await client.refresh(given.at(-1)?.refresh_token ?? ''));
      expect(next.scope).toBe('files:read');
    }
  });

  it('and is written once by two forms at once, of which the second would leave nothing', async () => {
    const client = await OAuthClient.register();
    for (const _ of times(8, () => undefined)) {
      const both = await ada.connect(client, {}, ['files:read', 'sessions:read']);
      delayStorage(3);
      let answers: number[] = [];
      const written = await auditDuring(async () => {
        answers = await Promise.all([keep(['files:read'], both), keep(['sessions:read'], both)]);
      });
      delayStorage(0);
      const left = (await tokens(await client.refresh(both.refreshToken))).scope;
      const lines = written.filter(({ action }) => action === 'grant_narrowed').map(({ detail }) => detail['taken']);
      const taken = left === 'files:read' ? 'sessions:read' : 'files:read';
      expect([answers.toSorted((one, two) => one - two), lines]).toEqual([[200, 400], [taken]]);
    }
  });

  it('does not get it back with a code that waits', async () => {
    const { client } = connection;
    const waiting = codeOf(await ada.allow(client, {}, SCOPES));
    await keep(['files:read']);
    expect(await outcome(await client.redeem(waiting))).toBe('invalid_grant');
    const next = await tokens(await client.refresh(connection.refreshToken));
    expect(next.scope).toBe('files:read');
  });

  it('can no longer use addresses that it made for what it was taken', async () => {
    const { accessToken } = connection;
    const upload = await tool(accessToken, 'file_upload', { path: 'a.txt', size: 4 });
    const stored = await tool(accessToken, 'file_write', { path: 'b.txt', text: 'text' });
    const link = await tool(accessToken, 'file_link', { file: (stored.content['file'] as { id: string }).id });
    const { url: up } = upload.content['upload'] as { url: string };
    const { url: down } = link.content['download'] as { url: string };
    await keep(['files:read', 'sessions:read']);
    expect((await send(up, { method: 'PUT', body: 'text' })).status).toBe(403);
    expect((await send(down)).status).toBe(200);
    await keep(['sessions:read']);
    expect((await send(down)).status).toBe(403);
  });

  it('must ask again, although the browser remembers that it was allowed', async () => {
    const client = await OAuthClient.register({ redirect_uris: ['https://app.example.com/callback'] });
    const scope = 'files:read files:write';
    const page = await ada.open(client, { scope });
    const form = ({ fields }: { fields: readonly { name: string }[] }) => fields.some(({ name }) => name === 'handle');
    const { url } = await ada.browser.submit(page, form, { decision: 'approve', remember: 'yes' });
    const remembered = new Connection(client, await tokens(await client.redeem(url.searchParams.get('code') ?? '')));
    expect((await ada.browser.open(client.authorizationUrl({ scope }))).left).toBe(true);
    await keep(['files:read'], remembered);
    const asked = await ada.browser.open(client.authorizationUrl({ scope }));
    expect([asked.left, asked.url.pathname]).toEqual([false, '/authorize']);
  });
});

describe('nothing changes', () => {
  const scopesNow = async () => {
    const { client, refreshToken } = connection;
    return (await tokens(await client.refresh(refreshToken))).scope.split(' ').toSorted();
  };

  it.for([
    ['nothing is left', [], 400],
    ['only what it never had is left', ['cart:write'], 400],
    ['all is left', SCOPES, 200],
    ['more is asked for', [...SCOPES, 'cart:write', 'admin'], 200],
  ] as const)('where %s', async ([, scopes, status]) => {
    const written = await auditDuring(async () => expect(await keep(scopes)).toBe(status));
    expect(written).toEqual([]);
    expect(await statusOf(connection.accessToken)).toBe(200);
    expect(await scopesNow()).toEqual(SCOPES);
  });

  it('for somebody else, to whom the app looks like one that is not there', async () => {
    const ben = await withRole('member');
    expect(await keep(['files:read'], connection, ben)).toBe(404);
    expect(await scopesNow()).toEqual(SCOPES);
  });

  it('for an app that was disconnected', async () => {
    await connection.client.revoke(connection.refreshToken);
    expect(await keep(['files:read'])).toBe(404);
  });
});

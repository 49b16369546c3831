import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

import { workspaceDependencies } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { AuditRepo } from '../../src/directory/audit-repo.ts';
import { GrantKeeper } from '../../src/oauth/grant-keeper.ts';
import { GrantStore } from '../../src/oauth/store.ts';
import { Database } from '../../src/workspace/sql.ts';
import { statusOf } from '../support/mcp.ts';
import { connected, ORIGIN, outcome, tokens } from '../support/person.ts';
import type { Connection } from '../support/person.ts';

const bindings = env as unknown as Bindings;

/** A connection that was refreshed twice, so that its first refresh token is old, and the grace period over. */
async function withOldToken(): Promise<{ connection: Connection; newest: string; accessToken: string }> {
  const connection = await connected();
  const { client, refreshToken } = connection;
  const second = await tokens(await client.refresh(refreshToken));
  const third = await tokens(await client.refresh(second.refresh_token));
  await runInDurableObject(bindings.WORKSPACE.getByName(connection.personId), (_object, { storage }) => {
    storage.sql.exec('DELETE FROM oauth_replays');
  });
  return { connection, newest: third.refresh_token, accessToken: third.access_token };
}

async function reuses(grantId: string): Promise<unknown[]> {
  const lines = await new AuditRepo(bindings.DIRECTORY).list({ since: 0, limit: 200 });
  return lines
    .filter((line) => line.action === 'refresh_token_reused' && line.grantId === grantId)
    .map(({ detail }) => detail);
}

describe('a refresh token that comes back after its successor was used', () => {
  it('is refused and in the audit; the grant goes on', async () => {
    const { connection, newest, accessToken } = await withOldToken();
    expect(await outcome(await connection.client.refresh(connection.refreshToken))).toBe('invalid_grant');
    expect(await reuses(connection.grantId)).toEqual([{ grant_ended: false }]);
    expect(await statusOf(accessToken)).toBe(200);
    expect(await outcome(await connection.client.refresh(newest))).toBe('200');
  });

  it('ends the grant where the operator wants that', async () => {
    const { connection, accessToken } = await withOldToken();
    const answer = await runInDurableObject(
      bindings.WORKSPACE.getByName(connection.personId),
      async (_object, { storage }) => {
        const grants = new GrantStore(new Database(storage));
        const keeper = new GrantKeeper({ ...workspaceDependencies(bindings), grants, onReuse: 'revoke' });
        const form = { grant_type: 'refresh_token', refresh_token: connection.refreshToken };
        const body = new URLSearchParams({ ...form, client_id: connection.client.id });
        return outcome(await keeper.token(new Request(`${ORIGIN}/token`, { method: 'POST', body }), true));
      },
    );
    expect(answer).toBe('invalid_grant');
    expect(await reuses(connection.grantId)).toEqual([{ grant_ended: true }]);
    expect(await statusOf(accessToken)).toBe(401);
  });

  it('is no reuse within the grace period, of another grant, or when nobody gave it out', async () => {
    const connection = await connected();
    const { client, refreshToken, grantId } = connection;
    const second = await tokens(await client.refresh(refreshToken));
    expect(await outcome(await client.refresh(refreshToken))).toBe('200');
    const [person = '', , secret = ''] = second.refresh_token.split(':');
    const other = await connected();
    for (const token of [`${person}:${other.grantId}:${secret}`, `${person}:${grantId}:${'x'.repeat(secret.length)}`])
      expect(await outcome(await client.refresh(token))).toBe('invalid_grant');
    expect([await reuses(grantId), await reuses(other.grantId)]).toEqual([[], []]);
  });
});

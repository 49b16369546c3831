import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import { signInWithEmail } from '../../scripts/client/browser.ts';
import type { BrowserPage } from '../../scripts/client/browser.ts';
import { AuditRepo } from '../../src/directory/audit-repo.ts';
import { sha256Hex } from '../../src/lib/encoding.ts';
import { resetReached, storageReached } from '../support/delays.ts';
import { rpc, statusOf, tool } from '../support/mcp.ts';
import { connected, Person, send } from '../support/person.ts';

const { DIRECTORY } = env as unknown as { DIRECTORY: D1Database };

type Fields = Record<string, string | readonly string[]>;

/** The page's form, filled in as a person would and sent. @returns the page that answers */
async function make({ browser }: Person, fields: Fields): Promise<string> {
  const page = await browser.open('/account/tokens');
  return (await browser.submit(page, ({ action }) => action.endsWith('/tokens'), fields)).body;
}

async function end({ browser }: Person, token?: string): Promise<BrowserPage> {
  const page = await browser.open('/account/tokens');
  // With the form of one's own page, for whatever token.
  const form = token === undefined ? '/tokens/end' : '/tokens';
  if (token === undefined) return browser.submit(page, ({ action }) => action.endsWith(form), {});
  const action = page.body.replace('action="/account/tokens"', 'action="/account/tokens/end"');
  return browser.submit({ ...page, body: action }, (each) => each.action.endsWith('/tokens/end'), { token });
}

async function signedIn(): Promise<Person> {
  const person = new Person();
  const page = await person.browser.open('/sign-in');
  await signInWithEmail(person.browser, page, person.email);
  return person;
}

const tokenIn = (page: string) => /carrel_pat_[0-9a-z]+/.exec(page)?.[0] ?? '';

describe('a personal access token', () => {
  let person: Person;
  let token: string;

  beforeEach(async () => {
    person = await signedIn();
    token = tokenIn(await make(person, { name: 'Nightly', days: '30', scope: ['sessions:read', 'files:read'] }));
  });

  it('does over MCP and HTTP what it was allowed, and challenges for the rest', async () => {
    expect(token).toMatch(/^carrel_pat_[0-9a-z]{103}$/);
    const { content } = await tool(token, 'whoami');
    expect(content).toMatchObject({ client: 'personal-access-token', scopes: ['sessions:read', 'files:read'] });
    const files = await send('/files', { headers: { Authorization: `Bearer ${token}` } });
    expect(files.status).toBe(200);
    const refused = await rpc(token, 'tools/call', { name: 'state_set', arguments: { key: 'k', value: 1 } });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('WWW-Authenticate')).toContain('insufficient_scope');
  });

  it('is shown once, kept as a hash, and listed with its last use', async () => {
    await tool(token, 'whoami');
    const { body } = await person.browser.open('/account/tokens');
    expect(tokenIn(body)).toBe('');
    for (const fact of ['Nightly', 'sessions:read, files:read', new Date().toISOString().slice(0, 10)])
      expect(body).toContain(fact);
    const lines = await new AuditRepo(DIRECTORY).list({ since: 0, limit: 50 });
    const made = lines.find(({ action }) => action === 'token_made');
    expect(made?.detail).toEqual({ scopes: 'sessions:read files:read', days: 30 });
    const everything = JSON.stringify(lines);
    for (const secret of [token, await sha256Hex(token)]) expect(everything).not.toContain(secret);
  });

  it('is refused from the next call on once it is ended, with what it made', async () => {
    expect(await statusOf(token)).toBe(200);
    expect((await end(person)).url.pathname).toBe('/account/tokens');
    expect(await statusOf(token)).toBe(401);
    // Again, as somebody else, or invented: there is no such token.
    const grantId = `pat_${token.slice('carrel_pat_'.length + 36, 'carrel_pat_'.length + 56)}`;
    for (const [somebody, id] of [
      [person, grantId],
      [await signedIn(), grantId],
      [person, 'pat_00000000000000000000'],
    ] as const)
      expect((await end(somebody, id)).status).toBe(404);
  });

  it('of somebody else cannot be ended', async () => {
    const grantId = `pat_${token.slice('carrel_pat_'.length + 36, 'carrel_pat_'.length + 56)}`;
    expect((await end(await signedIn(), grantId)).status).toBe(404);
    expect(await statusOf(token)).toBe(200);
  });

  it('that was changed anywhere is refused, and costs no storage where its head or checksum is wrong', async () => {
    for (const at of [15, 35, 50, 80, token.length - 1]) {
      const other = token[at] === '0' ? '1' : '0';
      const changed = token.slice(0, at) + other + token.slice(at + 1);
      resetReached();
      expect(await statusOf(changed)).toBe(401);
      expect(storageReached()).toEqual({ directory: 0, workspaces: 0 });
    }
  });

  it('of somebody who was disabled is refused', async () => {
    const personId = `per_${token.slice('carrel_pat_'.length, 'carrel_pat_'.length + 20)}`;
    const { WORKSPACE } = env as unknown as { WORKSPACE: DurableObjectNamespace };
    const stub = WORKSPACE.getByName(personId) as unknown as { writeStanding(standing: object): Promise<void> };
    await stub.writeStanding({ role: 'member', disabled: true });
    expect(await statusOf(token)).toBe(401);
  });

  it('needs a name and a permission that there is, and no other lifetime than those offered', async () => {
    for (const [fields, problem] of [
      [{ name: ' ', days: '30', scope: ['sessions:read'] }, 'Give it a name'],
      [{ name: 'x'.repeat(61), days: '30', scope: ['sessions:read'] }, 'at most 60'],
      [{ name: 'a\u202eb', days: '30', scope: ['sessions:read'] }, 'cannot be seen'],
      [{ name: 'Fine', days: '30' }, 'at least one thing'],
      [{ name: 'Fine', days: '30', scope: ['admin:all'] }, 'at least one of the permissions'],
    ] as const) {
      const page = await make(person, fields);
      expect([tokenIn(page), page.includes(problem)]).toEqual(['', true]);
    }
    const short = await make(person, { name: 'Odd', days: '99999', scope: ['sessions:read'] });
    expect(short).toContain(new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10));
  });
});

it('somebody who is not signed in is sent to the sign-in, and back', async () => {
  const page = await new Person().browser.open('/account/tokens');
  expect([page.url.pathname, page.url.searchParams.get('return_to')]).toEqual(['/sign-in', '/account/tokens']);
});

it('an access token of an app cannot make one', async () => {
  const { accessToken } = await connected();
  const headers = { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/x-www-form-urlencoded' };
  const response = await send('/account/tokens', { method: 'POST', headers, body: 'name=x&scope=files:read&days=7' });
  expect(response.status).toBe(403);
});

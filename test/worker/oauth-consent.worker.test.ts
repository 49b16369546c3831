import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

import { decide, offeredScopes, signInWithEmail } from '../../scripts/client/browser.ts';
import type { Browser, BrowserPage } from '../../scripts/client/browser.ts';
import { htmlForms } from '../../scripts/client/html-forms.ts';
import type { Bindings } from '../../src/app.ts';
import { rpc, statusOf } from '../support/mcp.ts';
import {
  codeOf,
  LOOPBACK_REDIRECT,
  OAuthClient,
  ORIGIN,
  outcome,
  Person,
  SCOPES,
  send,
  tokens,
} from '../support/person.ts';

const REDIRECT = 'https://app.example/callback';
const registered = async (redirect = REDIRECT) => OAuthClient.register({ redirect_uris: [redirect] });

/** Sends the answer of a consent page by hand, as a page of somebody else would. */
async function answer(
  browser: Browser,
  page: BrowserPage,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const handle = htmlForms(page.body)
    .flatMap((form) => form.fields)
    .find(({ name }) => name === 'handle')?.value;
  const body = new URLSearchParams({ handle: handle ?? '', decision: 'approve', scope: 'sessions:read', ...fields });
  return send(page.url, {
    method: 'POST',
    body: body.toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: browser.cookieHeader(), ...headers },
  });
}

function stays(response: { status: number; headers: Headers }): boolean {
  return response.status >= 400 && response.headers.get('Location') === null;
}

describe('the consent page', () => {
  it('follows the sign-in and names the person, the client, where access goes, and every scope', async () => {
    const client = await OAuthClient.register({ client_name: 'Notes Helper', redirect_uris: [REDIRECT] });
    const ada = new Person('ada.lovelace@example.com');
    const page = await ada.open(client);
    expect([page.url.pathname, page.status]).toEqual(['/authorize', 200]);
    for (const fact of ['ada.lovelace@example.com', 'Notes Helper', 'app.example']) expect(page.body).toContain(fact);
    expect(offeredScopes(page)).toEqual(SCOPES.split(' ').map((name) => ({ name, checked: true })));
  });

  it('ticks what the client asked for and offers the rest', async () => {
    const page = await new Person().open(await registered(), { scope: 'sessions:read unknown:scope' });
    expect(offeredScopes(page).filter(({ checked }) => checked)).toEqual([{ name: 'sessions:read', checked: true }]);
    expect(offeredScopes(page)).toHaveLength(SCOPES.split(' ').length);
  });

  it('shows a name that is markup as text', async () => {
    const client = await OAuthClient.register({ client_name: '<img src=x onerror=alert(1)>' });
    const { body } = await new Person().open(client);
    expect(body).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(body).not.toContain('<img');
  });

  it('cannot be framed or stored, and its form can lead to the client and nowhere else', async () => {
    const client = await registered();
    const ada = new Person();
    await ada.open(client);
    const { headers } = await send(client.authorizationUrl(), { headers: { Cookie: ada.browser.cookieHeader() } });
    const policy = headers.get('Content-Security-Policy');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("form-action 'self' https://app.example;");
    expect(policy).toContain("default-src 'none'");
    expect([headers.get('X-Frame-Options'), headers.get('Cache-Control')]).toEqual(['DENY', 'no-store']);
    for (const cookie of headers.getSetCookie())
      expect(cookie).toMatch(/^__Host-.*; Path=\/; Secure; HttpOnly; SameSite=Lax/);
  });

  it('is not skipped for another client of a person who is signed in', async () => {
    const ada = new Person();
    await ada.connect(await registered());
    const page = await ada.browser.open((await registered()).authorizationUrl());
    expect([page.left, page.url.pathname]).toEqual([false, '/authorize']);
  });
});

describe('an answer', () => {
  it('that denies goes back to the client with the state and the issuer', async () => {
    const ada = new Person();
    const { left, url } = await decide(ada.browser, await ada.open(await registered()), 'deny');
    expect([left, url.origin + url.pathname]).toEqual([true, REDIRECT]);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'the-state',
      iss: ORIGIN,
    });
    expect(url.searchParams.has('code')).toBe(false);
  });

  it('that unticks a scope yields a token without it, and tools that need it challenge', async () => {
    const { accessToken, tokens: given } = await new Person().connect(await registered(), {}, ['sessions:read']);
    expect(given.scope).toBe('sessions:read');
    for (const era of ['2025', '2026'] as const) {
      const set = { name: 'state_set', arguments: { key: 'k', value: 1 } };
      const refused = await rpc(accessToken, 'tools/call', set, { era });
      expect(refused.status).toBe(403);
      const challenge = refused.headers.get('WWW-Authenticate');
      expect(challenge).toContain('error="insufficient_scope"');
      expect(challenge).toMatch(/scope="[^"]*sessions:write[^"]*"/);
      expect(challenge).toContain(`resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`);
      const listed = (await rpc(accessToken, 'tools/list', {}, { era })).message.result?.['tools'] as {
        name: string;
      }[];
      expect(listed.map(({ name }) => name)).toContain('state_get');
      expect(listed.map(({ name }) => name)).not.toContain('state_set');
    }
    const files = await send('/files', { headers: { Authorization: `Bearer ${accessToken}` } });
    expect([files.status, files.headers.get('WWW-Authenticate')]).toEqual([403, expect.stringContaining('files:read')]);
  });

  it('with no scope is put to the person again, and the page then works', async () => {
    const client = await registered();
    const ada = new Person();
    const again = await decide(ada.browser, await ada.open(client), 'approve', { scopes: [] });
    expect([again.left, again.status]).toEqual([false, 400]);
    expect(again.body).toContain('Choose at least one permission');
    const { url } = await decide(ada.browser, again, 'approve', { scopes: ['files:read'] });
    expect((await tokens(await client.redeem(codeOf(url)))).scope).toBe('files:read');
  });

  it('with a scope that is not offered grants nothing', async () => {
    const ada = new Person();
    const page = await ada.open(await registered());
    expect((await decide(ada.browser, page, 'approve', { scopes: ['sessions:read', 'admin'] })).status).toBe(400);
  });

  it('counts once', async () => {
    const client = await registered();
    const ada = new Person();
    const page = await ada.open(client);
    const first = await decide(ada.browser, page, 'approve');
    const second = await decide(ada.browser, page, 'approve');
    expect([first.left, second.left, second.status]).toEqual([true, false, 400]);
    expect(await outcome(await client.redeem(codeOf(first.url)))).toBe('200');
  });

  it('counts in the browser that was asked, and in no other', async () => {
    const client = await registered();
    const [ada, here, there] = [new Person(), new Person('ada@example.com'), new Person('ada@example.com')];
    const page = await here.open(client);
    await there.open(client);
    await ada.open(client);
    for (const { browser } of [there, ada]) expect(stays(await answer(browser, page, {}))).toBe(true);
    expect((await decide(here.browser, page, 'approve')).left).toBe(true);
  });

  it('counts for the person who was asked, not for one who signed in meanwhile in that browser', async () => {
    const ada = new Person();
    const page = await ada.open(await registered());
    const blaise = await signInWithEmail(ada.browser, await ada.browser.open('/sign-in'), 'blaise@example.com');
    expect(blaise.body).toContain('blaise@example.com');
    for (const decision of ['approve', 'deny'] as const) {
      const refused = await decide(ada.browser, page, decision);
      expect([refused.left, refused.status]).toEqual([false, 403]);
    }
  });

  it('asks for a sign-in first when the browser was signed out meanwhile', async () => {
    const ada = new Person();
    const page = await ada.open(await registered());
    await ada.browser.submit(page, ({ action }) => action === '/sign-out', { return_to: '/' });
    const asked = await decide(ada.browser, page, 'approve');
    expect([asked.left, asked.url.pathname]).toEqual([false, '/sign-in']);
  });

  it.each(['', 'invented', 'invented.mark', '..', '\u{0}'])('with the handle %j grants nothing', async (handle) => {
    const ada = new Person();
    const page = await ada.open(await registered());
    expect(stays(await answer(ada.browser, page, { handle }))).toBe(true);
  });

  it.each(['https://evil.example', 'http://localhost:3000', 'null'])(
    'sent by a page of %s grants nothing',
    async (origin) => {
      const ada = new Person();
      const page = await ada.open(await registered());
      const refused = await answer(ada.browser, page, {}, { Origin: origin });
      expect([refused.status, refused.headers.get('Location')]).toEqual([403, null]);
      expect((await decide(ada.browser, page, 'approve')).left).toBe(true);
    },
  );
});

describe('a remembered consent', () => {
  /** Whether the client gets its code without a question. */
  const skips = async ({ browser }: Person, client: OAuthClient, changes = {}) => {
    const { left, url } = await browser.open(client.authorizationUrl(changes));
    return left && url.searchParams.has('code');
  };
  const remembering = async (ada: Person, client: OAuthClient, scope = 'sessions:read files:read') => {
    const { url } = await decide(ada.browser, await ada.open(client, { scope }), 'approve', { remember: true });
    return tokens(await client.redeem(codeOf(url)));
  };

  it('is not asked again for the same or less', async () => {
    const [ada, client] = [new Person(), await registered()];
    await remembering(ada, client);
    expect(await skips(ada, client, { scope: 'files:read sessions:read' })).toBe(true);
    const { url } = await ada.browser.open(client.authorizationUrl({ scope: 'files:read' }));
    const { access_token, scope } = await tokens(await client.redeem(codeOf(url)));
    expect([scope, await statusOf(access_token)]).toEqual(['files:read', 403]);
  });

  it('is asked again once its access was ended, or when it never made use of it', async () => {
    const [ada, client] = [new Person(), await registered()];
    const { refresh_token: token } = await remembering(ada, client);
    expect(await skips(ada, client, { scope: 'files:read' })).toBe(true);
    expect((await client.revoke(token)).status).toBe(200);
    // The code that it was just given is not redeemed: it is no access yet.
    expect(await skips(ada, client, { scope: 'files:read' })).toBe(false);
  });

  it('is asked again for more, or for whatever there is', async () => {
    const [ada, client] = [new Person(), await registered()];
    await remembering(ada, client);
    expect(await skips(ada, client, { scope: 'sessions:read sessions:write' })).toBe(false);
    expect(await skips(ada, client, { scope: undefined })).toBe(false);
  });

  it('is asked again once the access that it gave was ended, whatever the browser remembers', async () => {
    const [ada, client] = [new Person(), await registered()];
    const { refresh_token } = await remembering(ada, client);
    expect(await skips(ada, client, { scope: 'files:read' })).toBe(true);
    await client.revoke(refresh_token);
    expect(await skips(ada, client, { scope: 'files:read' })).toBe(false);
  });

  it('is asked again when it was not to be remembered', async () => {
    const [ada, client] = [new Person(), await registered()];
    await ada.connect(client);
    expect(await skips(ada, client)).toBe(false);
  });

  it('is asked of another person, in another browser, for another client or redirect', async () => {
    const [ada, elsewhere] = [new Person('ada@example.com'), new Person('ada@example.com')];
    const redirects = [REDIRECT, 'https://app.example/other'];
    const client = await OAuthClient.register({ redirect_uris: redirects });
    await remembering(ada, client);
    await elsewhere.connect(await registered());
    expect(await skips(elsewhere, client, { scope: 'files:read' })).toBe(false);
    expect(await skips(ada, await registered(), { scope: 'files:read' })).toBe(false);
    expect(await skips(ada, client, { scope: 'files:read', redirect_uri: redirects[1] })).toBe(false);
    await signInWithEmail(ada.browser, await ada.browser.open('/sign-in'), 'blaise@example.com');
    expect(await skips(ada, client, { scope: 'files:read' })).toBe(false);
  });

  it.each([LOOPBACK_REDIRECT, 'http://localhost/callback', 'com.example.app:/callback'])(
    'does not exist for %s, where any program could listen',
    async (redirect) => {
      const [ada, client] = [new Person(), await registered(redirect)];
      const page = await ada.open(client, { scope: 'files:read' });
      expect(page.body).not.toContain('name="remember"');
      // Ticked by hand all the same.
      expect((await decide(ada.browser, page, 'approve', { remember: true })).left).toBe(true);
      expect(await skips(ada, client, { scope: 'files:read' })).toBe(false);
    },
  );

  it('ends with the person: somebody who was disabled is not signed in any more', async () => {
    const { DIRECTORY } = env as unknown as Bindings;
    const [ada, client] = [new Person(), await registered()];
    await remembering(ada, client);
    await DIRECTORY.prepare('UPDATE persons SET disabled_at = 1 WHERE email = ?').bind(ada.email).run();
    const page = await ada.browser.open(client.authorizationUrl({ scope: 'files:read' }));
    expect([page.left, page.url.pathname]).toEqual([false, '/sign-in']);
    expect((await signInWithEmail(ada.browser, page, ada.email)).body).toContain('This account was disabled');
  });
});

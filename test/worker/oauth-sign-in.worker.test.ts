import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';

import { Browser, signInWithEmail } from '../../scripts/client/browser.ts';
import { htmlForms } from '../../scripts/client/html-forms.ts';
import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { connected, ORIGIN, Person, send } from '../support/person.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';

const bindings = env as unknown as Bindings;

function formToken(body: string): string {
  const fields = htmlForms(body).flatMap((form) => form.fields);
  return fields.find(({ name }) => name === 'form_token')?.value ?? '';
}

/** The sign-in form, sent by hand. */
async function signIn(browser: Browser, fields: Record<string, string>, headers: Record<string, string> = {}) {
  return send('/sign-in', {
    method: 'POST',
    body: new URLSearchParams({ email: 'ada@example.com', ...fields }).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: browser.cookieHeader(), ...headers },
  });
}

/** A browser at the sign-in page, with the page's token. */
async function atSignIn(): Promise<{ browser: Browser; token: string }> {
  const { browser } = new Person();
  return { browser, token: formToken((await browser.open('/sign-in')).body) };
}

describe('the sign-in form', () => {
  it('signs a browser in and out', async () => {
    const { browser } = new Person();
    const home = await signInWithEmail(browser, await browser.open('/sign-in'), ' Ada@Example.com ');
    expect([home.url.pathname, home.status]).toEqual(['/', 200]);
    expect(home.body).toContain('ada@example.com');
    const kept = browser.cookieHeader();
    await browser.submit(home, ({ action }) => action === '/sign-out', {});
    expect((await browser.open('/')).body).not.toContain('ada@example.com');
    // The secret of the cookie is worth nothing any more, whoever kept it.
    expect(await (await send('/', { headers: { Cookie: kept } })).text()).not.toContain('ada@example.com');
  });

  it('gives two first sign-ins at once one person', async () => {
    const email = 'twice@example.com';
    const people = await Promise.all([1, 2, 3, 4].map(async () => new Person(email).browser));
    await Promise.all(people.map(async (browser) => signInWithEmail(browser, await browser.open('/sign-in'), email)));
    const rows = await bindings.DIRECTORY.prepare('SELECT id FROM persons WHERE email = ?').bind(email).all();
    expect(rows.results).toHaveLength(1);
  });

  it.each(['', 'ada', 'ada@', '<script>@example.com', `${'a'.repeat(250)}@example.com`])(
    'says what is wrong with %s',
    async (email) => {
      const { browser, token } = await atSignIn();
      const response = await signIn(browser, { form_token: token, email });
      expect([response.status, response.headers.getSetCookie()]).toEqual([400, []]);
      const page = await response.text();
      expect(page).toContain('This is no e-mail address');
      expect(page).not.toContain('<script>@');
    },
  );

  it.each([
    ['no token', {}],
    ['an invented token', { form_token: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
    ['an empty token', { form_token: '' }],
  ])('with %s signs nobody in', async (_what, fields) => {
    const { browser } = await atSignIn();
    const response = await signIn(browser, fields);
    expect([response.status, response.headers.getSetCookie()]).toEqual([403, []]);
  });

  it('with the token of another browser signs nobody in', async () => {
    const [here, there] = [await atSignIn(), await atSignIn()];
    for (const browser of [here.browser, new Person().browser]) {
      const response = await signIn(browser, { form_token: there.token });
      expect([response.status, response.headers.getSetCookie()]).toEqual([403, []]);
    }
    expect((await signIn(there.browser, { form_token: there.token })).status).toBe(303);
  });

  it.each(['https://evil.example', 'http://localhost:3000', 'http://127.0.0.1:8787', 'null'])(
    'sent by a page of %s does nothing',
    async (origin) => {
      const { browser, token } = await atSignIn();
      const response = await signIn(browser, { form_token: token }, { Origin: origin });
      expect([response.status, response.headers.getSetCookie()]).toEqual([403, []]);
    },
  );

  it('in a form of another kind is refused in plain words', async () => {
    const { browser } = await atSignIn();
    const headers = { 'Content-Type': 'application/json', Cookie: browser.cookieHeader() };
    expect((await send('/sign-in', { method: 'POST', body: '{}', headers })).status).toBe(415);
  });

  it('signs nobody out without its token', async () => {
    const { browser } = new Person();
    await signInWithEmail(browser, await browser.open('/sign-in'), 'ada@example.com');
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: browser.cookieHeader() };
    expect((await send('/sign-out', { method: 'POST', body: '', headers })).status).toBe(403);
    expect((await browser.open('/')).body).toContain('ada@example.com');
  });
});

describe('after signing in', () => {
  it.each([
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '/\t/evil.example',
    '/..//evil.example',
    '/.//evil.example',
    '/a/%2e%2e//evil.example/',
    '///evil.example',
    '',
  ])('%j does not lead away', async (returnTo) => {
    const { browser, token } = await atSignIn();
    const response = await signIn(browser, { form_token: token, return_to: returnTo });
    const location = response.headers.get('Location') ?? '';
    expect([response.status, new URL(location, ORIGIN).origin]).toEqual([303, ORIGIN]);
    const page = await browser.open(`/sign-in?${new URLSearchParams({ return_to: returnTo }).toString()}`);
    const offered = htmlForms(page.body).flatMap((form) => form.fields);
    const kept = offered.find(({ name }) => name === 'return_to')?.value ?? '';
    expect(new URL(kept, ORIGIN).origin).toBe(ORIGIN);
  });

  it('a path of ours with its query is gone back to', async () => {
    const { browser, token } = await atSignIn();
    const returnTo = '/authorize?client_id=a&state=b%20c';
    const response = await signIn(browser, { form_token: token, return_to: returnTo });
    expect(response.headers.get('Location')).toBe(returnTo);
  });
});

describe('the development sign-in', () => {
  const forwarding = ['Forwarded', 'Via', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Real-IP'];

  it.each(forwarding)('does not exist for a request with %s', async (header) => {
    const { browser, token } = await atSignIn();
    const response = await signIn(browser, { form_token: token }, { [header]: '203.0.113.1' });
    expect([response.status, response.headers.getSetCookie()]).toEqual([404, []]);
    const page = await send('/sign-in', { headers: { [header]: '203.0.113.1', Accept: 'text/html' } });
    expect(await page.text()).not.toContain('name="email"');
  });

  it.each([
    ['off loopback', 'https://carrel.example', { PUBLIC_URL: 'https://carrel.example' }],
    [
      'in production',
      'https://carrel.example',
      { PUBLIC_URL: 'https://carrel.example', DEPLOYMENT: 'production', DEV_SIGN_IN: '' },
    ],
    ['without its flag', ORIGIN, { DEV_SIGN_IN: '' }],
    ['with a flag that says no', ORIGIN, { DEV_SIGN_IN: 'false' }],
  ])('does not exist %s', async (_where, origin, vars) => {
    const app = createApp({ ...bindings, ...vars }, TEST_TOOLSETS);
    const browser = new Browser(origin, async (url, init) => app.fetch(new Request(url, init)));
    const page = await browser.open('/sign-in');
    expect(page.status).toBe(200);
    expect(page.body).not.toContain('name="email"');
    const sent = new URLSearchParams({ email: 'ada@example.com', form_token: formToken(page.body), provider: 'dev' });
    const request = new Request(`${origin}/sign-in`, {
      method: 'POST',
      body: sent.toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: browser.cookieHeader() },
    });
    const response = await app.fetch(request);
    expect(response.headers.getSetCookie().filter((cookie) => cookie.includes('session'))).toEqual([]);
    expect(response.status).toBeGreaterThanOrEqual(400);
  });

  it('stops a production deployment that has its flag', async () => {
    const vars = { PUBLIC_URL: 'https://carrel.example', DEPLOYMENT: 'production', DEV_SIGN_IN: 'true' };
    const response = await createApp({ ...bindings, ...vars }, TEST_TOOLSETS).fetch(
      new Request('https://carrel.example/sign-in'),
    );
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('DEV_SIGN_IN');
  });
});

describe('the log', () => {
  it('holds nothing that opens anything', async () => {
    const lines: string[] = [];
    for (const level of ['log', 'error', 'warn', 'info'] as const)
      vi.spyOn(console, level).mockImplementation((...values) => void lines.push(values.map(String).join(' ')));
    const { client, accessToken, refreshToken } = await connected();
    await client.refresh(refreshToken);
    await client.refresh(refreshToken, { scope: 'none:such' });
    await client.redeem(`${accessToken}x`);
    vi.restoreAllMocks();
    const log = lines.join('\n');
    expect(log).toContain('grant_made');
    expect(log).toContain('oauth_refused');
    for (const token of [accessToken, refreshToken]) expect(log).not.toContain(token.split(':')[2]);
  });
});

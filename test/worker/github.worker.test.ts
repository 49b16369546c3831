import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Browser, BrowserPage } from '../../scripts/client/browser.ts';
import type { App, Bindings } from '../../src/app.ts';
import { DirectoryRepo } from '../../src/directory/repo.ts';
import { audit, browserAt, lastLine, refusalOf, startApp } from '../support/campus.ts';
import { FakeGithub } from '../support/fake-github.ts';
import type { GithubAccount } from '../support/fake-github.ts';
import { ORIGIN } from '../support/person.ts';

const directory = new DirectoryRepo((env as unknown as Bindings).DIRECTORY);
const GITHUB = { GITHUB_CLIENT_ID: 'the-app', GITHUB_CLIENT_SECRET: 'the-secret', OIDC_PROVIDERS: '' };
const IN_ACME = { ...GITHUB, GITHUB_ORGANISATIONS: 'Acme, other-org' };

let github: FakeGithub;
let app: App;
let browser: Browser;

function deploy(vars: Record<string, unknown>): void {
  app = startApp(vars);
  browser = browserAt(app);
}

beforeEach(() => {
  github = new FakeGithub();
  vi.restoreAllMocks();
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (address, init) =>
    github.fetch(new Request(address).url, init),
  );
  deploy(GITHUB);
});

const primary = (email: string) => ({ email, primary: true, verified: true });
let accounts = 0;

function account(more: Partial<GithubAccount> = {}): GithubAccount {
  const id = ++accounts;
  return { id, login: `octo-${id}`, emails: [primary(`octo-${id}@example.com`)], ...more };
}

async function begin(at = browser): Promise<URL> {
  const page = await at.open('/sign-in/github?return_to=%2F%3Fback');
  expect(page.left).toBe(true);
  return page.url;
}

const signIn = async (who: GithubAccount, at = browser): Promise<BrowserPage> =>
  at.open(github.authorize(await begin(at), who));

const refusal = async (page: BrowserPage) => refusalOf(browser, page);

describe('GitHub', () => {
  it('signs people in with the least that it needs to know', async () => {
    const link = await begin();
    expect(`${link.origin}${link.pathname}`).toBe('https://github.com/login/oauth/authorize');
    expect(Object.fromEntries(link.searchParams)).toMatchObject({
      client_id: 'the-app',
      redirect_uri: `${ORIGIN}/sign-in/github/callback`,
      scope: 'user:email',
      code_challenge_method: 'S256',
    });
    const who = account();
    const page = await browser.open(github.authorize(link, who));
    expect([page.status, page.url.search]).toEqual([200, '?back']);
    expect(await lastLine()).toMatchObject({ action: 'signed_in', detail: { provider: 'github' } });
    expect(await directory.personByIdentity({ provider: 'github', subject: String(who.id) })).toMatchObject({
      email: who.emails[0]?.email,
    });
  });

  it('keeps no token: it is ended when it has answered', async () => {
    await signIn(account());
    expect(github.asked).toContain('DELETE /applications/the-app/token');
    expect(github.tokens.size).toBe(0);
    await signIn(account({ emails: [] }), browserAt(app));
    expect(github.tokens.size).toBe(0);
  });

  it('signs in all the same where the token cannot be ended', async () => {
    github.answers.set('/applications/the-app/token', () => new Response('', { status: 500 }));
    expect((await signIn(account())).status).toBe(200);
  });

  it('knows an account by its number: a login that somebody else took is a stranger', async () => {
    const before = account({ login: 'ada' });
    const after = account({ login: 'ada' });
    await signIn(before);
    await signIn(after, browserAt(app));
    await signIn({ ...before, login: 'ada-lovelace' }, browserAt(app));
    const people = await Promise.all(
      [before, after].map(async ({ id }) => directory.personByIdentity({ provider: 'github', subject: String(id) })),
    );
    expect(people[0]?.id).not.toBe(people[1]?.id);
  });

  it.each<[string, GithubAccount['emails']]>([
    ['no address', []],
    ['an address that is not verified', [{ email: 'eve@example.com', primary: true, verified: false }]],
    [
      'the right address beside its primary one',
      [primary('eve@evil.example'), { ...primary('eve@example.com'), primary: false }],
    ],
    ['an address that is none', [primary('eve@evil.example@example.com')]],
  ])('lets nobody in with %s', async (_what, emails) => {
    expect(await refusal(await signIn(account({ emails })))).toBe('github: not_admitted');
  });

  it('is not there without its settings', async () => {
    deploy({ ...GITHUB, GITHUB_CLIENT_ID: '' });
    expect((await browser.open('/sign-in/github')).status).toBe(404);
    expect((await browser.open('/sign-in')).body).not.toContain('GitHub');
  });
});

describe('with organisations', () => {
  beforeEach(() => deploy(IN_ACME));

  it('asks for what tells of them, and lets members in', async () => {
    const link = await begin();
    expect(link.searchParams.get('scope')).toBe('user:email read:org');
    expect((await browser.open(github.authorize(link, account({ organisations: { acme: 'active' } })))).status).toBe(
      200,
    );
  });

  it.each<[string, GithubAccount['organisations']]>([
    ['no member', {}],
    ['only invited', { acme: 'pending' }],
    ['a member of another', { 'acme-fans': 'active' }],
  ])('refuses who is %s', async (_what, organisations = {}) => {
    expect(await refusal(await signIn(account({ organisations })))).toBe('github: not_in_organisation');
    expect(github.tokens.size).toBe(0);
  });

  it('refuses everybody where the organisation has not approved the app', async () => {
    for (const name of ['acme', 'other-org'])
      github.answers.set(`/user/memberships/orgs/${name}`, () => Response.json({ message: '0900' }, { status: 403 }));
    expect(await refusal(await signIn(account({ organisations: { acme: 'active' } })))).toBe(
      'github: not_in_organisation',
    );
  });

  it('admits by the organisation where ADMIT_GROUPS says so, and not by a group of its name', async () => {
    const who = account({ emails: [], organisations: { acme: 'active' } });
    deploy({ ...IN_ACME, ADMIT_GROUPS: 'acme' });
    expect(await refusal(await signIn(who))).toBe('github: not_admitted');
    deploy({ ...IN_ACME, ADMIT_GROUPS: 'github:acme' });
    expect((await signIn(who)).status).toBe(200);
  });
});

describe('an answer of GitHub', () => {
  it.each<[string, string, string, () => Response]>([
    [
      'another secret',
      'client_refused',
      '/login/oauth/access_token',
      () => Response.json({ error: 'incorrect_client_credentials' }),
    ],
    [
      'a code that is used',
      'code_refused',
      '/login/oauth/access_token',
      () => Response.json({ error: 'bad_verification_code' }),
    ],
    ['no token', 'malformed_answer', '/login/oauth/access_token', () => Response.json({})],
    ['a page', 'malformed_answer', '/login/oauth/access_token', () => new Response('<h1>Unicorn</h1>')],
    ['a redirect', 'redirected', '/login/oauth/access_token', () => Response.redirect('https://evil.example', 307)],
    ['a redirect', 'redirected', '/user', () => Response.redirect('https://evil.example', 302)],
    ['a redirect', 'redirected', '/user/emails', () => Response.redirect('https://evil.example', 302)],
    ['too much', 'too_large', '/user', () => Response.json({ x: 'x'.repeat(1_000_001) })],
    ['no number', 'malformed_answer', '/user', () => Response.json({ id: '7', login: 'ada' })],
    ['no account', 'malformed_answer', '/user', () => Response.json({ message: '0900' }, { status: 404 })],
    ['no addresses', 'malformed_answer', '/user/emails', () => Response.json({ message: '0900' }, { status: 403 })],
    ['an outage', 'unreachable', '/user', () => new Response('0900', { status: 503 })],
  ])('with %s is refused as %s at %s', async (_what, reason, path, made) => {
    github.answers.set(path, made);
    expect(await refusal(await signIn(account()))).toBe(`github: ${reason}`);
  });
});

describe('a callback of GitHub', () => {
  it('with an error is told in our words', async () => {
    const state = (await begin()).searchParams.get('state') ?? '';
    const query = new URLSearchParams({ error: 'access_denied', error_description: 'Call 0900-STEAL', state });
    expect(await refusal(await browser.open(`/sign-in/github/callback?${query.toString()}`))).toBe(
      'github: provider_said_no',
    );
  });

  it('of another browser is refused', async () => {
    await begin();
    expect(await refusal(await browser.open(github.authorize(await begin(browserAt(app)), account())))).toBe(
      'github: state_differs',
    );
    expect(github.asked).toEqual([]);
  });

  it('without the cookie of its browser is refused', async () => {
    expect(await refusal(await browser.open(github.authorize(await begin(browserAt(app)), account())))).toBe(
      'github: attempt_lost',
    );
  });

  it('counts once', async () => {
    const callback = github.authorize(await begin(), account());
    const headers = { Cookie: browser.cookieHeader() };
    const answers = [1, 2, 3, 4].map(async () => app.fetch(new Request(callback, { headers, redirect: 'manual' })));
    expect((await Promise.all(answers)).map(({ status }) => String(status)).toSorted()).toEqual([
      '303',
      '400',
      '400',
      '400',
    ]);
  });

  it('with the code of another sign-in is refused: its verifier is not here', async () => {
    const stolen = github.authorize(await begin(browserAt(app)), account()).searchParams.get('code') ?? '';
    const callback = github.authorize(await begin(), account());
    callback.searchParams.set('code', stolen);
    expect(await refusal(await browser.open(callback))).toBe('github: code_refused');
  });

  it('after the app was changed is refused, and shows the code to nobody', async () => {
    const callback = github.authorize(await begin(), account());
    const headers = { Cookie: browser.cookieHeader(), Accept: 'text/html' };
    const changed = startApp({ ...GITHUB, GITHUB_CLIENT_ID: 'another-app' });
    expect((await changed.fetch(new Request(callback, { headers }))).status).toBe(400);
    expect(await lastLine()).toMatchObject({ detail: { reason: 'provider_changed' } });
    expect(github.asked).toEqual([]);
  });

  it('leaves no secret and no word of GitHub in the audit', async () => {
    const callback = github.authorize(await begin(), account());
    await browser.open(callback);
    github.answers.set('/user', () => Response.json({ message: 'wombat' }, { status: 404 }));
    await signIn(account(), browserAt(app));
    const written = JSON.stringify(await audit.list({ since: 0, limit: 1000 }));
    for (const secret of ['wombat', 'gho_', 'the-secret', ...callback.searchParams.values()])
      expect(written).not.toContain(secret);
  });
});

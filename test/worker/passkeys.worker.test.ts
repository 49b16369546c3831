import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';

import { Browser } from '../../scripts/client/browser.ts';
import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { ALGORITHMS, Authenticator } from '../support/authenticator.ts';
import type { Lies } from '../support/authenticator.ts';
import { add, census, enter, isSignedInAs, lastAudit, newBrowser, script, signedIn, use } from '../support/passkeys.ts';
import { theOwner, Visitor } from '../support/people.ts';
import { ORIGIN, Person } from '../support/person.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';

const bindings = env as unknown as Bindings;

const refused = (reason: string, email?: string) => ({
  action: 'sign_in_refused',
  email,
  detail: { provider: 'passkey', reason },
});

let people = 0;

/** A person with one passkey, which is in another browser than the one that made it. */
async function owner() {
  const email = `holder-${++people}@example.com`;
  const { key } = await add(await signedIn(email));
  return { email, key, browser: newBrowser() };
}

async function begin(browser: Browser): Promise<{ challenge: string; rpId: string }> {
  const { body } = await script(browser, '/sign-in/passkey/options', { return_to: '/' });
  return body as unknown as { challenge: string; rpId: string };
}

const finish = async (browser: Browser, answer: unknown) => script(browser, '/sign-in/passkey/finish', answer);

describe('a passkey', () => {
  it('signs its person in, without a name being typed', async () => {
    const { email, key, browser } = await owner();
    const asked = await script(browser, '/sign-in/passkey/options', { return_to: '/account' });
    expect(asked.body).toMatchObject({ rpId: 'localhost', userVerification: 'preferred' });
    expect(asked.body).not.toHaveProperty('allowCredentials');
    const done = await finish(browser, await key.get(asked.body));
    expect(done).toEqual({ status: 200, body: { location: '/account' } });
    expect(await isSignedInAs(browser, email)).toBe(true);
    expect(await lastAudit()).toEqual({ action: 'signed_in', email, detail: { provider: 'passkey' } });
  });

  it.each(ALGORITHMS)('with a key of %s is made and signs in, also when it vouches for itself', async (algorithm) => {
    for (const selfAttested of [false, true]) {
      const email = `holder-${++people}@example.com`;
      const made = await Authenticator.make(ORIGIN, algorithm);
      const { done } = await add(await signedIn(email), { selfAttested }, 'Desk', made);
      expect(done.status).toBe(200);
      expect(await lastAudit()).toEqual({ action: 'identity_linked', email, detail: { provider: 'passkey' } });
      expect((await use(newBrowser(), made)).status).toBe(200);
    }
  });

  it('that counts must count up, and what it said last is kept', async () => {
    const { email, key } = await owner();
    for (const counter of [3, 4, 9]) expect((await use(newBrowser(), key, { counter })).status).toBe(200);
    for (const counter of [9, 8, 0]) {
      const browser = newBrowser();
      expect((await use(browser, key, { counter })).status).toBe(403);
      expect(await lastAudit()).toEqual(refused('counter_back', email));
      expect(await isSignedInAs(browser, email)).toBe(false);
    }
    expect((await use(newBrowser(), key, { counter: 10 })).status).toBe(200);
  });

  it('used twice at once with one count signs in once', async () => {
    const { key } = await owner();
    const answers = await Promise.all([1, 2, 3].map(async () => use(newBrowser(), key, { counter: 7 })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 403, 403]);
  });

  it('leads nowhere but to pages of this deployment', async () => {
    const { key, browser } = await owner();
    const asked = await script(browser, '/sign-in/passkey/options', { return_to: 'https://evil.example' });
    expect((await finish(browser, await key.get(asked.body))).body).toEqual({ location: '/' });
  });
});

describe('an answer is refused', () => {
  const lies: [string, Lies, string, boolean][] = [
    ['for another origin', { origin: 'https://evil.example' }, 'wrong_origin', false],
    ['for another port', { origin: 'http://localhost:3000' }, 'wrong_origin', false],
    ['to another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }, 'wrong_challenge', false],
    ['to another question', { type: 'webauthn.create' }, 'wrong_type', false],
    ['from inside another page', { crossOrigin: true }, 'framed', false],
    ['of a passkey that nobody has', { credentialId: new Uint8Array(32) }, 'unknown_credential', false],
    ['for another host', { rpId: 'evil.example' }, 'not_verified', true],
    ['that nobody touched the device for', { absent: true }, 'not_verified', true],
  ];

  it.each(lies)('%s', async (_what, lie, reason, known) => {
    const { email, key, browser } = await owner();
    expect((await use(browser, key, lie)).status).toBe(403);
    expect(await lastAudit()).toEqual(refused(reason, known ? email : undefined));
    expect(await isSignedInAs(browser, email)).toBe(false);
  });

  it('of another key in the name of a passkey', async () => {
    const [{ email, key, browser }, other] = [await owner(), await owner()];
    expect((await use(browser, other.key, { credentialId: key.credentialId })).status).toBe(403);
    expect(await lastAudit()).toEqual(refused('not_verified', email));
  });

  it.each([{}, { id: 'x' }, [], { id: 'AAAA', rawId: 'AAAA', type: 'public-key', response: {} }])(
    'that is none: %j',
    async (answer) => {
      const browser = newBrowser();
      await begin(browser);
      expect((await finish(browser, answer)).status).toBe(403);
      expect(await lastAudit()).toEqual(refused('malformed'));
    },
  );

  it('that was used, also with a new question', async () => {
    const { key, browser } = await owner();
    const answer = await key.get(await begin(browser));
    expect((await finish(browser, answer)).status).toBe(200);
    expect((await finish(browser, answer)).status).toBe(403);
    expect(await lastAudit()).toEqual(refused('attempt_lost'));
    await begin(browser);
    expect((await finish(browser, answer)).status).toBe(403);
    expect(await lastAudit()).toEqual(refused('wrong_challenge'));
  });

  it('that comes four times at once, but for one', async () => {
    const { key, browser } = await owner();
    const answer = await key.get(await begin(browser));
    const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await finish(browser, answer)).status));
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 403, 403, 403]);
  });

  it('in another browser than the one that asked', async () => {
    const { email, key, browser } = await owner();
    const answer = await key.get(await begin(browser));
    const other = newBrowser();
    expect((await finish(other, answer)).status).toBe(403);
    expect(await lastAudit()).toEqual(refused('attempt_lost'));
    await begin(other);
    expect((await finish(other, answer)).status).toBe(403);
    expect(await lastAudit()).toEqual(refused('wrong_challenge'));
    expect(await isSignedInAs(other, email)).toBe(false);
  });

  it('that comes later than ten minutes', async () => {
    const { key, browser } = await owner();
    const answer = await key.get(await begin(browser));
    vi.useFakeTimers({ now: Date.now() + 601_000, toFake: ['Date'] });
    const { status } = await finish(browser, answer);
    vi.useRealTimers();
    expect(status).toBe(403);
    expect(await lastAudit()).toEqual(refused('attempt_lost'));
  });

  it('of somebody who was disabled', async () => {
    const { email, key, browser } = await owner();
    await bindings.DIRECTORY.prepare('UPDATE persons SET disabled_at = 1 WHERE email = ?').bind(email).run();
    expect((await use(browser, key)).status).toBe(403);
    expect(await lastAudit()).toEqual(refused('disabled', email));
  });
});

describe('making a passkey', () => {
  it('asks for one that needs no name, with no word of the device', async () => {
    const { key, begun } = await add(await signedIn('options@example.com'));
    expect(begun.body).toMatchObject({
      rp: { id: 'localhost' },
      user: { name: 'options@example.com' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
      excludeCredentials: [],
    });
    const browser = await signedIn('options@example.com');
    const again = await script(browser, '/account/passkeys/new/options', { name: 'Second' });
    expect(again.body).toMatchObject({ excludeCredentials: [{ id: key.id }] });
  });

  it('lets in who was invited, once', async () => {
    const link = await (await theOwner()).invite('auditor');
    const [first, second] = [new Visitor('invited@example.com'), new Visitor('late@example.com')];
    await first.accept(link);
    await second.accept(link);
    const { key, done } = await enter(first.browser, ' Invited@Example.com ');
    expect(done).toEqual({ status: 200, body: { location: '/account/passkeys/first?return_to=%2F' } });
    expect(await lastAudit()).toEqual({ action: 'signed_in', email: first.email, detail: { provider: 'passkey' } });
    expect(await first.standing()).toBe('auditor');
    const before = await census();
    expect((await enter(second.browser, 'late@example.com')).done.status).toBe(403);
    expect(await census()).toEqual(before);
    const elsewhere = newBrowser();
    expect((await use(elsewhere, key)).status).toBe(200);
    expect(await isSignedInAs(elsewhere, first.email)).toBe(true);
  });

  it('with no ticket and nobody signed in leaves nothing behind', async () => {
    const before = await census();
    const { begun, done } = await enter(newBrowser(), 'nobody@example.com');
    expect([begun.status, done.status]).toEqual([403, 403]);
    expect(await census()).toEqual(before);
  });

  it('with a ticket that was used meanwhile leaves nothing behind', async () => {
    const link = await (await theOwner()).invite('member');
    const [slow, quick] = [new Visitor('slow@example.com'), new Visitor('quick@example.com')];
    await slow.accept(link);
    await quick.accept(link);
    const asked = await script(slow.browser, '/sign-in/passkey/new/options', { address: slow.email });
    await enter(quick.browser, quick.email);
    const before = await census();
    const key = await Authenticator.make(ORIGIN);
    const done = await script(slow.browser, '/sign-in/passkey/new/finish', await key.create(asked.body));
    expect(done.status).toBe(403);
    expect(await lastAudit()).toEqual(refused('invitation_unusable'));
    expect(await census()).toEqual(before);
    expect((await use(newBrowser(), key)).status).toBe(403);
    expect(await lastAudit()).toEqual(refused('unknown_credential'));
  });

  it.each<[string, Lies, string]>([
    ['for another origin', { origin: 'https://evil.example' }, 'wrong_origin'],
    ['to another challenge', { challenge: 'AAAA' }, 'wrong_challenge'],
    ['to another question', { type: 'webauthn.get' }, 'wrong_type'],
    ['for another host', { rpId: 'evil.example' }, 'not_verified'],
    ['that nobody touched the device for', { absent: true }, 'not_verified'],
    [
      'with certificates to be looked up',
      { attestation: { fmt: 'packed', statement: new Map([['x5c', [new Uint8Array([48, 0])]]]) } },
      'attestation_unasked',
    ],
  ])('refuses an answer %s', async (_what, lie, reason) => {
    const browser = await signedIn(`maker-${++people}@example.com`);
    const before = await census();
    const fetched = vi.spyOn(globalThis, 'fetch');
    expect((await add(browser, lie)).done.status).toBe(403);
    expect(fetched).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    expect(await lastAudit()).toEqual(refused(reason));
    expect(await census()).toEqual(before);
  });

  it('with the id of somebody’s passkey makes nobody them', async () => {
    const victim = await owner();
    const forged = { credentialId: victim.key.credentialId };
    const link = await (await theOwner()).invite('member');
    const thief = new Visitor('thief@example.com');
    await thief.accept(link);
    expect((await enter(thief.browser, thief.email, forged)).done.status).toBe(403);
    expect(await lastAudit()).toEqual(refused('identity_taken'));
    expect(await isSignedInAs(thief.browser, victim.email)).toBe(false);
    expect((await add(await signedIn('thief-too@example.com'), forged)).done.status).toBe(403);
    expect(await lastAudit()).toEqual(refused('identity_taken'));
    expect((await use(victim.browser, victim.key)).status).toBe(200);
    expect(await thief.standing()).toBe('nobody');
  });

  it('with one id twice at once makes one person', async () => {
    const forged = { credentialId: crypto.getRandomValues(new Uint8Array(16)) };
    const visitors = [new Visitor('twin-1@example.com'), new Visitor('twin-2@example.com')];
    for (const visitor of visitors) await visitor.accept(await (await theOwner()).invite('member'));
    const answers = await Promise.all(visitors.map(async ({ browser, email }) => enter(browser, email, forged)));
    expect(answers.map(({ done }) => done.status).toSorted((a, b) => a - b)).toEqual([200, 403]);
    expect((await Promise.all(visitors.map(async (each) => each.standing()))).toSorted()).toEqual(['member', 'nobody']);
  });

  it('ends with the person who began it, or not at all', async () => {
    const [browser, key] = [await signedIn('began@example.com'), await Authenticator.make(ORIGIN)];
    const asked = await script(browser, '/account/passkeys/new/options', { name: 'Desk' });
    await browser.submit(await browser.open('/'), ({ action }) => action === '/sign-out', {});
    const done = await script(browser, '/account/passkeys/new/finish', await key.create(asked.body));
    expect(done.status).toBe(403);
    expect(await lastAudit()).toEqual(refused('person_changed'));
  });

  it('cannot end what began as signing in, nor the other way round', async () => {
    const [browser, key] = [await signedIn('mixed@example.com'), await Authenticator.make(ORIGIN)];
    const made = await script(browser, '/account/passkeys/new/finish', await key.create(await begin(browser)));
    expect(made.status).toBe(403);
    expect(await lastAudit()).toEqual(refused('attempt_lost'));
    const asked = await script(browser, '/account/passkeys/new/options', { name: 'Desk' });
    expect((await finish(browser, await key.get(asked.body))).status).toBe(403);
    expect(await lastAudit()).toEqual(refused('attempt_lost'));
  });

  it('is for people who are signed in', async () => {
    expect((await script(newBrowser(), '/account/passkeys/new/options', { name: 'Desk' })).status).toBe(401);
  });
});

describe('what a script may call', () => {
  const paths = ['options', 'finish', 'new/options', 'new/finish'].map((path) => `/sign-in/passkey/${path}`);

  it.each([...paths, '/account/passkeys/new/options', '/account/passkeys/new/finish'])(
    '%s is for our own pages, in JSON',
    async (path) => {
      const browser = await signedIn('script@example.com');
      const post = async (headers: Record<string, string>, body = '{}') =>
        (await browser.open(path, { method: 'POST', body, headers: { Accept: '*/*', ...headers } })).status;
      const json = { 'Content-Type': 'application/json' };
      expect(await post(json)).toBe(403);
      for (const Origin of ['https://evil.example', 'http://localhost:3000', 'null'])
        expect(await post({ ...json, Origin })).toBe(403);
      expect(await post({ Origin: ORIGIN, 'Content-Type': 'text/plain' })).toBe(415);
      expect(await post({ Origin: ORIGIN, 'Content-Type': 'application/x-www-form-urlencoded' })).toBe(415);
      for (const body of ['', 'no JSON', 'null', '7', '"text"'])
        expect(await post({ ...json, Origin: ORIGIN }, body)).toBe(400);
    },
  );

  it.each(['/sign-in/passkey', '/sign-in/passkey/new', '/account/passkeys/new'])(
    '%s tells a browser without our script what it needs',
    async (path) => {
      const page = await newBrowser().open(path, { method: 'POST', body: '' });
      expect([page.status, page.body.includes('Passkeys need JavaScript')]).toEqual([400, true]);
    },
  );

  it.each([
    ['is switched off', ORIGIN, { PASSKEY_SIGN_IN: 'false' }],
    ['has no host name', 'http://127.0.0.1:8787', {}],
  ])('does not exist where the deployment %s', async (_what, origin, vars) => {
    const app = createApp({ ...bindings, ...vars }, TEST_TOOLSETS);
    const browser = new Browser(origin, async (url, init) => app.fetch(new Request(url, init)));
    expect((await browser.open('/sign-in')).body).not.toContain('data-passkey');
    for (const path of paths)
      expect((await script(browser, path, { response: {} }, { Origin: origin })).status, path).toBe(404);
    for (const path of ['/account/passkeys', '/sign-in/recovery']) expect((await browser.open(path)).status).toBe(404);
  });

  it('only the pages with passkeys may run it', async () => {
    const { browser } = new Person();
    const response = async (path: string) => {
      const { headers } = await createApp(bindings, TEST_TOOLSETS).fetch(new Request(`${ORIGIN}${path}`));
      return headers.get('Content-Security-Policy') ?? '';
    };
    expect(await response('/sign-in')).toContain("script-src 'self'");
    for (const path of ['/', '/sign-in/recovery', '/nowhere']) expect(await response(path)).not.toContain('script-src');
    const address = /<script type="module" src="([^"]+)"/.exec((await browser.open('/sign-in')).body)?.[1];
    expect(address).toMatch(/^\/assets\/passkey-[0-9a-f]{8}\.js$/);
    expect((await browser.open(address ?? '')).body).toContain('navigator.credentials');
  });
});

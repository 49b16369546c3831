import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';

import type { Browser, BrowserPage } from '../../scripts/client/browser.ts';
import { htmlForms } from '../../scripts/client/html-forms.ts';
import type { Bindings } from '../../src/app.ts';
import { add, enter, isSignedInAs, lastAudit, newBrowser, script, signedIn, use } from '../support/passkeys.ts';
import { formAt, theOwner, Visitor } from '../support/people.ts';
import { sendForm } from '../support/person.ts';

const bindings = env as unknown as Bindings;

const CODE = /[0-9a-z]{4}(?:-[0-9a-z]{4}){3}/g;

/** Presses the button for recovery codes. */
async function makeCodes(browser: Browser): Promise<string[]> {
  const page = await browser.submit(await browser.open('/account/passkeys'), formAt('/account/passkeys/codes'), {});
  return page.body.match(CODE) ?? [];
}

async function recover(browser: Browser, code: string, returnTo = '/'): Promise<BrowserPage> {
  const page = await browser.open(`/sign-in/recovery?${new URLSearchParams({ return_to: returnTo }).toString()}`);
  return browser.submit(page, formAt('/sign-in/recovery'), { code });
}

/** The names on the page of passkeys. */
async function names(browser: Browser): Promise<string[]> {
  const { body } = await browser.open('/account/passkeys');
  return htmlForms(body)
    .filter(formAt('/account/passkeys/rename'))
    .map(({ fields }) => fields.find(({ name }) => name === 'name')?.value ?? '');
}

/** A form of the page of passkeys for one of them. */
const formOf = (action: string, id: string) => (form: ReturnType<typeof htmlForms>[number]) =>
  form.action === `/account/passkeys/${action}` && form.fields.some(({ value }) => value === id);

/** Somebody whose one way to sign in is a passkey. */
async function passkeyPerson(email: string) {
  const visitor = new Visitor(email);
  await visitor.accept(await (await theOwner()).invite('member'));
  return { ...(await enter(visitor.browser, email)), browser: visitor.browser, visitor };
}

describe('the passkeys of a person', () => {
  it('are listed, several of them, and can be named', async () => {
    const browser = await signedIn('lists@example.com');
    const { key } = await add(browser, {}, 'Desk');
    await add(browser, {}, 'Phone <b>');
    expect(await names(browser)).toEqual(['Desk', 'Phone <b>']);
    const page = await browser.open('/account/passkeys');
    expect(page.body).not.toContain('<b>');
    await browser.submit(page, formOf('rename', key.id), { name: ' Old desk ' });
    expect(await names(browser)).toEqual(['Old desk', 'Phone <b>']);
    const { results } = await bindings.DIRECTORY.prepare('SELECT label FROM identities WHERE subject = ?')
      .bind(key.id)
      .all();
    expect(results).toEqual([{ label: 'Old desk' }]);
  });

  it.each(['', ' ', 'x'.repeat(61), 'two\nlines', 'right\u202Eleft', '\u0000'])('are not named %j', async (name) => {
    const browser = await signedIn('names@example.com');
    expect((await script(browser, '/account/passkeys/new/options', { name })).status).toBe(400);
  });

  it('open nothing from the moment they are removed', async () => {
    const email = 'removes@example.com';
    const browser = await signedIn(email);
    const { key } = await add(browser);
    await browser.submit(await browser.open('/account/passkeys'), formOf('remove', key.id), {});
    expect(await lastAudit()).toEqual({
      action: 'identity_removed',
      email,
      detail: { provider: 'passkey', sessions: 0 },
    });
    expect(await names(browser)).toEqual([]);
    expect((await use(newBrowser(), key)).status).toBe(403);
    expect(await lastAudit()).toMatchObject({ detail: { reason: 'unknown_credential' } });
    const left = await bindings.DIRECTORY.prepare('SELECT 1 FROM passkeys WHERE credential_id = ?')
      .bind(key.id)
      .first();
    expect(left).toBeNull();
  });

  it('cannot all be removed where nothing else lets their person in', async () => {
    const { browser, key } = await passkeyPerson('last@example.com');
    expect((await browser.open('/account/passkeys')).body).not.toContain('action="/account/passkeys/remove"');
    const second = await add(browser);
    const page = await browser.open('/account/passkeys');
    // Both at once, from a page that still offers both.
    const answers = await Promise.all(
      [key, second.key].map(async ({ id }) => browser.submit(page, formOf('remove', id), {})),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(await names(browser)).toHaveLength(1);
  });

  it('are nobody else’s to name or to remove', async () => {
    const [mine, other] = [await signedIn('mine@example.com'), await signedIn('other@example.com')];
    const { key } = await add(mine);
    await add(other);
    const page = await other.open('/account/passkeys');
    for (const action of ['rename', 'remove']) {
      const changed = { credential: key.id, name: 'Stolen' };
      expect((await other.submit(page, formAt(`/account/passkeys/${action}`), changed)).status).toBe(404);
    }
    expect(await names(mine)).toEqual(['Desk']);
  });

  it('are twenty at most', async () => {
    const browser = await signedIn('many@example.com');
    for (let made = 0; made < 20; made++) await add(browser);
    expect((await script(browser, '/account/passkeys/new/options', { name: 'More' })).status).toBe(429);
  });

  it('are shown to nobody who is not signed in', async () => {
    const page = await newBrowser().open('/account/passkeys');
    expect(page.url.pathname + page.url.search).toBe('/sign-in?return_to=%2Faccount%2Fpasskeys');
  });

  it.each(['rename', 'remove', 'codes'])('are not changed by a foreign form to %s', async (action) => {
    const browser = await signedIn('forms@example.com');
    const { key } = await add(browser);
    const cookies = { Cookie: browser.cookieHeader() };
    const fields = { credential: key.id, name: 'Stolen' };
    expect((await sendForm(`/account/passkeys/${action}`, fields, cookies)).status).toBe(403);
    expect(await names(browser)).toContain('Desk');
  });
});

describe('a recovery code', () => {
  it('lets its person in once, and makes nobody else in', async () => {
    const email = 'recovers@example.com';
    const { browser } = await passkeyPerson(email);
    const codes = await makeCodes(browser);
    expect(new Set(codes).size).toBe(10);
    expect(await lastAudit()).toEqual({ action: 'recovery_codes_made', email, detail: { count: 10 } });
    const [lost, code = ''] = [newBrowser(), codes[3]];
    const page = await recover(lost, code);
    expect(page.url.pathname).toBe('/account/passkeys');
    expect(page.body).toContain('9 left');
    expect(await isSignedInAs(lost, email)).toBe(true);
    expect(await lastAudit()).toEqual({ action: 'signed_in', email, detail: { provider: 'recovery' } });
    const again = newBrowser();
    expect((await recover(again, code)).status).toBe(400);
    expect(await lastAudit()).toEqual({
      action: 'sign_in_refused',
      email: undefined,
      detail: { provider: 'recovery', reason: 'wrong_code' },
    });
    expect(await isSignedInAs(again, email)).toBe(false);
  });

  it('is in the audit when it is used', async () => {
    const { browser } = await passkeyPerson('audited@example.com');
    const [code = ''] = await makeCodes(browser);
    await recover(newBrowser(), code);
    const { results } = await bindings.DIRECTORY.prepare(
      `SELECT detail FROM audit JOIN persons ON persons.id = person_id WHERE email = ? AND action = 'recovery_code_used'`,
    )
      .bind('audited@example.com')
      .all();
    expect(results).toEqual([{ detail: '{"left":9}' }]);
  });

  it('used four times at once lets in one', async () => {
    const { browser } = await passkeyPerson('at-once@example.com');
    const [code = ''] = await makeCodes(browser);
    const pages = await Promise.all([1, 2, 3, 4].map(async () => recover(newBrowser(), code)));
    expect(pages.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400, 400]);
  });

  it('may be copied in capitals, with gaps, and with letters for digits', async () => {
    const { browser } = await passkeyPerson('copies@example.com');
    const codes = await makeCodes(browser);
    const written = [
      (codes[0] ?? '').toUpperCase(),
      (codes[1] ?? '').replaceAll('-', ' '),
      (codes[2] ?? '').replaceAll('0', 'O').replaceAll('1', 'l'),
    ];
    for (const code of written)
      expect((await recover(newBrowser(), ` ${code} `, '/account')).url.pathname).toBe('/account');
  });

  it('is worth nothing once there are newer ones', async () => {
    const { browser } = await passkeyPerson('replaces@example.com');
    const [old = ''] = await makeCodes(browser);
    await makeCodes(browser);
    expect((await recover(newBrowser(), old)).status).toBe(400);
  });

  it('does not let in somebody who was disabled', async () => {
    const email = 'gone@example.com';
    const { browser } = await passkeyPerson(email);
    const [code = ''] = await makeCodes(browser);
    await bindings.DIRECTORY.prepare('UPDATE persons SET disabled_at = 1 WHERE email = ?').bind(email).run();
    const page = await recover(newBrowser(), code);
    expect([page.status, page.body.includes('This account was disabled')]).toEqual([400, true]);
    expect(await lastAudit()).toEqual({
      action: 'sign_in_refused',
      email,
      detail: { provider: 'recovery', reason: 'disabled' },
    });
  });

  it('is stored so that nobody can read it', async () => {
    const { browser } = await passkeyPerson('hashed@example.com');
    const codes = await makeCodes(browser);
    const { results } = await bindings.DIRECTORY.prepare('SELECT * FROM recovery_codes').all();
    const stored = JSON.stringify(results);
    for (const code of codes) for (const text of [code, code.replaceAll('-', '')]) expect(stored).not.toContain(text);
    expect((await browser.open('/account/passkeys')).body).not.toMatch(CODE);
  });

  it.each(['', 'a', '0000-0000-0000-0000', '%', "' OR 1=1 --", 'x'.repeat(100_000)])('is not %j', async (code) => {
    const page = await recover(newBrowser(), code);
    expect([page.status, page.body.includes('This code opens nothing')]).toEqual([400, true]);
  });

  it('of a foreign form does nothing', async () => {
    const { browser } = await passkeyPerson('foreign@example.com');
    const [code = ''] = await makeCodes(browser);
    expect((await sendForm('/sign-in/recovery', { code })).status).toBe(403);
    expect((await recover(newBrowser(), code)).status).toBe(200);
  });
});

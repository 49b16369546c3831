import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';

import { Browser, signInWithEmail } from '../../scripts/client/browser.ts';
import { htmlForms } from '../../scripts/client/html-forms.ts';
import { button, heading, openBrowser, openSite, signIn, startApp, useCarrel } from '../support/browser.ts';
import type { App, Site, TestBrowser } from '../support/browser.ts';

const carrel = useCarrel();

// From the one the browser sends no cookies along; from the other it does, so nothing but our own
// checks stands in the way. A sibling subdomain is such a neighbour of a deployed Carrel.
const ATTACKERS = [
  ['another site', (site: Site) => site.origin],
  ['another origin of the same site', (site: Site) => site.sameSiteOrigin],
] as const;

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/** A page that sends a form as soon as somebody looks at it. */
function trap(action: string, fields: Readonly<Record<string, string>>): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`,
  );
  return `<form method="post" action="${escape(action)}">${inputs.join('')}</form>
    <script>document.forms[0].submit()</script>`;
}

/** Walks into a trap. @returns how Carrel answered the form */
async function walkInto(page: Page, address: string) {
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().method() === 'POST'),
    page.goto(address, { waitUntil: 'commit' }),
  ]);
  await page.waitForURL((url) => url.origin === carrel.url);
  return answer;
}

/** The hidden fields that Carrel gave to Mallory, in a browser of her own. */
async function fieldsOfMallory(address: string, field: string): Promise<Record<string, string>> {
  const mallory = new Browser(carrel.url);
  let page = await mallory.open(address);
  if (field === 'handle') page = await signInWithEmail(mallory, page, 'mallory@example.com');
  const form = htmlForms(page.body).find(({ fields }) => fields.some(({ name }) => name === field));
  if (!form) throw new Error(`no form with ${field} at ${page.url.pathname}`);
  const hidden = form.fields.filter(({ type }) => type === 'hidden');
  return Object.fromEntries(hidden.map(({ name, value }) => [name, value]));
}

/** Ada's browser, in which she is signed in. */
async function openAdas(): Promise<TestBrowser> {
  const browser = await openBrowser();
  await browser.page.goto(`${carrel.url}/sign-in`);
  await signIn(browser.page, 'ada@example.com');
  await browser.page.getByRole('banner').getByText('ada@example.com').waitFor();
  return browser;
}

async function signedInAs(page: Page): Promise<string> {
  await page.goto(carrel.url);
  return page.getByRole('banner').innerText();
}

/** Ada looks at the question of an app. */
async function askAda(): Promise<TestBrowser & { app: App }> {
  const app = await startApp(carrel.url);
  const browser = await openAdas();
  await browser.page.goto(app.link());
  await button(browser.page, 'Allow').waitFor();
  return { ...browser, app };
}

describe.each(ATTACKERS)('a page of %s', (_, addressOf) => {
  test('cannot show a page of Carrel in a frame', async () => {
    const app = await startApp(carrel.url);
    const { page, complaints } = await openAdas();
    for (const address of [app.link(), `${carrel.url}/sign-in`, `${carrel.url}/`, `${carrel.url}/nowhere`]) {
      const site = await openSite(`<iframe src="${escape(address)}"></iframe>`);
      await page.goto(addressOf(site));
      const [frame] = page.mainFrame().childFrames();
      // Chromium puts an error of its own in its place, and it is the policy that makes it do so.
      await expect.poll(() => frame?.url(), { timeout: 5000 }).toBe('chrome-error://chromewebdata/');
      await expect.poll(() => complaints.splice(0).join(), { timeout: 5000 }).toContain("frame-ancestors 'none'");
    }
  });

  test('cannot answer the question of an app for a person', async () => {
    const app = await startApp(carrel.url);
    const { page } = await openAdas();
    const handle = await fieldsOfMallory(app.link(), 'handle');
    const site = await openSite(trap(app.link(), { ...handle, scope: 'sessions:read', decision: 'approve' }));

    const answer = await walkInto(page, addressOf(site));
    expect(answer.status()).toBe(403);
    expect(answer.headers()['location']).toBeUndefined();
    await heading(page).waitFor();
    expect(app.answers).toEqual([]);
  });

  test('cannot sign a person in as somebody else', async () => {
    const { page } = await openAdas();
    const token = await fieldsOfMallory('/sign-in', 'form_token');
    const site = await openSite(trap(`${carrel.url}/sign-in`, { ...token, email: 'mallory@example.com' }));

    const answer = await walkInto(page, addressOf(site));
    expect(answer.status()).toBe(403);
    expect(await heading(page).innerText()).toBe('Not allowed');
    expect(await signedInAs(page)).toContain('ada@example.com');
  });

  test('cannot sign a person in who is not signed in', async () => {
    const { page } = await openBrowser();
    await page.goto(carrel.url);
    const token = await fieldsOfMallory('/sign-in', 'form_token');
    const site = await openSite(trap(`${carrel.url}/sign-in`, { ...token, email: 'mallory@example.com' }));

    expect((await walkInto(page, addressOf(site))).status()).toBe(403);
    expect(await signedInAs(page)).not.toContain('mallory@example.com');
  });

  test('cannot sign a person out', async () => {
    const { page } = await openAdas();
    const token = await fieldsOfMallory('/sign-in', 'form_token');
    const site = await openSite(trap(`${carrel.url}/sign-out`, { ...token, return_to: '/' }));

    expect((await walkInto(page, addressOf(site))).status()).toBe(403);
    expect(await signedInAs(page)).toContain('ada@example.com');
  });
});

test('another site cannot answer with the handle of the very question that a person is looking at', async () => {
  const { app, page, context } = await askAda();
  const handle = await page.locator('input[name=handle]').inputValue();
  const site = await openSite(trap(app.link(), { handle, scope: 'sessions:read', decision: 'approve' }));

  const other = await context.newPage();
  expect((await walkInto(other, site.origin)).status()).toBe(403);
  expect(app.answers).toEqual([]);
});

describe('a question', () => {
  test('is answered once: the second Allow gives no code and says why', async () => {
    const { app, page, context } = await askAda();
    // With the control key the answer opens in another tab, and the question stays where it is.
    const [tab] = await Promise.all([
      context.waitForEvent('page'),
      button(page, 'Allow').click({ modifiers: ['ControlOrMeta'] }),
    ]);
    const first = await app.answerAt(tab);

    await button(page, 'Allow').click();
    await page.getByText('The app was not connected').waitFor();
    expect(await page.getByRole('main').innerText()).toMatch(/answered/);
    expect(app.answers).toHaveLength(1);

    // What was granted stays granted.
    expect((await app.redeem(first)).scope).toContain('sessions:read');
  });

  test('is put anew by the back button: the old one stays answered', async () => {
    const { app, page } = await askAda();
    const handle = page.locator('input[name=handle]');
    const answered = await handle.inputValue();
    await button(page, 'Allow').click();
    await app.answerAt(page);

    await page.goBack();
    expect(await handle.inputValue()).not.toBe(answered);
    expect(app.answers).toHaveLength(1);
  });

  test('is answered by the person whom it names, not by one who signed in meanwhile in another tab', async () => {
    const { app, page, context } = await askAda();
    const tab = await context.newPage();
    await tab.goto(carrel.url);
    await button(tab, 'Sign out').click();
    await tab.goto(`${carrel.url}/sign-in`);
    await signIn(tab, 'grace@example.com');
    await tab.getByRole('banner').getByText('grace@example.com').waitFor();

    await page.getByText('Signed in as ada@example.com').waitFor();
    await button(page, 'Allow').click();
    await page.getByText('This question was put to somebody else.').waitFor();
    expect(app.answers).toEqual([]);
  });

  test('waits for a sign-in when its person signed out meanwhile in another tab', async () => {
    const { app, page, context } = await askAda();
    const tab = await context.newPage();
    await tab.goto(carrel.url);
    await button(tab, 'Sign out').click();
    await heading(tab).getByText('You are signed out').waitFor();

    await button(page, 'Allow').click();
    await heading(page).getByText('Sign in').waitFor();
    expect(app.answers).toEqual([]);
    await signIn(page, 'ada@example.com');
    await button(page, 'Allow').click();
    expect((await app.answerAt(page)).searchParams.get('state')).toBe(app.state);
  });
});

// The paths look like paths of ours, and browsers take them for addresses of another host.
test.each(['//evil.example/', '/\\evil.example/', '/.//evil.example/'])(
  'a link to the sign-in that names %s leads to the start page',
  async (target) => {
    const { page } = await openBrowser();
    await page.goto(`${carrel.url}/sign-in?${new URLSearchParams({ return_to: target }).toString()}`);
    await signIn(page, 'ada@example.com');
    await page.getByRole('banner').getByText('ada@example.com').waitFor();
    expect(page.url()).toBe(`${carrel.url}/`);
  },
);

test('a link to the sign-in cannot change what its page may do', async () => {
  const { page } = await openBrowser();
  // The page allows its form to go on to the app's address. This one wants to be more than an address.
  const request = new URLSearchParams({ redirect_uri: 'https://x;sandbox/' });
  const target = `/authorize?${request.toString()}`;
  await page.goto(`${carrel.url}/sign-in?${new URLSearchParams({ return_to: target }).toString()}`);
  await signIn(page, 'ada@example.com');
  await page.waitForURL(`${carrel.url}${target}`);
  expect(await signedInAs(page)).toContain('ada@example.com');
});

import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';

import { App, button, heading, openBrowser, openSite, signIn, startApp, useCarrel } from '../support/browser.ts';

const carrel = useCarrel();

const HTTPS = 'https://reader.example/callback';
const PRIVATE_USE = 'com.example.app:/callback';

const rememberBox = (page: Page) => page.getByLabel('Don’t ask again for this app in this browser');

/**
 * Does what sends the browser on its way to the app. That Chromium sets out for it, past the policy of
 * the page, is what counts: nothing can be reached at an https or a private-use address here.
 *
 * @returns the address with the answer
 */
async function leaving(page: Page, redirect: string, act: () => Promise<unknown>): Promise<URL> {
  const [request] = await Promise.all([page.waitForRequest((each) => each.url().startsWith(`${redirect}?`)), act()]);
  return new URL(request.url());
}

/** The same for {@link HTTPS}: its host does not exist, and what the browser says of that is awaited. */
async function leavingForTheWeb(page: Page, act: () => Promise<unknown>): Promise<URL> {
  const answer = await leaving(page, HTTPS, act);
  await page.waitForURL('chrome-error://chromewebdata/');
  return answer;
}

/**
 * Opens a link of which nothing but the way to the app is left. It begins at an empty page: one that
 * shows the same error from before would look as if this link had already ended.
 */
async function open(page: Page, link: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(link, { waitUntil: 'commit' }).catch(noSuchHost);
}

function noSuchHost(error: unknown): void {
  if (!String(error).includes('net::ERR_NAME_NOT_RESOLVED')) throw error;
}

/** Signs Ada in on the way to the app's question. */
async function askAda(app: App, link = app.link()) {
  const browser = await openBrowser();
  await browser.page.goto(link);
  await signIn(browser.page, 'ada@example.com');
  await button(browser.page, 'Allow').waitFor();
  return browser;
}

describe('an app on this computer', () => {
  test.each(['127.0.0.1', 'localhost', '[::1]'])('gets its answer at %s, right after the sign-in', async (host) => {
    const { origin } = await openSite('<p>Back in the app.');
    const redirect = `http://${host}:${new URL(origin).port}/callback`;
    const app = await App.register(carrel.url, 'Editor', [redirect]);
    const { page } = await askAda(app);

    const allowed = await leaving(page, redirect, () => button(page, 'Allow').click());
    expect((await app.redeem(allowed)).scope).toContain('files:read');

    const tab = await page.context().newPage();
    await tab.goto(app.link());
    const denied = await leaving(tab, redirect, () => button(tab, 'Deny').click());
    expect(denied.searchParams.get('error')).toBe('access_denied');
  });

  test('may come back on another port than the one it registered', async () => {
    const app = await startApp(carrel.url);
    const { origin } = await openSite('<p>Back in the app.');
    const redirect = `${origin}/callback`;
    const { page } = await askAda(app, app.link({ redirect }));
    const answer = await leaving(page, redirect, () => button(page, 'Allow').click());
    expect((await app.redeem(answer)).scope).toContain('files:read');
  });

  test('is never remembered: any program could be listening there', async () => {
    const app = await startApp(carrel.url);
    const { page } = await askAda(app);
    expect(await page.getByText('another program could be listening there').isVisible()).toBe(true);
    expect(await rememberBox(page).count()).toBe(0);
    await button(page, 'Allow').click();
    await app.answerAt(page);

    await page.goto(app.link());
    await button(page, 'Allow').waitFor();
    expect(app.answers).toHaveLength(1);
  });
});

describe('an app with links of its own', () => {
  test.each(['Allow', 'Deny'] as const)('is opened by %s', async (choice) => {
    const app = await App.register(carrel.url, 'Pocket notes', [PRIVATE_USE]);
    const { page } = await askAda(app);
    expect(await page.getByRole('main').innerText()).toContain('com.example.app: links on this device');

    const answer = await leaving(page, PRIVATE_USE, () => button(page, choice).click());
    expect(answer.searchParams.get('state')).toBe(app.state);
    expect(answer.searchParams.has('code')).toBe(choice === 'Allow');
  });

  test('is never remembered: another app could have claimed the links', async () => {
    const app = await App.register(carrel.url, 'Pocket notes', [PRIVATE_USE]);
    const { page } = await askAda(app);
    expect(await page.getByText('another app could have claimed them').isVisible()).toBe(true);
    expect(await rememberBox(page).count()).toBe(0);
  });
});

describe('an app on the web', () => {
  const READ = 'sessions:read files:read';

  /** Ada allows it and lets it be remembered. */
  async function remembered() {
    const app = await App.register(carrel.url, 'Reader', [HTTPS, `${HTTPS}/other`]);
    const browser = await askAda(app, app.link({ scope: READ }));
    await rememberBox(browser.page).check();
    const answer = await leavingForTheWeb(browser.page, () => button(browser.page, 'Allow').click());
    expect((await app.redeem(answer)).scope).toContain('files:read');
    return { app, ...browser };
  }

  test('is asked about each time unless it is remembered', async () => {
    const app = await App.register(carrel.url, 'Reader', [HTTPS]);
    const { page } = await askAda(app, app.link({ scope: READ }));
    expect(await rememberBox(page).isChecked()).toBe(false);
    await leavingForTheWeb(page, () => button(page, 'Allow').click());

    await page.goto(app.link({ scope: READ }));
    await button(page, 'Allow').waitFor();
  });

  test('goes straight through once it is remembered, also from a sign-in', async () => {
    const { app, page } = await remembered();
    const again = await leavingForTheWeb(page, () => open(page, app.link({ scope: READ })));
    expect((await app.redeem(again)).scope).toBe(READ);

    await page.goto(carrel.url);
    await button(page, 'Sign out').click();
    await heading(page).getByText('You are signed out').waitFor();
    await page.goto(app.link({ scope: READ }));
    // The form of the sign-in ends at the app here: its page must allow that, too.
    const afterSignIn = await leavingForTheWeb(page, () => signIn(page, 'ada@example.com'));
    expect((await app.redeem(afterSignIn)).scope).toBe(READ);
  });

  test('is not offered to be remembered when it names no scopes: nobody knows what the next time is about', async () => {
    const app = await App.register(carrel.url, 'Reader', [HTTPS]);
    const { page } = await askAda(app);
    expect(await rememberBox(page).count()).toBe(0);
  });

  test.each([
    ['it asks for more', { scope: `${READ} files:write` }],
    ['it wants its answer elsewhere', { scope: READ, redirect: `${HTTPS}/other` }],
  ])('is asked about again when %s', async (_, changed) => {
    const { app, page } = await remembered();
    await page.goto(app.link(changed));
    await button(page, 'Allow').waitFor();
    expect(page.url()).toBe(app.link(changed));
  });

  test('is asked about again when somebody else signs in', async () => {
    const { app, page } = await remembered();
    await page.goto(carrel.url);
    await button(page, 'Sign out').click();
    await page.goto(app.link({ scope: READ }));
    await signIn(page, 'grace@example.com');
    await button(page, 'Allow').waitFor();
    expect(await page.getByRole('main').innerText()).toContain('Signed in as grace@example.com');
  });
});

describe('an app that asks in a wrong way', () => {
  test('is told so, when it is known where it waits and somebody has signed in', async () => {
    const app = await startApp(carrel.url);
    const { page } = await openBrowser();
    await page.goto(app.link().replace('response_type=code', 'response_type=token'));
    expect(app.answers).toEqual([]);
    // The form of the sign-in ends at the app here: its page must allow that, too.
    await signIn(page, 'ada@example.com');
    const { searchParams } = await app.answerAt(page);
    expect(searchParams.get('error')).toBe('unsupported_response_type');
    expect(searchParams.get('state')).toBe(app.state);
  });

  test.each([
    ['unknown', 'client_id', 'nobody', 'This app is not known here', 'add it again'],
    [
      'with a changed way back',
      'redirect_uri',
      'https://evil.example/',
      'The way back to the app has changed',
      'not register',
    ],
  ])('is not sent anything when it is %s', async (_, parameter, value, title, advice) => {
    const app = await startApp(carrel.url);
    const link = new URL(app.link());
    link.searchParams.set(parameter, value);

    const { page } = await openBrowser();
    const response = await page.goto(link.href);
    expect(response?.status()).toBe(400);
    expect(await heading(page).innerText()).toBe(title);
    const words = await page.getByRole('main').innerText();
    expect(words).toContain(advice);
    expect(words).toContain('Go back to the app and connect again.');
    expect(app.answers).toEqual([]);
  });
});

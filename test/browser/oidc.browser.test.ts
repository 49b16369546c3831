import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';

import { button, heading, openBrowser, startApp, useCarrel, whoIs } from '../support/browser.ts';
import type { App, TestBrowser, Tokens } from '../support/browser.ts';
import { useRealIssuer } from '../support/real-issuer.ts';

const issuer = useRealIssuer();
const carrel = useCarrel(() => ({
  OIDC_PROVIDERS: issuer.setting,
  ADMIT_DOMAINS: 'example.com',
  PASSKEY_SIGN_IN: 'false',
  DEV_SIGN_IN: 'false',
}));

beforeAll(() => issuer.register(carrel.url));

const QUESTION = 'Let this app use your workspace?';

const campus = (page: Page) => page.getByRole('link', { name: 'Sign in with Campus' });
const banner = (page: Page) => page.getByRole('banner');

/** A new Chromium that the issuer's pages do not lead to the network: they ask for a font. */
async function openBrowserForIssuer(): Promise<TestBrowser> {
  const browser = await openBrowser();
  await browser.context.route('https://fonts.googleapis.com/**', async (route) =>
    route.fulfill({ contentType: 'text/css', body: '' }),
  );
  return browser;
}

/** Signs in on the issuer's own pages, which ask for an account and then whether Carrel may know it. */
async function signInAtIssuer(page: Page, login: string): Promise<void> {
  await page.getByPlaceholder('Enter any login').fill(login);
  await page.getByPlaceholder('and password').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

const isCallback = (request: { url(): string }) => request.url().includes('/sign-in/campus/callback');

/** Whose workspace a token opens: its first part is the person's id. */
const workspaceOf = ({ access_token }: Tokens) => access_token.split('.')[0];

/** Allows an app in a browser whose person is at its question. */
async function allow(page: Page, app: App): Promise<Tokens> {
  await heading(page).getByText(QUESTION).waitFor();
  expect(new URL(page.url()).origin).toBe(carrel.url);
  await button(page, 'Allow').click();
  return app.redeem(await app.answerAt(page));
}

describe('with an issuer that is not ours', () => {
  test('a person connects an app, signs out, and finds the same workspace again', async () => {
    const app = await startApp(carrel.url);
    const { page } = await openBrowserForIssuer();
    await page.goto(app.link());
    await campus(page).click();
    expect(new URL(page.url()).origin).toBe(issuer.url);
    await signInAtIssuer(page, 'ada');
    // Whoever vouches, our own question comes, and it says who is asked.
    await page.getByText('Signed in as ada@example.com').waitFor();
    const tokens = await allow(page, app);
    expect(await whoIs(carrel.url, tokens)).toMatchObject({ name: 'ada@example.com' });

    await page.goto(carrel.url);
    await button(page, 'Sign out').click();
    await heading(page).getByText('You are signed out').waitFor();
    const second = await startApp(carrel.url, 'Another app');
    await page.goto(second.link());
    // The issuer still knows her and asks nothing; Carrel asks for this app all the same.
    await campus(page).click();
    expect(workspaceOf(await allow(page, second))).toBe(workspaceOf(tokens));

    const elsewhere = await openBrowserForIssuer();
    await elsewhere.page.goto(app.link());
    await campus(elsewhere.page).click();
    await signInAtIssuer(elsewhere.page, 'ada');
    expect(workspaceOf(await allow(elsewhere.page, app))).toBe(workspaceOf(tokens));
  });

  test('two people have two workspaces', async () => {
    const app = await startApp(carrel.url);
    const workspaces = [];
    for (const login of ['ben', 'cleo']) {
      const { page } = await openBrowserForIssuer();
      await page.goto(app.link());
      await campus(page).click();
      await signInAtIssuer(page, login);
      workspaces.push(workspaceOf(await allow(page, app)));
    }
    expect(new Set(workspaces).size).toBe(2);
  });

  test.each(['eve@elsewhere.example', 'unverified-eve'])('%s is not let in, and is told whom to ask', async (login) => {
    const app = await startApp(carrel.url);
    const { page } = await openBrowserForIssuer();
    await page.goto(app.link());
    await campus(page).click();
    await signInAtIssuer(page, login);
    const told = await page.getByRole('alert').innerText();
    expect(told).toContain('nobody has let you in here. Ask whoever runs this deployment for an invitation.');
    expect(await page.title()).toMatch(/^Error: Sign in/);
    expect(app.answers).toEqual([]);
    await page.goto(carrel.url);
    expect(await banner(page).innerText()).not.toContain('eve');
    // The app's request was not lost with it: somebody who may enter can go on.
    await page.goBack();
    await campus(page).waitFor();
  });

  test('who turns back at the issuer is told so, and can begin again', async () => {
    const { page } = await openBrowserForIssuer();
    await page.goto(`${carrel.url}/sign-in`);
    await campus(page).click();
    await page.getByRole('link', { name: 'Cancel' }).click();
    expect(await page.getByRole('alert').innerText()).toContain('Campus did not sign you in.');
    await campus(page).click();
    await signInAtIssuer(page, 'ada');
    await banner(page).getByText('ada@example.com').waitFor();
  });

  test('the answer for one browser signs nobody in in another', async () => {
    const mallory = await openBrowserForIssuer();
    // He leaves his own sign-in without using the code, and sends the link to Ada.
    await mallory.page.goto(`${carrel.url}/sign-in`);
    await campus(mallory.page).click();
    await mallory.page.getByPlaceholder('Enter any login').waitFor();
    await mallory.context.clearCookies({ domain: 'localhost' });
    const answered = mallory.page.waitForRequest(isCallback);
    await signInAtIssuer(mallory.page, 'mallory');
    const link = (await answered).url();
    expect(new URL(link).searchParams.has('code')).toBe(true);

    const ada = await openBrowserForIssuer();
    await ada.page.goto(link);
    expect(await ada.page.getByRole('alert').innerText()).toContain('begun in another browser');
    await ada.page.goto(carrel.url);
    expect(await banner(ada.page).innerText()).not.toContain('mallory');

    // Also where she has begun one of her own.
    await ada.page.goto(`${carrel.url}/sign-in`);
    await campus(ada.page).click();
    await ada.page.getByPlaceholder('Enter any login').waitFor();
    await ada.page.goto(link);
    expect(await ada.page.getByRole('alert').innerText()).toContain('mixed up with another one');
  });

  test('going back to an answer that was used signs nobody in twice', async () => {
    const { page, context } = await openBrowserForIssuer();
    const answered = page.waitForRequest(isCallback);
    await page.goto(`${carrel.url}/sign-in`);
    await campus(page).click();
    await signInAtIssuer(page, 'ada');
    const link = (await answered).url();
    await banner(page).getByText('ada@example.com').waitFor();
    await context.clearCookies();
    await page.goto(link);
    expect(await page.getByRole('alert').innerText()).toContain('Begin again.');
  });
});

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';

import { App, button, heading, openBrowser, signIn, startApp, useCarrel, useDeployment } from '../support/browser.ts';
import { faultsOf, focusFaultsOf } from './page-faults.ts';

const carrel = useCarrel();

const SECRETS = { CARREL_SECRET: 's'.repeat(64), PERSON_ID_KEY: 'p'.repeat(64) };
const PRODUCTION = { DEPLOYMENT: 'production', DEV_SIGN_IN: '' };
/** Deployed, and nobody has told it its address yet. */
const unfinished = useDeployment({ ...PRODUCTION, PUBLIC_URL: '' }, SECRETS);
/** Deployed by somebody with a bad day. */
const broken = useDeployment(
  {
    DEPLOYMENT: 'staging',
    PUBLIC_URL: 'http://carrel.example.com/desk',
    TOOLSETS: 'sesions',
    ACCESS_TOKEN_SECONDS: '5',
    GRANT_IDLE_DAYS: 'a month',
  },
  { CARREL_SECRET: 'hunter2hunter2', PERSON_ID_KEY: SECRETS.PERSON_ID_KEY },
);
/** Deployed and complete. */
const deployed = useDeployment((origin) => ({ ...PRODUCTION, PUBLIC_URL: origin }), SECRETS);

describe('a page that says what went wrong', () => {
  async function open(address: string) {
    const { page } = await openBrowser();
    const response = await page.goto(address);
    return { page, response, words: await page.getByRole('main').innerText() };
  }

  test('of an address with nothing there leads to the start page', async () => {
    const { page, response, words } = await open(`${carrel.url}/nowhere`);
    expect(response?.status()).toBe(404);
    expect(words).toContain('There is nothing at this address.');
    await page.getByRole('link', { name: 'To the start page' }).click();
    await page.waitForURL(`${carrel.url}/`);
  });

  test('of an address that only takes forms is a page, too', async () => {
    const { page, response } = await open(`${carrel.url}/sign-out`);
    expect(response?.status()).toBe(405);
    expect(response?.headers()['allow']).toBe('POST');
    expect(await heading(page).innerText()).toBe('Method not allowed');
    await page.getByRole('link', { name: 'To the start page' }).click();
    await page.waitForURL(`${carrel.url}/`);
  });

  test('of a host that is none of ours does not call it a missing page', async () => {
    const { page, response, words } = await open(carrel.url.replace('localhost', 'carrel.test'));
    expect(response?.status()).toBe(421);
    expect(await heading(page).innerText()).not.toBe('Not found');
    expect(words).toContain('Use the one it was set up with.');
    expect(await faultsOf(page)).toEqual([]);
  });

  test('of a deployment that does not know its address says how it gets to know it', async () => {
    for (const path of ['/', '/sign-in', '/authorize?client_id=x']) {
      const { response, words } = await open(`${unfinished.url}${path}`);
      expect(response?.status()).toBe(503);
      expect(words).toContain('PUBLIC_URL is not set');
      expect(words).toContain('npm run deploy');
    }
  });

  test('of a wrong configuration names every fault at once, and no value', async () => {
    const { page, response, words } = await open(broken.url);
    expect(response?.status()).toBe(503);
    const faults = await page.getByRole('listitem').allInnerTexts();
    const settings = faults.map((fault) => fault.split(' ')[0]);
    const wrong = ['DEPLOYMENT', 'PUBLIC_URL', 'TOOLSETS', 'ACCESS_TOKEN_SECONDS', 'GRANT_IDLE_DAYS', 'CARREL_SECRET'];
    expect(new Set(settings)).toEqual(new Set(wrong));
    for (const value of ['hunter2', 'carrel.example.com/desk', 'sesions', 'a month'])
      expect(words).not.toContain(value);
  });

  test('of a deployment that nobody owns says how it is claimed', async () => {
    const { page, words } = await open(`${deployed.url}/sign-in`);
    expect(words).toContain('Nobody owns this Carrel yet');
    expect(words).toContain('npm run owner-code -- --remote');
    expect(await page.getByRole('textbox').count()).toBe(0);
  });
});

describe('the page of the HTTP API', () => {
  test('is found from the start page, and leads to each operation and each schema', async () => {
    const { page } = await openBrowser();
    await page.goto(carrel.url);
    await page.getByRole('link', { name: 'the HTTP API' }).click();
    await page.waitForURL(`${carrel.url}/docs`);
    const nowhere = await page.evaluate<string[]>(
      `[...document.querySelectorAll('a[href^="#"]')].map((link) => link.hash.slice(1)).filter((id) => !document.getElementById(id))`,
    );
    expect(nowhere).toEqual([]);
    await page.getByRole('navigation').getByRole('link', { name: 'Fetch a file', exact: true }).click();
    await page.waitForURL(/#fetchFile$/);
    await page.getByRole('heading', { name: 'Fetch a file', exact: true }).waitFor();
    expect(await page.evaluate('document.getElementById("fetchFile").getBoundingClientRect().top < innerHeight')).toBe(
      true,
    );
  });

  test('opens its examples from the keyboard, and shows their commands', async () => {
    const { page } = await openBrowser({ javaScript: false });
    await page.goto(`${carrel.url}/docs`);
    const store = page.getByRole('article', { name: 'Store a file' });
    await store.getByText('The file as the body').focus();
    await page.keyboard.press('Enter');
    const command = store.getByText(/^curl/).first();
    await command.waitFor();
    expect(await command.innerText()).toContain(`'${carrel.url}/files?path=table.csv'`);
  });
});

/** All pages in all of their states, in an order in which one person may come across them. */
async function* walk(page: Page): AsyncGenerator<string> {
  const local = await startApp(carrel.url, 'Claude Code');
  const web = await App.register(carrel.url, 'Reader', ['https://reader.example/callback']);
  const ownLinks = await App.register(carrel.url, 'Pocket notes', ['com.example.app:/callback']);
  const loud = await App.register(
    carrel.url,
    `<img src=x onerror=alert(1)> 🦊📚 \u202Egnp.exe\u202C تطبيق القراءة You have already allowed this! ${'Averylongword'.repeat(16)}`,
    ['https://a-long-label-on-its-own.another-label-that-is-longer-still.and-one-more.example/callback'],
  );

  await page.goto(carrel.url);
  yield 'home';
  await page.goto(`${carrel.url}/docs`);
  for (const summary of await page.locator('summary').all()) await summary.click();
  yield 'docs';
  await page.goto(local.link());
  yield 'sign-in';
  await signIn(page, 'ada@example');
  await page.getByRole('alert').waitFor();
  yield 'sign-in-error';
  await signIn(page, 'ada@example.com');
  await button(page, 'Allow').waitFor();
  yield 'consent-local';
  for (const box of await page.getByRole('checkbox').all()) await box.uncheck();
  await button(page, 'Allow').click();
  await page.getByRole('alert').waitFor();
  yield 'consent-error';
  await page.goto(web.link({ scope: 'sessions:read files:read' }));
  yield 'consent-web';
  await page.goto(ownLinks.link());
  yield 'consent-own-links';
  await page.goto(loud.link());
  yield 'consent-loud';

  await page.goto(carrel.url);
  for (const summary of await page.locator('summary').all()) await summary.click();
  yield 'home-signed-in';
  await button(page, 'Sign out').click();
  await heading(page).getByText('You are signed out').waitFor();
  yield 'signed-out';
  await page.goto(`${carrel.url}/sign-in`);
  await signIn(page, 'a.very.long.address.indeed@a-department.of-some-university.example.com');
  await button(page, 'Sign out').waitFor();
  yield 'home-long-address';

  await page.goto(local.link());
  const [tab] = await Promise.all([
    page.context().waitForEvent('page'),
    button(page, 'Allow').click({ modifiers: ['ControlOrMeta'] }),
  ]);
  await local.answerAt(tab);
  await tab.close();
  await button(page, 'Allow').click();
  await page.getByText('The app was not connected').waitFor();
  yield 'answered-before';
  await page.goto(local.link().replace(/client_id=[^&]+/, 'client_id=nobody'));
  yield 'unknown-app';
  await page.goto(local.link({ redirect: 'https://evil.example/' }));
  yield 'changed-way-back';
  await page.goto(`${carrel.url}/nowhere`);
  yield '404';
  await page.goto(`${carrel.url}/sign-out`);
  yield '405';
  await page.goto(carrel.url.replace('localhost', 'carrel.test'));
  yield '421';

  await page.goto(deployed.url);
  yield 'deployed-home';
  await page.goto(`${deployed.url}/sign-in`);
  yield 'deployed-sign-in';
  await page.goto(unfinished.url);
  yield 'unfinished';
  await page.goto(broken.url);
  yield 'broken';
}

// CARREL_SCREENSHOTS names a folder for the pictures; whoever changes the pages looks at them there.
const pictures = process.env['CARREL_SCREENSHOTS'];

describe.each(['light', 'dark'] as const)('every page in the %s', (colorScheme) => {
  test.each([390, 1280])('is fit to be read and used at %d px', async (width) => {
    const { page } = await openBrowser({ width, colorScheme });
    if (pictures) mkdirSync(pictures, { recursive: true });
    for await (const name of walk(page)) {
      if (pictures) {
        const path = join(pictures, `${name}-${width}-${colorScheme}.png`);
        await page.screenshot({ path, fullPage: true });
      }
      expect.soft(await faultsOf(page), `faults of ${name}`).toEqual([]);
      expect.soft(await focusFaultsOf(page), `focus on ${name}`).toEqual([]);
    }
    // What the console says is looked at for every browser at its end.
  });
});

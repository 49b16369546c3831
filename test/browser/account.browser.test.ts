import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';

import { ownerCode } from '../../scripts/lib/operator.ts';
import { readSecretsFile } from '../../scripts/lib/secrets.ts';
import { DEVICE_GRANT } from '../../src/oauth/model.ts';
import { App, button, heading, letAppIn, openBrowser, signIn, startApp, useCarrel } from '../support/browser.ts';
import { faultsOf, focusFaultsOf } from './page-faults.ts';

const carrel = useCarrel();

// CARREL_SCREENSHOTS names a folder for the pictures.
const pictures = process.env['CARREL_SCREENSHOTS'];

const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });

/** Makes somebody the owner, in a browser that stays theirs. The deployment has one: the first test claims it. */
async function claim(page: Page, email: string): Promise<void> {
  await page.goto(`${carrel.url}/claim`);
  await page.getByLabel('Owner code').fill(await ownerCode(readSecretsFile(carrel.secretsFile)));
  await press(page, 'Go on to sign in').click();
  await page.getByText('You are about to own this Carrel').waitFor();
  await signIn(page, email);
  await button(page, 'Sign out').waitFor();
}

test('a deployment is claimed with its code, and people come in by links that are shown once', async () => {
  const { page } = await openBrowser();
  await page.goto(`${carrel.url}/claim`);
  await page.getByLabel('Owner code').fill('not-the-code');
  await press(page, 'Go on to sign in').click();
  await page.getByRole('alert').getByText('This is not the code').waitFor();
  await claim(page, 'owner@example.com');
  await page.getByRole('link', { name: 'owner@example.com' }).click();
  await heading(page).getByText('Your account').waitFor();
  await page.getByRole('link', { name: 'People' }).click();
  await page.getByLabel('For whom').fill('Grace');
  await page.getByLabel('As', { exact: true }).selectOption('admin');
  await press(page, 'Make a link').click();
  const link = await page.getByText(/\/invite\//).innerText();

  const grace = (await openBrowser()).page;
  await grace.goto(link);
  await grace.getByText('owner@example.com').waitFor();
  await press(grace, 'Accept and sign in').click();
  await signIn(grace, 'grace@example.com');
  await button(grace, 'Sign out').waitFor();
  await grace.goto(`${carrel.url}/admin/people`);
  await grace.getByText('owner@example.com').waitFor();
  // Grace changes neither the owner nor herself: there is nobody else.
  expect(await press(grace, 'Disable').count()).toBe(0);

  await page.goto(`${carrel.url}/admin/people`);
  await press(page, 'Disable').click();
  await page.getByText('disabled', { exact: true }).waitFor();
  await grace.reload();
  await heading(grace).getByText('Sign in').waitFor();
  await press(page, 'Enable').click();
  await press(page, 'Disable').waitFor();
});

test('an app is disconnected where the person sees it', async () => {
  const { page } = await openBrowser();
  await letAppIn(page, carrel.url, 'ada@example.com');
  await page.goto(`${carrel.url}/account/apps`);
  await page.getByRole('article', { name: 'Reading list' }).getByRole('button', { name: 'Disconnect' }).click();
  await page.getByText('No app is connected').waitFor();
  expect(await page.getByRole('article').count()).toBe(0);
});

test('an app may do less from then on, and is seen connecting', async () => {
  const { page } = await openBrowser();
  await letAppIn(page, carrel.url, 'less@example.com');
  await page.goto(`${carrel.url}/account/apps`);
  const card = page.getByRole('article', { name: 'Reading list' });
  expect(await card.getByText('files:write').count()).toBe(1);
  await card.getByText('Let it do less').click();
  await card.getByLabel('Change files').uncheck();
  await card.getByRole('button', { name: 'Keep only what is ticked' }).click();
  await card.getByText('Let it do less').waitFor();
  expect(await card.getByText('files:write').count()).toBe(0);
  await page.getByRole('link', { name: 'See how far it came' }).click();
  await page.getByText('It fetched its access').waitFor();
  await page.getByText('has not happened yet').waitFor();
});

/** A terminal that asks to be let in. */
async function startDevice(name: string) {
  const post = async <Answer>(path: string, init: RequestInit) =>
    (await (await fetch(`${carrel.url}${path}`, { method: 'POST', ...init })).json()) as Answer;
  const metadata = { client_name: name, grant_types: [DEVICE_GRANT], token_endpoint_auth_method: 'none' };
  const { client_id: clientId } = await post<{ client_id: string }>('/register', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(metadata),
  });
  const codes = await post<{ device_code: string; user_code: string; verification_uri_complete: string }>(
    '/device_authorization',
    { body: new URLSearchParams({ client_id: clientId }) },
  );
  const poll = async () =>
    post<{ access_token?: string; error?: string }>('/token', {
      body: new URLSearchParams({ grant_type: DEVICE_GRANT, device_code: codes.device_code, client_id: clientId }),
    });
  return { ...codes, poll };
}

test('a terminal is let in with the code that it shows', async () => {
  const { page } = await openBrowser();
  const device = await startDevice('carrel on build-7');
  await page.goto(device.verification_uri_complete);
  await signIn(page, 'terminal@example.com');
  expect(await page.getByLabel('Code').inputValue()).toBe(device.user_code);
  await press(page, 'Continue').click();
  await page.getByText('carrel on build-7').waitFor();
  await press(page, 'Allow').click();
  await page.getByText('Your device is connected').waitFor();
  const { access_token: token } = await device.poll();
  const response = await fetch(`${carrel.url}/files`, { headers: { Authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
});

test('a token for a script is made, works, and is ended', async () => {
  const { page } = await openBrowser();
  await page.goto(`${carrel.url}/account/tokens`);
  await signIn(page, 'scripts@example.com');
  await page.getByLabel('What it is for').fill('Nightly backup');
  await page.getByLabel('Read files').check();
  await press(page, 'Make a token').click();
  const token = await page.getByText(/^carrel_pat_/).innerText();
  const list = async () =>
    (await fetch(`${carrel.url}/files`, { headers: { Authorization: `Bearer ${token}` } })).status;
  expect(await list()).toBe(200);
  await page.goto(`${carrel.url}/account/tokens`);
  await press(page, 'End this token').click();
  await page.getByText('You have none').waitFor();
  expect(await list()).toBe(401);
});

/** The pages of this file in all of their states. */
async function* walk(page: Page): AsyncGenerator<string> {
  await page.goto(`${carrel.url}/claim`);
  yield 'claimed';
  await page.goto(`${carrel.url}/sign-in`);
  await signIn(page, 'ada@example.com');
  await page.goto(`${carrel.url}/account`);
  yield 'account-member';
  await page.goto(`${carrel.url}/admin/people`);
  yield 'account-forbidden';
  await page.goto(`${carrel.url}/account/apps`);
  yield 'apps-none';
  await page.goto(`${carrel.url}/account/connections`);
  yield 'connections-none';
  await page.goto(`${carrel.url}/account/tokens`);
  yield 'tokens-none';
  await page.getByLabel('What it is for').fill('Nightly backup');
  await press(page, 'Make a token').click();
  yield 'tokens-refused';
  await page.getByLabel('Read sessions').check();
  await press(page, 'Make a token').click();
  await page.getByText('Copy it now').waitFor();
  yield 'tokens-made';
  await button(page, 'Sign out').click();

  await page.goto(`${carrel.url}/sign-in`);
  await signIn(page, 'owner@example.com');
  for (const name of ['Claude Code', `<img src=x onerror=alert(1)> \u202Egnp.exe\u202C ${'Averylongword'.repeat(8)}`]) {
    const app = await startApp(carrel.url, name);
    await page.goto(app.link());
    await button(page, 'Allow').click();
    await app.redeem(await app.answerAt(page));
  }
  await App.register(carrel.url, 'Reader', ['https://reader.example/callback']);
  await page.goto(`${carrel.url}/account`);
  yield 'account-owner';
  await page.goto(`${carrel.url}/account/apps`);
  yield 'apps';
  await page.getByText('Let it do less').first().click();
  yield 'apps-narrow';
  const stale = await startApp(carrel.url, 'Notebook');
  await page.goto(stale.link());
  await button(page, 'Deny').click();
  await page.goto(`${carrel.url}/account/connections`);
  yield 'connections';
  await page.goto(`${carrel.url}/device`);
  yield 'device';
  await page.getByLabel('Code').fill('BBBB-BBBB');
  await press(page, 'Continue').click();
  await page.getByText('No device waits').waitFor();
  yield 'device-unknown';
  const device = await startDevice('carrel on build-7');
  await page.getByLabel('Code').fill(device.user_code);
  await press(page, 'Continue').click();
  await page.getByText('carrel on build-7').waitFor();
  yield 'device-consent';
  await press(page, 'Allow').click();
  await page.getByText('Your device is connected').waitFor();
  yield 'device-done';
  await page.goto(`${carrel.url}/admin/people`);
  await page
    .getByLabel('For whom')
    .fill('Somebody with a long name from a department of some university, on the third floor');
  await press(page, 'Make a link').click();
  const link = await page.getByText(/\/invite\//).innerText();
  yield 'people-invited';
  await page.goto(`${carrel.url}/admin/audit`);
  yield 'audit';
  await page.goto(`${carrel.url}/admin/audit?person=nobody`);
  yield 'audit-none';
  await page.goto(link);
  yield 'invitation-signed-in';
  await press(page, 'Sign out to use it').click();
  await press(page, 'Accept and sign in').waitFor();
  yield 'invitation';
  await press(page, 'Accept and sign in').click();
  await heading(page).getByText('Sign in').waitFor();
  yield 'sign-in-invited';
  await signIn(page, `${crypto.randomUUID()}.with.a.very.long.address@a-department.of-some-university.example.com`);
  await page.goto(link);
  await page.getByText('This invitation cannot be used').waitFor();
  yield 'invitation-gone';
}

describe.each(['light', 'dark'] as const)('every page in the %s', (colorScheme) => {
  test.each([390, 1280])('is fit to be read and used at %d px', async (width) => {
    const { page } = await openBrowser({ width, colorScheme });
    if (pictures) mkdirSync(pictures, { recursive: true });
    for await (const name of walk(page)) {
      if (pictures)
        await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      expect.soft(await faultsOf(page), `faults of ${name}`).toEqual([]);
      expect.soft(await focusFaultsOf(page), `focus on ${name}`).toEqual([]);
    }
  });
});

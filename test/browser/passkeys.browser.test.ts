import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { CDPSession, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';

import { Admission } from '../../src/identity/admission.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { button, heading, openBrowser, signIn, startApp, useCarrel } from '../support/browser.ts';
import type { BrowserOptions } from '../support/browser.ts';
import { faultsOf, focusFaultsOf } from './page-faults.ts';

const SECRET = 's'.repeat(64);
const carrel = useCarrel(() => ({ CARREL_SECRET: SECRET }));

interface Device {
  readonly page: Page;
  readonly complaints: string[];
  readonly cdp: CDPSession;
  readonly authenticatorId: string;
}

/** A browser on a device with an authenticator of its own, which says yes to everything. */
async function openDevice(options: BrowserOptions = {}): Promise<Device> {
  const { context, page, complaints } = await openBrowser(options);
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { page, complaints, cdp, authenticatorId };
}

const credentials = async ({ cdp, authenticatorId }: Device) =>
  (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials;

const press = async (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

/** Signs in with the development sign-in and makes a passkey. */
async function personWithPasskey(device: Device, email: string): Promise<void> {
  const { page } = device;
  await page.goto(`${carrel.url}/sign-in?return_to=/account/passkeys`);
  await signIn(page, email);
  await heading(page).getByText('Your passkeys').waitFor();
  await page.getByLabel('Name').last().fill('Desk');
  await press(page, 'Create a passkey');
  await page.getByText('Desk', { exact: true }).waitFor();
}

async function signOut(page: Page): Promise<void> {
  await button(page, 'Sign out').first().click();
  await heading(page).getByText('You are signed out').waitFor();
}

/** Gives the browser the owner's code, and leads to the sign-in page. */
async function claim(page: Page, returnTo = '/'): Promise<void> {
  const code = await Admission.ownerCode(new Keyring([SECRET]));
  await page.goto(`${carrel.url}/claim`);
  await page.getByRole('textbox').fill(code);
  await page.getByRole('main').getByRole('button').click();
  await page.waitForURL('**/sign-in*');
  await page.goto(`${carrel.url}/sign-in?${new URLSearchParams({ return_to: returnTo }).toString()}`);
}

/** The pages with passkeys, in their states. */
async function* walk(device: Device, email: string): AsyncGenerator<string> {
  const { page } = device;
  await claim(page);
  yield 'ticket';
  // Or signing in would use the code up, which a test after these is about.
  await page.context().clearCookies();
  await page.goto(`${carrel.url}/sign-in`);
  yield 'sign-in';
  await press(page, 'Sign in with a passkey');
  await page.getByRole('alert').waitFor();
  yield 'sign-in-cancelled';
  await page.goto(`${carrel.url}/sign-in/recovery`);
  yield 'recovery';
  await page.getByLabel('Recovery code').fill('7h2k-9mq4-x0c8-v5t1');
  await press(page, 'Sign in');
  await page.getByRole('alert').waitFor();
  yield 'recovery-wrong';

  await page.goto(`${carrel.url}/sign-in?return_to=/account/passkeys`);
  await signIn(page, email);
  await heading(page).getByText('Your passkeys').waitFor();
  yield 'none';
  await press(page, 'Create a passkey');
  await page.locator('summary').waitFor();
  await page.goto(`${carrel.url}/account/passkeys/first?return_to=/account`);
  yield 'first';
  await page.goto(`${carrel.url}/account/passkeys`);
  await page.locator('summary').click();
  await page
    .getByLabel('Name')
    .first()
    .fill(`A name that is as long as it may be, ${'x'.repeat(23)}`);
  // The page behind the button: until it is there, what is asked of a page is asked of the one before.
  await Promise.all([page.waitForEvent('load'), press(page, 'Rename')]);
  await page.locator('summary').click();
  yield 'one';
  await Promise.all([page.waitForEvent('load'), press(page, 'Make recovery codes')]);
  yield 'codes';
}

const pictures = process.env['CARREL_SCREENSHOTS'];

describe.each(['light', 'dark'] as const)('the pages with passkeys in the %s', (colorScheme) => {
  test.each([390, 1280])('are fit to be read and used at %d px', async (width) => {
    const device = await openDevice({ width, colorScheme });
    const { page } = device;
    if (pictures) mkdirSync(pictures, { recursive: true });
    for await (const name of walk(device, `looks-${width}-${colorScheme}@example.com`)) {
      if (pictures) {
        const path = join(pictures, `passkeys-${name}-${width}-${colorScheme}.png`);
        await page.screenshot({ path, fullPage: true });
      }
      expect.soft(await faultsOf(page), `faults of ${name}`).toEqual([]);
      expect.soft(await focusFaultsOf(page), `focus on ${name}`).toEqual([]);
    }
  });
});

describe('a passkey', () => {
  test('made by somebody who is signed in signs them in again', async () => {
    const device = await openDevice();
    const { page } = device;
    await personWithPasskey(device, 'ada@example.com');
    const [credential] = await credentials(device);
    expect([credential?.rpId, credential?.isResidentCredential]).toEqual(['localhost', true]);
    await signOut(page);
    await page.goto(`${carrel.url}/sign-in`);
    await press(page, 'Sign in with a passkey');
    await page.waitForURL(`${carrel.url}/`);
    expect(await page.getByRole('banner').innerText()).toContain('ada@example.com');
  });

  test('makes a newcomer the owner, who then lets an app in', async () => {
    const device = await openDevice();
    const { page } = device;
    const app = await startApp(carrel.url);
    const link = app.link();
    await claim(page, link.slice(carrel.url.length));
    await page.getByLabel('Your e-mail address').fill('olga@example.com');
    await press(page, 'Create a passkey');
    await heading(page).getByText('Your passkey is made').waitFor();
    await press(page, 'Make recovery codes');
    await heading(page).getByText('Your recovery codes').waitFor();
    const codes = (await page.getByRole('main').innerText()).match(/[0-9a-z]{4}(?:-[0-9a-z]{4}){3}/g);
    expect(codes).toHaveLength(10);
    await page.getByRole('link', { name: 'I have kept them' }).click();
    await button(page, 'Allow').click();
    expect((await app.answerAt(page)).searchParams.get('code')).toBeTruthy();

    // Another browser, with none of the passkeys.
    const { page: other } = await openBrowser();
    await other.goto(link);
    await other.getByRole('link', { name: 'Use a recovery code' }).click();
    await other.getByLabel('Recovery code').fill('0000-0000-0000-0000');
    await press(other, 'Sign in');
    await other.getByRole('alert').getByText('This code opens nothing').waitFor();
    await other.getByLabel('Recovery code').fill(codes?.[0] ?? '');
    await press(other, 'Sign in');
    await button(other, 'Allow').waitFor();
    await other.goto(`${carrel.url}/account`);
    expect(await other.getByRole('main').innerText()).toContain('olga@example.com');
  });

  test('signs in on the way of a client, by keyboard alone', async () => {
    const device = await openDevice();
    const { page } = device;
    await personWithPasskey(device, 'keys@example.com');
    await signOut(page);
    const app = await startApp(carrel.url);
    await page.goto(app.link());
    await page.getByRole('button', { name: 'Sign in with a passkey' }).focus();
    await page.keyboard.press('Enter');
    await button(page, 'Allow').waitFor();
    expect(await page.getByRole('main').innerText()).toContain('keys@example.com');
  });

  test('is not made twice on one device', async () => {
    const device = await openDevice();
    const { page } = device;
    await personWithPasskey(device, 'twice@example.com');
    await press(page, 'Create a passkey');
    await page.getByRole('alert').getByText('There is a passkey of yours on this device already').waitFor();
    expect(await credentials(device)).toHaveLength(1);
  });

  test('is renamed and removed, and then opens nothing', async () => {
    const device = await openDevice();
    const { page } = device;
    await personWithPasskey(device, 'removes@example.com');
    await page.getByText('Desk', { exact: true }).click();
    await page.getByLabel('Name').first().fill('Old desk');
    await press(page, 'Rename');
    await page.getByText('Old desk', { exact: true }).click();
    await press(page, 'Remove this passkey');
    await page.getByText('You have none yet').waitFor();
    await signOut(page);
    await page.goto(`${carrel.url}/sign-in`);
    await press(page, 'Sign in with a passkey');
    await page.getByRole('alert').getByText('This passkey is not known here').waitFor();
    expect(new URL(page.url()).pathname).toBe('/sign-in');
    device.complaints.length = 0; // Chromium's own line about the 403.
  });

  test('that the person does not let be used is no dead end', async () => {
    const device = await openDevice();
    const { page, cdp, authenticatorId } = device;
    await personWithPasskey(device, 'shy@example.com');
    await signOut(page);
    await page.goto(`${carrel.url}/sign-in`);
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
    await press(page, 'Sign in with a passkey');
    await page.getByRole('alert').getByText('No passkey was used').waitFor();
    expect(await page.getByRole('link', { name: 'Use a recovery code' }).isVisible()).toBe(true);
  });
});

describe('a browser that cannot', () => {
  test('without JavaScript is told what to do', async () => {
    const { page } = await openBrowser({ javaScript: false });
    await page.goto(`${carrel.url}/sign-in`);
    expect(await page.getByRole('main').innerText()).toContain('Passkeys need JavaScript');
    if (pictures) await page.screenshot({ path: join(pictures, 'passkeys-no-script.png'), fullPage: true });
    await press(page, 'Sign in with a passkey');
    expect(await page.getByRole('main').innerText()).toContain('Passkeys need JavaScript');
  });

  test('use passkeys is told so, before it tries', async () => {
    const { context, page } = await openBrowser();
    await context.addInitScript({ content: 'delete globalThis.PublicKeyCredential;' });
    await page.goto(`${carrel.url}/sign-in`);
    expect(await page.getByRole('alert').innerText()).toContain('This browser has no passkeys that a page can ask for');
  });
});

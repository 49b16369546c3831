import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { Browser } from '../../scripts/client/browser.ts';
import { addToSecretsFile } from '../../scripts/lib/secrets.ts';
import { signInAtIssuer } from '../support/issuer.ts';
import { useRealIssuer } from '../support/real-issuer.ts';
import { Deployment } from './support/deployment.ts';

/** The real bundle and an issuer that is not ours, over the network; `test/browser` goes there with Chromium. */
const issuer = useRealIssuer();
const deployment = new Deployment({ ADMIT_DOMAINS: 'example.com', DEV_SIGN_IN: 'false' });

beforeAll(async () => {
  // As docs/sign-in.md says.
  const secrets = { OIDC_PROVIDERS: `'${issuer.setting}'` };
  addToSecretsFile(join(deployment.state, 'dev.vars'), secrets, 'Secrets of this test');
  await deployment.start();
  issuer.register(deployment.origin);
});
afterAll(() => deployment.remove());

/** Signs in at the issuer. @returns where the issuer sends the browser back to */
async function callbackFor(browser: Browser, login: string): Promise<URL> {
  const { url: link } = await browser.open('/sign-in/campus');
  const callback = await signInAtIssuer(issuer, link, login);
  expect(callback.origin).toBe(deployment.origin);
  return callback;
}

it('ends a sign-in that a power cut came into', async () => {
  const browser = new Browser(deployment.origin);
  const callback = await callbackFor(browser, 'ada');
  await deployment.kill();
  await deployment.startAgain();
  const page = await browser.open(callback);
  expect([page.status, page.url.pathname]).toEqual([200, '/']);
  expect(page.body).toContain('ada@example.com');
});

it('takes one of eight callbacks that come at once', async () => {
  const browser = new Browser(deployment.origin);
  const callback = await callbackFor(browser, 'ben');
  const headers = { Cookie: browser.cookieHeader() };
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => fetch(callback, { headers, redirect: 'manual' })),
  );
  const statuses = answers.map(({ status }) => String(status)).toSorted();
  expect(statuses).toEqual(['303', ...Array<string>(7).fill('400')]);
  await Promise.all(answers.map(async (answer) => answer.body?.cancel()));
});

it('lets four first sign-ins of one person at once be one person', async () => {
  const browsers = Array.from({ length: 4 }, () => new Browser(deployment.origin));
  const callbacks = await Promise.all(browsers.map(async (browser) => callbackFor(browser, 'cleo')));
  const pages = await Promise.all(browsers.map(async (browser, index) => browser.open(callbacks[index] ?? '')));
  for (const page of pages) expect([page.status, page.body.includes('cleo@example.com')]).toEqual([200, true]);
});

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Download, Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';

import { call } from '../../scripts/client/mcp.ts';
import { assistantOf, button, heading, letAppIn, openBrowser, signIn, useCarrel } from '../support/browser.ts';
import { unzipTexts } from '../support/unzip.ts';
import { faultsOf, focusFaultsOf } from './page-faults.ts';

const carrel = useCarrel();
/** Where to put pictures of the pages; none are taken without it. */
const pictures = process.env['CARREL_PICTURES'];

const ADA = 'ada@example.com';
/** One of each of the scripts whose letters a header cannot hold. */
const NAMES = ['Отчёт за год.txt', '市場調査 第2版.txt', 'تقرير ٢٠٢٦.txt', 'सारांश.txt', '🦊 "quoted" é.txt'];

let token = '';

/** Ada's assistant, which keeps files for her. */
const assistant = async () => assistantOf(carrel.url, token);

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Ada's browser. */
async function ada(options: Parameters<typeof openBrowser>[0] = {}): Promise<Page> {
  const { page } = await openBrowser(options);
  await page.goto(`${carrel.url}/account/files`);
  await signIn(page, ADA);
  await heading(page).getByText('Your files').waitFor();
  return page;
}

/** What a browser saves when somebody acts. */
async function saved(
  page: Page,
  act: () => Promise<unknown>,
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: download.suggestedFilename(), bytes: await bytesOf(download) };
}
const bytesOf = async (download: Download) => Uint8Array.from(readFileSync(await download.path()));
const textOf = ({ bytes }: { readonly bytes: Uint8Array }) => new TextDecoder().decode(bytes);

const linkOf = async (page: Page) =>
  page
    .getByText(/\/s\/per_/)
    .first()
    .innerText();

describe('a share', () => {
  beforeAll(() => pictures && mkdirSync(pictures, { recursive: true }));

  test('is of what an assistant keeps for its person', async () => {
    const { page } = await openBrowser();
    token = (await letAppIn(page, carrel.url, ADA)).access_token;
    const agent = await assistant();
    await call(agent, 'session_open', { session: 'Market study' });
    const files = {
      'reports/2026/q3.txt': 'the third quarter',
      'reports/2026/q4.txt': 'the fourth',
      'notes.txt': 'notes',
    };
    for (const [path, text] of Object.entries(files))
      await call(agent, 'file_write', { session: 'market-study', path, text });
    for (const name of NAMES)
      await call(agent, 'file_write', { session: 'market-study', path: `scripts/${name}`, text: name });
    expect((await call(agent, 'file_list', { session: 'market-study' }))['files']).toHaveLength(8);
  });

  test('is made by a person, downloaded with its password by somebody without an account, and taken back', async () => {
    const page = await ada();
    await page.getByRole('link', { name: 'Market study' }).click();
    await page.getByRole('link', { name: 'reports/', exact: true }).click();
    await page.getByRole('link', { name: '2026/', exact: true }).click();
    await page.getByRole('link', { name: 'Share q3.txt' }).click();
    await page.getByLabel('How long the link works').selectOption('1');
    await page.getByLabel('How often it may be downloaded').fill('2');
    await page.getByLabel('Password').fill('correct horse');
    await press(page, 'Make the link').click();
    await heading(page).getByText('What you share').waitFor();
    const link = await linkOf(page);

    const guest = (await openBrowser()).page;
    await guest.goto(link);
    expect(await guest.getByRole('main').innerText()).not.toContain('q3.txt');
    await guest.getByLabel('Password').fill('wrong horse');
    await press(guest, 'Download').click();
    await guest.getByRole('alert').getByText('This is not the password').waitFor();
    await guest.getByLabel('Password').fill('correct horse');
    const file = await saved(guest, async () => press(guest, 'Download').click());
    expect([file.name, textOf(file)]).toEqual(['q3.txt', 'the third quarter']);

    await page.reload();
    await page.getByText('1 of 2 downloads').waitFor();
    await press(page, 'Stop sharing').click();
    await page.getByText('You share nothing').waitFor();
    expect((await guest.goto(link))?.status()).toBe(404);
    expect(await guest.getByRole('main').innerText()).toContain('There is nothing at this address');
  });

  test('keeps the name of a file in every script, and a folder comes as a zip', async () => {
    const agent = await assistant();
    const page = await ada();
    for (const name of NAMES) {
      const made = await call(agent, 'file_link', { session: 'market-study', file: `scripts/${name}` });
      const { url } = (made as { download: { url: string } }).download;
      // A page that becomes a download is left where it was, which Playwright reports as a failure to go there.
      const file = await saved(page, async () => page.goto(url).catch(() => undefined));
      // A quotation mark is in no name that a browser saves.
      expect([file.name.replaceAll(/["_-]/g, ''), textOf(file)]).toEqual([name.replaceAll('"', ''), name]);
    }
    await page.goto(`${carrel.url}/account/files?session=market-study`);
    const archive = await saved(page, async () => page.getByRole('link', { name: 'Download scripts/' }).click());
    expect(archive.name).toBe('scripts.zip');
    expect(Object.values(await unzipTexts(archive.bytes)).toSorted()).toEqual(NAMES.toSorted());

    await page.getByRole('link', { name: 'Share reports/' }).click();
    await press(page, 'Make the link').click();
    const guest = (await openBrowser()).page;
    await guest.goto(await linkOf(page));
    await guest.getByText('A zip of 2 files').waitFor();
    const shared = await saved(guest, async () => press(guest, 'Download').click());
    expect(Object.keys(await unzipTexts(shared.bytes))).toEqual(['reports/2026/q3.txt', 'reports/2026/q4.txt']);
  });

  test('what was deleted can be put back, or goes for good', async () => {
    const agent = await assistant();
    for (const path of ['old/kept.txt', 'old/gone.txt']) {
      await call(agent, 'file_write', { session: 'market-study', path, text: path });
      await call(agent, 'file_delete', { session: 'market-study', file: path });
    }
    const page = await ada();
    await page.getByRole('link', { name: 'the trash' }).click();
    await press(page, 'Put back old/kept.txt').click();
    await page.getByText('old/kept.txt').waitFor({ state: 'detached' });
    await page.getByText('Empty the trash').click();
    await press(page, 'Delete all of it for good').click();
    await page.getByText('The trash is empty').waitFor();
    const { files } = await call<{ files: { path: string }[] }>(agent, 'file_list', { session: 'market-study' });
    expect(files.map(({ path }) => path).filter((path) => path.startsWith('old/'))).toEqual(['old/kept.txt']);
    // For the pictures.
    await call(agent, 'file_delete', { session: 'market-study', file: 'old/kept.txt' });
  });

  test('needs no script, and lets none run', async () => {
    const agent = await assistant();
    await call(agent, 'file_write', {
      session: 'market-study',
      path: 'evil.svg',
      text: `<svg xmlns="http://www.w3.org/2000/svg"><script>fetch('/healthz?stolen')</script></svg>`,
    });
    const page = await ada({ javaScript: false });
    await page.goto(`${carrel.url}/account/files?q=evil`);
    await page.getByRole('link', { name: 'Share evil.svg' }).click();
    await press(page, 'Make the link').click();
    const guest = (await openBrowser()).page;
    const requests: string[] = [];
    guest.on('request', (request) => requests.push(new URL(request.url()).pathname));
    await guest.goto(await linkOf(page));
    const file = await saved(guest, async () => press(guest, 'Download').click());
    expect(file.name).toBe('evil.svg');
    expect(requests.filter((path) => path.includes('healthz'))).toEqual([]);
    expect(guest.url()).toContain('/s/');
  });
});

/** The pages of this file in all of their states. */
async function* walk(page: Page, email: string): AsyncGenerator<string> {
  await page.goto(`${carrel.url}/account/shares`);
  await signIn(page, `new-${email}`);
  await heading(page).getByText('What you share').waitFor();
  yield 'shares-none';
  await page.goto(`${carrel.url}/account/files?session=default`);
  yield 'files-none';
  await page.goto(`${carrel.url}/account/files/trash`);
  yield 'trash-none';
  await button(page, 'Sign out').click();
  await page.goto(`${carrel.url}/account/files`);
  await signIn(page, ADA);
  await heading(page).getByText('Your files').waitFor();
  yield 'files-sessions';
  await page.getByRole('link', { name: 'the trash' }).click();
  await heading(page).getByText('The trash').waitFor();
  yield 'trash';
  await page.getByText('Empty the trash').click();
  yield 'trash-emptying';
  await page.goto(`${carrel.url}/account/files?session=market-study`);
  yield 'files-top';
  await page.goto(`${carrel.url}/account/files?session=market-study&folder=scripts/`);
  yield 'files-folder';
  await page.goto(`${carrel.url}/account/files?q=quarter`);
  yield 'files-found';
  await page.goto(`${carrel.url}/account/files?q=nowhereatall`);
  yield 'files-nothing-found';
  await page.goto(`${carrel.url}/account/files?q=quarter`);
  await page.getByRole('link', { name: 'Share reports/2026/q3.txt' }).click();
  await heading(page).getByText('Share a file').waitFor();
  yield 'share-new';
  await page.getByLabel('Password').fill('short');
  await press(page, 'Make the link').click();
  await page.getByRole('alert').waitFor();
  yield 'share-refused';
  await page.getByLabel('Password').fill('correct horse');
  await press(page, 'Make the link').click();
  await heading(page).getByText('What you share').waitFor();
  const locked = await linkOf(page);
  await page.goto(`${carrel.url}/account/shares/new?session=market-study&folder=reports/2026/`);
  yield 'share-folder';
  await page.getByLabel('How often it may be downloaded').fill('5');
  await press(page, 'Make the link').click();
  await heading(page).getByText('What you share').waitFor();
  yield 'shares';
  const open = await linkOf(page);
  await page.goto(open);
  yield 'visit-folder';
  await page.goto(locked);
  yield 'visit-locked';
  await page.getByLabel('Password').fill('a wrong one');
  await press(page, 'Download').click();
  await page.getByRole('alert').waitFor();
  yield 'visit-wrong';
  await page.goto(`${open}x`);
  yield 'visit-none';
}

describe.each(['light', 'dark'] as const)('every page in the %s', (colorScheme) => {
  test.each([390, 1280])('is fit to be read and used at %d px', async (width) => {
    const { page } = await openBrowser({ width, colorScheme });
    for await (const name of walk(page, `${width}-${colorScheme}@example.com`)) {
      if (pictures)
        await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      expect.soft(await faultsOf(page), `faults of ${name}`).toEqual([]);
      expect.soft(await focusFaultsOf(page), `focus on ${name}`).toEqual([]);
    }
  });
});

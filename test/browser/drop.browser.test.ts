import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Client } from '@modelcontextprotocol/client';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { call } from '../../scripts/client/mcp.ts';
import { assistantOf, letAppIn, openBrowser, useCarrel } from '../support/browser.ts';
import { faultsOf, focusFaultsOf } from './page-faults.ts';

const carrel = useCarrel();
/** Where to put pictures of the page; none are taken without it. */
const pictures = process.env['CARREL_PICTURES'];

let token = '';

/** The assistant of whoever signed in. */
const assistant = async () => assistantOf(carrel.url, token);

const asked = async (agent: Client, into: string) =>
  String((await call(agent, 'file_request', { folder: into }))['url']);

/** Somebody's own files. */
const folder = mkdtempSync(join(tmpdir(), 'carrel-drop-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function file(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, 'x');
  return path;
}

const rows = (page: Page) => page.getByRole('listitem').allInnerTexts();

describe('a page for dropping files', () => {
  beforeAll(() => pictures && mkdirSync(pictures, { recursive: true }));

  test('is asked for by an assistant', async () => {
    const { page } = await openBrowser();
    token = (await letAppIn(page, carrel.url, 'ada@example.com')).access_token;
    expect(await asked(await assistant(), 'holiday')).toMatch(`${carrel.url}/drop/`);
  });

  test('takes three files that somebody drops, shows how far each is, and the assistant sees them', async () => {
    const agent = await assistant();
    const { page } = await openBrowser();
    await page.goto(await asked(agent, 'holiday'));
    const progress: string[] = [];
    await page.exposeFunction('reportProgress', (value: string) => progress.push(value));
    await page.evaluate(`new MutationObserver((changes) => {
      for (const { target } of changes) if (target.matches?.('.small')) reportProgress(target.textContent);
    }).observe(document.body, { subtree: true, childList: true })`);
    // What a browser does when files are let go over the page.
    await page.evaluate(`{
      const files = new DataTransfer();
      for (const [name, size] of [['beach.txt', 20], ['sunset.txt', 30], ['long.bin', 20_000_000]])
        files.items.add(new File([new Uint8Array(size).fill(65)], name));
      const zone = document.querySelector('[data-drop]');
      for (const type of ['dragenter', 'dragover', 'drop'])
        zone.dispatchEvent(new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true }));
    }`);
    await page.getByText('3 of 3 files stored').waitFor();
    expect(await rows(page)).toEqual([
      expect.stringMatching(/^beach\.txt\s+Stored$/),
      expect.stringMatching(/^sunset\.txt\s+Stored$/),
      expect.stringMatching(/^long\.bin\s+Stored$/),
    ]);
    expect(progress.some((said) => /^\d+ %$/.test(said))).toBe(true);
    const { files } = (await call(agent, 'file_list', { folder: 'holiday' })) as { files: { path: string }[] };
    expect(files.map(({ path }) => path).toSorted()).toEqual([
      'holiday/beach.txt',
      'holiday/long.bin',
      'holiday/sunset.txt',
    ]);
  });

  test('says of each file why it was not taken, and takes the others', async () => {
    const { page } = await openBrowser();
    await page.goto(await asked(await assistant(), ''));
    await page.getByLabel('Drop files here').setInputFiles([file('bad\u0001name.txt'), file('good.txt')]);
    await page.getByText('1 of 2 files stored').waitFor();
    const [bad, good] = await rows(page);
    expect(good).toContain('Stored');
    expect(bad).toContain('Its name has a control character');
  });

  test('what was stored runs nowhere: pages and pictures with scripts in them are downloaded', async () => {
    const agent = await assistant();
    const script = "<script>fetch('/healthz?stolen'); document.title = 'Stolen'</script>";
    const stored = {
      'page.html': `<!doctype html><title>Mine</title>${script}`,
      'picture.svg': `<svg xmlns="http://www.w3.org/2000/svg">${script}</svg>`,
    };
    for (const [path, text] of Object.entries(stored)) {
      await call(agent, 'file_write', { path, text });
      const { download } = (await call(agent, 'file_link', { file: path })) as { download: { url: string } };
      const { page } = await openBrowser();
      const requests: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      // A page that becomes a download is left where it was, which Playwright reports as a failure to go there.
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.goto(download.url).catch(() => undefined),
      ]);
      expect(saved.suggestedFilename()).toBe(path);
      expect(page.url()).toBe('about:blank');
      expect(requests).toEqual([download.url]);
      const policy = (await fetch(download.url)).headers.get('Content-Security-Policy');
      expect(policy).toContain('sandbox');
    }
  });

  test('says so where there are no scripts, and when its address is none', async () => {
    const { page } = await openBrowser({ javaScript: false });
    await page.goto(await asked(await assistant(), ''));
    expect(await page.getByRole('main').innerText()).toContain('needs JavaScript');
    const answer = await page.goto(`${carrel.url}/drop/nothing`);
    expect(answer?.status()).toBe(403);
    expect(await page.getByRole('main').innerText()).toContain('assistant');
  });

  for (const width of [390, 1280])
    for (const colorScheme of ['light', 'dark'] as const)
      test(`can be used and looks right at ${width} px, ${colorScheme}`, async () => {
        const { page } = await openBrowser({ width, colorScheme });
        await page.goto(await asked(await assistant(), 'a-folder-with-a-name/that-is-long/and-deep-besides'));
        const take = async (name: string) => {
          expect(await faultsOf(page)).toEqual([]);
          if (pictures)
            await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        };
        await take('drop');
        expect(await focusFaultsOf(page)).toEqual([]);
        await page
          .getByLabel('Drop files here')
          .setInputFiles([file('notes.txt'), file('bad\u0001name.txt'), file(`${'a very long name '.repeat(9)}.txt`)]);
        await page.getByText('2 of 3 files stored').waitFor();
        await take('drop-done');
      });
});

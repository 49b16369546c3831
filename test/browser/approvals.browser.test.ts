import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Client } from '@modelcontextprotocol/client';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';

import { call } from '../../scripts/client/mcp.ts';
import { assistantOf, heading, letAppIn, openBrowser, signIn, useCarrel } from '../support/browser.ts';
import { faultsOf, focusFaultsOf } from './page-faults.ts';

const carrel = useCarrel();
/** Where to put pictures of the pages; none are taken without it. */
const pictures = process.env['CARREL_PICTURES'];

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** What a tool says that is held up. */
interface Held {
  readonly approval: string;
  readonly url: string;
}

async function heldUp(agent: Client, name: string, input: Record<string, unknown>): Promise<Held> {
  const { isError, _meta } = await agent.callTool({ name, arguments: input });
  const error = (_meta as Record<string, Held & { approval_required?: boolean }> | undefined)?.['carrel/error'];
  if (isError !== true || error?.approval_required !== true) throw new Error(`${name} was not held up`);
  return error;
}

/** Somebody with an assistant that must ask before it destroys something. */
async function keeper(
  page: Page,
  email: string,
): Promise<{ readonly agent: Client; readonly held: (file: string, text?: string) => Promise<Held> }> {
  const token = (await letAppIn(page, carrel.url, email)).access_token;
  const agent = await assistantOf(carrel.url, token);
  await page.goto(`${carrel.url}/approvals/rules`);
  await page.getByLabel('Calls that may destroy or overwrite').check();
  await press(page, 'Save the rules').click();
  await page.getByText('The rules hold from the next call on').waitFor();
  return {
    agent,
    held: async (file, text = 'words') => {
      await call(agent, 'file_write', { path: file, text });
      return heldUp(agent, 'file_delete', { file });
    },
  };
}

const files = async (agent: Client) =>
  (await call<{ files: { path: string }[] }>(agent, 'file_list')).files.map(({ path }) => path).toSorted();

describe('an approval', () => {
  beforeAll(() => pictures && mkdirSync(pictures, { recursive: true }));

  test('is found in the navigation, shows what would happen, and lets it happen once', async () => {
    const { page } = await openBrowser();
    const { agent, held } = await keeper(page, 'ada@example.com');
    const { url } = await held('reports/q3.txt');
    await page.goto(`${carrel.url}/account`);
    await page.getByRole('link', { name: 'Approvals (1)' }).click();
    await page.getByRole('link', { name: 'Put into the trash' }).click();
    expect(page.url()).toBe(url);
    const main = await page.getByRole('main').innerText();
    for (const fact of [
      'file_delete',
      'reports/q3.txt',
      'Version 1',
      '5 bytes',
      'Reading list',
      '127.0.0.1',
      'may destroy',
    ])
      expect(main).toContain(fact);
    expect(await files(agent)).toEqual(['reports/q3.txt']);
    await press(page, 'Approve once').click();
    await page.getByText('You approved this').waitFor();
    expect(await page.getByRole('button', { name: 'Approve once' }).count()).toBe(0);
    await call(agent, 'file_delete', { file: 'reports/q3.txt' });
    expect(await files(agent)).toEqual([]);
    await page.reload();
    await page.getByText('You approved this, and it was done').waitFor();
  });

  test('that is denied lets nothing happen, without a script as well', async () => {
    const { page } = await openBrowser({ javaScript: false });
    const { agent, held } = await keeper(page, 'ben@example.com');
    const { url } = await held('notes.txt');
    await page.goto(url);
    await press(page, 'Deny').click();
    await page.getByText('You denied this').waitFor();
    const { isError, content } = await agent.callTool({ name: 'file_delete', arguments: { file: 'notes.txt' } });
    expect([isError, JSON.stringify(content)]).toEqual([true, expect.stringContaining('The person denied this')]);
    expect(await files(agent)).toEqual(['notes.txt']);
  });

  test('comes after the sign-in, where somebody opens its address first', async () => {
    const { page } = await openBrowser();
    const { held } = await keeper(page, 'cleo@example.com');
    const { url } = await held('notes.txt');
    const other = (await openBrowser()).page;
    await other.goto(url);
    await signIn(other, 'cleo@example.com');
    await heading(other).getByText('Put into the trash').waitFor();
    expect(other.url()).toBe(url);
    await press(other, 'Deny').click();
    await other.getByText('You denied this').waitFor();
  });

  test('of somebody else is as one that does not exist', async () => {
    const { page } = await openBrowser();
    const { held } = await keeper(page, 'dora@example.com');
    const { url } = await held('notes.txt');
    const stranger = (await openBrowser()).page;
    await stranger.goto(`${carrel.url}/approvals`);
    await signIn(stranger, 'evil@example.com');
    const said = async (address: string) => {
      const status = (await stranger.goto(address))?.status();
      const text = await stranger.getByRole('main').innerText();
      return [status, text.replace(/Request id: \w+/, '')];
    };
    expect(await said(url)).toEqual(await said(`${carrel.url}/approvals/apr_00000000000000000000`));
    expect((await said(url))[0]).toBe(404);
    await page.goto(url);
    await press(page, 'Approve once').waitFor();
  });

  test('of a file that was changed since cannot be given', async () => {
    const { page } = await openBrowser();
    const { agent, held } = await keeper(page, 'finn@example.com');
    const { url } = await held('plan.txt');
    await page.goto(url);
    await call(agent, 'file_write', { path: 'plan.txt', text: 'what nobody has seen' });
    await press(page, 'Approve once').click();
    await page.getByText('A file was changed since this was asked').waitFor();
    expect(await files(agent)).toEqual(['plan.txt']);
  });

  test('shows what hides in its arguments', async () => {
    const { page } = await openBrowser();
    const { agent } = await keeper(page, 'gus@example.com');
    const key = `gone`;
    const { url } = await heldUp(agent, 'state_set', { key, value: '<img src=x onerror=alert(1)> \u202egpj.exe' });
    await page.goto(url);
    const shown = await page.getByRole('main').innerText();
    expect(shown).toContain('<img src=x onerror=alert(1)> \\u202egpj.exe');
    expect(await page.locator('main img').count()).toBe(0);
  });
});

/** The pages in each of their states, one after another. */
async function* walk(page: Page, email: string): AsyncGenerator<string> {
  const { agent, held } = await keeper(page, email);
  yield 'rules-saved';
  await page.goto(`${carrel.url}/approvals`);
  yield 'approvals-none';
  await page.goto(`${carrel.url}/approvals/rules`);
  await page.getByText('Tools of files').click();
  await page.getByLabel('Calls that affect more than so many megabytes').fill('many');
  yield 'rules-open';
  await press(page, 'Save the rules').click();
  await page.getByRole('alert').waitFor();
  yield 'rules-refused';
  const one = await held('reports/2026/a-very-long-name-that-goes-on-and-on-until-it-must-be-broken-somewhere.txt');
  await call(agent, 'file_write', { path: 'drafts/a.txt', text: 'a' });
  await call(agent, 'file_write', { path: 'drafts/b.txt', text: 'b' });
  const folder = await heldUp(agent, 'file_delete', { file: 'drafts/' });
  const state = await heldUp(agent, 'state_set', {
    key: 'settings',
    value: { depth: [1, 2, 3], text: 'x'.repeat(300) },
  });
  await page.goto(`${carrel.url}/approvals`);
  yield 'approvals';
  await page.goto(one.url);
  yield 'approval';
  await press(page, 'Approve once').click();
  await page.getByText('You approved this').waitFor();
  yield 'approval-approved';
  await call(agent, 'file_write', { path: 'drafts/b.txt', text: 'changed' });
  await page.goto(folder.url);
  yield 'approval-outdated';
  await page.goto(state.url);
  yield 'approval-state';
  await press(page, 'Deny').click();
  await page.getByText('You denied this').waitFor();
  yield 'approval-denied';
  await page.goto(`${carrel.url}/approvals`);
  yield 'approvals-recent';
  await page.goto(`${carrel.url}/approvals/apr_00000000000000000000`);
  yield 'approval-missing';
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

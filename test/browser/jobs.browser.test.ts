import type { Client } from '@modelcontextprotocol/client';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';

import { call } from '../../scripts/client/mcp.ts';
import { assistantOf, letAppIn, openBrowser, useCarrel } from '../support/browser.ts';

const carrel = useCarrel();

interface Job {
  readonly id: string;
  readonly status: string;
  readonly waiting?: readonly { readonly url?: string; readonly step: string }[];
  readonly error?: { readonly code: string; readonly step?: string };
}

const write = (id: string, key: unknown) => ({ do: 'tool', id, tool: 'state_set', arguments: { key, value: true } });

/** Two branches, a list of fifty, a sleep, and a person who must say yes. */
const plan = {
  steps: [
    { do: 'parallel', id: 'both', branches: { left: [write('l', 'left')], right: [write('r', 'right')] } },
    {
      do: 'for_each',
      id: 'each',
      items: Array.from({ length: 50 }, (_, index) => index),
      concurrency: 5,
      steps: [write('key', { $text: 'item/${item}' })],
    },
    { do: 'sleep', id: 'nap', seconds: 1 },
    { do: 'approve', id: 'sure', summary: 'Publish the report?' },
    write('published', 'published'),
  ],
};

async function waiting(page: Page, email: string): Promise<{ readonly agent: Client; readonly job: Job }> {
  const { access_token: token } = await letAppIn(page, carrel.url, email);
  const agent = await assistantOf(carrel.url, token);
  const { job } = await call<{ job: Job }>(agent, 'recipe_run', { plan });
  let now = job;
  while (now.status === 'queued' || now.status === 'running')
    now = (await call<{ job: Job }>(agent, 'job_get', { job: job.id, wait: 20 })).job;
  return { agent, job: now };
}

const ended = async (agent: Client, { id }: Job) =>
  (await call<{ job: Job }>(agent, 'job_get', { job: id, wait: 30 })).job;

const keys = async (agent: Client, prefix: string) =>
  (await call<{ keys: unknown[] }>(agent, 'state_list', { prefix, limit: 100 })).keys.length;

test('a recipe goes on where its person approves it in the browser', async () => {
  const { page } = await openBrowser();
  const { agent, job } = await waiting(page, 'recipe-ada@example.com');
  expect(job).toMatchObject({ status: 'waiting', waiting: [{ step: 'sure' }] });
  expect([await keys(agent, 'item/'), await keys(agent, 'published')]).toEqual([50, 0]);
  await page.goto(job.waiting?.[0]?.url ?? '');
  expect(await page.getByRole('main').innerText()).toContain('Publish the report?');
  await page.getByRole('button', { name: 'Approve once', exact: true }).click();
  await page.getByText('You approved this').waitFor();
  expect(await ended(agent, job)).toMatchObject({ status: 'completed' });
  expect(await keys(agent, 'published')).toBe(1);
});

test('a recipe ends where its person denies it in the browser', async () => {
  const { page } = await openBrowser();
  const { agent, job } = await waiting(page, 'recipe-ben@example.com');
  await page.goto(job.waiting?.[0]?.url ?? '');
  await page.getByRole('button', { name: 'Deny', exact: true }).click();
  await page.getByText('You denied this').waitFor();
  expect(await ended(agent, job)).toMatchObject({ status: 'failed', error: { code: 'forbidden', step: 'sure' } });
  expect(await keys(agent, 'published')).toBe(0);
});

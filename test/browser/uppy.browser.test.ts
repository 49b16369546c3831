import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ROOT } from '../../scripts/lib/paths.ts';
import { letAppIn, openBrowser, openSite, useCarrel } from '../support/browser.ts';
import { SlowLine } from '../support/slow-line.ts';

const carrel = useCarrel();
const line = new SlowLine(() => Number(new URL(carrel.url).port), 6e6);
afterAll(() => line.close());

let uppy = '';
let origin = '';
let token = '';

beforeAll(async () => {
  const options = { bundle: true, write: false, format: 'iife', minify: true, platform: 'browser' } as const;
  const { outputFiles } = await build({ entryPoints: [join(ROOT, 'test/browser/uppy-page.js')], ...options });
  uppy = outputFiles[0]?.text.replaceAll('</script', '<\\/script') ?? '';
  origin = await line.open();
});

const SIZE = 20_000_000;

/** Somebody else's page on which Uppy uploads a file. @returns the checksum of its bytes */
async function begin(page: Page): Promise<string> {
  const site = await openSite(`<script>${uppy}</script><p>Drop your files here.`);
  await page.goto(site.origin);
  return page.evaluate<string>(`(async () => {
    const bytes = new Uint8Array(${SIZE}).map((_, at) => (at * 31 + (at >> 12) * 7) & 0xff);
    const uppy = new Uppy({ autoProceed: false }).use(Tus, {
      endpoint: '${origin}/files/tus',
      headers: { Authorization: 'Bearer ${token}' },
      retryDelays: Array.from({ length: 60 }, () => 200),
      removeFingerprintOnSuccess: true,
    });
    uppy.on('upload-success', (_file, { uploadURL }) => (globalThis.address = uploadURL));
    uppy.addFile({ name: 'film.bin', type: 'application/octet-stream', data: new File([bytes], 'film.bin') });
    globalThis.uppy = uppy;
    globalThis.result = uppy.upload();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  })()`);
}

/** Waits until so many bytes of the upload are stored. Past the line, where nothing waits behind what is sent. */
async function stored(page: Page, bytes: number): Promise<void> {
  for (;;) {
    const address = await page.evaluate<string | undefined>('globalThis.uppy.getFiles()[0].tus?.uploadUrl');
    if (address !== undefined) {
      const answer = await fetch(`${carrel.url}${new URL(address).pathname}`);
      if ((await answer.json<{ received: number }>()).received >= bytes) return;
    }
    await page.waitForTimeout(10);
  }
}

/** What Uppy asked for, with where it went on: `POST`, `PATCH 0`, `HEAD`, `PATCH 5242880`. */
function requestsOf(page: Page): string[] {
  const requests: string[] = [];
  page.on('request', (request) => {
    const { 'upload-offset': offset } = request.headers();
    if (request.url().startsWith(origin)) requests.push([request.method(), offset ?? []].flat().join(' '));
  });
  return requests;
}

const RESUMED = [/^POST$/, /^PATCH 0$/, /^HEAD$/, /^PATCH [1-9]\d*$/];

/** One upload from its beginning to its end, that went on where it was. */
function expectResumed(requests: readonly string[]): void {
  // It may have been asked twice where to go on, as what was on its way came in.
  expect(requests.slice(0, RESUMED.length)).toEqual(RESUMED.map((request) => expect.stringMatching(request) as string));
  expect(requests.filter((request) => request === 'POST')).toHaveLength(1);
}

/** What became of the upload, when Uppy says that it has ended. */
async function ended(page: Page): Promise<{ successful: number; failed: number; address: string }> {
  return page.evaluate(`globalThis.result.then(({ successful, failed }) => (
    { successful: successful.length, failed: failed.length, address: globalThis.address }))`);
}

async function fileAt(address: string): Promise<{ path: string; sha256: string; size: number }> {
  const { file_id: id } = await (await fetch(address)).json<{ file_id: string }>();
  const headers = { Authorization: `Bearer ${token}`, Accept: 'application/json' };
  const answer = await fetch(`${origin}/files/${id}`, { headers });
  return (await answer.json<{ file: { path: string; sha256: string; size: number } }>()).file;
}

describe('Uppy on the page of another origin', () => {
  test('is given a token', async () => {
    const { page } = await openBrowser();
    ({ access_token: token } = await letAppIn(page, origin, 'ada@example.com'));
    expect(token).not.toBe('');
  });

  test('uploads a file through a connection that is cut', async () => {
    const { page, complaints } = await openBrowser();
    const requests = requestsOf(page);
    const sha256 = await begin(page);
    await stored(page, SIZE / 4);
    line.cut();
    const { address, ...result } = await ended(page);
    expect(result).toEqual({ successful: 1, failed: 0 });
    expect(await fileAt(address)).toMatchObject({ path: 'film.bin', size: SIZE, sha256 });
    expectResumed(requests);
    // Chromium sends a request again whose connection broke, and hears that the upload is further by now; or it
    // says that the connection broke.
    const lost = /^Failed to load resource: (?:net::ERR_|.* status of 409)/;
    expect(complaints.filter((said) => lost.test(said))).not.toEqual([]);
    complaints.splice(0, complaints.length, ...complaints.filter((said) => !lost.test(said)));
  });

  test('uploads a file that somebody pauses and resumes', async () => {
    const { page } = await openBrowser();
    const requests = requestsOf(page);
    const sha256 = await begin(page);
    await stored(page, SIZE / 4);
    await page.evaluate('globalThis.uppy.pauseAll()');
    await page.evaluate('globalThis.uppy.resumeAll()');
    const { address, ...result } = await ended(page);
    expect(result).toEqual({ successful: 1, failed: 0 });
    expect(await fileAt(address)).toMatchObject({ path: 'film.bin', size: SIZE, sha256 });
    expectResumed(requests);
  });
});

import { execFile } from 'node:child_process';
import { appendFileSync, createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { digestOf, noise } from '../../scripts/client/bytes.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { TUS_PART_BYTES } from '../../src/files/model.ts';
import { get } from '../../scripts/client/transfer.ts';
import { SlowLine } from '../support/slow-line.ts';
import { useDeployment } from './support/deployment.ts';
import { bearer, signUp } from './support/people.ts';

const deployment = useDeployment();
/** A token is for one origin: all of these go over the line. */
const line = new SlowLine(() => Number(new URL(deployment.origin).port), 15e6);
const SIZE = 40_000_000;
const known = await digestOf(noise(SIZE, 'tus'));
const folder = mkdtempSync(join(tmpdir(), 'carrel-tus-'));
const path = join(folder, 'large.bin');
for (const piece of noise(SIZE, 'tus')) appendFileSync(path, piece);

let origin = '';
let token = '';
beforeAll(async () => {
  origin = await line.open();
  ({ token } = await signUp(`${origin}/mcp`, 'ada@example.com'));
});
afterAll(() => {
  line.close();
  rmSync(folder, { recursive: true, force: true });
});

/** tus-js-client as a program uses it, which tries again whatever happens, for a minute. */
function uploadOf(file: string, more: Partial<Upload['options']> = {}) {
  const requests: string[] = [];
  let settle: { resolve: () => void; reject: (reason: Error) => void };
  const done = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  done.catch(() => undefined);
  const upload = new Upload(createReadStream(file), {
    endpoint: `${origin}/files/tus`,
    headers: bearer(token),
    metadata: { filename: 'large.bin', filetype: 'application/octet-stream' },
    retryDelays: Array.from({ length: 120 }, () => 500),
    onShouldRetry: () => true,
    onBeforeRequest: (request) => void requests.push(request.getMethod()),
    onSuccess: () => settle.resolve(),
    onError: (error) => settle.reject(error),
    ...more,
  });
  return { upload, requests, done };
}

interface Status {
  readonly state: string;
  readonly received: number;
  readonly file_id?: string;
}

async function statusOf({ url }: Upload): Promise<Status> {
  // Past the line: what is asked here must not wait behind what is on its way there.
  const { pathname } = new URL(url ?? '');
  return (await fetch(`${deployment.origin}${pathname}`)).json<Status>();
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(5);
}

const hasReceived = (upload: Upload, bytes: number) => async () =>
  upload.url !== null && (await statusOf(upload)).received >= bytes;

async function expectWhole(upload: Upload): Promise<void> {
  await until(async () => (await statusOf(upload)).state !== 'verifying');
  const { state, file_id: id } = await statusOf(upload);
  expect(state).toBe('committed');
  expect(await get(`${origin}/files/${id}`, { headers: bearer(token) })).toMatchObject({
    status: 200,
    ...known,
  });
}

const run = promisify(execFile);

describe('the example of docs/uploads-by-tus.md', () => {
  it('uploads a file', async () => {
    const page = readFileSync(join(ROOT, 'docs/uploads-by-tus.md'), 'utf8');
    const code = /```js\n(?<code>[\s\S]*?)```/.exec(page)?.groups?.['code'] ?? '';
    const env = { PATH: process.env['PATH'], CARREL_URL: origin, TOKEN: token };
    const args = ['--input-type=module', '--eval', code, path];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: ROOT, env });
    expect([stdout.split('\r').at(-1), stderr]).toEqual(['stored\n', '']);
    const answer = await fetch(`${origin}/files`, { headers: bearer(token) });
    expect(await answer.json()).toMatchObject({ files: [{ path: 'large.bin', ...known }] });
  });
});

describe('tus-js-client', () => {
  it('comes through a connection that is cut and a kill -9 of the server', { timeout: 120_000 }, async () => {
    const { upload, requests, done } = uploadOf(path);
    upload.start();
    await until(hasReceived(upload, 6e6));
    line.cut();
    await until(() => requests.filter((method) => method === 'PATCH').length === 2);
    await until(hasReceived(upload, 20e6));
    await deployment.kill();
    await deployment.startAgain();
    expect((await statusOf(upload)).received).toBeGreaterThanOrEqual(20e6);
    await done;
    // One upload from its beginning to its end: it asked where to go on.
    expect(requests.filter((method) => method === 'POST')).toHaveLength(1);
    expect(requests.filter((method) => method === 'HEAD').length).toBeGreaterThanOrEqual(2);
    await expectWhole(upload);
  });

  it('that is closed loses little of what it has sent, and another goes on', { timeout: 120_000 }, async () => {
    const { upload } = uploadOf(path);
    const before = line.passed;
    upload.start();
    // Half way through a part.
    await until(() => line.passed - before > 1.5 * TUS_PART_BYTES);
    await upload.abort();
    await until(hasReceived(upload, 1.3 * TUS_PART_BYTES));
    const again = uploadOf(path, { uploadUrl: upload.url });
    again.upload.start();
    await again.done;
    // What the first had sent may still have come in when this one began, and then it asks again.
    expect(again.requests.slice(0, 2)).toEqual(['HEAD', 'PATCH']);
    expect(again.requests).not.toContain('POST');
    await expectWhole(again.upload);
  });

  it('sends it piece by piece, the first with the creation', { timeout: 120_000 }, async () => {
    const pieces = { chunkSize: 7_000_000, uploadDataDuringCreation: true, overridePatchMethod: true };
    const { upload, requests, done } = uploadOf(path, pieces);
    upload.start();
    await done;
    expect(requests).toEqual(Array.from({ length: 6 }, () => 'POST'));
    await expectWhole(upload);
  });

  it('gives an upload up', async () => {
    const { upload } = uploadOf(path);
    upload.start();
    await until(hasReceived(upload, 1));
    await upload.abort(true);
    const head = await fetch(upload.url ?? '', { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } });
    expect(head.status).toBe(404);
  });

  it('hears why a file is not taken', async () => {
    const { upload, done } = uploadOf(path, { metadata: { filename: '../large.bin' }, onShouldRetry: () => false });
    upload.start();
    await expect(done).rejects.toThrow(/response code: 400.*points to a folder/);
  });
});

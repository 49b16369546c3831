import type { ServerResponse } from 'node:http';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { digestOf, noise } from '../../scripts/client/bytes.ts';
import { call } from '../../scripts/client/mcp.ts';
import { get } from '../../scripts/client/transfer.ts';
import { watchMemory } from '../../scripts/lib/memory.ts';
import { listen } from '../support/listen.ts';
import { useDeployment } from './support/deployment.ts';
import { bearer, signUp } from './support/people.ts';
import type { Person } from './support/people.ts';

/** The real bundle, which loads what imports need when the first comes; worker tests load the modules themselves. */
const deployment = useDeployment({ FETCH_LOOPBACK: 'true' });

const SIZE = 90_000_000;
let person: Person;
let server: Awaited<ReturnType<typeof listen>>;

beforeAll(async () => {
  person = await signUp(deployment.mcpUrl, 'ada@example.com');
  server = await listen(({ url = '' }, response) => void answer(url, response));
});
afterAll(() => server.close());

async function answer(url: string, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(url, 'http://stranger');
  if (pathname === '/redirect') return void response.writeHead(302, { Location: searchParams.get('to') ?? '' }).end();
  if (pathname === '/hello.txt') return void response.setHeader('Content-Type', 'text/plain').end('hello');
  response.writeHead(200, searchParams.has('said') ? { 'Content-Length': SIZE } : {});
  for (const piece of noise(SIZE, pathname.slice(1)))
    if (!response.write(piece)) await new Promise((done) => response.once('drain', done));
  response.end();
}

const importFrom = async (path: string) =>
  call<{ file: { id: string; path: string } }>(person.client, 'file_write', {
    from_url: server.url + path,
    path: 'in/',
  });

it('a file comes from a URL, after redirects, and is named after it', async () => {
  const { file } = await importFrom('/redirect?to=/hello.txt');
  expect(file.path).toBe('in/hello.txt');
  expect(await call(person.client, 'file_read', { file: file.id })).toMatchObject({ text: 'hello' });
});

it.each([
  'https://10.0.0.1/',
  'https://169.254.169.254/latest/meta-data/',
  'https://[::ffff:127.0.0.1]/',
  'https://2130706433/',
  'https://intranet/',
])('a redirect to %s is not followed', async (to) => {
  await expect(importFrom(`/redirect?to=${encodeURIComponent(to)}`)).rejects.toThrow(/not_a_public_/);
});

it('this deployment fetches nothing from itself', async () => {
  const { port } = new URL(deployment.origin);
  for (const host of ['localhost', '127.0.0.1', '127.1', '[::1]'])
    await expect(importFrom(`/redirect?to=http://${host}:${port}/healthz`)).rejects.toThrow(/this_deployment/);
});

describe.runIf(process.platform !== 'win32')('memory stays flat while a file of 90 MB is imported', () => {
  it.each([
    ['says how long it is', 'known', '?said'],
    ['does not say how long it is', 'unknown', ''],
  ])('from a server that %s', async (_what, name, query) => {
    await importFrom(`/warm-up${query}`);
    const { result, before, peak } = await watchMemory(deployment.pid, () => importFrom(`/${name}${query}`));
    console.log(JSON.stringify({ name, growth: peak - before }));
    expect(peak - before).toBeLessThan(SIZE / 2);
    const known = await digestOf(noise(SIZE, name));
    const back = await get(`${deployment.origin}/files/${result.file.id}`, { headers: bearer(person.token) });
    expect(back).toMatchObject({ status: 200, size: SIZE, sha256: known.sha256 });
  });
});

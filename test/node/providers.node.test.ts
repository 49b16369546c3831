import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';

import { describe, expect, onTestFinished, test } from 'vitest';

import { GithubProvider } from '../../src/identity/providers/github.ts';
import { providerFetch, secureAddress } from '../../src/identity/providers/outbound.ts';
import { FakeGithub } from '../support/fake-github.ts';

/** A server on this machine until the test ends. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ask = async (url: string, timeoutMs = 10_000) => providerFetch({ development: true, timeoutMs })(url, {});

describe('an address', () => {
  test.each([
    ['https://id.example/token', false],
    ['https://id.example/token', true],
    ['http://localhost:4000/token', true],
    ['http://127.0.0.1:4000/token', true],
    ['http://[::1]:4000/token', true],
  ])('%s with development %s may be asked', (address, development) => {
    expect(secureAddress(address, development).href).toBe(address);
  });

  test.each([
    ['http://id.example/token', false],
    ['http://id.example/token', true],
    ['http://localhost:4000/token', false],
    ['http://127.0.0.1.evil.example/', true],
    ['http://localhost@evil.example/', true],
    ['ftp://127.0.0.1/', true],
    ['file:///etc/passwd', true],
    ['javascript:alert(1)', true],
    ['data:application/json,{}', true],
    ['/token', true],
    ['', true],
  ])('%s with development %s may not', (address, development) => {
    expect(() => secureAddress(address, development)).toThrow('insecure_address');
  });
});

describe('asking a provider', () => {
  test('gives its answer, whatever its status', async () => {
    const url = await serve((_request, response) =>
      response.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error":"x"}'),
    );
    const response = await ask(url);
    expect([response.status, response.headers.get('Content-Type'), await response.text()]).toEqual([
      400,
      'application/json',
      '{"error":"x"}',
    ]);
  });

  test.each([301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    const asked: (string | undefined)[] = [];
    const url = await serve((request, response) => {
      asked.push(request.url);
      response.writeHead(status, { Location: '/elsewhere' }).end();
    });
    await expect(ask(url)).rejects.toMatchObject({ reason: 'redirected' });
    expect(asked).toEqual(['/']);
  });

  test('reads no more than a megabyte of an answer without an end', async () => {
    const url = await serve((_request, response) => {
      const chunk = new Uint8Array(64 * 1024);
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour);
      pour();
    });
    await expect(ask(url)).rejects.toMatchObject({ reason: 'too_large' });
  });

  test('counts what a small answer unfolds to', async () => {
    const bomb = gzipSync(new Uint8Array(50_000_000));
    expect(bomb.byteLength).toBeLessThan(100_000);
    const url = await serve((_request, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bomb));
    await expect(ask(url)).rejects.toMatchObject({ reason: 'too_large' });
  });

  test('reads an answer that came compressed', async () => {
    const url = await serve((_request, response) =>
      response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync('{"a":1}')),
    );
    expect(await (await ask(url)).json()).toEqual({ a: 1 });
  });

  test('gives up on an answer that does not begin, and on one that does not end', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/drip') response.write('x');
    });
    await expect(ask(`${url}/never`, 100)).rejects.toMatchObject({ reason: 'too_slow' });
    await expect(ask(`${url}/drip`, 100)).rejects.toMatchObject({ reason: 'too_slow' });
  });

  test('says when nobody is there', async () => {
    await expect(ask('http://127.0.0.1:1')).rejects.toMatchObject({ reason: 'unreachable' });
  });
});

test('GitHub signs somebody in over HTTP', async () => {
  const github = new FakeGithub();
  const url = await serve((request, response) => {
    void (async () => {
      const answer = await github.answer({
        method: request.method ?? '',
        path: request.url?.split('?')[0] ?? '',
        headers: new Headers(request.headers as Record<string, string>),
        body: await text(request),
      });
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    })();
  });
  const settings = { clientId: 'the-app', clientSecret: 'the-secret', organisations: ['acme'] };
  const provider = new GithubProvider(settings, { development: true }, { web: url, api: url });
  const redirectUri = 'https://carrel.example/sign-in/github/callback';

  const { location, kept } = await provider.begin(redirectUri, 'the-state');
  expect(new URL(location).origin).toBe(url);
  const callback = github.authorize(new URL(location), {
    id: 7,
    login: 'ada',
    emails: [{ email: 'ada@example.com', primary: true, verified: true }],
    organisations: { acme: 'active' },
  });
  expect(await provider.finish(callback, redirectUri, 'the-state', kept)).toEqual({
    ok: true,
    identity: {
      provider: 'github',
      subject: '7',
      email: 'ada@example.com',
      label: 'ada',
      emailVerified: true,
      groups: ['github:acme'],
    },
  });
  expect(github.tokens.size).toBe(0);
});

import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stripVTControlCharacters } from 'node:util';

import { afterEach, describe, expect, it } from 'vitest';

import { isExpected, PARTS, scored } from '../../scripts/lib/conformance.ts';
import type { Outcome } from '../../scripts/lib/conformance.ts';
import { startBearerProxy } from '../../scripts/lib/conformance-proxy.ts';
import { renderConformance } from '../../scripts/lib/conformance-report.ts';
import { EXCEPTIONS, SCORED } from './expected.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A proxy in front of a server that answers as told. */
async function proxied(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  closing.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const proxy = await startBearerProxy(`http://localhost:${(server.address() as AddressInfo).port}`);
  closing.push(() => proxy.close());
  return proxy;
}

/** What reached the server. */
interface Came {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const came = async (address: string, init?: RequestInit): Promise<Came> => (await fetch(address, init)).json();

/** Answers with what came. */
const echo = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
};

describe('the proxy that bears the token', () => {
  it('adds the token to requests of the endpoint, and to nothing else', async () => {
    const proxy = await proxied((request, response) => void echo(request, response));
    const authorization = async (path: string, init?: RequestInit) =>
      (await came(proxy.url + path, init)).headers['authorization'];

    expect(await authorization('/mcp')).toBeUndefined();
    proxy.authorize('secret');
    expect(await authorization('/mcp')).toBe('Bearer secret');
    expect(await authorization('/mcp?toolsets=files', { method: 'POST', body: '{}' })).toBe('Bearer secret');
    expect(await authorization('/token', { method: 'POST', body: '{}' })).toBeUndefined();
    expect(await authorization('/mcp', { headers: { Authorization: 'Bearer own' } })).toBe('Bearer own');
  });

  it('passes on Host, Origin, path and body as they came', async () => {
    const proxy = await proxied((request, response) => void echo(request, response));
    const { headers, ...rest } = await came(`${proxy.url}/mcp?a=%20b`, {
      method: 'POST',
      body: 'ünï',
      headers: { Origin: 'http://evil.example' },
    });
    expect(rest).toEqual({ method: 'POST', url: '/mcp?a=%20b', body: 'ünï' });
    expect(headers).toMatchObject({ host: new URL(proxy.url).host, origin: 'http://evil.example' });
  });

  it('passes on a stream piece by piece, and that its reader went away', async () => {
    let gone: () => void;
    const left = new Promise<void>((resolve) => (gone = resolve));
    const proxy = await proxied((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\n\n');
      response.once('close', () => gone());
    });
    const reader = (await fetch(`${proxy.url}/mcp`, { method: 'POST', body: '{}' })).body!.getReader();
    // The server never ends it: that this arrives is the proof.
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n');
    await reader.cancel();
    await left;
  });
});

describe('what is scored', () => {
  it.each(PARTS)('%s has the scenarios of the frozen set, and its exceptions are among them', (part) => {
    expect(new Set(scored(part)).size).toBe(SCORED[part]);
    expect(scored(part)).toEqual(expect.arrayContaining(Object.keys(EXCEPTIONS[part])));
  });
});

describe('the report', () => {
  const outcome = (changes: Partial<Outcome>): Outcome => ({
    part: '2025-11-25',
    name: 'ping',
    verdict: 'passed',
    exception: undefined,
    held: 2,
    faults: [],
    warnings: [],
    ...changes,
  });
  const render = (...outcomes: Outcome[]) => stripVTControlCharacters(renderConformance({ outcomes, unscored: [] }));

  it('takes a known failure, and neither another one nor an exception that passes', () => {
    expect(isExpected(outcome({}))).toBe(true);
    expect(isExpected(outcome({ verdict: 'failed', exception: 'because' }))).toBe(true);
    expect(isExpected(outcome({ verdict: 'failed' }))).toBe(false);
    expect(isExpected(outcome({ exception: 'because' }))).toBe(false);
  });

  it('says why, for all that does not pass', () => {
    const text = render(
      outcome({}),
      outcome({ name: 'broken', verdict: 'failed', faults: ['broken: 500'] }),
      outcome({ name: 'known', verdict: 'failed', exception: 'It needs a session.' }),
      outcome({ name: 'hinted', warnings: ['hinted: no session id'] }),
    );
    expect(text).toMatch(/^ {2}ping +✔ 2$/m);
    expect(text).toMatch(/^ {2}broken +✘ 1 fails$/m);
    expect(text).toMatch(/✘ broken {2}2025-11-25\n +broken: 500\n/);
    expect(text).toMatch(/! known {2}2025-11-25\n +It needs a session\.\n/);
    expect(text).toMatch(/· hinted {2}2025-11-25\n +hinted: no session id\n/);
    expect(text).toMatch(/✘ 2025-11-25 +2 of 30 {2}1 cannot/);
  });

  it('names the provider with which a check of the authorization server failed', () => {
    const check = { part: 'authorization', name: 'authorization-code-grant' } as const;
    const text = render(
      outcome({ ...check, provider: 'dev' }),
      outcome({ ...check, provider: 'oidc', verdict: 'failed', faults: ['the browser stayed'] }),
    );
    expect(text).toMatch(/signed in with +dev +passkey +oidc +github$/m);
    expect(text).toMatch(/^ {2}authorization-code-grant +✔ 2 +✘ 1 fails$/m);
    expect(text).toMatch(/✘ authorization-code-grant {2}authorization, signed in with oidc\n +the browser stayed\n/);
    expect(text).toMatch(/✘ authorization +1 of 12$/m);
  });
});

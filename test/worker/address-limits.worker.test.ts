import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';

import { createApp } from '../../src/app.ts';
import type { App, Bindings } from '../../src/app.ts';
import { times } from '../support/rounds.ts';

/** A deployment at the edge: on one's own machine every request has one address, and nobody is held up. */
const vars = { DEPLOYMENT: 'production', PUBLIC_URL: 'https://carrel.example.com', DEV_SIGN_IN: '', TOOLSETS: '' };
let app: App;
beforeAll(() => {
  app = createApp({ ...(env as unknown as Bindings), ...vars });
});

const ask = async (path: string, address?: string, init: RequestInit = {}): Promise<Response> => {
  const headers = new Headers(init.headers);
  headers.set('Accept', 'text/html');
  if (address !== undefined) headers.set('CF-Connecting-IP', address);
  const response = await app.fetch(new Request(`${vars.PUBLIC_URL}${path}`, { ...init, headers, redirect: 'manual' }));
  await response.clone().body?.cancel();
  return response;
};

const statuses = async (count: number, act: () => Promise<Response>) =>
  new Set(await Promise.all(times(count, async () => (await act()).status)));

/** Calls in a row until one is held up, many at once. The count begins anew with each minute of the clock. */
async function admitted(
  act: () => Promise<Response>,
): Promise<{ count: number; status: Set<number>; within: boolean }> {
  const minute = () => Math.floor(Date.now() / 60_000);
  const began = minute();
  const seen: number[] = [];
  while (!seen.includes(429)) seen.push(...(await Promise.all(times(100, async () => (await act()).status))));
  const open = seen.filter((status) => status !== 429);
  return { count: open.length, status: new Set(open), within: minute() === began };
}

function expectLimit({ count, within }: { count: number; within: boolean }, limit: number): void {
  expect(count).toBeGreaterThanOrEqual(limit);
  expect(count).toBeLessThanOrEqual(within ? limit : 2 * limit);
}

describe('one network', () => {
  it('opens three hundred pages a minute, and is told when to come back', async () => {
    const pages = await admitted(async () => ask('/sign-in', '2001:db8:1:2::1'));
    expect(pages.status).toEqual(new Set([200]));
    expectLimit(pages, 300);
    // Each address of one network of IPv6 is the same visitor.
    const refused = await ask('/authorize?client_id=x', '2001:db8:1:2:ffff::9');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '60']);
    expect(await refused.text()).toContain('Too many requests from your network');
    expect(refused.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect((await ask('/sign-in', '2001:db8:1:3::1')).status).toBe(200);
  });

  it('is not held up where assistants share it', async () => {
    const address = '192.0.2.1';
    const init = { method: 'POST', body: '{}', headers: { Authorization: 'Bearer invented' } };
    expect(await statuses(400, async () => ask('/mcp', address, init))).toEqual(new Set([401]));
    expect(await statuses(400, async () => ask('/healthz', address))).toEqual(new Set([200]));
  });

  it('tries three thousand tokens a minute', async () => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', client_id: 'nobody' });
    const init = {
      method: 'POST',
      body: body.toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    };
    const poll = async () => ask('/token', '192.0.2.2', init);
    const tried = await admitted(poll);
    expect(tried.status).toEqual(new Set([401]));
    expectLimit(tried, 3000);
    expect((await ask('/register', '192.0.2.2', { method: 'POST', body: '{}' })).status).toBe(429);
  });
});

describe('a client in a page of another origin', () => {
  const headers = { 'CF-Connecting-IP': '192.0.2.7', Origin: 'https://app.example' };
  const over: RateLimit = { limit: async () => ({ success: false }) };

  it.each(['/token', '/register', '/device_authorization'])('can read that %s holds it up', async (path) => {
    const held = createApp({ ...(env as unknown as Bindings), ...vars, TOKENS_LIMIT: over });
    const call = async (method: string) =>
      held.fetch(
        new Request(`${vars.PUBLIC_URL}${path}`, {
          method,
          headers: { ...headers, 'Access-Control-Request-Method': 'POST' },
          ...(method === 'POST' ? { body: new URLSearchParams({ client_id: 'nobody' }) } : {}),
        }),
      );
    const refused = await call('POST');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '60']);
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example');
    expect(await refused.json()).toMatchObject({ code: 'limit_exceeded' });
    const preflight = await call('OPTIONS');
    expect([preflight.status, preflight.headers.get('Access-Control-Allow-Origin')]).toEqual([
      204,
      'https://app.example',
    ]);
  });

  it('is not held up by how many pages its network opens', async () => {
    const held = createApp({ ...(env as unknown as Bindings), ...vars, PAGES_LIMIT: over });
    const init = { method: 'POST', headers, body: new URLSearchParams({ client_id: 'nobody' }) };
    expect((await held.fetch(new Request(`${vars.PUBLIC_URL}/device_authorization`, init))).status).toBe(401);
    expect((await held.fetch(new Request(`${vars.PUBLIC_URL}/device`, { headers }))).status).toBe(429);
  });
});

it('where there is no edge, nobody is held up', async () => {
  expect(await statuses(320, async () => ask('/sign-in'))).toEqual(new Set([200]));
});

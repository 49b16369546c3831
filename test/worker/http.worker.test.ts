import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { createApp } from '../../src/app.ts';
import type { App, Bindings } from '../../src/app.ts';
import { resetReached, storageReached } from '../support/delays.ts';
import { rpcRequest } from '../support/mcp.ts';
import { connected, ORIGIN, send } from '../support/person.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';

const bindings = env as unknown as Bindings;
const PRODUCTION = { DEPLOYMENT: 'production', DEV_SIGN_IN: '' };
const appWith = (vars: Record<string, string>) => createApp({ ...bindings, ...vars }, TEST_TOOLSETS);
const PAGE = { Accept: 'text/html,application/xhtml+xml' };

/** An error as programs get it. */
async function problem(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('Content-Type')).toBe('application/problem+json');
  const body = await response.json<Record<string, unknown>>();
  expect(body).toMatchObject({
    type: 'about:blank',
    status: response.status,
    request_id: response.headers.get('X-Request-Id'),
  });
  expect(body['title']).toEqual(expect.stringMatching(/./));
  expect(body['detail']).toEqual(expect.stringMatching(/\.$/));
  return body;
}

/** An error as people get it. */
async function errorPage(response: Response): Promise<string> {
  expect(response.headers.get('Content-Type')).toMatch(/^text\/html/);
  const page = await response.text();
  expect(page).toContain('<h1>');
  expect(page).toContain(response.headers.get('X-Request-Id'));
  return page;
}

describe('an address that is not here', () => {
  it.each(['/nothing', '/mcp/', '/mcp/tools', '/authorize/x', '/.well-known/openid-configuration', '/%00', '//mcp'])(
    '%s is 404, to programs and to people',
    async (path) => {
      const response = await send(`${ORIGIN}${path}`);
      expect([response.status, response.headers.get('Location')]).toEqual([404, null]);
      expect(await problem(response)).toMatchObject({ code: 'not_found' });
      const page = await send(`${ORIGIN}${path}`, { headers: PAGE });
      expect(page.status).toBe(404);
      await errorPage(page);
    },
  );
});

describe('a method that a path does not have', () => {
  it.each([
    ['DELETE', '/token', 'POST, OPTIONS'],
    ['GET', '/token', 'POST, OPTIONS'],
    ['PUT', '/register', 'POST, OPTIONS'],
    ['HEAD', '/register', 'POST, OPTIONS'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['OPTIONS', '/healthz', 'GET, HEAD'],
    ['PATCH', '/authorize', 'GET, POST, HEAD'],
    ['GET', '/sign-out', 'POST'],
    ['POST', '/.well-known/oauth-protected-resource', 'GET, HEAD, OPTIONS'],
  ])('%s %s is 405 and names those it has', async (method, path, allowed) => {
    const response = await send(path, { method });
    expect([response.status, response.headers.get('Allow')]).toEqual([405, allowed]);
    expect(method === 'HEAD' || (await problem(response))['code'] === 'unsupported').toBe(true);
  });

  it('is a page to people', async () => {
    const response = await send('/sign-out', { headers: PAGE });
    expect([response.status, response.headers.get('Allow')]).toEqual([405, 'POST']);
    await errorPage(response);
  });

  it('at the MCP endpoint is every one but POST', async () => {
    const { accessToken } = await connected();
    for (const method of ['GET', 'DELETE', 'PATCH', 'PUT']) {
      const response = await send('/mcp', { method, headers: { Authorization: `Bearer ${accessToken}` } });
      expect([method, response.status]).toEqual([method, 405]);
      expect(response.headers.get('Allow')).toMatch(/^POST(, OPTIONS)?$/);
      await problem(response);
    }
  });
});

describe('another host', () => {
  it.each(['http://elsewhere.example', 'https://localhost.elsewhere.example', 'http://10.0.0.1', 'http://[::2]'])(
    '%s is 421 for every path',
    async (origin) => {
      for (const path of ['/', '/mcp', '/healthz', '/.well-known/oauth-authorization-server']) {
        const response = await send(`${origin}${path}`);
        expect([path, response.status]).toEqual([path, 421]);
        await problem(response);
        const page = await send(`${origin}${path}`, { headers: PAGE });
        expect(page.status).toBe(421);
        await errorPage(page);
      }
    },
  );

  it('in production is whatever is not PUBLIC_URL: loopback and plain http too', async () => {
    const app = appWith({ ...PRODUCTION, PUBLIC_URL: 'https://carrel.example' });
    const status = async (address: string) => (await app.fetch(new Request(address))).status;
    expect(await status('https://carrel.example/healthz')).toBe(200);
    for (const origin of [
      ORIGIN,
      'http://127.0.0.1',
      'http://carrel.example',
      'https://carrel.example:8443',
      'https://www.carrel.example',
    ])
      expect([origin, await status(`${origin}/healthz`)]).toEqual([origin, 421]);
  });

  it('before PUBLIC_URL is set, a deployment says so and does nothing else', async () => {
    const app = appWith({ ...PRODUCTION, PUBLIC_URL: '' });
    for (const path of ['/', '/mcp', '/authorize', '/healthz']) {
      const response = await app.fetch(new Request(`https://carrel.workers.dev${path}`));
      expect([path, response.status]).toEqual([path, 503]);
      expect(JSON.stringify(await problem(response))).toContain('PUBLIC_URL');
    }
    const page = await app.fetch(new Request('https://carrel.workers.dev/', { headers: PAGE }));
    expect(await page.text()).toContain('npm run deploy');
  });
});

describe('a body', () => {
  const paths = ['/mcp', '/token', '/register', '/sign-in', '/authorize'];

  it.each(paths)('of more than 1 MB to %s is 413', async (path) => {
    const { accessToken } = await connected();
    const headers = { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' };
    const response = await send(path, { method: 'POST', body: 'x'.repeat(1_000_001), headers });
    expect(response.status).toBe(413);
    expect(await problem(response)).toMatchObject({ code: 'too_large', limit: 1_000_000 });
  });

  it.each(paths)('of more than 1 MB to %s that does not say so is 413', async (path) => {
    const { accessToken } = await connected();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000).fill(32));
        if (++sent >= 11) controller.close();
      },
    });
    const headers = { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' };
    const response = await send(path, { method: 'POST', body, headers });
    expect(response.status).toBe(413);
  });

  it('of exactly 1 MB is read', async () => {
    const { accessToken } = await connected();
    const { headers, body } = rpcRequest('tools/list');
    const padded = body.padEnd(1_000_000, ' ');
    const response = await send('/mcp', {
      method: 'POST',
      body: padded,
      headers: { ...headers, Authorization: `Bearer ${accessToken}` },
    });
    expect(response.status).toBe(200);
  });
});

describe('every answer', () => {
  it.each([
    '/',
    '/healthz',
    '/readyz',
    '/sign-in',
    '/mcp',
    '/token',
    '/nothing',
    '/authorize',
    '/.well-known/oauth-authorization-server',
  ])('of %s bears a request id of its own and the security headers', async (path) => {
    const [first, second] = [await send(path), await send(path)];
    expect(first.headers.get('X-Request-Id')).toMatch(/^[0-9a-z]{20}$/);
    expect(first.headers.get('X-Request-Id')).not.toBe(second.headers.get('X-Request-Id'));
    expect(first.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(first.headers.get('Referrer-Policy')).toBe('same-origin');
    expect(first.headers.get('Content-Security-Policy')).toContain("frame-ancestors 'none'");
  });

  it('over https tells browsers to stay with it', async () => {
    const app = appWith({ PUBLIC_URL: 'https://carrel.example' });
    const { headers } = await app.fetch(new Request('https://carrel.example/healthz'));
    expect(headers.get('Strict-Transport-Security')).toContain('max-age=31536000');
  });
});

describe('a page of another origin', () => {
  const INSPECTOR = { Origin: 'http://localhost:6274' };

  it('may read what MCP and OAuth clients need, refusals too', async () => {
    const { accessToken } = await connected();
    const { headers, ...request } = rpcRequest('tools/list');
    const allowed = { ...headers, ...INSPECTOR, Authorization: `Bearer ${accessToken}` };
    const answers = {
      'tools/list': send('/mcp', { ...request, headers: allowed }),
      'no token': send('/mcp', { ...request, headers: { ...headers, ...INSPECTOR } }),
      'a toolset that is not here': send('/mcp?toolsets=nope', { ...request, headers: allowed }),
      'too large': send('/mcp', { ...request, body: 'x'.repeat(1_000_001), headers: allowed }),
      'no such method': send('/mcp', { method: 'PATCH', headers: allowed }),
      'a code that is none': send('/token', {
        method: 'POST',
        body: new URLSearchParams({ code: 'x' }),
        headers: INSPECTOR,
      }),
      'no registration': send('/register', { method: 'POST', body: '{', headers: INSPECTOR }),
    };
    for (const [what, answer] of Object.entries(answers)) {
      const { headers: given } = await answer;
      expect([what, given.get('Access-Control-Allow-Origin')]).toEqual([what, INSPECTOR.Origin]);
      expect(given.get('Access-Control-Expose-Headers')).toContain('WWW-Authenticate');
      expect(given.get('Access-Control-Allow-Credentials')).toBeNull();
    }
  });

  it('may ask before it calls', async () => {
    const asks = {
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,mcp-method',
    };
    for (const path of ['/mcp', '/token', '/register', '/files']) {
      const { status, headers } = await send(path, { method: 'OPTIONS', headers: { ...INSPECTOR, ...asks } });
      expect([path, status, headers.get('Access-Control-Allow-Origin')]).toEqual([path, 204, INSPECTOR.Origin]);
      expect(headers.get('Access-Control-Allow-Methods')).toContain('POST');
      expect(headers.get('Access-Control-Allow-Headers')).toMatch(/authorization.*mcp-method/is);
    }
  });

  it('cannot read pages that look at cookies', async () => {
    for (const path of ['/', '/sign-in', '/authorize'])
      expect((await send(path, { headers: INSPECTOR })).headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  it('on a host that is not loopback may not call the MCP endpoint, even with a token', async () => {
    const { accessToken } = await connected();
    const { headers, ...request } = rpcRequest('tools/list');
    for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null']) {
      const sent = { ...headers, Authorization: `Bearer ${accessToken}`, Origin: origin };
      expect([origin, (await send('/mcp', { ...request, headers: sent })).status]).toEqual([origin, 403]);
    }
  });
});

describe('the probes', () => {
  it('/healthz reads nothing', async () => {
    resetReached();
    expect(await (await send('/healthz')).json()).toEqual({ status: 'ok' });
    expect(storageReached()).toEqual({ directory: 0, workspaces: 0 });
  });

  it('/readyz says what it stands on', async () => {
    const response = await send('/readyz');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: 'ok',
      checks: {
        directory: { ok: true },
        files: { ok: true },
        workspace: { ok: true, schema: { oauth: expect.any(Number) } },
      },
    });
  });

  it.each(['DIRECTORY', 'FILES', 'WORKSPACE'] as const)(
    '/readyz is 503 without %s and says which it is',
    async (name) => {
      const broken = new Proxy(
        {},
        {
          get: () => () => {
            throw new Error('a secret of the platform');
          },
        },
      );
      const response = await createApp({ ...bindings, [name]: broken }, TEST_TOOLSETS).fetch(
        new Request(`${ORIGIN}/readyz`),
      );
      expect(response.status).toBe(503);
      const text = await response.text();
      const checks = (JSON.parse(text) as { checks: Record<string, { ok: boolean }> }).checks;
      const failed = Object.entries(checks).filter(([, { ok }]) => !ok);
      expect(failed.map(([check]) => check)).toEqual([
        { DIRECTORY: 'directory', FILES: 'files', WORKSPACE: 'workspace' }[name],
      ]);
      expect(text).not.toContain('a secret of the platform');
    },
  );
});

describe('the part that serves people', () => {
  const PART = '../../src/people-app.ts';
  const open = async (app: App, path = '/sign-in') => app.fetch(new Request(`${ORIGIN}${path}`));
  const silently = () => {
    const silent = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    onTestFinished(() => {
      silent.mockRestore();
      vi.doUnmock(PART);
    });
  };

  it('is loaded by the next request when it could not be, and its failure is answered like any other', async () => {
    silently();
    const app = appWith({});
    vi.doMock(PART, () => ({
      createPeopleApp: () => {
        throw new Error('a module that did not come');
      },
    }));
    const refused = await open(app);
    expect([refused.status, refused.headers.get('X-Content-Type-Options')]).toEqual([500, 'nosniff']);
    expect(refused.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(await problem(refused)).toMatchObject({ code: 'internal' });
    vi.doUnmock(PART);
    expect((await open(app)).status).toBe(200);
  });

  it('holds up no other request while the first that wants it waits for ever', async () => {
    silently();
    const app = appWith({});
    vi.doMock(PART, async () => new Promise(() => {}));
    void open(app);
    await scheduler.wait(50);
    vi.doUnmock(PART);
    expect((await open(app)).status).toBe(200);
  });
});

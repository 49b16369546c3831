import { describe, expect, it, vi } from 'vitest';

import { Browser } from '../../scripts/client/browser.ts';
import { audit, configured, ISSUER, lastLine, somebody, startApp, useCampus } from '../support/campus.ts';
import { ORIGIN } from '../support/person.ts';

const campus = useCampus();

describe('the answer of an issuer', () => {
  const answer = (path: string, made: () => Response) => campus.issuer.answers.set(path, async () => made());

  it.each<[string, string, string, () => Response]>([
    ['a redirect', 'redirected', '/token', () => Response.redirect('https://evil.example/token', 307)],
    ['a redirect', 'redirected', '/jwks', () => Response.redirect('https://evil.example/jwks', 302)],
    ['a redirect', 'redirected', '/userinfo', () => Response.redirect('https://evil.example/userinfo', 302)],
    ['more than a megabyte', 'too_large', '/token', () => Response.json({ x: 'x'.repeat(1_000_001) })],
    ['more than a megabyte', 'too_large', '/jwks', () => Response.json({ keys: [], x: 'x'.repeat(1_000_001) })],
    ['an error', 'code_refused', '/token', () => Response.json({ error: 'invalid_grant' }, { status: 400 })],
    ['a refusal of us', 'client_refused', '/token', () => Response.json({ error: 'invalid_client' }, { status: 401 })],
    ['a page', 'malformed_answer', '/token', () => new Response('<h1>Down</h1>', { status: 502 })],
    ['a list', 'malformed_answer', '/token', () => Response.json([])],
    ['no keys', 'bad_signature', '/jwks', () => Response.json({ keys: [] })],
    ['keys that are none', 'bad_signature', '/jwks', () => Response.json({ keys: [{ kty: 'RSA', n: '', e: '' }] })],
    ['no key set', 'bad_signature', '/jwks', () => new Response('gone', { status: 410 })],
    ['an error', 'malformed_answer', '/userinfo', () => new Response('gone', { status: 410 })],
    [
      'a challenge',
      'malformed_answer',
      '/userinfo',
      () => new Response('', { status: 401, headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } }),
    ],
    [
      'a challenge',
      'client_refused',
      '/token',
      () => new Response('', { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="id"' } }),
    ],
  ])('%s is refused as %s at %s', async (_what, reason, path, made) => {
    answer(path, made);
    expect(await campus.refusal(await campus.signIn({ sub: 'somebody' }))).toBe(`campus: ${reason}`);
  });

  it('is read from nobody else, however it leads there', async () => {
    answer('/token', () => Response.redirect('https://evil.example/token', 307));
    await campus.signIn(somebody());
    for (const [address, init] of vi.mocked(globalThis.fetch).mock.calls) {
      expect(new Request(address).url).toMatch(/^https:\/\/id\.example\//);
      expect(init?.redirect).toBe('manual');
    }
  });

  it.each(['/token', '/jwks'])('that does not come from %s is given up after ten seconds', async (path) => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const limits: number[] = [];
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      limits.push(ms);
      return timeout(50);
    });
    campus.issuer.answers.set(
      path,
      async ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    );
    expect(await campus.refusal(await campus.signIn(somebody()))).toBe('campus: too_slow');
    expect(new Set(limits)).toEqual(new Set([10_000]));
  });

  it('that nobody gives is refused', async () => {
    campus.issuer.answers.set('/token', async () => {
      throw new TypeError('connection refused');
    });
    expect(await campus.refusal(await campus.signIn(somebody()))).toBe('campus: unreachable');
  });

  it.each([
    ['no discovery document', () => new Response('', { status: 404 })],
    ['one of another issuer', () => Response.json({ issuer: 'https://evil.example' })],
    ['one without addresses', () => Response.json({ issuer: ISSUER })],
    [
      'one that leads to a script',
      () => Response.json({ issuer: ISSUER, authorization_endpoint: 'javascript:alert(1)' }),
    ],
    [
      'one that leads to an address without TLS',
      () => Response.json({ issuer: ISSUER, authorization_endpoint: 'http://id.example/authorize' }),
    ],
  ])('with %s sends nobody anywhere', async (_what, made) => {
    answer('/.well-known/openid-configuration', made);
    const page = await campus.browser.open('/sign-in/campus');
    expect([page.left, page.status]).toEqual([false, 503]);
    expect(page.body).toContain('Signing in with Campus does not work at the moment');
  });

  it.each(['http://127.0.0.1:4000', 'http://localhost:4000'])(
    'is not asked for at %s in production',
    async (issuer) => {
      const origin = 'https://carrel.example';
      const OIDC_PROVIDERS = JSON.stringify([configured('campus', issuer)]);
      const app = startApp({ DEPLOYMENT: 'production', PUBLIC_URL: origin, OIDC_PROVIDERS });
      const response = await app.fetch(new Request(`${origin}/sign-in/campus`));
      expect([response.status, vi.mocked(globalThis.fetch).mock.calls]).toEqual([503, []]);
    },
  );

  it('whose document changed while somebody was away is refused', async () => {
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    answer('/.well-known/openid-configuration', () => Response.json({ issuer: 'https://evil.example' }));
    const elsewhere = startApp();
    const page = await new Browser(ORIGIN, async (url, init) => {
      const request = new Request(url, init);
      request.headers.set('Cookie', campus.browser.cookieHeader());
      return elsewhere.fetch(request);
    }).open(callback);
    expect(await campus.refusal(page)).toBe('campus: wrong_issuer');
  });

  it.each(['token_endpoint', 'jwks_uri', 'userinfo_endpoint'])('with an insecure %s is refused', async (endpoint) => {
    campus.issuer.metadata = { [endpoint]: 'http://id.example/somewhere' };
    expect(await campus.refusal(await campus.signIn({ sub: 'somebody' }))).toBe('campus: insecure_address');
  });
});

describe('a callback', () => {
  it('with an error is told in our words', async () => {
    const link = await campus.begin();
    const query = {
      error: 'access_denied',
      error_description: 'Call 0900-STEAL',
      state: link.searchParams.get('state')!,
    };
    const page = await campus.browser.open(`/sign-in/campus/callback?${new URLSearchParams(query).toString()}`);
    expect(await campus.refusal(page)).toBe('campus: provider_said_no');
    expect(page.body).toContain('Campus did not sign you in.');
  });

  it('may come to another isolate than the sign-in began in', async () => {
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    const headers = { Cookie: campus.browser.cookieHeader() };
    const response = await startApp().fetch(new Request(callback, { headers, redirect: 'manual' }));
    expect([response.status, response.headers.get('Location')]).toEqual([303, '/?back']);
  });

  it('counts once', async () => {
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    const cookie = campus.browser.cookieHeader();
    expect((await campus.browser.open(callback)).status).toBe(200);
    const again = await campus.app.fetch(new Request(callback, { headers: { Cookie: cookie, Accept: 'text/html' } }));
    expect([again.status, again.headers.getSetCookie().join().includes('session')]).toEqual([400, false]);
    expect(await lastLine()).toMatchObject({ detail: { provider: 'campus', reason: 'attempt_lost' } });
  });

  it('counts once of four at the same time', async () => {
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    const headers = { Cookie: campus.browser.cookieHeader() };
    const answers = await Promise.all(
      [1, 2, 3, 4].map(async () => campus.app.fetch(new Request(callback, { headers, redirect: 'manual' }))),
    );
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['303', '400', '400', '400']);
  });

  it('without the cookie of its browser is refused', async () => {
    const callback = campus.issuer.authorize(await campus.begin(campus.newBrowser()), somebody());
    expect(await campus.refusal(await campus.browser.open(callback))).toBe('campus: attempt_lost');
    expect(campus.issuer.asked).not.toContain('/token');
  });

  it('of another browser is refused: nobody is signed in to an account of somebody else', async () => {
    await campus.begin();
    const callback = campus.issuer.authorize(await campus.begin(campus.newBrowser()), somebody());
    expect(await campus.refusal(await campus.browser.open(callback))).toBe('campus: state_differs');
    expect(campus.issuer.asked).not.toContain('/token');
  });

  it.each(['', 'state=', 'state=other&'])('with %j instead of its state is refused', async (state) => {
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    const code = callback.searchParams.get('code');
    expect(await campus.refusal(await campus.browser.open(`/sign-in/campus/callback?${state}&code=${code}`))).toBe(
      'campus: state_differs',
    );
  });

  it('with two states is refused', async () => {
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    callback.searchParams.append('state', 'other');
    expect(await campus.refusal(await campus.browser.open(callback))).toBe('campus: state_differs');
  });

  it('with the code of another sign-in is refused: its verifier is not here', async () => {
    const stolen =
      campus.issuer.authorize(await campus.begin(campus.newBrowser()), somebody()).searchParams.get('code') ?? '';
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    callback.searchParams.set('code', stolen);
    expect(await campus.refusal(await campus.browser.open(callback))).toBe('campus: code_refused');
  });

  it('that says to be of another issuer is refused', async () => {
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    callback.searchParams.set('iss', 'https://evil.example');
    expect(await campus.refusal(await campus.browser.open(callback))).toBe('campus: wrong_issuer');
    expect(campus.issuer.asked).not.toContain('/token');
  });

  it('that must say of which issuer it is, and does not, is refused', async () => {
    campus.issuer.metadata = { authorization_response_iss_parameter_supported: true };
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    callback.searchParams.delete('iss');
    expect(await campus.refusal(await campus.browser.open(callback))).toBe('campus: malformed_answer');
  });

  it('at the address of another provider is refused', async () => {
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    callback.pathname = '/sign-in/other/callback';
    expect(await campus.refusal(await campus.browser.open(callback))).toBe('other: attempt_lost');
  });

  it.each([
    ['issuer', { issuer: 'https://new.example' }],
    ['client', { client_id: 'another' }],
  ])('after the %s was changed is refused, and shows the code to nobody', async (_what, change) => {
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    const changed = startApp({ OIDC_PROVIDERS: JSON.stringify([{ ...configured('campus'), ...change }]) });
    const headers = { Cookie: campus.browser.cookieHeader(), Accept: 'text/html' };
    const asked = campus.issuer.asked.length;
    const response = await changed.fetch(new Request(callback, { headers }));
    expect(response.status).toBe(400);
    expect(await lastLine()).toMatchObject({ detail: { provider: 'campus', reason: 'provider_changed' } });
    expect(campus.issuer.asked).toHaveLength(asked);
  });

  it('of a provider that is not there finds nothing', async () => {
    expect((await campus.browser.open('/sign-in/nobody/callback?code=a&state=b')).status).toBe(404);
    expect((await campus.browser.open('/sign-in/nobody')).status).toBe(404);
  });
});

describe('the log', () => {
  it('and the audit hold nothing that opens anything, and no word of the issuer', async () => {
    const lines: string[] = [];
    for (const level of ['log', 'error', 'warn', 'info'] as const)
      vi.spyOn(console, level).mockImplementation((...values) => void lines.push(values.map(String).join(' ')));
    const callback = campus.issuer.authorize(await campus.begin(), somebody());
    campus.issuer.answers.set('/token', async () =>
      Response.json({ error: 'invalid_grant', error_description: '0900-STEAL' }, { status: 400 }),
    );
    await campus.browser.open(callback);
    const written = `${lines.join('\n')}${JSON.stringify(await audit.list({ since: 0, limit: 1000 }))}`;
    expect(written).not.toContain('0900');
    expect(written).not.toContain('the-secret');
    for (const name of ['code', 'state']) expect(written).not.toContain(callback.searchParams.get(name));
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';

import { approve } from '../../scripts/client/browser.ts';
import { toBase64Url, utf8 } from '../../src/lib/encoding.ts';
import { delayStorage } from '../support/delays.ts';
import { statusOf } from '../support/mcp.ts';
import { codeOf, OAuthClient, ORIGIN, outcome, Person, register, SCOPES, send, tokens } from '../support/person.ts';
import { times } from '../support/rounds.ts';

const ALL_SCOPES = SCOPES.split(' ');

afterEach(() => {
  delayStorage(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** What the client was told when its request was refused, at its own address. */
function refusal(callback: URL) {
  const { searchParams } = callback;
  return { error: searchParams.get('error'), state: searchParams.get('state'), iss: searchParams.get('iss') };
}

/** What a client with keys authenticates with (RFC 7523). */
async function assertion(key: CryptoKey, clientId: string) {
  const part = (value: object) => toBase64Url(utf8(JSON.stringify(value)));
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: clientId, sub: clientId, aud: ORIGIN, jti: crypto.randomUUID(), iat: now, exp: now + 60 };
  const signed = `${part({ alg: 'ES256', typ: 'JWT' })}.${part(claims)}`;
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, utf8(signed));
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: `${signed}.${toBase64Url(new Uint8Array(signature))}`,
  };
}

describe('discovery', () => {
  const documents = [
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-authorization-server',
  ];

  it.each(documents)('%s is JSON for pages of any origin, without a redirect', async (path) => {
    const page = { Origin: 'https://inspector.example' };
    const response = await send(path, { headers: page });
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toMatch(/^application\/json/);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe(page.Origin);
    const preflight = await send(path, {
      method: 'OPTIONS',
      headers: {
        ...page,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'mcp-protocol-version',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('Access-Control-Allow-Origin')).toBe(page.Origin);
    expect(preflight.headers.get('Access-Control-Allow-Headers')).toContain('mcp-protocol-version');
    const head = await send(path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it.each(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/mcp'])(
    'says to pages of any origin that %s is not here, so that they go on looking',
    async (path) => {
      const page = { Origin: 'https://inspector.example' };
      const response = await send(path, { headers: page });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: 'not_found' });
      expect(response.headers.get('Access-Control-Allow-Origin')).toBe(page.Origin);
      expect((await send(path, { method: 'OPTIONS', headers: page })).status).toBe(204);
    },
  );

  it.each([ORIGIN, 'http://127.0.0.1:9000', 'http://[::1]:9000'])('names the resources of %s', async (origin) => {
    for (const path of ['', '/mcp']) {
      const response = await send(`${origin}/.well-known/oauth-protected-resource${path}`);
      expect(await response.json()).toMatchObject({
        resource: `${origin}${path}`,
        authorization_servers: [origin],
        scopes_supported: ALL_SCOPES,
        bearer_methods_supported: ['header'],
      });
    }
  });

  it('says what the authorization server can do', async () => {
    const response = await send('/.well-known/oauth-authorization-server');
    const metadata = await response.json<{ token_endpoint_auth_methods_supported: string[] }>();
    expect(metadata).toMatchObject({
      issuer: ORIGIN,
      authorization_endpoint: `${ORIGIN}/authorize`,
      token_endpoint: `${ORIGIN}/token`,
      registration_endpoint: `${ORIGIN}/register`,
      revocation_endpoint: `${ORIGIN}/token`,
      scopes_supported: ALL_SCOPES,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
    });
    expect(metadata.token_endpoint_auth_methods_supported).toContain('none');
  });

  it.each([
    ['/mcp', 'POST', '/.well-known/oauth-protected-resource/mcp'],
    ['/mcp', 'GET', '/.well-known/oauth-protected-resource/mcp'],
    ['/files', 'GET', '/.well-known/oauth-protected-resource'],
  ])('%s challenges %s and points to %s', async (path, method, metadata) => {
    const response = await send(path, { method });
    expect(response.status).toBe(401);
    const challenge = response.headers.get('WWW-Authenticate');
    expect(challenge).toContain(`resource_metadata="${ORIGIN}${metadata}"`);
    expect(challenge).toContain(`scope="${ALL_SCOPES.join(' ')}"`);
    // RFC 6750 §3.1: a request that brought no token is told of no error.
    expect(challenge).not.toContain('error=');
  });
});

describe('registration', () => {
  it('gives a public client no secret and any other one a secret', async () => {
    expect((await OAuthClient.register()).secret).toBeUndefined();
    expect((await OAuthClient.register({ token_endpoint_auth_method: 'client_secret_basic' })).secret).toMatch(
      /^.{20,}$/,
    );
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'http://remote.example/callback',
    'https://a.example/#x',
  ])('refuses the redirect %s', async (redirect) => {
    const response = await register({ redirect_uris: [redirect] });
    expect(response.status).toBe(400);
    expect(await outcome(response)).toBe('invalid_client_metadata');
  });

  it('takes the redirects of an app that signs in from several places', async () => {
    const redirects = [
      'https://app.example/callback',
      'http://localhost:1/callback',
      'cursor://anysphere.cursor-mcp/oauth',
    ];
    const response = await register({ redirect_uris: redirects });
    expect(await response.json()).toMatchObject({ redirect_uris: redirects });
  });

  it.each(['{', '[]', 'null', '"text"', ''])('refuses the body %s with an OAuth error', async (body) => {
    const response = await send('/register', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
    expect(response.status).toBe(400);
    expect(await outcome(response)).toMatch(/^invalid_/);
  });
});

describe('a client that describes itself in a document', () => {
  const id = 'https://app.example/oauth/client.json';
  const redirect = 'https://app.example/callback';
  const document = {
    client_id: id,
    client_name: 'Example App',
    redirect_uris: [redirect],
    token_endpoint_auth_method: 'none',
  };

  it('signs in without registering, under its verified domain', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(document));
    const client = new OAuthClient(id, redirect);
    const ada = new Person();
    const page = await ada.open(client);
    expect(page.body).toMatch(/Verified:.*app\.example/s);
    const callback = await approve(ada.browser, client.authorizationUrl(), ada.email);
    expect(await statusOf((await tokens(await client.redeem(codeOf(callback)))).access_token)).toBe(200);
    for (const [asked] of fetched.mock.calls) expect(asked instanceof Request ? asked.url : asked).toBe(id);
    expect(fetched).toHaveBeenCalled();
  });

  it('is not looked up for anybody who is not signed in', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(document));
    const page = await new Person().browser.open(new OAuthClient(id, redirect).authorizationUrl());
    expect(page.url.pathname).toBe('/sign-in');
    expect(fetched).not.toHaveBeenCalled();
  });

  it('cannot be this deployment itself', async () => {
    const page = await new Person().open(new OAuthClient(`${ORIGIN}/files/fil_0`, redirect));
    expect([page.left, page.status]).toEqual([false, 400]);
  });

  it('is asked for its document only for somebody who has signed in', async () => {
    const fetched = vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(document));
    const page = await new Person().browser.open(new OAuthClient(id, redirect).authorizationUrl());
    expect(page.url.pathname).toBe('/sign-in');
    expect(fetched).not.toHaveBeenCalled();
  });

  it('cannot be a page of ours', async () => {
    const page = await new Person().open(new OAuthClient(`${ORIGIN}/authorize?client_id=x`, redirect));
    expect([page.left, page.status]).toEqual([false, 400]);
  });

  it('with keys of its own proves who it is once with each assertion, however many come at once', async () => {
    const { publicKey, privateKey } = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ])) as CryptoKeyPair;
    const jwks = { keys: [await crypto.subtle.exportKey('jwk', publicKey)] };
    const described = { ...document, token_endpoint_auth_method: 'private_key_jwt', jwks };
    vi.spyOn(globalThis, 'fetch').mockImplementation(async () => Response.json(described));
    const client = new OAuthClient(id, redirect);
    const ada = new Person();
    const connect = async () =>
      tokens(await client.redeem(codeOf(await ada.allow(client)), await assertion(privateKey, id)));
    const [phone, laptop] = [await connect(), await connect()];
    delayStorage(20);
    for (const round of times(20, (index) => index)) {
      const proof = await assertion(privateKey, id);
      const presented = [phone.refresh_token, laptop.refresh_token, 'invented', 'invented too'];
      const answers = await Promise.all(presented.map(async (token) => client.refresh(token, proof)));
      const refused = answers.filter(({ status }) => status === 401);
      expect([round, ...(await Promise.all(refused.map(outcome)))]).toEqual([
        round,
        ...times(3, () => 'invalid_client'),
      ]);
    }
  });

  it.each([
    ['cannot be read', () => Promise.reject(new TypeError('no route'))],
    ['is gone', async () => new Response('gone', { status: 404 })],
    [
      'describes another one',
      async () => Response.json({ ...document, client_id: 'https://other.example/client.json' }),
    ],
  ])('is refused on a page when the document %s', async (_what, answer) => {
    vi.spyOn(globalThis, 'fetch').mockImplementation(answer);
    const page = await new Person().open(new OAuthClient(id, redirect));
    expect([page.left, page.status]).toEqual([false, 400]);
    expect(page.body).toContain('could not be checked');
  });
});

describe('a request to authorize', () => {
  it('is answered with the code, the state and the issuer', async () => {
    const client = await OAuthClient.register();
    const callback = await new Person().allow(client, { state: 'a state & more' });
    expect(callback.href.startsWith(`${client.redirectUri}?`)).toBe(true);
    expect(Object.fromEntries(callback.searchParams)).toEqual({
      code: expect.stringMatching(/^per_/),
      state: 'a state & more',
      iss: ORIGIN,
    });
  });

  it.each([
    ['no code challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['a plain code challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a code challenge without a method, which means plain', { code_challenge_method: undefined }, 'invalid_request'],
    ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ['the resource of somebody else', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    ['a resource that only looks like ours', { resource: `${ORIGIN}@elsewhere.example` }, 'invalid_target'],
    ['an unknown path of ours', { resource: `${ORIGIN}/admin` }, 'invalid_target'],
    ['two resources', { resource: [ORIGIN, 'https://elsewhere.example'] }, 'invalid_target'],
    ['a resource with a fragment', { resource: `${ORIGIN}/mcp#x` }, 'invalid_target'],
    ['a resource that is no address', { resource: 'mcp' }, 'invalid_target'],
  ])('with %s is refused at the client, once somebody has signed in', async (_what, changes, error) => {
    const client = await OAuthClient.register();
    const ada = new Person();
    // RFC 9700 §4.11.2: whoever registers a redirect must not get strangers sent there by us.
    const stranger = await ada.browser.open(client.authorizationUrl(changes));
    expect([stranger.left, stranger.url.pathname]).toEqual([false, '/sign-in']);
    const page = await ada.open(client, changes);
    expect(page.left).toBe(true);
    expect(refusal(page.url)).toEqual({ error, state: 'the-state', iss: ORIGIN });
    expect(page.url.searchParams.has('code')).toBe(false);
  });

  it.each([
    ['of an unknown client', { client_id: 'forgotten' }, 'not known here'],
    ['without a client', { client_id: undefined }, 'cannot be followed'],
    ['to a changed redirect', { redirect_uri: 'https://elsewhere.example/callback' }, 'has changed'],
    ['to another path of a loopback redirect', { redirect_uri: 'http://127.0.0.1:33418/other' }, 'has changed'],
    ['to another spelling of loopback', { redirect_uri: 'http://localhost:33418/callback' }, 'has changed'],
    ['without a redirect', { redirect_uri: undefined }, 'has changed'],
    ['to a script', { redirect_uri: 'javascript:alert(1)' }, 'has changed'],
  ])('%s is refused on a page, never by a redirect', async (_what, changes, words) => {
    const client = await OAuthClient.register();
    const response = await send(client.authorizationUrl(changes), { headers: { Accept: 'text/html' } });
    expect([response.status, response.headers.get('Location')]).toEqual([400, null]);
    expect(response.headers.get('Content-Type')).toMatch(/^text\/html/);
    expect(await response.text()).toContain(words);
  });

  it('may name another port of a loopback redirect at every start', async () => {
    const client = await OAuthClient.register();
    for (const port of [1, 50_123]) {
      const redirectUri = `http://127.0.0.1:${port}/callback`;
      const callback = await new Person().allow(client, { redirect_uri: redirectUri });
      expect(callback.origin).toBe(`http://127.0.0.1:${port}`);
      expect(await outcome(await client.redeem(codeOf(callback), { redirect_uri: redirectUri }))).toBe('200');
    }
  });
});

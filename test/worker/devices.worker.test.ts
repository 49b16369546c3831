import { env } from 'cloudflare:workers';
import * as oauth from 'oauth4webapi';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { DEVICE_GRANT } from '../../src/oauth/model.ts';
import { auditDuring } from '../support/audit.ts';
import { delayStorage } from '../support/delays.ts';
import { askForDevice, decideDevice, enterCode, poll, registerDevice } from '../support/devices.ts';
import { rpc, statusOf } from '../support/mcp.ts';
import { Connection, OAuthClient, outcome, register, send, sendForm, tokens } from '../support/person.ts';
import { formAt, withRole } from '../support/people.ts';
import type { Visitor } from '../support/people.ts';
import { times } from '../support/rounds.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';

const { DIRECTORY } = env as unknown as Bindings;

let ada: Visitor;
let terminal: OAuthClient;
beforeAll(async () => {
  ada = await withRole('member');
  terminal = await registerDevice();
});

const laterBy = (seconds: number) => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
  onTestFinished(() => void vi.useRealTimers());
};

describe('a device without a browser', () => {
  it('is let in by a person with the code that it shows', async () => {
    const codes = await askForDevice(terminal, { scope: 'sessions:read sessions:write' });
    expect(codes).toMatchObject({ verification_uri: 'http://localhost:8787/device', expires_in: 900, interval: 5 });
    expect(codes.user_code).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
    expect(codes.verification_uri_complete).toBe(`${codes.verification_uri}?user_code=${codes.user_code}`);
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('authorization_pending');

    const page = await enterCode(ada, codes.user_code.toLowerCase().replace('-', ' '));
    expect(page.body).toContain('Terminal');
    expect(page.body).toContain(codes.user_code);
    const done = await decideDevice(ada, page, 'approve', { scope: 'sessions:read' });
    expect([done.status, done.body.includes('Your device is connected')]).toEqual([200, true]);

    const answer = await tokens(await poll(terminal, codes.device_code));
    expect(answer).toMatchObject({ scope: 'sessions:read', token_type: 'bearer', resource: 'http://localhost:8787' });
    const connection = new Connection(terminal, answer);
    expect(connection.personId).toBe(await ada.id());
    const { message } = await rpc(connection.accessToken, 'tools/call', { name: 'session_list', arguments: {} });
    expect(message.result?.isError).not.toBe(true);
    // From here on it is a grant like any other: it is renewed, listed and ended.
    const next = await tokens(await terminal.refresh(connection.refreshToken));
    const apps = (await ada.browser.open('/account/apps')).body;
    expect([apps.includes('Terminal'), apps.includes('the device whose code you entered')]).toEqual([true, true]);
    await terminal.revoke(next.refresh_token);
    expect(await statusOf(next.access_token)).toBe(401);
  });

  it('speaks the protocol to a library that is not ours', async () => {
    const options = {
      [oauth.customFetch]: async (url: string, init: object) => send(url, init),
      // oxlint-disable-next-line typescript/no-deprecated -- so that it stands out where it is no test on loopback
      [oauth.allowInsecureRequests]: true,
    };
    const issuer = new URL('http://localhost:8787');
    const found = await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' });
    const server = await oauth.processDiscoveryResponse(issuer, found);
    const metadata = { client_name: 'Library', grant_types: [DEVICE_GRANT], token_endpoint_auth_method: 'none' };
    const registration = await oauth.dynamicClientRegistrationRequest(server, metadata, options);
    const client = await oauth.processDynamicClientRegistrationResponse(registration);
    const none = oauth.None();
    const asked = await oauth.deviceAuthorizationRequest(server, client, none, { scope: 'files:read' }, options);
    const codes = await oauth.processDeviceAuthorizationResponse(server, client, asked);
    const pollOnce = async () => {
      const response = await oauth.deviceCodeGrantRequest(server, client, none, codes.device_code, options);
      return oauth.processDeviceCodeResponse(server, client, response);
    };
    await expect(pollOnce()).rejects.toMatchObject({ error: 'authorization_pending' });
    await decideDevice(ada, await enterCode(ada, codes.user_code), 'approve');
    const { access_token: token } = await pollOnce();
    expect((await send('/files', { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200);
  });

  it('tells what happened in the audit, step by step', async () => {
    const written = await auditDuring(async () => {
      const codes = await askForDevice(terminal);
      await decideDevice(ada, await enterCode(ada, codes.user_code), 'approve');
      await tokens(await poll(terminal, codes.device_code));
    });
    expect(written.map(({ action }) => action)).toEqual([
      'device_code_made',
      'authorize_opened',
      'consent_given',
      'code_exchanged',
    ]);
    expect(written[2]).toMatchObject({
      clientId: terminal.id,
      personId: await ada.id(),
      detail: { consent: 'device' },
    });
    expect(JSON.stringify(written)).not.toMatch(/[B-Z]{4}-[B-Z]{4}/);
  });

  it('is told that it was denied', async () => {
    const codes = await askForDevice(terminal);
    const page = await decideDevice(ada, await enterCode(ada, codes.user_code), 'deny');
    expect(page.body).toContain('Nothing was allowed');
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('access_denied');
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('invalid_grant');
  });

  it('is told to slow down, and to begin anew when nobody answers', async () => {
    const codes = await askForDevice(terminal);
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('authorization_pending');
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('slow_down');
    laterBy(6);
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('slow_down');
    laterBy(16);
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('authorization_pending');
    laterBy(901);
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('expired_token');
    expect((await enterCode(ada, codes.user_code)).status).toBe(400);
  });

  it('may have a secret, in the form or as HTTP Basic', async () => {
    for (const method of ['client_secret_post', 'client_secret_basic'] as const) {
      const client = await registerDevice({ token_endpoint_auth_method: method });
      const basic = { Authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}` };
      const inForm = { client_id: client.id, client_secret: client.secret };
      const [fields, headers] = method === 'client_secret_post' ? [inForm, {}] : [{}, basic];
      const asked = await sendForm('/device_authorization', fields, headers);
      const codes = await asked.json<{ device_code: string; user_code: string }>();
      await decideDevice(ada, await enterCode(ada, codes.user_code), 'approve');
      const form = { grant_type: DEVICE_GRANT, device_code: codes.device_code };
      const wrong = await sendForm('/token', { ...form, client_id: client.id, client_secret: 'guessed' });
      expect(wrong.status).toBe(401);
      // Nor has that used it up.
      await tokens(await sendForm('/token', { ...form, ...fields }, headers));
    }
  });

  it('of a person who was disabled meanwhile gets nothing', async () => {
    const [ben, admin] = [await withRole('member'), await withRole('admin')];
    const codes = await askForDevice(terminal);
    await decideDevice(ben, await enterCode(ben, codes.user_code), 'approve');
    await admin.post('/admin/people', `/admin/people/${await ben.id()}`, { change: 'disable' });
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('access_denied');
  });
});

describe('of several at the same time', () => {
  it('one poll gets the tokens', async () => {
    const visitor = await withRole('member');
    delayStorage(3);
    onTestFinished(() => delayStorage(0));
    for (const _ of times(10, () => undefined)) {
      const codes = await askForDevice(terminal);
      await decideDevice(visitor, await enterCode(visitor, codes.user_code), 'approve');
      const answers = await Promise.all(times(4, async () => outcome(await poll(terminal, codes.device_code))));
      const [given, ...others] = answers.toSorted();
      expect(given).toBe('200');
      // Before the tokens are on their way, and after.
      expect(others.filter((other) => other !== 'slow_down' && other !== 'invalid_grant')).toEqual([]);
    }
    const { body } = await visitor.browser.open('/account/apps');
    expect(body.match(/<article/g)).toHaveLength(10);
  });

  it('one answer counts', async () => {
    for (const _ of times(10, () => undefined)) {
      const codes = await askForDevice(terminal);
      const page = await enterCode(ada, codes.user_code);
      const decisions = ['approve', 'deny', 'approve', 'deny'] as const;
      const pages = await Promise.all(decisions.map(async (decision) => decideDevice(ada, page, decision)));
      expect(pages.map(({ status }) => String(status)).toSorted()).toEqual(['200', '409', '409', '409']);
    }
  });

  it('no more wrong codes are compared than the limit', async () => {
    const eve = await withRole('member');
    const codes = await askForDevice(terminal);
    const pages = await Promise.all(times(15, async () => enterCode(eve, 'BBBB-BBBB')));
    const count = (wanted: number) => pages.filter(({ status }) => status === wanted).length;
    expect([count(400), count(429)]).toEqual([10, 5]);
    // Then not even the right one, for this person and for a while.
    const written = await auditDuring(async () => {
      const page = await enterCode(eve, codes.user_code);
      expect([page.status, page.body.includes('Wait a quarter of an hour')]).toEqual([429, true]);
    });
    expect(written).toMatchObject([{ action: 'device_code_refused', detail: { reason: 'too_many_guesses' } }]);
    expect((await enterCode(ada, codes.user_code)).status).toBe(200);
    laterBy(901);
    const fresh = await askForDevice(terminal);
    expect((await enterCode(eve, fresh.user_code)).status).toBe(200);
  });
});

describe('the page of a code', () => {
  it('asks who is there first, and has the code of the link ready, answering nothing by itself', async () => {
    const codes = await askForDevice(terminal);
    const stranger = await withRole('member');
    await stranger.post('/account', '/sign-out', { return_to: '/' });
    const path = `/device?user_code=${codes.user_code}`;
    const asked = await stranger.browser.open(path);
    expect([asked.url.pathname, asked.url.searchParams.get('return_to')]).toEqual(['/sign-in', path]);
    const page = await ada.browser.open(path);
    expect(page.body).toContain(`value="${codes.user_code}"`);
    expect(page.body).not.toContain('Terminal');
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('authorization_pending');
  });

  it('says that a code is none, and writes it down without the code', async () => {
    const written = await auditDuring(async () => {
      for (const code of ['BBBB-BBBB', '', 'hello', 'x'.repeat(5000), '<b>']) {
        const page = await enterCode(await withRole('member'), code);
        expect([page.status, page.body.includes('No device waits with this code')]).toEqual([400, true]);
      }
    });
    const refusals = written.filter(({ action }) => action === 'device_code_refused');
    expect(refusals.map(({ detail }) => detail)).toEqual(times(5, () => ({ reason: 'unknown_code' })));
  });

  it('wants at least one permission, and asks again with none ticked', async () => {
    const codes = await askForDevice(terminal);
    const page = await enterCode(ada, codes.user_code);
    const again = await decideDevice(ada, page, 'approve', { scope: [] });
    expect([again.status, again.body.includes('Choose at least one permission')]).toEqual([400, true]);
    expect(again.body).not.toContain('checked');
    const offered = await decideDevice(ada, page, 'approve', { scope: 'admin:everything' });
    expect(offered.status).toBe(400);
    expect((await decideDevice(ada, again, 'approve', { scope: 'files:read' })).status).toBe(200);
    expect((await tokens(await poll(terminal, codes.device_code))).scope).toBe('files:read');
  });

  it('counts for the person to whom it was put, in a form of ours', async () => {
    const codes = await askForDevice(terminal);
    const page = await enterCode(ada, codes.user_code);
    const eve = await withRole('member');
    const handle = /name="handle" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const fields = { handle, decision: 'approve', scope: 'files:read' };
    expect((await eve.post('/account', '/device/answer', fields)).status).toBe(403);
    expect((await ada.post('/account', '/device/answer', { ...fields, form_token: 'forged' })).status).toBe(403);
    expect((await ada.post('/account', '/device/answer', { ...fields, handle: 'none.none' })).status).toBe(403);
    expect(await outcome(await poll(terminal, codes.device_code))).toBe('authorization_pending');
  });

  it('shows the name of a client as text', async () => {
    const client = await registerDevice({ client_name: '<i>Sly</i>' });
    const page = await enterCode(ada, (await askForDevice(client)).user_code);
    expect(page.body).toContain('&lt;i&gt;Sly&lt;/i&gt;');
    expect(page.body).toContain('somebody else');
  });
});

describe('is refused at the beginning', () => {
  it.each([
    ['a client that is not known', { client_id: 'nobody' }, 'invalid_client'],
    ['nobody', { client_id: undefined }, 'invalid_client'],
    [
      'a client that is known by its document, whose name anybody could use here',
      { client_id: 'https://claude.ai/oauth/metadata' },
      'unauthorized_client',
    ],
    ['scopes of which there is none', { scope: 'admin:everything' }, 'invalid_scope'],
    ['another resource', { resource: 'https://other.example/' }, 'invalid_target'],
  ])('%s', async (_what, fields, error) => {
    expect(await outcome(await sendForm('/device_authorization', { client_id: terminal.id, ...fields }))).toBe(error);
  });

  it('a client that did not register for it, or shows no secret', async () => {
    const plain = await OAuthClient.register();
    expect(await outcome(await sendForm('/device_authorization', { client_id: plain.id }))).toBe('unauthorized_client');
    const secretive = await registerDevice({ token_endpoint_auth_method: 'client_secret_post' });
    for (const secret of [undefined, 'guessed']) {
      const fields = { client_id: secretive.id, client_secret: secret };
      expect(await outcome(await sendForm('/device_authorization', fields))).toBe('invalid_client');
    }
  });

  it('whoever asks too often', async () => {
    const from = (address: string) => ({ 'CF-Connecting-IP': address });
    const ask = async (address: string) => sendForm('/device_authorization', { client_id: terminal.id }, from(address));
    for (const _ of times(60, () => undefined)) expect((await ask('2001:db8::1')).status).toBe(200);
    // One network of IPv6 is one.
    const refused = await ask('2001:db8:0:0:ffff::2');
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '900']);
    expect((await ask('2001:db8:0:1::1')).status).toBe(200);
  });
});

describe('a device code', () => {
  it('that is invented or of another client is worth nothing', async () => {
    const codes = await askForDevice(terminal);
    const [secret = '', mac = ''] = codes.device_code.split('.');
    for (const code of ['x', `${secret}.${'x'.repeat(mac.length)}`, `${'x'.repeat(secret.length)}.${mac}`])
      expect(await outcome(await poll(terminal, code))).toBe('invalid_grant');
    const other = await registerDevice();
    await decideDevice(ada, await enterCode(ada, codes.user_code), 'approve');
    const written = await auditDuring(async () =>
      expect(await outcome(await poll(other, codes.device_code))).toBe('invalid_grant'),
    );
    expect(written).toMatchObject([
      { action: 'token_refused', clientId: other.id, detail: { reason: 'device_code_unknown' } },
    ]);
    await tokens(await poll(terminal, codes.device_code));
  });

  it('is kept as a hash, and swept', async () => {
    const codes = await askForDevice(terminal);
    const rows = async () => {
      const { results } = await DIRECTORY.prepare('SELECT * FROM device_requests').all();
      return JSON.stringify(results);
    };
    const kept = await rows();
    expect(kept).not.toContain(codes.user_code);
    expect(kept).not.toContain(codes.device_code.split('.')[0]);
    await enterCode(ada, 'BBBB-BBBB');
    laterBy(3601);
    const fresh = await askForDevice(terminal);
    await createApp(env as unknown as Bindings, TEST_TOOLSETS).scheduled();
    const ages = async (table: string, column: string) => {
      const { results } = await DIRECTORY.prepare(`SELECT ${column} AS at FROM ${table}`).all<{ at: number }>();
      return results.map(({ at }) => at > Date.now() - 3_600_000);
    };
    // What is younger stays.
    expect(await ages('device_requests', 'created_at')).toEqual([true]);
    expect(await ages('attempts', 'at')).toContain(true);
    expect(await ages('attempts', 'at')).not.toContain(false);
    expect(await outcome(await poll(terminal, fresh.device_code))).toBe('authorization_pending');
  });
});

describe('registering for it', () => {
  it('needs no redirect, and opens no other way', async () => {
    const response = await register({ redirect_uris: undefined, grant_types: [DEVICE_GRANT] });
    expect(response.status).toBe(201);
    const metadata = await response.json<{ client_id: string }>();
    expect(metadata).toMatchObject({ redirect_uris: [], grant_types: ['refresh_token', DEVICE_GRANT] });
    const client = new OAuthClient(metadata.client_id, 'http://localhost:8787/device');
    const page = await ada.browser.open(client.authorizationUrl());
    // To a page of ours, which has no use for a code and gets none.
    expect([page.url.pathname, page.url.searchParams.get('error')]).toEqual(['/device', 'unauthorized_client']);
  });

  it('goes together with codes, as VS Code asks for', async () => {
    const grantTypes = ['authorization_code', 'refresh_token', DEVICE_GRANT];
    const client = await OAuthClient.register({ grant_types: grantTypes, response_types: ['code'] });
    await ada.connect(client);
    const codes = await askForDevice(client);
    await decideDevice(ada, await enterCode(ada, codes.user_code), 'approve');
    await tokens(await poll(client, codes.device_code));
    const refused = await register({ grant_types: [...grantTypes, 'password'] });
    expect(refused.status).toBe(400);
  });

  it('is announced in the metadata', async () => {
    const metadata = await (await send('/.well-known/oauth-authorization-server')).json<Record<string, unknown>>();
    expect(metadata['device_authorization_endpoint']).toBe('http://localhost:8787/device_authorization');
    expect(metadata['grant_types_supported']).toEqual(['authorization_code', 'refresh_token', DEVICE_GRANT]);
  });
});

it('the form of the device page is on the page', async () => {
  const page = await ada.browser.open('/device');
  await expect(ada.browser.submit(page, formAt('/device'), { user_code: 'x' })).resolves.toMatchObject({ status: 400 });
});

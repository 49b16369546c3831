import { env } from 'cloudflare:workers';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { OPERATOR_HEADER, OPERATOR_PATH, OperatorSignature } from '../../src/account/operator.ts';
import { createApp } from '../../src/app.ts';
import type { Bindings } from '../../src/app.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { DEVICE_GRANT } from '../../src/oauth/model.ts';
import { auditDuring } from '../support/audit.ts';
import { askForDevice, decideDevice, enterCode, poll, registerDevice } from '../support/devices.ts';
import type { DeviceCodes } from '../support/devices.ts';
import { statusOf } from '../support/mcp.ts';
import { Connection, OAuthClient, ORIGIN, outcome, send, sendForm, tokens } from '../support/person.ts';
import { withRole } from '../support/people.ts';
import type { Visitor } from '../support/people.ts';
import { TEST_TOOLSETS } from '../support/toolsets.ts';

const bindings = env as unknown as Bindings & { CARREL_SECRET: string };
const { DIRECTORY, WORKSPACE } = bindings;

let ada: Visitor;
let terminal: OAuthClient;
let codes: DeviceCodes;
beforeAll(async () => {
  terminal = await registerDevice();
});
beforeEach(async () => {
  ada = await withRole('member');
  codes = await askForDevice(terminal, { scope: 'files:read sessions:read' });
});

const allow = async (who = ada) => decideDevice(who, await enterCode(who, codes.user_code), 'approve');
const pollOnce = async () => outcome(await poll(terminal, codes.device_code));
const laterBy = (seconds: number) => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
  onTestFinished(() => void vi.useRealTimers());
};
/** How many apps a person has. */
const apps = async () => ((await ada.browser.open('/account/apps')).body.match(/<article/g) ?? []).length;

type AuthorizeDevice = (...call: unknown[]) => Promise<Response>;

/** One poll at a Worker that reaches the person's object in another way. */
async function pollVia(authorizeDevice: (real: AuthorizeDevice) => AuthorizeDevice): Promise<string> {
  const namespace = {
    getByName: (name: string) => {
      const stub = WORKSPACE.getByName(name) as unknown as { authorizeDevice: AuthorizeDevice };
      return { authorizeDevice: authorizeDevice(async (...call) => stub.authorizeDevice(...call)) };
    },
  };
  const app = createApp({ ...bindings, WORKSPACE: namespace as unknown as Bindings['WORKSPACE'] }, TEST_TOOLSETS);
  const form = { grant_type: DEVICE_GRANT, device_code: codes.device_code, client_id: terminal.id };
  const silent = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const response = await app.fetch(new Request(`${ORIGIN}/token`, { method: 'POST', body: new URLSearchParams(form) }));
  silent.mockRestore();
  return response.ok || response.status === 400 ? outcome(response) : String(response.status);
}

describe('an answer that a person gave', () => {
  it('is not lost when the directory fails while it is delivered', async () => {
    await allow();
    await DIRECTORY.prepare('ALTER TABLE grants RENAME TO grants_away').run();
    const silent = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const during = await poll(terminal, codes.device_code);
    await DIRECTORY.prepare('ALTER TABLE grants_away RENAME TO grants').run();
    silent.mockRestore();
    expect(during.status).toBe(500);
    const { accessToken } = new Connection(terminal, await tokens(await poll(terminal, codes.device_code)));
    expect([await statusOf(accessToken), await apps()]).toEqual([200, 1]);
  });

  it('gives one grant, also when what was made for an earlier poll got lost', async () => {
    await allow();
    const lost = await pollVia((real) => async (...call) => {
      await real(...call);
      throw new Error('the connection to the object was lost');
    });
    expect(lost).toBe('500');
    expect(await apps()).toBe(1);
    await tokens(await poll(terminal, codes.device_code));
    expect(await apps()).toBe(1);
    expect(await pollOnce()).toBe('invalid_grant');
  });

  it('waits for half a minute when the poll that claimed it never ended', async () => {
    await allow();
    const ended = await pollVia(() => async () => {
      // Whatever comes meanwhile neither gets it nor hears that nobody has answered.
      expect(await pollOnce()).toBe('slow_down');
      laterBy(31);
      await tokens(await poll(terminal, codes.device_code));
      throw new Error('too late');
    });
    expect(ended).toBe('500');
    expect(await apps()).toBe(1);
  });

  it('is taken back with the app, when its device has not come for it', async () => {
    const { grantId } = await ada.connect(await deviceWithCodes());
    await allow();
    await ada.post('/account/apps', `/account/apps/${grantId}/revoke`);
    expect(await pollOnce()).toBe('access_denied');
    expect(await apps()).toBe(0);
  });

  it('is taken back with a scope of the app', async () => {
    const { grantId } = await ada.connect(await deviceWithCodes(), {}, ['files:read', 'sessions:read']);
    await allow();
    await ada.post('/account/apps', `/account/apps/${grantId}/narrow`, { scope: 'files:read' });
    expect(await pollOnce()).toBe('access_denied');
    expect(await apps()).toBe(1);
  });

  it('that is taken back while the device comes for it gives nothing', async () => {
    const { grantId } = await ada.connect(await deviceWithCodes());
    await allow();
    const answered = await pollVia((real) => async (...call) => {
      await ada.post('/account/apps', `/account/apps/${grantId}/revoke`);
      return real(...call);
    });
    expect(answered).toBe('500');
    expect(await apps()).toBe(1);
  });

  /** The client of the device, also as an app that people are sent back to. */
  async function deviceWithCodes(): Promise<OAuthClient> {
    terminal = await OAuthClient.register({
      grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
      response_types: ['code'],
    });
    codes = await askForDevice(terminal);
    return terminal;
  }
});

describe('what a device is refused has a line', () => {
  const told = async (act: () => Promise<unknown>) => {
    const written = await auditDuring(act);
    return written.map(({ action, clientId, personId, detail }) => [action, detail['reason'], clientId, personId]);
  };

  it('where its person was disabled or deleted meanwhile', async () => {
    const id = await ada.id();
    await allow();
    const admin = await withRole('admin');
    await admin.post('/admin/people', `/admin/people/${id}`, { change: 'disable' });
    expect(await told(async () => expect(await pollOnce()).toBe('access_denied'))).toEqual([
      ['token_refused', 'person_disabled', terminal.id, id],
    ]);
    const ben = await withRole('member');
    codes = await askForDevice(terminal);
    await allow(ben);
    const benId = await ben.id();
    const body = JSON.stringify({ command: 'delete', person: benId });
    const signature = await new OperatorSignature(new Keyring([bindings.CARREL_SECRET])).sign(ORIGIN, body, Date.now());
    const headers = { 'Content-Type': 'application/json', [OPERATOR_HEADER]: signature };
    expect((await send(OPERATOR_PATH, { method: 'POST', body, headers })).status).toBe(200);
    expect(await told(async () => expect(await pollOnce()).toBe('access_denied'))).toEqual([
      ['token_refused', 'person_deleted', terminal.id, benId],
    ]);
  });

  it('where nobody answered in time', async () => {
    laterBy(901);
    expect(await told(async () => expect(await pollOnce()).toBe('expired_token'))).toEqual([
      ['token_refused', 'device_code_expired', terminal.id, undefined],
    ]);
  });

  it('where its client did not show who it is, which is about nobody', async () => {
    const secretive = await registerDevice({ token_endpoint_auth_method: 'client_secret_post' });
    const form = { client_id: secretive.id, client_secret: 'guessed' };
    const poller = { ...form, grant_type: DEVICE_GRANT, device_code: codes.device_code };
    const line = ['token_refused', 'client_secret_mismatch', undefined, undefined];
    expect(await told(async () => sendForm('/device_authorization', form))).toEqual([line]);
    expect(await told(async () => sendForm('/token', poller))).toEqual([line]);
    const unknown = { ...form, client_id: 'Your account was locked' };
    expect(await told(async () => sendForm('/device_authorization', unknown))).toEqual([
      ['token_refused', 'client_not_found', undefined, undefined],
    ]);
  });

  it('and what it was given is told in the log, as for any app', async () => {
    await allow();
    const lines: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
    await tokens(await poll(terminal, codes.device_code));
    log.mockRestore();
    const made = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find((each) => each['type'] === 'grant_made');
    expect(made).toMatchObject({ clientId: terminal.id, personId: await ada.id() });
  });
});

describe('the protocol (RFC 8628, RFC 6749)', () => {
  const postTwice = async (path: string, name: string, fields: Record<string, string>) => {
    const body = new URLSearchParams([...Object.entries(fields), [name, 'again']]);
    return outcome(await send(path, { method: 'POST', body }));
  };

  it.each(['device_code', 'client_id', 'grant_type', 'anything'])('refuses %s that is there twice', async (name) => {
    const asked = { client_id: terminal.id, scope: 'files:read' };
    const polled = { client_id: terminal.id, grant_type: DEVICE_GRANT, device_code: codes.device_code };
    expect(await postTwice('/token', name, { ...polled, anything: 'once' })).toBe('invalid_request');
    expect(await postTwice('/device_authorization', name, { ...asked, [name]: terminal.id })).toBe('invalid_request');
  });

  it('says that the device code is missing', async () => {
    expect(await outcome(await poll(terminal, ''))).toBe('invalid_request');
    expect(await outcome(await poll(terminal, '', { device_code: undefined }))).toBe('invalid_request');
  });

  it('forgives a second, and asks for no more than a minute between two polls', async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: start });
    onTestFinished(() => void vi.useRealTimers());
    expect(await pollOnce()).toBe('authorization_pending');
    vi.setSystemTime(start + 4100);
    expect(await pollOnce()).toBe('authorization_pending');
    for (let early = 0; early < 20; early++) expect(await pollOnce()).toBe('slow_down');
    vi.setSystemTime(start + 4100 + 58_500);
    expect(await pollOnce()).toBe('slow_down');
    vi.setSystemTime(start + 4100 + 58_500 + 60_000);
    expect(await pollOnce()).toBe('authorization_pending');
  });
});

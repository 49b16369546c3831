import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { APPROVALS_SCOPE } from '../../src/approvals/model.ts';
import { RpcWorkspaces } from '../../src/workspace/rpc-client.ts';
import { ask, done, heldUp, Keeper, outcomeOf, wire } from '../support/approvals.ts';
import type { CallOptions, HeldUp } from '../support/approvals.ts';
import { askForDevice, registerDevice } from '../support/devices.ts';
import { auditDuring } from '../support/audit.ts';
import { put } from '../support/files.ts';
import { rpc } from '../support/mcp.ts';
import { codeOf, OAuthClient, Person, send } from '../support/person.ts';
import { TusUpload } from '../support/tus.ts';

const { WORKSPACE } = env as unknown as Bindings;

let people = 0;
let ada: Keeper;
let token: string;
let held: HeldUp;

const REMOVE = { key: 'k' };
const asked = async () => heldUp(token, 'state_delete', REMOVE);

beforeEach(async () => {
  ada = await Keeper.come(`answers-${++people}@example.com`);
  token = ada.owner.accessToken;
  await ada.rule({ destructive: 'on' });
  held = await asked();
});

const statuses = async () => (await ada.approvals()).map(({ status }) => status);

describe('a personal token that answers', () => {
  let answering: string;
  beforeEach(async () => {
    answering = await ada.token([APPROVALS_SCOPE]);
  });

  it('lists, shows and approves over HTTP', async () => {
    const list = await (await ask(answering, '/approvals')).json<{ pending: { id: string }[]; recent: unknown[] }>();
    expect([list.pending.map(({ id }) => id), list.recent]).toEqual([[held.approval], []]);
    const shown = await (await ask(answering, `/approvals/${held.approval}`)).json<Record<string, unknown>>();
    expect(shown).toMatchObject({ tool: 'state_delete', arguments: '{"key":"k"}', status: 'pending', url: held.url });
    const lines = await auditDuring(async () => {
      const response = await ask(answering, `/approvals/${held.approval}/approve`, 'POST');
      expect([response.status, (await response.json<{ status: string }>()).status]).toEqual([200, 'approved']);
    });
    const grantId = `pat_${answering.slice('carrel_pat_'.length + 36, 'carrel_pat_'.length + 56)}`;
    expect(lines.map(({ action, detail }) => [action, detail['through']])).toEqual([['approval_given', grantId]]);
    await done(token, 'state_delete', REMOVE);
  });

  it('denies, and of two answers the first counts', async () => {
    expect((await ask(answering, `/approvals/${held.approval}/deny`, 'POST')).status).toBe(200);
    const late = await ask(answering, `/approvals/${held.approval}/approve`, 'POST');
    const refused = await late.json();
    expect([late.status, refused]).toEqual([409, expect.objectContaining({ status: 409, approval_status: 'denied' })]);
    expect(await statuses()).toEqual(['denied']);
  });

  it('answers nobody else’s, which are as those that do not exist', async () => {
    const bob = await Keeper.come(`answers-${++people}@example.com`);
    const his = await bob.token([APPROVALS_SCOPE]);
    const said = async (path: string, method = 'GET') => {
      const response = await ask(his, path, method);
      const { request_id: _new, ...rest } = await response.json<Record<string, unknown>>();
      return rest;
    };
    for (const [end, method] of [
      ['', 'GET'],
      ['/approve', 'POST'],
      ['/deny', 'POST'],
    ] as const)
      expect(await said(`/approvals/${held.approval}${end}`, method)).toEqual(
        await said(`/approvals/apr_00000000000000000000${end}`, method),
      );
    expect(await statuses()).toEqual(['pending']);
  });

  it('opens nothing else: no tool, no file, no rule', async () => {
    const list = await rpc(answering, 'tools/list');
    expect(list.message.result?.['tools']).toEqual([]);
    for (const [name, input] of [
      ['whoami', {}],
      ['state_get', { key: 'k' }],
      ['file_list', {}],
      ['state_delete', REMOVE],
    ] as const)
      expect((await wire(answering, name, input)).status).toBe(403);
    expect((await ask(answering, '/files')).status).toBe(403);
    // Pages know no tokens.
    expect((await ask(answering, '/approvals/rules')).status).toBe(303);
    const headers = { Authorization: `Bearer ${answering}`, 'Content-Type': 'application/x-www-form-urlencoded' };
    expect((await send('/approvals/rules', { method: 'POST', headers, body: 'always=on' })).status).toBe(403);
  });

  it('that was ended answers no more', async () => {
    const page = await ada.browser.open('/account/tokens');
    await ada.browser.submit(page, ({ action }) => action === '/account/tokens/end', {});
    expect((await ask(answering, `/approvals/${held.approval}/approve`, 'POST')).status).toBe(401);
    expect(await statuses()).toEqual(['pending']);
  });

  it('does not answer what it asked for itself', async () => {
    const both = await ada.token([APPROVALS_SCOPE, 'sessions:write', 'sessions:read']);
    const own = await heldUp(both, 'state_delete', { key: 'own' });
    const refused = await ask(both, `/approvals/${own.approval}/approve`, 'POST');
    expect([refused.status, (await refused.json<{ code: string }>()).code]).toEqual([403, 'forbidden']);
    expect((await ask(answering, `/approvals/${own.approval}/approve`, 'POST')).status).toBe(200);
    await done(both, 'state_delete', { key: 'own' });
  });
});

describe('a client', () => {
  it('with every scope that a client can have cannot look, approve or deny', async () => {
    for (const [path, method] of [
      ['/approvals', 'GET'],
      [`/approvals/${held.approval}`, 'GET'],
      [`/approvals/${held.approval}/approve`, 'POST'],
      [`/approvals/${held.approval}/deny`, 'POST'],
    ] as const) {
      const response = await ask(token, path, method);
      expect([path, response.status]).toEqual([path, 403]);
      expect(response.headers.get('WWW-Authenticate')).not.toContain(APPROVALS_SCOPE);
      // Nor with the person's browser beside it, nor without a token.
      const headers = { Authorization: `Bearer ${token}`, Accept: 'text/html', Cookie: ada.browser.cookieHeader() };
      expect((await send(path, { method, headers })).status).toBe(403);
      expect((await send(path, { method })).status).toBe(401);
    }
    expect(await statuses()).toEqual(['pending']);
  });

  it('that asks for the scope is given nothing of it', async () => {
    const metadata = await (await send('/.well-known/oauth-authorization-server')).text();
    const resource = await (await send('/.well-known/oauth-protected-resource/mcp')).text();
    expect(metadata + resource).not.toContain('approvals');
    const person = new Person(ada.email);
    const client = await OAuthClient.register({ scope: APPROVALS_SCOPE });
    // Alone, beside others, and in a form that somebody changed.
    for (const scope of [APPROVALS_SCOPE, `files:read ${APPROVALS_SCOPE}`]) {
      const page = await person.open(client, { scope });
      expect(page.body).not.toContain(APPROVALS_SCOPE);
      const isForm = ({ action }: { action: string }) => action.startsWith('/authorize');
      const forged = await person.browser.submit(page, isForm, { scope: [APPROVALS_SCOPE], decision: 'allow' });
      expect(forged.url.searchParams.get('code')).toBeNull();
    }
    const { client: granted, tokens: answer } = await person.connect(client, {
      scope: `files:read ${APPROVALS_SCOPE}`,
    });
    expect(answer.scope).toBe('files:read');
    const refreshed = await granted.refresh(answer.refresh_token, { scope: `files:read ${APPROVALS_SCOPE}` });
    expect(await refreshed.text()).not.toContain('approvals');
    const code = codeOf(await person.allow(client, { scope: 'files:read' }));
    const redeemed = await client.redeem(code, { scope: APPROVALS_SCOPE });
    expect([redeemed.status, await redeemed.json()]).toEqual([
      400,
      expect.objectContaining({ error: 'invalid_scope' }),
    ]);
  });

  it('on a device is given nothing of it either', async () => {
    const device = await registerDevice();
    const refused = await send('/device_authorization', {
      method: 'POST',
      body: new URLSearchParams({ client_id: device.id, scope: APPROVALS_SCOPE }),
    });
    expect(await refused.json()).toMatchObject({ error: 'invalid_scope' });
    const codes = await askForDevice(device, { scope: `files:read ${APPROVALS_SCOPE}` });
    const page = await ada.browser.open(codes.verification_uri_complete);
    expect(page.body).not.toContain(APPROVALS_SCOPE);
  });

  it('gives no approval by the arguments of a tool, whatever they say', async () => {
    for (const extra of [
      { approved: true },
      { approval: held.approval },
      { claim: held.approval },
      { asks: { tool: 'state_get', destructive: false } },
      { _meta: { 'carrel/approval': { id: held.approval } } },
    ]) {
      const outcome = outcomeOf(await wire(token, 'state_delete', { ...REMOVE, ...extra }));
      expect(outcome).toHaveProperty('error');
    }
    const meta = { _meta: { 'carrel/approval': { claim: held.approval } } };
    expect(await heldUp(token, 'state_delete', REMOVE, { answers: meta })).toEqual(held);
    expect(await statuses()).toEqual(['pending']);
  });

  it('cannot reach what answers, even through the code of a tool', async () => {
    const workspace = new RpcWorkspaces(WORKSPACE).open(ada.owner.personId, await ada.caller());
    await expect(workspace.decisions.decide(held.approval, 'approved', 'page', Date.now())).rejects.toThrow(
      'Only the person',
    );
    await expect(workspace.decisions.list(Date.now())).rejects.toThrow('Only the person');
    const rules = { always: false, destructive: false, tools: [], clients: [] };
    await expect(workspace.approvalRules.write(rules)).rejects.toThrow('Only the person');
    const answering = await ada.token([APPROVALS_SCOPE]);
    const response = await ask(answering, `/approvals/${held.approval}/approve`, 'POST');
    expect(response.status).toBe(200);
    expect(await statuses()).toEqual(['approved']);
  });

  it('cannot send the form of the page, and neither can another site or another browser', async () => {
    const path = `/approvals/${held.approval}/approve`;
    const form = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' };
    const cookie = ada.browser.cookieHeader();
    const page = await ada.browser.open('/approvals');
    const own = /name="form_token" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const bob = await Keeper.come(`answers-${++people}@example.com`);
    const his = /name="form_token" value="([^"]+)"/.exec((await bob.browser.open('/approvals')).body)?.[1] ?? '';
    for (const [headers, body] of [
      [{ ...form, Cookie: cookie }, ''],
      [{ ...form, Cookie: cookie }, `form_token=${his}`],
      [{ ...form, Cookie: cookie, Origin: 'https://elsewhere.example' }, `form_token=${own}`],
      [form, `form_token=${own}`],
    ] as const)
      expect((await send(path, { method: 'POST', headers, body })).status).toBe(403);
    expect(await statuses()).toEqual(['pending']);
  });
});

describe('an answer through the app', () => {
  const CAN: CallOptions = { capabilities: { elicitation: {} } };
  const round = async (input: unknown, answers?: object) =>
    wire(token, 'state_delete', input, { ...CAN, answers: { ...answers } });
  const YES = { approval: { action: 'accept', content: { approve: true } } };
  const stateOf = ({ message }: Awaited<ReturnType<typeof wire>>) => message.result?.['requestState'];

  it('counts for nothing unless the person switched that on', async () => {
    expect(await heldUp(token, 'state_delete', REMOVE, CAN)).toEqual(held);
    await heldUp(token, 'state_delete', REMOVE, { ...CAN, answers: { inputResponses: YES } });
    expect(await statuses()).toEqual(['pending']);
  });

  describe('that the person switched on', () => {
    beforeEach(async () => {
      await ada.rule({ destructive: 'on', client: [ada.owner.client.id] });
    });

    it('is asked for with what would happen, and lets it happen once', async () => {
      const question = await round(REMOVE);
      const requests = question.message.result?.['inputRequests'] as { approval: { params: { message: string } } };
      expect(requests.approval.params.message).toContain('{"key":"k"}');
      const requestState = stateOf(question);
      const lines = await auditDuring(async () => {
        expect(outcomeOf(await round(REMOVE, { inputResponses: YES, requestState }))).toHaveProperty('ok');
      });
      expect(lines.map(({ action, detail }) => [action, detail['through']])).toEqual([['approval_given', 'client']]);
      // The same answer once more asks for another approval.
      expect(stateOf(await round(REMOVE, { inputResponses: YES, requestState }))).toEqual(expect.any(String));
      expect(await statuses()).toEqual(['used', 'pending']);
    });

    it('is for these arguments alone', async () => {
      const requestState = stateOf(await round(REMOVE));
      const { message } = await round({ key: 'other' }, { inputResponses: YES, requestState });
      expect(message.error?.code).toBe(-32602);
    });

    it.each([
      ['declined', { approval: { action: 'decline' } }, 'denied'],
      ['says no', { approval: { action: 'accept', content: { approve: false } } }, 'denied'],
      ['says something else', { approval: { action: 'accept', content: { approve: 'yes' } } }, 'denied'],
      ['was closed', { approval: { action: 'cancel' } }, 'pending'],
      ['is of another question', { other: YES.approval }, 'pending'],
    ])('that %s lets nothing happen', async (_what, inputResponses, status) => {
      const requestState = stateOf(await round(REMOVE));
      expect(outcomeOf(await round(REMOVE, { inputResponses, requestState }))).toHaveProperty('error');
      expect(await statuses()).toEqual([status]);
    });

    it('was switched off again before it came: it counts for nothing', async () => {
      const requestState = stateOf(await round(REMOVE));
      await ada.rule({ destructive: 'on' });
      const outcome = outcomeOf(await round(REMOVE, { inputResponses: YES, requestState })) as { error: HeldUp };
      expect(outcome.error.code).toBe('forbidden');
      expect(await statuses()).toEqual(['pending']);
    });

    it('does not come from another app, nor from one that cannot be asked', async () => {
      const other = await ada.another();
      await heldUp(other.accessToken, 'state_delete', REMOVE, CAN);
      expect((await heldUp(token, 'state_delete', REMOVE, { era: '2025' })).approval).toBe(held.approval);
    });
  });

  it('goes beside the questions of a tool that asks something itself', async () => {
    await ada.rule({ tool: ['file_request'] });
    const can = { capabilities: { elicitation: { url: {} } } };
    const request = { folder: 'in' };
    const waiting = await heldUp(token, 'file_request', request, can);
    await ada.press(waiting.approval, 'approve');
    const first = await wire(token, 'file_request', request, can);
    expect(first.message.result).toMatchObject({ resultType: 'input_required' });
    const answers = {
      requestState: stateOf(first),
      inputResponses: { page: { action: 'accept' } },
    };
    const second = outcomeOf(await wire(token, 'file_request', request, { ...can, answers }));
    expect(second).toMatchObject({ ok: { folder: 'in/', url: expect.stringContaining('/drop/') } });
    // The round is used up as the approval is.
    const third = outcomeOf(await wire(token, 'file_request', request, { ...can, answers })) as { error: HeldUp };
    expect(third.error.code).toBe('forbidden');
  });
});

describe('HTTP with a token', () => {
  const problem = async (response: Response) => ({ ...(await response.json<HeldUp>()), status: response.status });
  const store = async (path: string, body: string) =>
    ada.owner.fetch(`/files?path=${path}`, {
      method: 'POST',
      body,
      headers: { 'Content-Length': String(body.length) },
    });
  const declare = async (path: string, size: number) =>
    ada.owner.fetch('/files', {
      method: 'POST',
      body: JSON.stringify({ path, size }),
      headers: { 'Content-Type': 'application/json' },
    });

  beforeEach(async () => {
    await ada.rule({ always: 'on' });
  });

  it('is no way around a rule: bytes are stored once that is approved', async () => {
    const refused = await problem(await store('a.txt', 'hello'));
    expect(refused).toMatchObject({ status: 403, code: 'forbidden', approval_required: true });
    expect(refused.url).toContain(`/approvals/${refused.approval}`);
    expect(await ada.owner.rows('files')).toEqual([]);
    expect(await ada.owner.rows('file_uploads')).toEqual([]);
    expect(await ada.owner.objects()).toEqual([]);
    await ada.press(refused.approval, 'approve');
    expect((await problem(await store('a.txt', 'longer than that'))).approval).not.toBe(refused.approval);
    expect((await store('a.txt', 'hello')).status).toBe(201);
  });

  it('declares files only as approved, and the address that it gives needs no other approval', async () => {
    const refused = await problem(await declare('b.txt', 3));
    expect(refused.status).toBe(403);
    await ada.press(refused.approval, 'approve');
    const { upload } = await (await declare('b.txt', 3)).json<{ upload: { url: string } }>();
    expect((await put(upload.url, 'abc')).status).toBe(201);
  });

  it('begins no upload by tus that was not approved', async () => {
    await expect(TusUpload.begin(ada.owner, 4, 'c.txt')).rejects.toThrow('403');
    const row = (await ada.approvals()).find(({ tool }) => tool === 'file_upload');
    await ada.press(String(row?.['id']), 'approve');
    await TusUpload.begin(ada.owner, 4, 'c.txt');
    expect(await ada.owner.rows('file_uploads')).toHaveLength(1);
  });

  it('takes no form, because nobody can approve what nobody has seen', async () => {
    const form = new FormData();
    form.append('file', new File(['one'], 'one.txt'));
    form.append('file', new File(['two'], 'two.txt'));
    const refused = await problem(await ada.owner.fetch('/files', { method: 'POST', body: form }));
    expect(refused).toMatchObject({ status: 403, code: 'forbidden', approval_required: true });
    expect(await ada.owner.rows('files')).toEqual([]);
    await ada.rule({ destructive: 'on' });
    const again = new FormData();
    again.append('file', new File(['one'], 'one.txt'));
    expect((await ada.owner.fetch('/files', { method: 'POST', body: again })).status).toBe(201);
  });

  it('starts, changes and runs no job that was not approved', async () => {
    const post = async (path: string, body?: object) =>
      ada.owner.fetch(path, {
        method: 'POST',
        ...(body ? { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } } : {}),
      });
    await ada.rule();
    const count = { definition: 'test_count', input: { key: 'n', steps: 1 } };
    const { job } = await (await post('/jobs', count)).json<{ job: { id: string } }>();
    const plan = { steps: [{ do: 'sleep', id: 'nap', seconds: 60 }] };
    await done(token, 'recipe_save', { recipe: 'tidy', title: 'Tidy', plan });
    await ada.rule({ always: 'on' });
    const before = (await ada.approvals()).length;
    const calls = [
      ['/jobs', count, 'job_start'],
      ...['pause', 'resume', 'cancel', 'retry'].map((action) => [
        `/jobs/${job.id}/${action}`,
        undefined,
        `job_${action}`,
      ]),
      [`/jobs/${job.id}/answer`, { answer: {} }, 'job_answer'],
      ['/workflows/tidy/run', {}, 'recipe_run'],
      ['/workflows/tidy/pause', undefined, 'job_pause'],
      ['/workflows/tidy/resume', undefined, 'job_resume'],
      ['/workflows/tidy/stop', undefined, 'job_cancel'],
    ] as [string, object | undefined, string][];
    for (const [path, body] of calls) {
      const refused = await problem(await post(path, body));
      expect([path, refused.status, refused.approval_required]).toEqual([path, 403, true]);
    }
    const waiting = (await ada.approvals()).slice(before);
    expect(waiting.map(({ tool }) => tool)).toEqual(calls.map(([, , tool]) => tool));
    const { jobs } = await (await ada.owner.fetch('/jobs')).json<{ jobs: { id: string }[] }>();
    expect(jobs.map(({ id }) => id)).toEqual([job.id]);
    await ada.press(String(waiting[0]?.['id']), 'approve');
    expect((await post('/jobs', count)).status).toBe(202);
    expect((await post('/jobs', count)).status).toBe(403);
  });

  it('reads as before', async () => {
    expect((await ada.owner.fetch('/files')).status).toBe(200);
  });
});

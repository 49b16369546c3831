import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { evictDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ANSWER_MS, DENIED_MS, KEPT_MS, MAX_PENDING } from '../../src/approvals/model.ts';
import type { Bindings } from '../../src/app.ts';
import { RpcWorkspaces } from '../../src/workspace/rpc-client.ts';
import { done, heldUp, Keeper, outcomeOf, wire } from '../support/approvals.ts';
import type { HeldUp } from '../support/approvals.ts';
import { auditDuring } from '../support/audit.ts';
import { costOf } from '../support/costs.ts';
import { rpcRequest } from '../support/mcp.ts';
import { ORIGIN, send } from '../support/person.ts';
import { sent } from '../support/toolsets.ts';

const { WORKSPACE } = env as unknown as Bindings;

let people = 0;
let ada: Keeper;
let token: string;

beforeEach(async () => {
  ada = await Keeper.come(`keeper-${++people}@example.com`);
  token = ada.owner.accessToken;
});

afterEach(() => vi.useRealTimers());

const later = (milliseconds: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });

const isThere = async (path: string) =>
  (await ada.owner.call<{ files: { path: string }[] }>('file_list')).files.some((file) => file.path === path);

const statuses = async () => (await ada.approvals()).map(({ status }) => status);

describe('a call that a rule holds up', () => {
  beforeEach(async () => {
    await ada.owner.write('notes.txt', 'one');
    await ada.rule({ destructive: 'on' });
  });

  const remove = { file: 'notes.txt' };

  it('says where the person answers, does nothing, and asks once', async () => {
    const held = await heldUp(token, 'file_delete', remove);
    expect(held).toMatchObject({ code: 'forbidden', approval: expect.stringMatching(/^apr_[0-9a-z]{20}$/) });
    expect(held.url).toBe(`${ORIGIN}/approvals/${held.approval}`);
    expect(Date.parse(held.expires_at) - Date.now()).toBeGreaterThan(ANSWER_MS - 60_000);
    for (const part of [held.url, held.expires_at, 'same arguments']) expect(held.message).toContain(part);
    expect(await isThere('notes.txt')).toBe(true);
    // Again, and with its fields in another order: the same approval.
    expect(await heldUp(token, 'file_delete', remove)).toEqual(held);
    expect(await heldUp(token, 'file_delete', remove, { era: '2025' })).toEqual(held);
    expect(await statuses()).toEqual(['pending']);
  });

  it('goes on once it is approved, and then needs another approval', async () => {
    const held = await heldUp(token, 'file_delete', remove);
    expect((await ada.press(held.approval, 'approve')).body).toContain('You approved this');
    expect(await done(token, 'file_delete', remove)).toMatchObject({ count: 1 });
    expect(await isThere('notes.txt')).toBe(false);
    expect(await statuses()).toEqual(['used']);
    await ada.owner.write('notes.txt', 'again');
    expect((await heldUp(token, 'file_delete', remove)).approval).not.toBe(held.approval);
  });

  it('is told that it was denied, and asks anew later', async () => {
    const held = await heldUp(token, 'file_delete', remove);
    await ada.press(held.approval, 'deny');
    const outcome = outcomeOf(await wire(token, 'file_delete', remove)) as { error: HeldUp };
    expect(outcome.error).toMatchObject({ code: 'forbidden', approval_status: 'denied', approval: held.approval });
    expect(await isThere('notes.txt')).toBe(true);
    later(DENIED_MS + 1000);
    expect((await heldUp(token, 'file_delete', remove)).approval).not.toBe(held.approval);
  });

  it('is not approved by the approval of other arguments, another tool, another app or another person', async () => {
    await ada.owner.write('other.txt', 'two');
    await ada.rule({ always: 'on' });
    const held = await heldUp(token, 'file_delete', remove);
    await ada.press(held.approval, 'approve');
    const other = await ada.another();
    await heldUp(token, 'file_delete', { file: 'other.txt' });
    await heldUp(token, 'file_move', { file: 'notes.txt', to: 'moved.txt' });
    await heldUp(other.accessToken, 'file_delete', remove);
    const bob = await Keeper.come(`keeper-${++people}@example.com`);
    await bob.owner.write('notes.txt', 'his');
    await bob.rule({ always: 'on' });
    await heldUp(bob.owner.accessToken, 'file_delete', remove);
    expect((await bob.press(held.approval, 'deny')).status).toBe(404);
    expect((await bob.browser.open(`/approvals/${held.approval}`)).status).toBe(404);
    await done(token, 'file_delete', remove);
  });

  it('is asked again when the file was changed after it was approved', async () => {
    const held = await heldUp(token, 'file_delete', remove);
    await ada.press(held.approval, 'approve');
    await ada.owner.write('notes.txt', 'something worth keeping');
    const again = await heldUp(token, 'file_delete', remove);
    expect(again.approval).not.toBe(held.approval);
    expect(await isThere('notes.txt')).toBe(true);
    expect(await statuses()).toEqual(['outdated', 'pending']);
  });

  it('is asked again when the file was changed before it was approved: the page approves no more', async () => {
    const held = await heldUp(token, 'file_delete', remove);
    await ada.owner.write('notes.txt', 'changed');
    expect((await ada.press(held.approval, 'approve')).body).toContain('A file was changed since');
    expect(await statuses()).toEqual(['outdated']);
    expect((await heldUp(token, 'file_delete', remove)).approval).not.toBe(held.approval);
  });

  it('is asked again when another file stands at the path, or the file at another', async () => {
    const held = await heldUp(token, 'file_delete', { file: 'notes.txt' });
    await ada.press(held.approval, 'approve');
    await done(token, 'file_move', { file: 'notes.txt', to: 'kept.txt' });
    await ada.owner.write('notes.txt', 'one');
    expect((await heldUp(token, 'file_delete', remove)).approval).not.toBe(held.approval);
  });

  it('of a folder is bound to each file in it', async () => {
    await ada.owner.write('drafts/a.txt', 'a');
    const held = await heldUp(token, 'file_delete', { file: 'drafts/' });
    await ada.press(held.approval, 'approve');
    await ada.owner.write('drafts/b.txt', 'b');
    const again = await heldUp(token, 'file_delete', { file: 'drafts/' });
    const page = await ada.browser.open(`/approvals/${again.approval}`);
    for (const path of ['drafts/a.txt', 'drafts/b.txt']) expect(page.body).toContain(path);
    await ada.press(again.approval, 'approve');
    expect(await done(token, 'file_delete', { file: 'drafts/' })).toMatchObject({ count: 2 });
  });

  it('about a file that is not there bothers nobody', async () => {
    const outcome = outcomeOf(await wire(token, 'file_delete', { file: 'nowhere.txt' })) as { error: HeldUp };
    expect(outcome.error.code).toBe('not_found');
    expect(await ada.approvals()).toEqual([]);
  });

  it('that does not fit is refused before anybody is asked', async () => {
    const outcome = outcomeOf(await wire(token, 'file_delete', { files: ['notes.txt'] })) as { error: HeldUp };
    expect(outcome.error.code).toBe('invalid_input');
    expect(await ada.approvals()).toEqual([]);
  });

  it('expires: an answer that comes too late counts for nothing', async () => {
    const held = await heldUp(token, 'file_delete', remove);
    later(ANSWER_MS + 1000);
    expect((await ada.press(held.approval, 'approve')).body).toContain('This has expired');
    expect((await heldUp(await ada.renewed(), 'file_delete', remove)).approval).not.toBe(held.approval);
    expect(await isThere('notes.txt')).toBe(true);
  });

  it('that was approved and not made in time needs another approval', async () => {
    const held = await heldUp(token, 'file_delete', remove);
    await ada.press(held.approval, 'approve');
    later(ANSWER_MS + 1000);
    expect((await heldUp(await ada.renewed(), 'file_delete', remove)).approval).not.toBe(held.approval);
  });

  it('has its SDKs tell the model what to do, the old one too', async () => {
    const old = new Client({ name: 'old', version: '1' });
    const requestInit = { headers: { Authorization: `Bearer ${token}` } };
    await old.connect(new StreamableHTTPClientTransport(new URL('/mcp', ORIGIN), { fetch: send, requestInit }));
    const result = await old.callTool({ name: 'file_delete', arguments: remove });
    const [first] = result.content as { text: string }[];
    expect([result.isError, first?.text]).toEqual([true, expect.stringContaining(`${ORIGIN}/approvals/apr_`)]);
    await expect(ada.owner.call('file_delete', remove)).rejects.toThrow(/The person must approve this first/);
    await old.close();
  });

  it('reaches nothing outside before it is approved, whether or not it calls the workspace by itself', async () => {
    await ada.rule({ tool: ['probe_send'] });
    const before = sent.length;
    const held = await heldUp(token, 'probe_send', { word: 'hello' });
    expect(sent.length).toBe(before);
    await ada.press(held.approval, 'approve');
    await done(token, 'probe_send', { word: 'hello' });
    await heldUp(token, 'probe_send', { word: 'hello' });
    expect(sent.slice(before)).toEqual(['hello']);
  });

  it('in a batch holds up none of the others', async () => {
    const entry = (id: number, name: string, input: object) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name, arguments: input },
    });
    const { headers } = rpcRequest('tools/call', {}, '2025');
    const response = await send('/mcp', {
      method: 'POST',
      headers: { ...headers, 'MCP-Protocol-Version': '2025-03-26', Authorization: `Bearer ${token}` },
      body: JSON.stringify([
        entry(1, 'file_delete', remove),
        entry(2, 'file_write', { path: 'new.txt', text: 'new' }),
        entry(3, 'file_delete', remove),
      ]),
    });
    const text = await response.text();
    expect([response.status, (text.match(/approval_required/g) ?? []).length >= 2]).toEqual([200, true]);
    expect([await isThere('notes.txt'), await isThere('new.txt')]).toEqual([true, true]);
    expect(await statuses()).toEqual(['pending']);
  });
});

describe('rules', () => {
  beforeEach(async () => {
    await ada.owner.write('small.txt', 'x');
    await ada.owner.write('large.txt', 'x'.repeat(2000));
  });

  it('ask for nothing unless there is one, and for nothing again when they are taken back', async () => {
    await done(token, 'file_delete', { file: 'small.txt' });
    await ada.rule({ always: 'on' });
    await heldUp(token, 'file_delete', { file: 'large.txt' });
    await ada.rule();
    await done(token, 'file_delete', { file: 'large.txt' });
    expect([await isThere('small.txt'), await isThere('large.txt')]).toEqual([false, false]);
  });

  it('ask for each writing call and never for reading', async () => {
    await ada.rule({ always: 'on' });
    await heldUp(token, 'state_set', { key: 'k', value: 1 });
    await heldUp(token, 'session_open', { session: 'New' });
    await heldUp(token, 'file_upload', { path: 'u.bin', size: 10 });
    for (const [name, input] of [
      ['whoami', {}],
      ['state_get', { key: 'k' }],
      ['file_list', {}],
      ['file_read', { file: 'small.txt' }],
    ] as const)
      expect(outcomeOf(await wire(token, name, input))).not.toHaveProperty('error.approval_required');
    expect(await statuses()).toEqual(['pending', 'pending', 'pending']);
  });

  it('ask for destructive calls alone', async () => {
    await ada.rule({ destructive: 'on' });
    await heldUp(token, 'state_delete', { key: 'k' });
    await done(token, 'file_move', { file: 'small.txt', to: 'moved.txt' });
    expect([await isThere('moved.txt'), await statuses()]).toEqual([true, ['pending']]);
  });

  it('ask for the tools that they name', async () => {
    await ada.rule({ tool: ['file_move', 'session_update'] });
    await heldUp(token, 'file_move', { file: 'small.txt', to: 'moved.txt' });
    expect(await isThere('small.txt')).toBe(true);
    await done(token, 'file_delete', { file: 'small.txt' });
    expect(await isThere('small.txt')).toBe(false);
  });

  it('ask for what affects more than so many bytes: of the files, and of what is brought', async () => {
    await ada.rule({ megabytes: '0.001' });
    await heldUp(token, 'file_delete', { file: 'large.txt' });
    await heldUp(token, 'file_write', { path: 'more.txt', text: 'y'.repeat(1500) });
    await heldUp(token, 'file_upload', { path: 'more.bin', size: 1_000_000 });
    // How much it is nobody knows.
    await heldUp(token, 'file_write', { path: 'page.html', from_url: 'https://example.com/' });
    await done(token, 'file_delete', { file: 'small.txt' });
    await done(token, 'file_write', { path: 'less.txt', text: 'y'.repeat(500) });
    expect(await statuses()).toEqual(['pending', 'pending', 'pending', 'pending']);
  });

  it('hold from the next call on, also in an object that had left memory', async () => {
    await ada.rule({ always: 'on' });
    await evictDurableObject(ada.owner.workspace);
    await heldUp(token, 'file_delete', { file: 'small.txt' });
    expect(await isThere('small.txt')).toBe(true);
  });

  it('that name a tool or an app that there is not are refused, and so is a size that is none', async () => {
    for (const [fields, status] of [
      [{ tool: ['rm_rf'] }, 400],
      [{ client: ['https://elsewhere.example/client'] }, 400],
      [{ megabytes: '-1' }, 400],
      [{ megabytes: '1e9' }, 400],
      [{ megabytes: 'many' }, 400],
    ] as const)
      expect((await ada.rule(fields)).status).toBe(status);
    await done(token, 'file_delete', { file: 'small.txt' });
  });

  it('are read anew by each call while the object lives', async () => {
    for (let round = 0; round < 3; round++) {
      await ada.rule({ always: 'on' });
      await heldUp(token, 'state_set', { key: `k${round}`, value: round });
      await ada.rule();
      await done(token, 'state_set', { key: `k${round}`, value: round });
    }
    expect(await statuses()).toEqual(['pending', 'pending', 'pending']);
  });
});

describe('what a call pays', () => {
  it('is one round trip where no rule is about it, and where there are none', async () => {
    const set = { key: 'k', value: 1 };
    await done(token, 'state_set', set);
    const free = await costOf(async () => done(token, 'state_set', set));
    expect(free.roundTrips).toBe(1);
    expect((await costOf(async () => wire(token, 'state_get', { key: 'k' }))).roundTrips).toBe(1);
    await ada.rule({ tool: ['file_delete'] });
    await done(token, 'state_set', set);
    expect((await costOf(async () => done(token, 'state_set', set))).roundTrips).toBe(1);
    expect((await costOf(async () => wire(token, 'state_get', { key: 'k' }))).roundTrips).toBe(1);
  });

  it('is two while it waits, and three when it goes on', async () => {
    await ada.rule({ tool: ['state_set'] });
    const set = { key: 'k', value: 1 };
    const held = await heldUp(token, 'state_set', set);
    expect((await costOf(async () => heldUp(token, 'state_set', set))).roundTrips).toBe(2);
    await ada.press(held.approval, 'approve');
    expect((await costOf(async () => done(token, 'state_set', set))).roundTrips).toBe(3);
  });
});

describe('when two meet', () => {
  beforeEach(async () => {
    await ada.owner.write('notes.txt', 'one');
    await ada.rule({ destructive: 'on' });
  });

  it('of two answers the first counts', async () => {
    const held = await heldUp(token, 'file_delete', { file: 'notes.txt' });
    await ada.press(held.approval, 'deny');
    expect((await ada.press(held.approval, 'approve')).body).toContain('You denied this');
    expect(await statuses()).toEqual(['denied']);
    const other = await heldUp(token, 'state_delete', { key: 'k' });
    const pages = await Promise.all([ada.press(other.approval, 'approve'), ada.press(other.approval, 'deny')]);
    const [, status] = await statuses();
    for (const { body } of pages) expect(body).toContain(status === 'approved' ? 'You approved' : 'You denied');
  });

  it('of many calls at once with one approval one is made', async () => {
    const held = await heldUp(token, 'state_delete', { key: 'k' });
    await ada.press(held.approval, 'approve');
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async () => outcomeOf(await wire(token, 'state_delete', { key: 'k' }))),
    );
    const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
    expect(errors.filter(({ approval_required: required }) => required).length).toBe(9);
    // They ask for one more together.
    expect(await statuses()).toEqual(['used', 'pending']);
  });

  it('a file that is changed between the claim and the call voids the approval', async () => {
    const held = await heldUp(token, 'file_delete', { file: 'notes.txt' });
    await ada.press(held.approval, 'approve');
    const [row] = await ada.approvals();
    const caller = await ada.caller();
    const intent = { tool: 'file_delete', destructive: true, files: [{ file: 'notes.txt' }], claim: 'a-claim' };
    const asker = { grantId: row?.['grant_id'], clientId: 'x', personId: ada.owner.personId, requestId: 'r' };
    const { workspace } = ada.owner;
    const call = { ...intent, ...asker, summary: '', arguments: '{"file":"notes.txt"}' };
    const claimed = await workspace.run(caller, 'approvals', 'ask', [call, Date.now()]);
    expect(claimed).toMatchObject({ ok: true, value: { outcome: 'claimed' } });
    await ada.owner.write('notes.txt', 'changed in between');
    const remove = async () =>
      workspace.run({ ...caller, asks: intent }, 'files', 'delete', ['notes.txt', undefined, Date.now()]);
    expect(await remove()).toMatchObject({ ok: false, error: { details: { approval_required: true } } });
    expect(await isThere('notes.txt')).toBe(true);
    expect(await statuses()).toEqual(['outdated']);
  });

  it('a rule that is made while a call is under way leaves no half of it', async () => {
    await ada.rule();
    const intent = { tool: 'file_move', destructive: false, files: [{ file: 'notes.txt' }] };
    const workspaces = new RpcWorkspaces(WORKSPACE);
    const opened = workspaces.open(ada.owner.personId, await ada.caller()).asking(intent);
    await opened.files.move('notes.txt', undefined, 'moved.txt', undefined, Date.now());
    await ada.rule({ always: 'on' });
    expect(await opened.files.tag('moved.txt', undefined, ['kept'], Date.now())).toMatchObject({ tags: ['kept'] });
    const next = workspaces.open(ada.owner.personId, await ada.caller()).asking(intent);
    await expect(next.files.tag('moved.txt', undefined, [], Date.now())).rejects.toThrow('wants to be asked');
  });
});

describe('limits', () => {
  it('let 100 wait, and no more', async () => {
    await ada.rule({ always: 'on' });
    for (let key = 0; key < MAX_PENDING; key++) await heldUp(token, 'state_set', { key: `k${key}`, value: key });
    const outcome = outcomeOf(await wire(token, 'state_set', { key: 'more', value: 1 })) as { error: HeldUp };
    expect(outcome.error.code).toBe('limit_exceeded');
    expect((await ada.approvals()).length).toBe(MAX_PENDING);
    // What waits can still be asked for, and an answer makes room.
    const held = await heldUp(token, 'state_set', { key: 'k0', value: 0 });
    await ada.press(held.approval, 'deny');
    await heldUp(token, 'state_set', { key: 'more', value: 1 });
  });

  it('keep the beginning of large arguments, and are bound to all of them', async () => {
    await ada.rule({ always: 'on' });
    const value = 'z'.repeat(100_000);
    const held = await heldUp(token, 'state_set', { key: 'k', value: `${value}1` });
    const page = await ada.browser.open(`/approvals/${held.approval}`);
    expect(page.body).toContain('This is the beginning');
    await ada.press(held.approval, 'approve');
    await heldUp(token, 'state_set', { key: 'k', value: `${value}2` });
    await done(token, 'state_set', { key: 'k', value: `${value}1` });
    const [row] = await ada.approvals();
    expect(String(row?.['arguments']).length).toBe(64 * 1024);
  });

  it('end what nobody answered, and forget it after 30 days', async () => {
    await ada.rule({ always: 'on' });
    await heldUp(token, 'state_set', { key: 'k', value: 1 });
    const denied = await heldUp(token, 'state_set', { key: 'l', value: 1 });
    await ada.press(denied.approval, 'deny');
    later(ANSWER_MS + 1000);
    const lines = await auditDuring(async () => ada.owner.runTask('approvals'));
    expect(lines.map(({ action, detail }) => [action, detail['tool']])).toEqual([['approval_expired', 'state_set']]);
    expect(await statuses()).toEqual(['expired', 'denied']);
    // Told once.
    expect(await auditDuring(async () => ada.owner.runTask('approvals'))).toEqual([]);
    later(KEPT_MS + 60_000);
    await ada.owner.runTask('approvals');
    expect(await ada.approvals()).toEqual([]);
  });
});

describe('the audit', () => {
  it('has who asked and who answered, and never the arguments', async () => {
    const secret = 'a-secret-value';
    await ada.owner.call('whoami');
    const lines = await auditDuring(async () => {
      await ada.rule({ always: 'on', megabytes: '5' });
      const held = await heldUp(token, 'state_set', { key: 'k', value: secret });
      await heldUp(token, 'state_set', { key: 'k', value: secret });
      await ada.press(held.approval, 'approve');
      const other = await heldUp(token, 'state_set', { key: 'l', value: secret });
      await ada.press(other.approval, 'deny');
    });
    expect(lines.map(({ action }) => action)).toEqual([
      'approval_rule_changed',
      'approval_asked',
      'approval_given',
      'approval_asked',
      'approval_denied',
    ]);
    expect(lines[0]?.detail).toMatchObject({ by: ada.owner.personId, always: true, bytes: 5_000_000 });
    const [row] = await ada.approvals();
    expect(lines[2]).toMatchObject({
      personId: ada.owner.personId,
      grantId: row?.['grant_id'],
      detail: { approval: row?.['id'], tool: 'state_set', hash: String(row?.['hash']).slice(0, 16), through: 'page' },
    });
    expect(JSON.stringify(lines)).not.toContain(secret);
    const pages = await ada.browser.open('/approvals');
    expect(pages.body).not.toContain(secret);
  });
});

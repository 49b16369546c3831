import { afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';

import { sha256Hex, utf8 } from '../../src/lib/encoding.ts';
import { Owner } from '../support/files.ts';
import type { Shown } from '../support/files.ts';
import { ORIGIN, send } from '../support/person.ts';

/** A server on this machine, over the network (test/support/stranger.ts). */
const stranger = inject('stranger');

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});
afterEach(() => vi.restoreAllMocks());

async function importFrom(path: string, more: Record<string, unknown> = {}, person = ada): Promise<Shown> {
  const { file } = await person.call<{ file: { id: string } }>('file_write', { from_url: stranger + path, ...more });
  const entry = await person.fetch(`/files/${file.id}`, { headers: { Accept: 'application/json' } });
  return (await entry.json<{ file: Shown }>()).file;
}

/** Somebody who has nothing yet, and room for so many bytes. */
async function withRoom(name: string, bytes: number): Promise<Owner> {
  const person = await Owner.signIn(`${name}@example.com`);
  await person.call('file_list');
  await person.sql(`UPDATE file_usage SET bytes = ${10e9 - bytes}`);
  return person;
}

/** What is left of an import: rows of the index, of uploads that hold room, and objects. */
async function leftOf(person: Owner): Promise<unknown> {
  return [await person.rows('files'), await person.rows('file_uploads'), await person.objects()];
}

describe('a file from a URL', () => {
  it('is there when the call is back, with what its server says of it', async () => {
    const file = await importFrom('/chunked.csv', { path: 'in/table', tags: ['fetched'] });
    expect(file).toMatchObject({ path: 'in/table', type: 'text/csv', size: 8, version: 1, tags: ['fetched'] });
    expect(file.sha256).toBe(await sha256Hex('a,b\n1,2\n'));
    expect(await ada.call('file_read', { file: file.id })).toMatchObject({ text: 'a,b\n1,2\n' });
    expect(await importFrom('/hops?left=3', { path: 'in/table' })).toMatchObject({ id: file.id, version: 2, size: 5 });
  });

  it.each([
    ['/hello.txt', undefined, 'hello.txt'],
    ['/hello.txt', 'in/', 'in/hello.txt'],
    ['/hops?left=1', 'moved/', 'moved/hello.txt'],
    [`/named?type=application/pdf`, 'pdf/', 'pdf/named.pdf'],
    [`/named?disposition=${encodeURIComponent('attachment; filename="q3 report.xlsx"')}`, 'in/', 'in/q3 report.xlsx'],
    [
      `/named?disposition=${encodeURIComponent(String.raw`attachment; filename="..\..\a/b:c.txt"`)}`,
      'in/',
      'in/b:c.txt',
    ],
  ])('%s in %s is called %s', async (from, path, called) => {
    expect((await importFrom(from, path === undefined ? {} : { path })).path).toBe(called);
  });

  it('may be empty', async () => {
    expect(await importFrom('/empty', { path: 'empty.txt' })).toMatchObject({ size: 0 });
  });

  it('is what its bytes and its name say where its server says little', async () => {
    expect(await importFrom('/hello.txt', { path: 'note.md' })).toMatchObject({ type: 'text/markdown' });
  });

  it.each([5 * 1024 * 1024 - 1, 5 * 1024 * 1024, 5 * 1024 * 1024 + 1, 12_000_000])(
    'of %i bytes, of which nobody knew how many, is stored as one object and takes no more room than that',
    async (size) => {
      const person = await Owner.signIn(`size-${size}@example.com`);
      const file = await importFrom(`/bytes?size=${size}`, { path: 'x' }, person);
      expect(file).toMatchObject({ size, sha256: await sha256Hex(utf8('x'.repeat(size))) });
      expect(await person.rows('file_usage')).toMatchObject([{ bytes: size, files: 1 }]);
      expect(await person.rows('loose_objects')).toEqual([]);
      expect(await person.objects()).toHaveLength(1);
      const bytes = await (await person.fetch(`/files/${file.id}`)).arrayBuffer();
      expect(await sha256Hex(new Uint8Array(bytes))).toBe(file.sha256);
    },
  );

  it('is written by a tool that says that it goes out', async () => {
    const { tools } = await (await ada.mcp()).listTools();
    expect(tools.filter(({ annotations }) => annotations?.openWorldHint === true).map(({ name }) => name)).toEqual([
      'file_write',
      // Of the tests.
      'probe_send',
    ]);
  });
});

describe('an import that fails says why, and leaves nothing:', () => {
  it.each([
    ['a redirect to a private address', '/redirect?to=https://192.168.1.1/', /^invalid_input.*not_a_public_address/],
    ['a redirect to the metadata of a cloud', '/redirect?to=https://169.254.169.254/', /not_a_public_address/],
    ['a redirect to this deployment', `/redirect?to=${ORIGIN}/files`, /this_deployment/],
    ['redirects without end', '/hops?left=1000', /^invalid_input.*too_many_redirects/],
    ['an answer that nothing is there', '/status?is=404', /^invalid_input.*"status":404/],
    ['an answer that the server failed', '/status?is=500', /^unavailable.*"status":500/],
    ['a body without an end', '/endless', /^too_large.*1000000/],
    ['a gzip bomb', '/bomb', /^too_large.*1000000/],
    ['a body larger than the room, of which nobody knew', '/bytes?size=1000001', /^too_large.*1000000/],
    ['a body larger than the room, which says so', '/claims?length=1000001&sends=x', /^too_large.*room/],
    ['a body larger than is ever fetched, which says so', '/claims?length=95000001&sends=x', /^too_large.*95000000/],
    ['a body shorter than it says', '/claims?length=100&sends=short', /^unavailable/],
  ])('%s', async (name, from, words) => {
    const person = await withRoom(name.replaceAll(/\W/g, '-').toLowerCase(), 1_000_000);
    await expect(importFrom(from, { path: 'x' }, person)).rejects.toThrow(words);
    expect(await leftOf(person)).toEqual([[], [], []]);
    // All of the room is there again.
    expect(await importFrom('/bytes?size=1000000', { path: 'x' }, person)).toMatchObject({ size: 1_000_000 });
  });

  it.each(['/drip', '/never'])('%s, when its time is over', async (from) => {
    const { setTimeout: inTime } = globalThis;
    // A hundred times as fast.
    vi.spyOn(globalThis, 'setTimeout').mockImplementation((run, ms = 0) => inTime(run, ms > 10_000 ? ms / 100 : ms));
    const person = await Owner.signIn(`late${from.replace('/', '-')}@example.com`);
    await expect(importFrom(from, { path: 'x' }, person)).rejects.toThrow(/^unavailable.*too_slow/);
    expect(await leftOf(person)).toEqual([[], [], []]);
  });

  it('a path that is taken', async () => {
    await ada.write('taken.txt', 'mine');
    await expect(importFrom('/endless', { path: 'taken.txt', if_exists: 'fail' })).rejects.toThrow(/^conflict/);
    expect(await ada.call('file_read', { file: 'taken.txt' })).toMatchObject({ text: 'mine' });
  });

  it('a path that was taken while it came', async () => {
    const person = await Owner.signIn('meanwhile@example.com');
    const late = importFrom('/held?key=meanwhile', { path: 'x', if_exists: 'fail' }, person);
    await expect.poll(() => person.rows('file_uploads')).toHaveLength(1);
    await person.write('x', 'first');
    await fetch(`${stranger}/release?key=meanwhile`);
    await expect(late).rejects.toThrow(/^conflict/);
    expect(await person.call('file_read', { file: 'x' })).toMatchObject({ text: 'first' });
    expect(await person.objects()).toHaveLength(1);
  });

  it('a name of which no path can be made', async () => {
    const path = 'a/'.repeat(21);
    await expect(importFrom('/hello.txt', { path })).rejects.toThrow(/^invalid_input.*folders/);
  });

  it('no content or two', async () => {
    await expect(ada.call('file_write', { path: 'x' })).rejects.toThrow(/^invalid_input.*give one of/);
    await expect(importFrom('/hello.txt', { path: 'x', text: 'x' })).rejects.toThrow(/^invalid_input.*give one of/);
    await expect(ada.call('file_write', { text: 'x' })).rejects.toThrow(/^invalid_input.*`path`/);
    await expect(ada.call('file_write', { path: 'x/', text: 'x' })).rejects.toThrow(/^invalid_input.*`path`/);
  });
});

describe('of imports at once', () => {
  it('the first has the room, and the others none until it is back', async () => {
    const person = await withRoom('room', 1_000_000);
    const first = importFrom('/held?key=room', { path: 'first' }, person);
    await expect.poll(() => person.rows('file_uploads')).toMatchObject([{ size: 1_000_000 }]);
    // Were this machine to die now, the sweep would give the room back in little more than an hour.
    const [attempt] = await person.rows('loose_objects');
    expect(Number(attempt?.['due_at']) - Date.now()).toBeLessThan(2 * 3_600_000);
    await expect(importFrom('/chunked.csv', { path: 'second' }, person)).rejects.toThrow(/^too_large.*room/);
    await fetch(`${stranger}/release?key=room`);
    expect(await first).toMatchObject({ size: 'begun ended'.length });
    expect(await importFrom('/chunked.csv', { path: 'second' }, person)).toMatchObject({ size: 8 });
  });
});

describe('nothing is asked of anybody', () => {
  it('for a session that is not there, or an address that is refused', async () => {
    const asked = vi.spyOn(globalThis, 'fetch');
    await expect(importFrom('/hello.txt', { path: 'x', session: 'nowhere' })).rejects.toThrow(/^not_found/);
    for (const from_url of ['https://127.0.0.1/', 'https://localhost/', 'http://example.com/', 'nothing', ''])
      await expect(ada.call('file_write', { from_url, path: 'x' }), from_url).rejects.toThrow(/^invalid_input/);
    expect(asked).not.toHaveBeenCalled();
  });

  it('on behalf of an app that was disconnected', async () => {
    const bob = await Owner.signIn('bob@example.com');
    await bob.workspace.revokeGrant(bob.grantId);
    const asked = vi.spyOn(globalThis, 'fetch');
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call' };
    const answer = await send('/mcp', {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${bob.accessToken}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        'MCP-Protocol-Version': '2025-11-25',
      },
      body: JSON.stringify({
        ...body,
        params: { name: 'file_write', arguments: { from_url: `${stranger}/hello.txt` } },
      }),
    });
    expect(answer.status).toBe(401);
    expect(asked).not.toHaveBeenCalled();
  });
});

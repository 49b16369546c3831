import { runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { Owner, problemOf, put } from '../support/files.ts';
import type { Shown } from '../support/files.ts';
import { send } from '../support/person.ts';
import { unzip, unzipTexts } from '../support/unzip.ts';

const { FILES } = env as unknown as Bindings;

let ada: Owner;
let eve: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@links.example.com');
  eve = await Owner.signIn('eve@links.example.com');
});
afterEach(() => vi.useRealTimers());

interface Link {
  readonly session: { readonly slug: string };
  readonly file: Pick<Shown, 'path' | 'type' | 'size'>;
  readonly download: { readonly url: string; readonly expires_at: string };
}

const link = async (owner: Owner, file: string, terms: Record<string, unknown> = {}) =>
  owner.call<Link>('file_link', { file, ...terms });
const urlOf = async (owner: Owner, file: string, terms: Record<string, unknown> = {}) =>
  (await link(owner, file, terms)).download.url;

const statuses = async (url: string, times: number, init: RequestInit = {}) => {
  const answers = await Promise.all(Array.from({ length: times }, () => send(url, init)));
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  return answers.map(({ status }) => status).toSorted((one, other) => one - other);
};

describe('an address with a count', () => {
  it('gives its bytes that often and no more, also to many at once', async () => {
    const { id } = await ada.write('counted.txt', 'counted');
    const url = await urlOf(ada, id, { uses: 3 });
    expect(await statuses(url, 20)).toEqual([...Array(3).fill(200), ...Array(17).fill(403)]);
    const refused = await problemOf(await send(url));
    expect(refused).toMatchObject({ status: 403, code: 'forbidden', detail: expect.stringContaining('as often') });
    // Another address of the same file has a count of its own.
    expect(await statuses(await urlOf(ada, id, { uses: 1 }), 2)).toEqual([200, 403]);
  });

  it('is used by any bytes of it, and by nothing without bytes', async () => {
    const { id } = await ada.write('ranges.txt', '0123456789');
    const url = await urlOf(ada, id, { uses: 2 });
    const answers = [
      [await send(url, { method: 'HEAD' }), 200],
      [await send(url, { headers: { 'If-None-Match': '*' } }), 304],
      [await send(url, { headers: { 'If-Match': '"other"' } }), 412],
      [await send(url, { headers: { Range: 'bytes=10-' } }), 416],
      // All but the first byte: whoever counted only what begins at it would give this for nothing.
      [await send(url, { headers: { Range: 'bytes=1-' } }), 206],
      [await send(url, { headers: { Range: 'bytes=-1' } }), 206],
      [await send(url, { headers: { Range: 'bytes=0-0' } }), 403],
      // What is used up tells nothing more.
      [await send(url, { method: 'HEAD' }), 403],
      [await send(url, { headers: { 'If-None-Match': '*' } }), 403],
    ] as const;
    expect(answers.map(([{ status }]) => status)).toEqual(answers.map(([, status]) => status));
  });

  it('counts an empty file, too', async () => {
    const { id, url: upload } = await ada.upload('empty.txt', '');
    await put(upload, '');
    expect(await statuses(await urlOf(ada, id, { uses: 1 }), 3)).toEqual([200, 403, 403]);
  });

  it('cannot be given more uses by whoever holds it', async () => {
    const { id } = await ada.write('forged.txt', 'forged');
    const url = new URL(await urlOf(ada, id, { uses: 1 }));
    const [payload = '', mac = ''] = url.pathname.split('/').at(-1)?.split('.') ?? [];
    const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as unknown[];
    expect(claims.at(-1)).toBe(1);
    for (const changed of [[...claims.slice(0, 5), 1000], claims.slice(0, 4), [...claims, 1]]) {
      const forged = btoa(JSON.stringify(changed)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
      expect((await send(`/download/${forged}.${mac}`)).status).toBe(403);
    }
    expect((await send(url)).status).toBe(200);
  });

  it('leaves a count behind only until it has expired', async () => {
    const owner = await Owner.signIn('swept@links.example.com');
    const { id } = await owner.write('a.txt', 'a');
    const plain = await urlOf(owner, id);
    expect(await statuses(plain, 2)).toEqual([200, 200]);
    expect(await owner.rows('address_uses')).toEqual([]);
    await send(await urlOf(owner, id, { uses: 2, minutes: 10 }));
    expect(await owner.rows('address_uses')).toMatchObject([{ uses: 1 }]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 20 * 60_000 });
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    await runDurableObjectAlarm(owner.workspace);
    const lines = log.mock.calls.map(([line]) => String(line));
    log.mockRestore();
    expect(await owner.rows('address_uses')).toEqual([]);
    expect(lines).toContain('{"type":"files_swept","what":"links","removed":{"links":1}}');
  });
});

describe('an address', () => {
  it('lives as long as it was asked to, a day at most', async () => {
    const { id } = await ada.write('short.txt', 'short');
    const { download } = await link(ada, id, { minutes: 2 });
    expect(Date.parse(download.expires_at) - Date.now()).toBeLessThanOrEqual(120_000);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 119_000 });
    expect((await send(download.url)).status).toBe(200);
    vi.setSystemTime(Date.now() + 2000);
    expect(await problemOf(await send(download.url))).toMatchObject({
      status: 403,
      detail: expect.stringContaining('expired'),
    });
    await expect(link(ada, id, { minutes: 1441 })).rejects.toThrow('invalid_input');
    for (const uses of [0, -1, 1.5, 1001]) await expect(link(ada, id, { uses })).rejects.toThrow('invalid_input');
  });

  it('of a file in the trash, or gone, is of none', async () => {
    const { id } = await ada.write('trashed.txt', 'trashed');
    const url = await urlOf(ada, id);
    await ada.call('file_delete', { file: id });
    const gone = await problemOf(await send(url));
    expect(gone).toMatchObject({ status: 404, code: 'not_found' });
    await expect(link(ada, id)).rejects.toThrow('not_found');
    await expect(link(ada, (await eve.write('hers.txt', 'hers')).id)).rejects.toThrow('not_found');
  });

  it('is made over HTTP, too', async () => {
    const { id } = await ada.write('http.txt', 'over HTTP');
    const ask = (json: unknown, owner = ada) =>
      owner.fetch('/files/links', {
        method: 'POST',
        body: JSON.stringify(json),
        headers: { 'Content-Type': 'application/json' },
      });
    const made = await (await ask({ file: 'http.txt', minutes: 5, uses: 1 })).json<Link>();
    expect(made).toMatchObject({ session: { slug: 'default' }, file: { path: 'http.txt', size: 9 } });
    expect(await statuses(made.download.url, 2)).toEqual([200, 403]);
    const folder = await (await ask({ file: '/' })).json<Link>();
    expect(folder.file).toMatchObject({ path: '/', type: 'application/zip' });
    for (const wrong of [{}, { file: id, minutes: 0 }, { file: id, password: 'secret' }, { file: id, uses: '1' }])
      expect((await ask(wrong)).status).toBe(400);
    expect((await ask({ file: id }, eve)).status).toBe(404);
    const writer = await Owner.signIn('writer@links.example.com', 'files:write');
    expect((await ask({ file: id }, writer)).status).toBe(403);
  });
});

describe('a folder as zip', () => {
  let owner: Owner;
  beforeAll(async () => {
    owner = await Owner.signIn('zip@links.example.com');
    await owner.call('session_open', { session: 'Market study' });
    const files = {
      'reports/2026/第三季度.md': '# 第三季度',
      'reports/2026/отчёт.txt': 'отчёт',
      'reports/2026/drafts/q4 "final": v2?.txt': 'draft',
      'reports/README': 'read me',
      'reports/readme': 'read me, too',
      'notes.txt': 'notes',
    };
    for (const [path, text] of Object.entries(files)) await owner.write(path, text, 'market-study');
  });

  const zipped = async (query: string) => {
    const response = await owner.fetch(`/files/zip?session=market-study${query}`);
    expect(response.status).toBe(200);
    return response;
  };

  it('has all beneath it, under one folder, in every script', async () => {
    const response = await zipped('&folder=reports/2026');
    expect(response.headers.get('Content-Type')).toBe('application/zip');
    expect(response.headers.get('Content-Disposition')).toContain('filename="2026.zip"');
    expect(response.headers.get('Content-Security-Policy')).toBe("sandbox; default-src 'none'");
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    const archive = await response.arrayBuffer();
    expect(archive.byteLength).toBe(Number(response.headers.get('Content-Length')));
    expect(await unzipTexts(archive)).toEqual({
      '2026/drafts/q4 _final__ v2_.txt': 'draft',
      '2026/отчёт.txt': 'отчёт',
      '2026/第三季度.md': '# 第三季度',
    });
  });

  it('has a whole session, and both of two files that some systems take for one', async () => {
    const files = await unzipTexts(await (await zipped('')).arrayBuffer());
    expect(files).toMatchObject({
      'market-study/notes.txt': 'notes',
      'market-study/reports/README': 'read me',
      'market-study/reports/readme (2)': 'read me, too',
    });
    expect(Object.keys(files)).toHaveLength(6);
  });

  it('has an address, which can be counted like that of a file', async () => {
    const made = await link(owner, 'reports/2026/', { session: 'market-study', uses: 1 });
    expect(made.file).toMatchObject({ path: 'reports/2026/', type: 'application/zip' });
    const { url } = made.download;
    const head = await send(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('Content-Length')]).toEqual([200, String(made.file.size)]);
    // An archive is made anew for each: there is no part of one.
    const response = await send(url, { headers: { Range: 'bytes=0-9' } });
    expect([response.status, response.headers.get('Accept-Ranges')]).toEqual([200, 'none']);
    expect(Object.keys(await unzipTexts(await response.arrayBuffer()))).toHaveLength(3);
    expect((await send(url)).status).toBe(403);
  });

  it('has the longest path that there may be', async () => {
    const folder = Array.from({ length: 4 }, () => '"'.repeat(250)).join('/');
    await owner.write(`${folder}/deep.txt`, 'deep', 'market-study');
    const files = await unzipTexts(
      await (await send(await urlOf(owner, `${folder}/`, { session: 'market-study' }))).arrayBuffer(),
    );
    expect(files).toEqual({ [`${'_'.repeat(250)}/deep.txt`]: 'deep' });
    await owner.call('file_delete', { file: `${folder}/deep.txt`, session: 'market-study' });
  });

  it('is refused where there is nothing in it, or no such session', async () => {
    for (const query of ['folder=nowhere', 'session=default', 'session=nowhere', 'folder=reports/2026/отчёт.txt'])
      expect(await problemOf(await owner.fetch(`/files/zip?${query}`))).toMatchObject({
        status: 404,
        code: 'not_found',
      });
    for (const query of ['folder=../x', 'folder=//', 'folder=a%00b', 'fodler=a'])
      expect((await owner.fetch(`/files/zip?${query}`)).status).toBe(400);
    for (const file of ['nowhere/', '../', '//', '/x/'])
      await expect(link(owner, file, { session: 'market-study' })).rejects.toThrow('not_found');
    expect((await send('/files/zip')).status).toBe(401);
    expect((await eve.fetch('/files/zip?session=market-study')).status).toBe(404);
  });

  it('is refused where it has more files than one archive takes', async () => {
    const many = await Owner.signIn('many@links.example.com');
    await many.write('first.txt', 'x');
    await many.sql(`
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
      INSERT INTO files (id, session_id, path, version, type, size, sha256, tags, created_at, updated_at)
        SELECT 'fil_' || n, session_id, 'many/' || n, 1, type, size, sha256, '[]', 1, 1 FROM files, numbers
        WHERE path = 'first.txt'`);
    expect(await problemOf(await many.fetch('/files/zip'))).toMatchObject({ status: 413, code: 'too_large' });
    const all = await many.fetch('/files/zip?folder=many');
    expect(await unzip(await all.arrayBuffer())).toHaveLength(5000);
  });

  it('has what was there when it began, whatever is put into the trash meanwhile', async () => {
    const large = 'large '.repeat(200_000);
    const { id, url } = await owner.upload('moment/a.txt', large, { session: 'market-study' });
    await put(url, large);
    await owner.write('moment/b.txt', 'b', 'market-study');
    const response = await zipped('&folder=moment');
    const reader = response.body?.getReader();
    const first = await reader?.read();
    await owner.call('file_delete', { file: id });
    await owner.call('file_move', { file: 'moment/b.txt', session: 'market-study', to: 'elsewhere/b.txt' });
    const rest = [first?.value ?? new Uint8Array()];
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) rest.push(next.value);
    const files = await unzipTexts(await new Blob(rest as Uint8Array<ArrayBuffer>[]).arrayBuffer());
    expect(Object.keys(files)).toEqual(['moment/a.txt', 'moment/b.txt']);
    expect(files['moment/a.txt']).toHaveLength(large.length);
  });

  it('breaks off where bytes are gone for good, and never passes for a whole one', async () => {
    const large = 'gone for good '.repeat(100_000);
    for (const name of ['1.txt', '2.txt']) {
      const { url } = await owner.upload(`broken/${name}`, `${name}${large}`, { session: 'market-study' });
      expect((await put(url, `${name}${large}`)).status).toBe(201);
    }
    const { file } = await owner.call<{ file: Shown }>('file_read', {
      file: 'broken/2.txt',
      session: 'market-study',
    });
    const response = await zipped('&folder=broken');
    await FILES.delete(await owner.objects(file.id));
    await expect(response.arrayBuffer()).rejects.toThrow('removed for good');
  });

  it('stops reading when nobody wants it any more', async () => {
    const response = await zipped('&folder=reports');
    await response.body?.cancel();
    expect((await zipped('&folder=reports')).status).toBe(200);
  });
});

import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';

import { signAddress } from '../../src/files/addresses.ts';
import { sha256Hex, toBase64Url, utf8 } from '../../src/lib/encoding.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { Owner, problemOf, put, streamOf } from '../support/files.ts';
import type { Ref, Shown } from '../support/files.ts';
import { send } from '../support/person.ts';

const { CARREL_SECRET } = env as unknown as { CARREL_SECRET: string };

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

describe('an address', () => {
  const keyring = new Keyring([CARREL_SECRET]);
  const soon = () => Math.floor(Date.now() / 1000) + 60;

  it('that expired says so', async () => {
    const claims = {
      workspaceId: ada.personId,
      subject: 'fil_00000000000000000000',
      grantId: ada.grantId,
      expiresAt: soon() - 61,
    };
    const upload = await problemOf(await put(`/upload/${await signAddress(keyring, 'upload-address', claims)}`, 'x'));
    expect(upload).toMatchObject({ status: 403, code: 'forbidden', detail: expect.stringContaining('expired') });
    const download = await problemOf(await send(`/download/${await signAddress(keyring, 'download-address', claims)}`));
    expect(download).toMatchObject({ status: 403, detail: expect.stringContaining('expired') });
  });

  it('that was changed opens nothing', async () => {
    const { id, url } = await ada.upload('x-1.txt', 'abcdef');
    const flip = (text: string, at: number) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    const start = url.indexOf('/upload/') + '/upload/'.length;
    for (const changed of [
      flip(url, start),
      flip(url, start + 30),
      flip(url, url.length - 10),
      url.slice(0, -1),
      `${url}x`,
    ])
      expect(await problemOf(await put(changed, 'abcdef'))).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await ada.objects(id)).toEqual([]);
    expect((await put(url, 'abcdef')).status).toBe(201);
  });

  it('for one thing does not do the other', async () => {
    const { id, url } = await ada.upload('x-2.txt', 'abcdef');
    expect((await send(url.replace('/upload/', '/download/'))).status).toBe(403);
    await put(url, 'abcdef');
    const link = await ada.link(id);
    expect((await put(link, 'ABCDEF')).status).toBe(405);
    expect((await put(link.replace('/download/', '/upload/'), 'ABCDEF')).status).toBe(403);
    // It is of no upload in parts, of which it could tell.
    expect((await send(url)).status).toBe(404);
  });

  it('ends with the grant that made it', async () => {
    const bob = await Owner.signIn('bob@example.com');
    const file = await bob.write('kept.txt', 'kept');
    const link = await bob.link(file.id);
    const { url } = await bob.upload('x-3.txt', 'abcdef');
    const slow = await bob.upload('slow.txt', 'abcdef');
    expect((await send(link)).status).toBe(200);

    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const underWay = put(
      slow.url,
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          await gate;
          controller.enqueue(utf8('abcdef'));
          controller.close();
        },
      }),
    );
    while ((await bob.rows('loose_objects')).length === 0) await scheduler.wait(5);
    await bob.workspace.revokeGrant(bob.grantId);
    release();
    expect(await problemOf(await underWay)).toMatchObject({ code: 'forbidden' });
    expect(await problemOf(await send(link))).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await problemOf(await put(url, 'abcdef'))).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await bob.rows('files')).map((row) => row['path'])).toEqual(['kept.txt']);
    expect((await bob.rows('loose_objects')).map((row) => row['upload_id'])).toEqual([await bob.uploadOf(slow.id)]);
  });
});

describe('a download', () => {
  let file: Pick<Shown, 'id'>;
  let link: string;
  const text = '0123456789';
  const etag = async () => `"${await sha256Hex(text)}"`;
  const get = (headers: Record<string, string> = {}, method = 'GET') => send(link, { method, headers });

  beforeAll(async () => {
    file = await ada.write('отчёт "2026".txt', text);
    link = await ada.link(file.id);
  });

  it('bears headers that keep it from being a page of ours', async () => {
    for (const response of [await get(), await ada.fetch(`/files/${file.id}`)]) {
      expect(response.status).toBe(200);
      const { headers } = response;
      expect(headers.get('Content-Disposition')).toBe(
        `attachment; filename="_ _2026_.txt"; filename*=UTF-8''%D0%BE%D1%82%D1%87%D1%91%D1%82%20%222026%22.txt`,
      );
      expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect(headers.get('Content-Security-Policy')).toBe("sandbox; default-src 'none'");
      expect(headers.get('Cache-Control')).toBe('private, no-store');
      expect(headers.get('ETag')).toBe(await etag());
      expect(headers.get('Content-Length')).toBe('10');
      expect(headers.get('Content-Type')).toBe('text/plain');
      expect(await response.text()).toBe(text);
    }
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-1', 206, '9', 'bytes 9-9/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['bytes=0-1,4-5', 200, text, null],
    ['nonsense', 200, text, null],
  ])('of %s answers %i', async (range, status, body, contentRange) => {
    const response = await get({ Range: range });
    expect(response.status).toBe(status);
    expect(response.headers.get('Content-Range')).toBe(contentRange);
    expect(await response.text()).toBe(body);
    expect(response.headers.get('Content-Length') ?? '0').toBe(String(body.length));
  });

  it('answers HEAD with the same headers and no bytes', async () => {
    const response = await get({ Range: 'bytes=0-1' }, 'HEAD');
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Length')).toBe('10');
    expect(response.headers.get('Accept-Ranges')).toBe('bytes');
    expect(await response.text()).toBe('');
  });

  it('answers 304 to whoever has it, and a range only of the same file', async () => {
    expect((await get({ 'If-None-Match': `"x", W/${await etag()}` })).status).toBe(304);
    expect((await get({ 'If-None-Match': '"x"' })).status).toBe(200);
    expect((await get({ Range: 'bytes=0-0', 'If-Range': await etag() })).status).toBe(206);
    expect((await get({ Range: 'bytes=0-0', 'If-Range': '"x"' })).status).toBe(200);
  });

  it('weighs conditions in the order of RFC 9110', async () => {
    const tag = await etag();
    const other = '"other"';
    for (const [headers, expected] of [
      [{ 'If-Match': tag }, 200],
      [{ 'If-Match': `${other}, ${tag}` }, 200],
      [{ 'If-Match': '*' }, 200],
      // Strong: what is only as good as the same is not the same.
      [{ 'If-Match': `W/${tag}` }, 412],
      [{ 'If-Match': other }, 412],
      [{ 'If-Match': other, 'If-None-Match': tag }, 412],
      [{ 'If-None-Match': '*' }, 304],
      [{ 'If-None-Match': tag, Range: 'bytes=0-1' }, 304],
      [{ 'If-None-Match': tag, Range: 'bytes=99-' }, 304],
      [{ 'If-None-Match': other, Range: 'bytes=0-1' }, 206],
      [{ 'If-Range': `W/${tag}`, Range: 'bytes=0-1' }, 200],
      [{ 'If-Range': new Date().toUTCString(), Range: 'bytes=0-1' }, 200],
      [{ 'If-Range': other, Range: 'bytes=99-' }, 200],
    ] as const)
      for (const method of ['GET', 'HEAD']) {
        const response = await get(headers, method);
        // A range is of GET alone.
        const status = method === 'HEAD' && expected === 206 ? 200 : expected;
        expect({ method, headers, status: response.status }).toEqual({ method, headers, status });
        const bodies: Record<number, string> = method === 'HEAD' ? {} : { 200: text, 206: text.slice(0, 2) };
        expect(await response.text()).toBe(bodies[status] ?? '');
        expect(response.headers.get('ETag')).toBe(tag);
      }
  });

  it('of an empty file has no part', async () => {
    const { id, url } = await ada.upload('nothing.txt', '');
    await put(url, '');
    const empty = await ada.link(id);
    const whole = await send(empty);
    expect([whole.status, whole.headers.get('Content-Length'), await whole.text()]).toEqual([200, '0', '']);
    for (const range of ['bytes=0-', 'bytes=-1'])
      expect((await send(empty, { headers: { Range: range } })).status).toBe(416);
  });

  it('gives the index entry to whoever accepts JSON alone', async () => {
    const response = await ada.fetch(`/files/${file.id}`, { headers: { Accept: 'application/json' } });
    expect(await response.json()).toMatchObject({ session: { slug: 'default' }, file: { id: file.id, size: 10 } });
    const both = await ada.fetch(`/files/${file.id}`, { headers: { Accept: 'application/json, text/plain, */*' } });
    expect(await both.text()).toBe(text);
  });
});

describe('POST and GET /files', () => {
  it('take a file as the body', async () => {
    const response = await ada.fetch('/files?path=%E5%B8%82%E5%A0%B4.md&session=default', {
      method: 'POST',
      body: '# 市場',
      headers: { 'Content-Length': '8', 'Content-Type': 'application/octet-stream' },
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ file: { path: '市場.md', type: 'text/markdown', size: 8 } });
  });

  it('want to know how long it is, what it is called, and that the session exists', async () => {
    const post = async (query: string, headers: Record<string, string>) =>
      problemOf(await ada.fetch(`/files${query}`, { method: 'POST', body: streamOf('x'), headers }));
    expect(await post('?path=a', {})).toMatchObject({
      code: 'invalid_input',
      detail: expect.stringContaining('Content-Length'),
    });
    expect(await post('', { 'Content-Length': '1' })).toMatchObject({ code: 'invalid_input' });
    expect(await post('?path=..', { 'Content-Length': '1' })).toMatchObject({ code: 'invalid_input' });
    expect(await post('?path=a&nme=b', { 'Content-Length': '1' })).toMatchObject({ code: 'invalid_input' });
    expect(await post('?path=a&session=nowhere', { 'Content-Length': '1' })).toMatchObject({ code: 'not_found' });
    expect(await post(`?path=a&sha256=${'0'.repeat(64)}`, { 'Content-Length': '1' })).toMatchObject({
      code: 'invalid_input',
    });
  });

  it('take a declaration as JSON', async () => {
    const declare = (body: string) =>
      ada.fetch('/files', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
    const declared = await declare(JSON.stringify({ path: 'd.txt', size: 3 }));
    const { upload, file } = await declared.json<{ upload: { url: string }; file: Shown }>();
    expect((await put(upload.url, 'abc')).status).toBe(201);
    expect(await (await ada.fetch(`/files/${file.id}`)).text()).toBe('abc');
    for (const wrong of ['', '{', '[]', '{"path":"a"}', '{"path":"a","size":-1}', '{"path":"a","size":1,"x":1}'])
      expect(await problemOf(await declare(wrong))).toMatchObject({ code: 'invalid_input' });
  });

  it('need their scopes', async () => {
    const reader = await Owner.signIn('reader@example.com', 'files:read');
    expect((await reader.fetch('/files')).status).toBe(200);
    expect(
      (await reader.fetch('/files?path=a', { method: 'POST', body: 'x', headers: { 'Content-Length': '1' } })).status,
    ).toBe(403);
    expect((await send('/files')).status).toBe(401);
  });

  it('list page by page, newest first, in a stable order', async () => {
    const carol = await Owner.signIn('carol@example.com');
    await carol.call('session_open', { session: 'Market study' });
    for (let index = 0; index < 7; index += 1)
      await carol.write(`${index}.txt`, 'x', index % 2 === 0 ? 'market-study' : undefined);
    await carol.sql("UPDATE files SET updated_at = 1000 WHERE path < '4'");

    const pages = async (query: string) => {
      const names: string[] = [];
      let cursor: string | undefined;
      do {
        const next = cursor === undefined ? '' : `&cursor=${cursor}`;
        const page = await (
          await carol.fetch(`/files?limit=2&${query}${next}`)
        ).json<{ files: Shown[]; next_cursor?: string }>();
        names.push(...page.files.map(({ path }) => path));
        cursor = page.next_cursor;
      } while (cursor !== undefined);
      return names;
    };
    const all = await pages('all_sessions=true');
    expect(all.slice(0, 3)).toEqual(['6.txt', '5.txt', '4.txt']);
    expect(all.toSorted()).toEqual(['0.txt', '1.txt', '2.txt', '3.txt', '4.txt', '5.txt', '6.txt']);
    expect((await pages('session=market-study')).toSorted()).toEqual(['0.txt', '2.txt', '4.txt', '6.txt']);
    expect((await pages('')).toSorted()).toEqual(['1.txt', '3.txt', '5.txt']);

    const listed = await carol.call<{ files: { session: Ref }[] }>('file_list', { all_sessions: true });
    expect(listed.files[0]?.session.slug).toBe('market-study');
    await expect(carol.call('file_list', { cursor: 'nonsense' })).rejects.toThrow('invalid_input');
    await expect(carol.call('file_list', { session: 'nowhere' })).rejects.toThrow('not_found');
    // A place that is none in this order: text sorts behind every number.
    const strange = toBase64Url(utf8('["x","y"]'));
    expect(await carol.call('file_list', { cursor: strange, descending: false })).toMatchObject({ files: [] });
  });
});

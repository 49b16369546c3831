import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';

import type { Bindings } from '../../src/app.ts';
import { R2FileBucket } from '../../src/files/bucket.ts';
import type { FileBucket } from '../../src/files/bucket.ts';
import { takeIn } from '../../src/files/intake.ts';
import { MAX_OPEN_ATTEMPTS } from '../../src/files/model.ts';
import { sha256Hex, utf8 } from '../../src/lib/encoding.ts';
import { Owner, problemOf, put, streamOf } from '../support/files.ts';
import type { Ref, Shown } from '../support/files.ts';

const { FILES } = env as unknown as Bindings;

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

describe('an upload', () => {
  it('goes to an address that needs nothing else, and is there when its bytes are', async () => {
    const content = 'a,b\n1,2\n';
    const { id, url, command } = await ada.upload('data.csv', content);
    expect(command).toContain(`'${url}'`);
    expect(await ada.rows('file_uploads')).toHaveLength(1);
    expect(await ada.rows('files')).toHaveLength(0);

    const response = await put(url, content, { 'Content-Length': '8' });
    expect(response.status).toBe(201);
    expect(response.headers.get('Location')).toBe(`/files/${id}`);
    const { file, session } = await response.json<{ file: Shown; session: Ref }>();
    expect(session.slug).toBe('default');
    expect(file).toMatchObject({
      id,
      path: 'data.csv',
      version: 1,
      type: 'text/csv',
      size: 8,
      sha256: await sha256Hex(content),
    });

    expect(await ada.rows('files')).toHaveLength(1);
    expect(await ada.rows('file_uploads')).toMatchObject([{ committed_file_id: id, committed_version: 1 }]);
    expect(await ada.rows('loose_objects')).toHaveLength(0);
    expect(await ada.objects(id)).toHaveLength(1);
  });

  it('is described for programs, and for the shell that is asked for', async () => {
    const described = async (more: Record<string, unknown> = {}) =>
      (
        await ada.call<{ upload: Record<string, unknown> & { url: string } }>('file_upload', {
          path: "it's.txt",
          size: 6,
          ...more,
        })
      ).upload;
    const { command, ...upload } = await described();
    expect(command).toMatch(/^curl /);
    expect(upload).toEqual({
      method: 'PUT',
      url: expect.stringMatching(/^http:\/\/localhost:8787\/upload\//) as string,
      headers: { 'Content-Type': 'application/octet-stream' },
      expires_at: expect.stringMatching(/Z$/) as string,
    });
    expect((await put(upload.url, 'abcdef', upload['headers'] as Record<string, string>)).status).toBe(201);
    expect(await described({ shell: 'python' })).toMatchObject({
      command: expect.stringContaining('"it\'s.txt"') as string,
    });
    expect(await described({ shell: 'powershell', in_parts: true })).toMatchObject({
      command: expect.stringContaining("'/it''s.txt'") as string,
      parts: 1,
    });
    await expect(described({ shell: 'fish' })).rejects.toThrow(/^invalid_input.*`shell`/);
  });

  it('of unknown length is taken when it has the declared size', async () => {
    const { id, url } = await ada.upload('s.txt', 'abcdef', { sha256: (await sha256Hex('abcdef')).toUpperCase() });
    expect((await put(url, streamOf('ab', 'cd', 'ef'))).status).toBe(201);
    expect(await (await ada.fetch(`/files/${id}`)).text()).toBe('abcdef');
  });

  it('may be empty', async () => {
    const { id, url } = await ada.upload('empty', '');
    expect((await put(url, null)).status).toBe(201);
    const response = await ada.fetch(`/files/${id}`);
    expect(response.headers.get('Content-Length')).toBe('0');
    expect(await response.text()).toBe('');
    expect(await ada.call('file_read', { file: id })).toMatchObject({ text: '', offset: 0 });
  });

  it.each([
    ['shorter', () => streamOf('abcd'), 'invalid_input'],
    ['longer', () => streamOf('abcdef', 'g'), 'too_large'],
    ['other', () => streamOf('abcdeX'), 'invalid_input'],
    ['broken off', () => streamOf('abc', new Error('reset')), 'invalid_input'],
  ])('with %s bytes stores nothing and leaves the address as it was', async (what, body, code) => {
    const { id, url } = await ada.upload(`${what}.txt`, 'abcdef', { sha256: await sha256Hex('abcdef') });
    expect(await problemOf(await put(url, body()))).toMatchObject({ code });
    expect(await ada.objects(id)).toEqual([]);
    expect((await ada.rows('files')).some((row) => row['id'] === id)).toBe(false);
    await expect(ada.call('file_read', { file: id })).rejects.toThrow('not_found');

    expect((await put(url, 'abcdef')).status).toBe(201);
    await expect.poll(() => ada.objects(id)).toHaveLength(1);
  });

  it.each([
    ['5', 'invalid_input'],
    ['7', 'too_large'],
  ])('with a Content-Length of %s for six bytes is refused before its body comes', async (length, code) => {
    const { id, url } = await ada.upload(`length-${length}.txt`, 'abcdef');
    const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    expect(await problemOf(await put(url, never, { 'Content-Length': length }))).toMatchObject({ code });
    expect(await ada.objects(id)).toEqual([]);
    expect((await put(url, 'abcdef')).status).toBe(201);
  });

  it('a second time is a conflict, and changes nothing', async () => {
    const { id, url } = await ada.upload('x-3.txt', 'abcdef');
    expect((await put(url, 'abcdef')).status).toBe(201);
    expect(await problemOf(await put(url, 'ABCDEF'))).toMatchObject({ code: 'conflict', status: 409 });
    expect(await (await ada.fetch(`/files/${id}`)).text()).toBe('abcdef');
    await expect.poll(() => ada.objects(id)).toHaveLength(1);
  });

  it('many times at once is stored once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id, url } = await ada.upload(`round-${round}.txt`, 'abcdef');
      const bodies = ['abcdef', 'ABCDEF', '123456', 'uvwxyz'];
      const answers = await Promise.all(bodies.map((body) => put(url, streamOf(body))));
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
      const won = bodies[answers.findIndex(({ status }) => status === 201)];
      expect(await (await ada.fetch(`/files/${id}`)).text()).toBe(won);
      await expect.poll(() => ada.objects(id)).toHaveLength(1);
    }
  });

  it('does not come back when its file was deleted while another attempt ran', async () => {
    const { id, url } = await ada.upload('x-5.txt', 'abcdef');
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let sent = 0;
    const slow = put(
      url,
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (sent++ === 0) return controller.enqueue(utf8('abc'));
          await gate;
          controller.enqueue(utf8('def'));
          controller.close();
        },
      }),
    );
    while (!(await ada.hasBegun(id))) await scheduler.wait(5);
    expect((await put(url, 'ABCDEF')).status).toBe(201);
    await ada.call('file_delete', { file: id });
    release();
    expect((await slow).status).toBe(409);
    await expect(ada.call('file_read', { file: id })).rejects.toThrow('not_found');
    expect(await problemOf(await put(url, 'abcdef'))).toMatchObject({ code: 'conflict' });
  });

  it('cannot be begun without end', async () => {
    const { id, url } = await ada.upload('x-6.txt', 'abcdef');
    await ada.sql(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MAX_OPEN_ATTEMPTS})
       INSERT INTO loose_objects (object_key, upload_id, due_at, claimed) SELECT 'k' || i, '${await ada.uploadOf(id)}', 9e12, 0 FROM n`.replace(
        '9e12',
        '9000000000000',
      ),
    );
    expect(await problemOf(await put(url, 'abcdef'))).toMatchObject({ code: 'limit_exceeded', status: 429 });
    await ada.sql(`DELETE FROM loose_objects WHERE upload_id = '${await ada.uploadOf(id)}'`);
    expect((await put(url, 'abcdef')).status).toBe(201);
  });

  it('cannot be resumed by a part, and is no form', async () => {
    const { url } = await ada.upload('x-7.txt', 'abcdef');
    expect(await problemOf(await put(url, 'def', { 'Content-Range': 'bytes 3-5/6' }))).toMatchObject({
      code: 'unsupported',
    });
    const form = { 'Content-Type': 'multipart/form-data; boundary=x' };
    expect(await problemOf(await put(url, 'abcdef', form))).toMatchObject({ code: 'unsupported', status: 415 });
  });

  it('larger than one request may be comes in parts, and larger than that not at all', async () => {
    const { upload } = await ada.call<{ upload: { parts?: number } }>('file_upload', {
      path: 'big',
      size: 6_000_000_000,
    });
    expect(upload.parts).toBe(179);
    await expect(ada.call('file_upload', { path: 'huge', size: 20_000_000_001 })).rejects.toThrow(
      /^too_large.*20000000000/,
    );
  });

  it('keeps what the bytes are, whatever was declared', async () => {
    const gif = `GIF89a${'\u0001'.repeat(40)}`;
    const { id, url } = await ada.upload('page.html', gif, { type: 'text/html' });
    expect((await put(url, gif)).status).toBe(201);
    expect((await ada.fetch(`/files/${id}`)).headers.get('Content-Type')).toBe('image/gif');
  });
});

describe('taking in a body', () => {
  const real = new R2FileBucket(FILES);
  const expected = { size: 6, sha256: undefined, deadline: Date.now() + 60_000 };

  it('ends when the bucket fails, while the body still stands still', async () => {
    let cancelled: unknown;
    const stalled = new ReadableStream({ type: 'bytes', cancel: (reason) => void (cancelled = reason) });
    const failing = { put: () => Promise.reject(new Error('internal error')) } as unknown as FileBucket;
    await expect(takeIn(failing, 'k', stalled, expected)).rejects.toMatchObject({ code: 'unavailable' });
    expect(cancelled).toBeInstanceOf(Error);
  });

  it('never gives the bucket the last piece of a wrong body', async () => {
    const content = 'x'.repeat(1_000_000);
    let given = 0;
    const counting = {
      put: async (_key: string, bytes: ReadableStream<Uint8Array>) => {
        for await (const piece of bytes) given += piece.byteLength;
      },
    } as unknown as FileBucket;
    const body = () => new Blob([content]).stream();
    const wrong = takeIn(counting, 'k', body(), { ...expected, size: content.length, sha256: '0'.repeat(64) });
    await expect(wrong).rejects.toMatchObject({ code: 'invalid_input' });
    expect(given).toBeGreaterThan(0);
    expect(given).toBeLessThan(content.length);
    given = 0;
    const right = takeIn(counting, 'k', body(), { ...expected, size: content.length });
    await expect(right).resolves.toMatchObject({ sha256: await sha256Hex(content) });
    expect(given).toBe(content.length);
  });

  it('is cut off at its deadline', async () => {
    const late = takeIn(real, 'late', new Blob(['abcdef']).stream(), { ...expected, deadline: 0 });
    await expect(late).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await real.head('late')).toBeUndefined();
  });
});

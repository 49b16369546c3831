import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env as bindings, exports } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';

import { approve, Browser } from '../../scripts/client/browser.ts';
import type { Bindings } from '../../src/app.ts';
import { signAddress } from '../../src/files/addresses.ts';
import { R2FileBucket } from '../../src/files/bucket.ts';
import type { FileBucket } from '../../src/files/bucket.ts';
import { takeIn } from '../../src/files/intake.ts';
import { MAX_OPEN_ATTEMPTS } from '../../src/files/model.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { sha256Hex, toBase64Url, utf8 } from '../../src/lib/encoding.ts';

const { FILES, WORKSPACE, CARREL_SECRET } = bindings as unknown as Bindings & { CARREL_SECRET: string };
const ORIGIN = 'http://localhost';
const REDIRECT = 'http://127.0.0.1:33418/callback';

const main = (exports as unknown as { default: Fetcher }).default;
const http = (path: string, init?: RequestInit) => main.fetch(new Request(new URL(path, ORIGIN), init));

interface Problem {
  code: string;
  detail: string;
}
interface Shown {
  id: string;
  name: string;
  type: string;
  size: number;
  sha256: string;
  created_at: string;
}
interface Ref {
  id: string;
  slug: string;
  title: string;
}

/** A signed-in person with one client. */
class Person {
  id = '';
  token = '';
  grantId = '';
  #mcp: Client | undefined;

  static async signIn(email: string, scope?: string): Promise<Person> {
    const person = new Person();
    const registration = await http('/register', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ client_name: 'test', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }),
    });
    const { client_id } = await registration.json<{ client_id: string }>();
    const verifier = 'v'.repeat(64);
    const challenge = toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(verifier))));
    const query = new URLSearchParams({
      response_type: 'code',
      client_id,
      redirect_uri: REDIRECT,
      state: 's',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...(scope === undefined ? {} : { scope }),
    });
    const browser = new Browser(ORIGIN, (url, init) => http(url, init));
    const callback = await approve(browser, `${ORIGIN}/authorize?${query.toString()}`, email);
    const answer = await http('/token', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: REDIRECT,
        client_id,
        code_verifier: verifier,
      }).toString(),
    });
    person.token = (await answer.json<{ access_token: string }>()).access_token;
    person.id = person.token.split('.')[0] ?? '';
    person.grantId = person.token.split(':')[1] ?? '';
    return person;
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return http(path, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), Authorization: `Bearer ${this.token}` },
    });
  }

  async mcp(): Promise<Client> {
    if (this.#mcp) return this.#mcp;
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    const transport = new StreamableHTTPClientTransport(new URL(`${ORIGIN}/mcp`), {
      fetch: (url, init) => http(String(url), init),
      requestInit: { headers: { Authorization: `Bearer ${this.token}` } },
    });
    await client.connect(transport);
    this.#mcp = client;
    return client;
  }

  /** The structured result of a tool, or the words of its error. */
  async call<Result = Record<string, unknown>>(name: string, input: Record<string, unknown> = {}): Promise<Result> {
    const result = await (await this.mcp()).callTool({ name, arguments: input });
    const [first] = result.content as { text: string }[];
    if (result.isError === true) throw new Error(first?.text);
    return result.structuredContent as Result;
  }

  async upload(name: string, content: string, more: Record<string, unknown> = {}) {
    const { upload, file } = await this.call<{ upload: { url: string; curl: string }; file: Shown }>('file_upload', {
      name,
      size: utf8(content).length,
      ...more,
    });
    return { id: file.id, url: upload.url, curl: upload.curl };
  }

  async write(name: string, text: string, session?: string): Promise<Shown> {
    const { file } = await this.call<{ file: Shown }>('file_write', {
      name,
      text,
      ...(session === undefined ? {} : { session }),
    });
    return file;
  }

  async link(file: string): Promise<string> {
    return (await this.call<{ download: { url: string } }>('file_link', { file })).download.url;
  }

  get workspace() {
    return WORKSPACE.getByName(this.id);
  }

  async rows(table: 'files' | 'file_uploads' | 'loose_objects'): Promise<Record<string, SqlStorageValue>[]> {
    return runInDurableObject(this.workspace, (_object, state) =>
      state.storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
    );
  }

  async sql(statement: string): Promise<void> {
    await runInDurableObject(this.workspace, (_object, state) => void state.storage.sql.exec(statement));
  }

  async objects(fileId = ''): Promise<string[]> {
    return (await FILES.list({ prefix: `${this.id}/${fileId}` })).objects.map(({ key }) => key);
  }
}

const put = (url: string, body: BodyInit | null, headers: Record<string, string> = {}) =>
  http(url, { method: 'PUT', body, headers });

/** A body whose length nobody knows before its end. */
function streamOf(...pieces: (string | Uint8Array | Error)[]): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else if (piece instanceof Error) controller.error(piece);
      else controller.enqueue(typeof piece === 'string' ? utf8(piece) : piece);
    },
  });
}

async function problemOf(response: Response): Promise<Problem & { status: number }> {
  return { ...(await response.json<Problem>()), status: response.status };
}

let ada: Person;
let eve: Person;

beforeAll(async () => {
  ada = await Person.signIn('ada@example.com');
  eve = await Person.signIn('eve@example.com');
});

describe('an upload', () => {
  it('goes to an address that needs nothing else, and is there when its bytes are', async () => {
    const content = 'a,b\n1,2\n';
    const { id, url, curl } = await ada.upload('data.csv', content);
    expect(curl).toContain(`'${url}'`);
    expect(await ada.rows('file_uploads')).toHaveLength(1);
    expect(await ada.rows('files')).toHaveLength(0);

    const response = await put(url, content, { 'Content-Length': '8' });
    expect(response.status).toBe(201);
    expect(response.headers.get('Location')).toBe(`/files/${id}`);
    const { file, session } = await response.json<{ file: Shown; session: Ref }>();
    expect(session.slug).toBe('default');
    expect(file).toMatchObject({ id, name: 'data.csv', type: 'text/csv', size: 8, sha256: await sha256Hex(content) });

    expect(await ada.rows('files')).toHaveLength(1);
    expect(await ada.rows('file_uploads')).toHaveLength(0);
    expect(await ada.rows('loose_objects')).toHaveLength(0);
    expect(await ada.objects(id)).toHaveLength(1);
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
  ])('with %s bytes stores nothing and leaves the address as it was', async (_what, body, code) => {
    const { id, url } = await ada.upload('x.txt', 'abcdef', { sha256: await sha256Hex('abcdef') });
    expect(await problemOf(await put(url, body()))).toMatchObject({ code });
    expect(await ada.objects(id)).toEqual([]);
    expect((await ada.rows('files')).some((row) => row['id'] === id)).toBe(false);
    await expect(ada.call('file_read', { file: id })).rejects.toThrow('not_found');

    expect((await put(url, 'abcdef')).status).toBe(201);
    expect(await ada.objects(id)).toHaveLength(1);
  });

  it.each([
    ['5', 'invalid_input'],
    ['7', 'too_large'],
  ])('with a Content-Length of %s for six bytes is refused before its body comes', async (length, code) => {
    const { id, url } = await ada.upload('x.txt', 'abcdef');
    const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    expect(await problemOf(await put(url, never, { 'Content-Length': length }))).toMatchObject({ code });
    expect(await ada.objects(id)).toEqual([]);
    expect((await put(url, 'abcdef')).status).toBe(201);
  });

  it('a second time is a conflict, and changes nothing', async () => {
    const { id, url } = await ada.upload('x.txt', 'abcdef');
    expect((await put(url, 'abcdef')).status).toBe(201);
    expect(await problemOf(await put(url, 'ABCDEF'))).toMatchObject({ code: 'conflict', status: 409 });
    expect(await (await ada.fetch(`/files/${id}`)).text()).toBe('abcdef');
    expect(await ada.objects(id)).toHaveLength(1);
  });

  it('many times at once is stored once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id, url } = await ada.upload('x.txt', 'abcdef');
      const bodies = ['abcdef', 'ABCDEF', '123456', 'uvwxyz'];
      const answers = await Promise.all(bodies.map((body) => put(url, streamOf(body))));
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409]);
      const won = bodies[answers.findIndex(({ status }) => status === 201)];
      expect(await (await ada.fetch(`/files/${id}`)).text()).toBe(won);
      expect(await ada.objects(id)).toHaveLength(1);
    }
  });

  it('does not come back when its file was deleted while another attempt ran', async () => {
    const { id, url } = await ada.upload('x.txt', 'abcdef');
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
    while (!(await ada.rows('loose_objects')).some((row) => row['file_id'] === id)) await scheduler.wait(5);
    expect((await put(url, 'ABCDEF')).status).toBe(201);
    await ada.call('file_delete', { file: id });
    release();
    expect((await slow).status).toBe(409);
    await expect.poll(() => ada.objects(id)).toEqual([]);
    expect(await problemOf(await put(url, 'abcdef'))).toMatchObject({ code: 'not_found' });
  });

  it('cannot be begun without end', async () => {
    const { id, url } = await ada.upload('x.txt', 'abcdef');
    await ada.sql(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MAX_OPEN_ATTEMPTS})
       INSERT INTO loose_objects (object_key, file_id, due_at, claimed) SELECT 'k' || i, '${id}', 9e12, 0 FROM n`.replace(
        '9e12',
        '9000000000000',
      ),
    );
    expect(await problemOf(await put(url, 'abcdef'))).toMatchObject({ code: 'limit_exceeded', status: 429 });
    await ada.sql(`DELETE FROM loose_objects WHERE file_id = '${id}'`);
    expect((await put(url, 'abcdef')).status).toBe(201);
  });

  it('cannot be resumed by a part, and is no form', async () => {
    const { url } = await ada.upload('x.txt', 'abcdef');
    expect(await problemOf(await put(url, 'def', { 'Content-Range': 'bytes 3-5/6' }))).toMatchObject({
      code: 'unsupported',
    });
    const form = { 'Content-Type': 'multipart/form-data; boundary=x' };
    expect(await problemOf(await put(url, 'abcdef', form))).toMatchObject({ code: 'unsupported', status: 415 });
  });

  it('larger than the limit is refused when it is declared', async () => {
    await expect(ada.call('file_upload', { name: 'big', size: 6_000_000_000 })).rejects.toThrow(
      /^too_large.*5000000000/,
    );
  });

  it('keeps what the bytes are, whatever was declared', async () => {
    const gif = `GIF89a${'\u0001'.repeat(40)}`;
    const { id, url } = await ada.upload('page.html', gif, { type: 'text/html' });
    expect((await put(url, gif)).status).toBe(201);
    expect((await ada.fetch(`/files/${id}`)).headers.get('Content-Type')).toBe('image/gif');
  });
});

describe('an address', () => {
  const keyring = new Keyring([CARREL_SECRET]);
  const soon = () => Math.floor(Date.now() / 1000) + 60;

  it('that expired says so', async () => {
    const claims = {
      workspaceId: ada.id,
      fileId: 'fil_00000000000000000000',
      grantId: ada.grantId,
      expiresAt: soon() - 61,
    };
    const upload = await problemOf(await put(`/upload/${await signAddress(keyring, 'upload-address', claims)}`, 'x'));
    expect(upload).toMatchObject({ status: 403, code: 'forbidden', detail: expect.stringContaining('expired') });
    const download = await problemOf(await http(`/download/${await signAddress(keyring, 'download-address', claims)}`));
    expect(download).toMatchObject({ status: 403, detail: expect.stringContaining('expired') });
  });

  it('that was changed opens nothing', async () => {
    const { id, url } = await ada.upload('x.txt', 'abcdef');
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
    const { id, url } = await ada.upload('x.txt', 'abcdef');
    expect((await http(url.replace('/upload/', '/download/'))).status).toBe(403);
    await put(url, 'abcdef');
    const link = await ada.link(id);
    expect((await put(link, 'ABCDEF')).status).toBe(405);
    expect((await put(link.replace('/download/', '/upload/'), 'ABCDEF')).status).toBe(403);
    expect((await http(url)).status).toBe(405);
  });

  it('ends with the grant that made it', async () => {
    const bob = await Person.signIn('bob@example.com');
    const file = await bob.write('kept.txt', 'kept');
    const link = await bob.link(file.id);
    const { url } = await bob.upload('x.txt', 'abcdef');
    const slow = await bob.upload('slow.txt', 'abcdef');
    expect((await http(link)).status).toBe(200);

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
    expect(await problemOf(await http(link))).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await problemOf(await put(url, 'abcdef'))).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await bob.rows('files')).map((row) => row['name'])).toEqual(['kept.txt']);
    expect((await bob.rows('loose_objects')).map((row) => row['file_id'])).toEqual([slow.id]);
  });
});

describe('a file of somebody else', () => {
  it('looks exactly like none', async () => {
    const { id } = await ada.write('secret.txt', 'secret');
    const none = 'fil_00000000000000000000';
    const words = async (person: Person, tool: string, file: string) =>
      person.call(tool, { file }).then(
        () => 'worked',
        (error: Error) => error.message,
      );
    for (const tool of ['file_read', 'file_link', 'file_delete']) {
      expect(await words(eve, tool, id)).toBe(await words(eve, tool, none));
      for (const odd of ['', '../x', '\0', '🦊', `${id}'--`, 'x'.repeat(100)])
        expect(await words(eve, tool, odd)).toMatch(/^not_found/);
    }
    const [theirs, nobodys] = await Promise.all(
      [id, none].map(async (file) => problemOf(await eve.fetch(`/files/${file}`))),
    );
    expect({ ...theirs, request_id: '' }).toEqual({ ...nobodys, request_id: '' });
    await expect((await eve.mcp()).readResource({ uri: `carrel://files/${id}` })).rejects.toThrow(/not found/i);
    expect(await eve.rows('files')).toEqual([]);
    expect(await (await ada.fetch(`/files/${id}`)).text()).toBe('secret');
  });
});

describe('a download', () => {
  let file: Shown;
  let link: string;
  const text = '0123456789';
  const etag = async () => `"${await sha256Hex(text)}"`;
  const get = (headers: Record<string, string> = {}, method = 'GET') => http(link, { method, headers });

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

  it('gives the index entry to whoever accepts JSON alone', async () => {
    const response = await ada.fetch(`/files/${file.id}`, { headers: { Accept: 'application/json' } });
    expect(await response.json()).toMatchObject({ session: { slug: 'default' }, file: { id: file.id, size: 10 } });
    const both = await ada.fetch(`/files/${file.id}`, { headers: { Accept: 'application/json, text/plain, */*' } });
    expect(await both.text()).toBe(text);
  });
});

describe('POST and GET /files', () => {
  it('take a file as the body', async () => {
    const response = await ada.fetch('/files?name=%E5%B8%82%E5%A0%B4.md&session=default', {
      method: 'POST',
      body: '# 市場',
      headers: { 'Content-Length': '8', 'Content-Type': 'application/octet-stream' },
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ file: { name: '市場.md', type: 'text/markdown', size: 8 } });
  });

  it('want to know how long it is, what it is called, and that the session exists', async () => {
    const post = async (query: string, headers: Record<string, string>) =>
      problemOf(await ada.fetch(`/files${query}`, { method: 'POST', body: streamOf('x'), headers }));
    expect(await post('?name=a', {})).toMatchObject({
      code: 'invalid_input',
      detail: expect.stringContaining('Content-Length'),
    });
    expect(await post('', { 'Content-Length': '1' })).toMatchObject({ code: 'invalid_input' });
    expect(await post('?name=..', { 'Content-Length': '1' })).toMatchObject({ code: 'invalid_input' });
    expect(await post('?name=a&nme=b', { 'Content-Length': '1' })).toMatchObject({ code: 'invalid_input' });
    expect(await post('?name=a&session=nowhere', { 'Content-Length': '1' })).toMatchObject({ code: 'not_found' });
    expect(await post(`?name=a&sha256=${'0'.repeat(64)}`, { 'Content-Length': '1' })).toMatchObject({
      code: 'invalid_input',
    });
  });

  it('take a declaration as JSON', async () => {
    const declare = (body: string) =>
      ada.fetch('/files', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
    const declared = await declare(JSON.stringify({ name: 'd.txt', size: 3 }));
    const { upload, file } = await declared.json<{ upload: { url: string }; file: Shown }>();
    expect((await put(upload.url, 'abc')).status).toBe(201);
    expect(await (await ada.fetch(`/files/${file.id}`)).text()).toBe('abc');
    for (const wrong of ['', '{', '[]', '{"name":"a"}', '{"name":"a","size":-1}', '{"name":"a","size":1,"x":1}'])
      expect(await problemOf(await declare(wrong))).toMatchObject({ code: 'invalid_input' });
  });

  it('need their scopes', async () => {
    const reader = await Person.signIn('reader@example.com', 'files:read');
    expect((await reader.fetch('/files')).status).toBe(200);
    expect(
      (await reader.fetch('/files?name=a', { method: 'POST', body: 'x', headers: { 'Content-Length': '1' } })).status,
    ).toBe(403);
    expect((await http('/files')).status).toBe(401);
  });

  it('list page by page, newest first, in a stable order', async () => {
    const carol = await Person.signIn('carol@example.com');
    await carol.call('session_open', { session: 'Market study' });
    for (let index = 0; index < 7; index += 1)
      await carol.write(`${index}.txt`, 'x', index % 2 === 0 ? 'market-study' : undefined);
    await carol.sql("UPDATE files SET created_at = 1000 WHERE name < '4'");

    const pages = async (query: string) => {
      const names: string[] = [];
      let cursor: string | undefined;
      do {
        const next = cursor === undefined ? '' : `&cursor=${cursor}`;
        const page = await (
          await carol.fetch(`/files?limit=2&${query}${next}`)
        ).json<{ files: Shown[]; next_cursor?: string }>();
        names.push(...page.files.map(({ name }) => name));
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
    expect(await carol.call('file_list', { cursor: toBase64Url(utf8('["x","y"]')) })).toMatchObject({ files: [] });
  });
});

describe('tools and resources', () => {
  it('read a large text part by part, whole and within the budget', async () => {
    const text = Array.from({ length: 3000 }, (_, line) => `${line}\t"市場"\\ 🦊 é\u0001\n`).join('');
    const { id, url } = await ada.upload('large.txt', text, { type: 'text/plain' });
    expect((await put(url, text)).status).toBe(201);
    let read = '';
    let offset: number | undefined = 0;
    while (offset !== undefined) {
      const result = await (await ada.mcp()).callTool({ name: 'file_read', arguments: { file: id, offset } });
      expect(JSON.stringify(result).length).toBeLessThan(75_000);
      const part = result.structuredContent as { text: string; next_offset?: number };
      read += part.text;
      offset = part.next_offset;
    }
    expect(read === text).toBe(true);
    await expect(ada.call('file_read', { file: id, offset: 1e9 })).rejects.toThrow('invalid_input');
  });

  it('say which file is no text, and where to go', async () => {
    const { id, url } = await ada.upload('b.bin', '\u0000\u0001\u0002');
    await put(url, '\u0000\u0001\u0002');
    await expect(ada.call('file_read', { file: id })).rejects.toThrow(/^unsupported.*file_link/);
    const { contents } = await (await ada.mcp()).readResource({ uri: `carrel://files/${id}` });
    expect(contents).toEqual([{ uri: `carrel://files/${id}`, mimeType: 'application/octet-stream', blob: 'AAEC' }]);
  });

  it('link to a file as text and as a resource link', async () => {
    const { id } = await ada.write('l.txt', 'linked');
    const { content } = await (await ada.mcp()).callTool({ name: 'file_link', arguments: { file: id } });
    const [text, resource] = content as unknown as [{ text: string }, { uri: string }];
    expect(resource).toMatchObject({ type: 'resource_link', name: 'l.txt', mimeType: 'text/plain', size: 6 });
    expect(text.text).toContain(resource.uri);
    expect(await (await http(resource.uri)).text()).toBe('linked');
  });

  it('list and read files as resources', async () => {
    const { id, created_at } = await ada.write('resource.json', '{"a":"é"}');
    const client = await ada.mcp();
    const { resources } = await client.listResources();
    expect(resources.find(({ uri }) => uri.endsWith(id))).toEqual({
      uri: `carrel://files/${id}`,
      name: 'resource.json',
      mimeType: 'application/json',
      size: 10,
      annotations: { lastModified: created_at },
    });
    const { contents } = await client.readResource({ uri: `carrel://files/${id}` });
    expect(contents).toEqual([{ uri: `carrel://files/${id}`, mimeType: 'application/json', text: '{"a":"é"}' }]);
    const large = 'x'.repeat(257 * 1024);
    const upload = await ada.upload('large', large);
    await put(upload.url, large);
    await expect(client.readResource({ uri: `carrel://files/${upload.id}` })).rejects.toThrow(/256 KB/);
  });

  it('write two files of one name, and no name that is none', async () => {
    const [first, second] = [await ada.write('same.txt', '1'), await ada.write('same.txt', '2')];
    expect(first.id).not.toBe(second.id);
    for (const name of ['', '..', 'a/b', '\u202E', '🦊'.repeat(300)])
      await expect(ada.write(name, 'x')).rejects.toThrow(/^invalid_input.*`name`/);
    await expect(ada.write('large.txt', 'é'.repeat(33_000))).rejects.toThrow(/64 KB/);
  });
});

describe('the sweep', () => {
  it('removes the bytes of a deleted file', async () => {
    const { id } = await ada.write('gone.txt', 'gone');
    const link = await ada.link(id);
    expect(await ada.objects(id)).toHaveLength(1);
    expect(await ada.call('file_delete', { file: id })).toMatchObject({
      file: { name: 'gone.txt' },
      session: { slug: 'default' },
    });
    expect((await http(link)).status).toBe(404);
    await expect.poll(() => ada.objects(id)).toEqual([]);
    await expect.poll(async () => (await ada.rows('loose_objects')).some((row) => row['file_id'] === id)).toBe(false);
    await expect(ada.call('file_delete', { file: id })).rejects.toThrow('not_found');
  });

  it('follows what a crash left: bytes that were stored and never committed, and uploads that nobody finished', async () => {
    const dan = await Person.signIn('dan@example.com');
    const { id } = await dan.upload('x.txt', 'abcdef');
    const { id: waiting } = await dan.upload('y.txt', 'abcdef');
    const kept = await dan.write('kept.txt', 'kept');
    const key = `${dan.id}/${id}/att_crashed`;
    await FILES.put(key, 'abcdef');
    await dan.sql(
      `INSERT INTO loose_objects (object_key, file_id, due_at, claimed) VALUES ('${key}', '${id}', 9000000000000, 0)`,
    );
    await dan.sql(`UPDATE file_uploads SET expires_at = 1000`);
    const makeDue = "UPDATE agenda SET due_at = 0 WHERE task = 'uploads'";

    await dan.sql(makeDue);
    await runDurableObjectAlarm(dan.workspace);
    expect(await dan.objects(id), 'an attempt may still be running').toEqual([key]);
    expect((await dan.rows('file_uploads')).map((row) => row['file_id'])).toEqual([id]);

    await dan.sql('UPDATE loose_objects SET due_at = 1000');
    await dan.sql(makeDue);
    await runDurableObjectAlarm(dan.workspace);
    expect(await dan.objects(id)).toEqual([]);
    expect(await dan.rows('loose_objects')).toEqual([]);
    expect(await dan.rows('file_uploads')).toEqual([]);
    expect(await dan.objects(kept.id)).toHaveLength(1);
    expect(await (await dan.fetch(`/files/${kept.id}`)).text()).toBe('kept');
    expect(waiting).not.toBe(id);
  });

  it('wins over an attempt that it has claimed, and is told of the bytes that came after it', async () => {
    const { id, url } = await ada.upload('x.txt', 'abcdef');
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow = put(
      url,
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          await gate;
          controller.enqueue(utf8('abcdef'));
          controller.close();
        },
      }),
    );
    while (!(await ada.rows('loose_objects')).some((row) => row['file_id'] === id)) await scheduler.wait(5);
    await ada.sql(`DELETE FROM loose_objects WHERE file_id = '${id}'`);
    release();
    expect((await slow).status).toBe(409);
    await expect.poll(() => ada.objects(id)).toEqual([]);
    expect((await ada.rows('files')).some((row) => row['id'] === id)).toBe(false);
    expect((await put(url, 'abcdef')).status).toBe(201);
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

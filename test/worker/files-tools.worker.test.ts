import { beforeAll, describe, expect, it } from 'vitest';

import { utf8 } from '../../src/lib/encoding.ts';
import { Owner, problemOf, put } from '../support/files.ts';
import type { Shown } from '../support/files.ts';
import { send } from '../support/person.ts';

let ada: Owner;
let eve: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
  eve = await Owner.signIn('eve@example.com');
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
      // What is left out of an answer can be had as a whole.
      const link = (result['content'] as { type: string; uri?: string }[]).find(({ type }) => type === 'resource_link');
      expect(link?.uri).toBe(part.next_offset === undefined ? undefined : `carrel://files/${id}`);
      offset = part.next_offset;
    }
    expect(read === text).toBe(true);
    await expect(ada.call('file_read', { file: id, offset: 1e9 })).rejects.toThrow('invalid_input');
  });

  it('say which file is no text, and where to go', async () => {
    const { id, url } = await ada.upload('b.bin', '\u0000\u0001\u0002');
    await put(url, '\u0000\u0001\u0002');
    const refusal = async () => ada.call('file_read', { file: id }).then(String, (error: Error) => error.message);
    // Whether there is text in it is known when it was read.
    await expect.poll(refusal, { timeout: 10_000 }).toMatch(/^unsupported.*file_link/);
    const { contents } = await (await ada.mcp()).readResource({ uri: `carrel://files/${id}` });
    expect(contents).toEqual([{ uri: `carrel://files/${id}`, mimeType: 'application/octet-stream', blob: 'AAEC' }]);
  });

  it('link to a file as text and as a resource link', async () => {
    const { id } = await ada.write('l.txt', 'linked');
    const { content } = await (await ada.mcp()).callTool({ name: 'file_link', arguments: { file: id } });
    const [text, resource] = content as unknown as [{ text: string }, { uri: string }];
    expect(resource).toMatchObject({ type: 'resource_link', name: 'l.txt', mimeType: 'text/plain', size: 6 });
    expect(text.text).toContain(resource.uri);
    expect(await (await send(resource.uri)).text()).toBe('linked');
  });

  it('list and read files as resources', async () => {
    const { id } = await ada.write('resource.json', '{"a":"é"}');
    const client = await ada.mcp();
    const { resources } = await client.listResources();
    expect(resources.find(({ uri }) => uri.endsWith(id))).toEqual({
      uri: `carrel://files/${id}`,
      name: 'resource.json',
      mimeType: 'application/json',
      size: 10,
      annotations: { audience: ['user', 'assistant'], lastModified: expect.stringMatching(/^\d{4}-/) as string },
    });
    const { contents } = await client.readResource({ uri: `carrel://files/${id}` });
    expect(contents).toEqual([{ uri: `carrel://files/${id}`, mimeType: 'application/json', text: '{"a":"é"}' }]);
    const large = 'x'.repeat(257 * 1024);
    const upload = await ada.upload('large', large);
    await put(upload.url, large);
    await expect(client.readResource({ uri: `carrel://files/${upload.id}` })).rejects.toThrow(/256 KB/);
  });

  it('complete paths, and read a resource by its path', async () => {
    const bob = await Owner.signIn('paths@example.com');
    const paths = ['notes/100% sure?.md', 'notes/a b.md', 'notes/é/plan.md', 'other.md'];
    for (const path of paths) await bob.write(path, `at ${path}`);
    const client = await bob.mcp();
    const completed = async (typed: string) => {
      const ref = { type: 'ref/resource' as const, uri: 'carrel://files/{+file}' };
      return (await client.complete({ ref, argument: { name: 'file', value: typed } })).completion;
    };
    expect(await completed('notes/')).toEqual({ values: paths.slice(0, 3), total: 3, hasMore: false });
    expect((await completed('')).values).toEqual(paths);
    expect((await completed('notes/é')).values).toEqual(['notes/é/plan.md']);
    for (const none of ['Notes', 'notes0', '%', '\u0000', 'x'.repeat(5000)])
      expect((await completed(none)).values, none).toEqual([]);
    const read = async (path: string) => (await client.readResource({ uri: `carrel://files/${path}` })).contents[0];
    for (const path of paths) {
      expect(await read(encodeURI(path).replaceAll('?', '%3F'))).toMatchObject({ text: `at ${path}` });
      expect(await read(path.split('/').map(encodeURIComponent).join('/'))).toMatchObject({ text: `at ${path}` });
    }
    expect(await read('notes/a b.md')).toMatchObject({ text: 'at notes/a b.md' });
    await expect(read('notes/none.md')).rejects.toThrow(/not found/i);
  });

  it('write bytes that come as base64, in either alphabet, padded or not, in lines or not', async () => {
    const gif = utf8(`GIF89a\u0001\u0000${'>?'.repeat(30)}`);
    const padded = btoa(String.fromCharCode(...gif));
    expect(padded).toMatch(/[+/].*=$/);
    const url = padded.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    for (const base64 of [padded, url, `${padded.slice(0, 40)}\r\n${padded.slice(40)}\n`]) {
      const { file } = await ada.call<{ file: { id: string } }>('file_write', { path: 'b.gif', base64 });
      const response = await ada.fetch(`/files/${file.id}`);
      expect(response.headers.get('Content-Type')).toBe('image/gif');
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(gif);
    }
  });

  it.each(['a', 'ab=', 'ab===', 'a=bc', 'ab c', 'data:text/plain;base64,aGk=', 'é', 'aGk=aGk='])(
    'write no base64 that is none: %s',
    async (base64) => {
      const words = /^invalid_input.*`base64` is no base64/;
      await expect(ada.call('file_write', { path: 'none.bin', base64 })).rejects.toThrow(words);
    },
  );

  it('write as many bytes as base64 as they say, and no more', async () => {
    const most = btoa('x'.repeat(64 * 1024));
    const { file } = await ada.call<{ file: Shown }>('file_write', { path: 'most.txt', base64: most });
    expect(await (await ada.fetch(`/files/${file.id}`)).text()).toHaveLength(64 * 1024);
    const more = btoa('x'.repeat(64 * 1024 + 1));
    await expect(ada.call('file_write', { path: 'more.txt', base64: more })).rejects.toThrow(/64 KB; use file_upload/);
    await expect(ada.call('file_write', { path: 'x', base64: '', text: '' })).rejects.toThrow(/give one of/);
  });

  it('write no path that is none, and no more text than they say', async () => {
    for (const path of [
      '',
      '..',
      'a/../b',
      'a//b',
      '/a',
      'a/',
      'a\\b',
      'a\0b',
      'a.',
      'folder./a',
      'CON',
      'a/lpt1.txt',
      '\u202E',
      '🦊'.repeat(300),
      'x'.repeat(5000),
      'a/'.repeat(21) + 'b',
    ])
      await expect(ada.write(path, 'x'), path).rejects.toThrow(/^invalid_input.*`path`/);
    await expect(ada.write('large.txt', 'é'.repeat(33_000))).rejects.toThrow(/64 KB/);
  });
});

describe('a file of somebody else', () => {
  it('looks exactly like none', async () => {
    const { id } = await ada.write('secret.txt', 'secret');
    const none = 'fil_00000000000000000000';
    const words = async (person: Owner, tool: string, file: string) =>
      person.call(tool, { file }).then(
        () => 'worked',
        (error: Error) => error.message,
      );
    for (const tool of ['file_read', 'file_link', 'file_delete']) {
      expect(await words(eve, tool, id)).toBe(await words(eve, tool, none));
      for (const odd of ['', '../x', '\0', '🦊', `${id}'--`, 'x'.repeat(100)])
        expect(await words(eve, tool, odd), odd).toMatch(odd === '' ? /^invalid_input/ : /^not_found/);
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

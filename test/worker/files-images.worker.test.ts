import { beforeAll, describe, expect, it } from 'vitest';

import { utf8 } from '../../src/lib/encoding.ts';
import { Owner, put } from '../support/files.ts';
import { rpc } from '../support/mcp.ts';

/** One pixel each. */
const IMAGES: Readonly<Record<string, string>> = {
  'image/png': 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'image/gif': 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7',
  'image/webp': 'UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA',
  'image/jpeg':
    '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA=',
};

let ada: Owner;

beforeAll(async () => {
  ada = await Owner.signIn('ada@example.com');
});

interface Content {
  readonly type: string;
  readonly text?: string;
  readonly data?: string;
  readonly mimeType?: string;
}

async function read(file: string, more: Record<string, unknown> = {}) {
  const result = await (await ada.mcp()).callTool({ name: 'file_read', arguments: { file, ...more } });
  return { ...result, content: result.content as Content[] };
}

/** A PNG of this size, with nothing behind its end. */
async function storePng(path: string, size: number): Promise<void> {
  const bytes = new Uint8Array(size);
  bytes.set(Uint8Array.from(atob(IMAGES['image/png'] ?? ''), (character) => character.charCodeAt(0)));
  const response = await ada.fetch(`/files?path=${path}`, { method: 'POST', body: bytes });
  expect(response.status).toBe(201);
}

describe('an image', () => {
  it.each(Object.entries(IMAGES))('(%s) is read as one, and stands in no JSON', async (type, base64) => {
    await ada.call('file_write', { path: `pixel.${type.slice(6)}`, base64 });
    const { content, structuredContent } = await read(`pixel.${type.slice(6)}`);
    expect(content).toEqual([
      { type: 'text', text: expect.stringContaining(type) as string },
      { type: 'image', mimeType: type, data: base64 },
    ]);
    expect(structuredContent).toMatchObject({ file: { type }, text: '', offset: 0 });
    expect(JSON.stringify(structuredContent)).not.toContain(base64.slice(0, 20));
  });

  it('is shown to clients of the 2025 era too', async () => {
    await ada.call('file_write', { path: 'old.png', base64: IMAGES['image/png'] });
    const call = { name: 'file_read', arguments: { file: 'old.png' } };
    const { message } = await rpc(ada.accessToken, 'tools/call', call, { era: '2025' });
    expect(message.result?.['content']).toMatchObject([{ type: 'text' }, { type: 'image', data: IMAGES['image/png'] }]);
  });

  it('is that of the version which is asked for', async () => {
    await ada.call('file_write', { path: 'versions', base64: IMAGES['image/gif'] });
    await ada.call('file_write', { path: 'versions', base64: IMAGES['image/webp'] });
    expect((await read('versions')).content[1]).toMatchObject({ mimeType: 'image/webp' });
    expect((await read('versions', { version: 1 })).content[1]).toMatchObject({ mimeType: 'image/gif' });
  });

  it('may have 700 KB, with which a result stays under what clients take', async () => {
    await storePng('most.png', 700 * 1024);
    const { content, isError } = await read('most.png');
    expect(isError).not.toBe(true);
    expect(content[1]?.data).toHaveLength(Math.ceil((700 * 1024) / 3) * 4);
    expect(JSON.stringify(content).length).toBeLessThan(1_048_576);
  });

  it('that is larger is refused, with the limit and a way to it', async () => {
    await storePng('more.png', 700 * 1024 + 1);
    const { content, isError } = await read('more.png');
    expect(isError).toBe(true);
    expect(content).toHaveLength(1);
    expect(content[0]?.text).toMatch(/^too_large.*700 KB.*file_link.*716800/);
  });
});

describe('what is no image for a model', () => {
  it.each(['hello', ''])('though its type says so (%j) is refused', async (text) => {
    const { url } = await ada.upload(`claimed-${text}`, text, { type: 'image/png' });
    expect((await put(url, text)).status).toBe(201);
    await expect(ada.call('file_read', { file: `claimed-${text}` })).rejects.toThrow(/^unsupported.*file_link/);
  });

  it('because it is SVG is read as the text that it is', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
    await ada.write('drawing.svg', svg);
    const { content, structuredContent } = await read('drawing.svg');
    expect(structuredContent).toMatchObject({ file: { type: 'image/svg+xml' }, text: svg });
    expect(content.map(({ type }) => type)).toEqual(['text']);
  });

  it('because models take no such format is refused', async () => {
    const bitmap = `BM${'\0'.repeat(60)}`;
    const response = await ada.fetch('/files?path=old.bmp', { method: 'POST', body: utf8(bitmap) });
    expect(response.status).toBe(201);
    const refusal = async () =>
      ada.call('file_read', { file: 'old.bmp' }).then(String, (error: Error) => error.message);
    await expect.poll(refusal, { timeout: 10_000 }).toMatch(/^unsupported.*file_link/);
  });
});

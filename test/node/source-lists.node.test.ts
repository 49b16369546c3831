import { gzipSync } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { readList } from '../../src/research/lists/read-list.ts';
import { MAX_SITEMAP_BYTES, readSitemap } from '../../src/research/lists/sitemap.ts';

const list = (text: string, type = 'text/plain', column?: string) => readList(text, type, column)?.addresses;

describe('a list of addresses', () => {
  it('is one a line, whatever stands before them', () => {
    const text = '\uFEFF# my list\r\nhttps://a.example/1\r\n\r\n- https://a.example/2\n3. doi:10.1000/182 \nnot one\n';
    expect(list(text)).toEqual(['https://a.example/1', 'https://a.example/2', 'doi:10.1000/182', 'not one']);
  });

  it.each([
    ['the first column with addresses', 'title;where\nA;https://a.example\nB;\nC;https://c.example\n', undefined],
    ['a column by its name', 'title;Where\nA;https://a.example\nC;https://c.example\n', 'where'],
    ['a column by its number', 'title;where\nA;https://a.example\nC;https://c.example\n', '2'],
    ['a table without names', 'A,https://a.example\nC,https://c.example\n', undefined],
  ])('is %s', (_what, text, column) => {
    expect(list(text, 'text/csv', column)).toEqual(['https://a.example', 'https://c.example']);
  });

  it('has no column that is not there, and no address that was cut', () => {
    expect(list('a,b\n1,2\n', 'text/csv')).toBeUndefined();
    expect(list('a,b\n1,2\n', 'text/csv', 'c')).toBeUndefined();
    expect(list('a,b\n1,2\n', 'text/csv', '3')).toBeUndefined();
    const long = `https://a.example/${'x'.repeat(2000)}`;
    expect(readList(`url\n${long}\nhttps://b.example\n`, 'text/csv', 'url')).toEqual({
      addresses: ['https://b.example'],
      tooLong: 1,
    });
  });

  it('is the links of Markdown, without what surrounds them', () => {
    const text = `See [one](https://a.example/x_(y)), <https://b.example/?q=1>, and https://c.example/z. **https://d.example**
[ref]: https://e.example/r "Title"
([two](https://f.example/two "T")) and https://g.example/a,b; end`;
    expect(list(text, 'text/markdown')).toEqual([
      'https://a.example/x_(y)',
      'https://b.example/?q=1',
      'https://c.example/z',
      'https://d.example',
      'https://e.example/r',
      'https://f.example/two',
      'https://g.example/a,b',
    ]);
  });

  it('is read of any text, in time that grows with it', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('text/plain', 'text/csv', 'text/markdown'),
        (text, type) => {
          for (const address of list(text, type) ?? []) expect(address).not.toBe('');
        },
      ),
    );
    const began = performance.now();
    for (const tail of ['.', ')', '(', '[](', '.)', '"', ',\n'])
      for (const type of ['text/plain', 'text/csv', 'text/markdown'])
        list(`https://a.example/${tail.repeat(300_000)}`, type);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

function streamOf(bytes: Uint8Array | string, piece = 7): ReadableStream<Uint8Array> {
  const all = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= all.length) return controller.close();
      controller.enqueue(all.slice(at, (at += piece)));
    },
  });
}

const ALL = { skip: 0, count: 1000, characters: 100_000 };
const read = async (text: Uint8Array | string, bounds = ALL, piece?: number) =>
  readSitemap(streamOf(text, piece), () => true, bounds);

const map = (...addresses: string[]) =>
  `<?xml version="1.0"?>\n<urlset xmlns="x">${addresses.map((each) => `<url><loc>${each}</loc><image:image><image:loc>https://i.example</image:loc></image:image></url>`).join('')}</urlset>`;

describe('a sitemap', () => {
  it('has pages, or leads to other sitemaps', async () => {
    expect(await read(map('https://a.example/?a=1&amp;b=2', ' <![CDATA[https://b.example]]>\n'))).toEqual({
      kind: 'pages',
      addresses: ['https://a.example/?a=1&b=2', 'https://b.example'],
      more: false,
      tooLong: 0,
    });
    const index = '<sitemapindex><sitemap><loc>https://a.example/1.xml</loc></sitemap></sitemapindex>';
    expect(await read(index)).toMatchObject({ kind: 'index', addresses: ['https://a.example/1.xml'] });
  });

  it('comes packed or as text', async () => {
    expect(await read(gzipSync(map('https://a.example')))).toMatchObject({ addresses: ['https://a.example'] });
    expect(await read('\uFEFFhttps://a.example\r\nhttps://b.example')).toMatchObject({
      addresses: ['https://a.example', 'https://b.example'],
    });
  });

  it('is taken a piece at a time, nothing twice and nothing lost', async () => {
    const addresses = Array.from({ length: 50 }, (_, number) => `https://a.example/${number}`);
    const found: string[] = [];
    for (;;) {
      const { addresses: some, more } = await read(map(...addresses), {
        skip: found.length,
        count: 7,
        characters: 100,
      });
      found.push(...some);
      if (!more) break;
    }
    expect(found).toEqual(addresses);
  });

  it('is none where it is a page, broken, or nothing', async () => {
    await expect(read('<!doctype html><url><loc>https://a.example</loc></url>')).rejects.toThrow(/no sitemap/);
    await expect(read(gzipSync(map('https://a.example')).subarray(0, 30))).rejects.toThrow(/broken/);
    expect(await read('')).toMatchObject({ addresses: [] });
  });

  it('may not be endless, packed or not', async () => {
    const bomb = gzipSync(new Uint8Array(MAX_SITEMAP_BYTES + 1000).fill(0x20));
    expect(bomb.byteLength).toBeLessThan(100_000);
    await expect(read(bomb, ALL, 10_000)).rejects.toThrow(/larger than sitemaps/);
    const entities = `<!DOCTYPE x [<!ENTITY a "${'a'.repeat(100)}"><!ENTITY b "${'&a;'.repeat(100)}">]><urlset><url><loc>https://a.example/${'&b;'.repeat(100)}</loc></url></urlset>`;
    expect((await read(entities)).addresses[0]?.length).toBeLessThan(500);
    expect(await read(map(`https://a.example/${'x'.repeat(5000)}`))).toMatchObject({ addresses: [], tooLong: 1 });
  });

  it('is read of any bytes, wherever they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 20 }), async (bytes, piece) => {
        const failed = await read(bytes, ALL, piece).then(
          () => 'CarrelError',
          (thrown: Error) => thrown.name,
        );
        expect(failed).toBe('CarrelError');
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.webUrl()), fc.integer({ min: 1, max: 40 }), async (urls, piece) => {
        const escaped = urls.map((each) => each.replaceAll('&', '&amp;').replaceAll('<', '&lt;'));
        expect((await read(map(...escaped), ALL, piece)).addresses).toEqual(urls);
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';

import { reachCore } from '../../src/files/extract/pdf/core.ts';
import type { Core } from '../../src/files/extract/pdf/core.ts';
import { limitPdf } from '../../src/files/extract/pdf/limits.ts';
import { joined, toHex } from '../../src/lib/encoding.ts';
import { deflated, latin1 } from '../fixtures/files/bytes.ts';
import { PDF, onlyPart, reasonOf, textOf } from '../fixtures/files/extracting.ts';
import { encryptedPdf, FONT, onePage, pdfFile, shows, textPdf } from '../fixtures/files/pdf.ts';

describe('a PDF', () => {
  // Comes first, so that all of them find pdf.js without its limits.
  it('is read from any part of a buffer, and by several at the same time', async () => {
    const bytes = textPdf([['text']]);
    const inside = joined([new Uint8Array(7), bytes, new Uint8Array(9)]).subarray(7, 7 + bytes.length);
    const all = await Promise.all(Array.from({ length: 4 }, async () => onlyPart(inside, PDF)));
    expect(all).toEqual(['text', 'text', 'text', 'text']);
  });

  it('has pages, those without text among them, and a title', async () => {
    const bytes = textPdf([['One (1)', 'two'], [], ['three']], { info: '<</Title(A title)>>' });
    const before = bytes.slice();
    expect(await textOf(bytes, PDF)).toEqual({
      kind: 'text',
      unit: 'page',
      parts: [
        { label: '1', text: 'One (1)\ntwo' },
        { label: '2', text: '' },
        { label: '3', text: 'three' },
      ],
      title: 'A title',
      truncated: false,
    });
    expect(bytes, 'the bytes stay as they were').toEqual(before);
  });

  it('has the title of its metadata where its information has none', async () => {
    const xmp =
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">From XMP</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>';
    const bytes = pdfFile([
      '<</Type/Catalog/Pages 2 0 R/Metadata 6 0 R>>',
      '<</Type/Pages/Kids[3 0 R]/Count 1>>',
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F 4 0 R>>>>/Contents 5 0 R>>`,
      FONT,
      { dictionary: '', data: shows('text') },
      { dictionary: '/Type/Metadata/Subtype/XML', data: xmp },
    ]);
    expect((await textOf(bytes, PDF)).title).toBe('From XMP');
  });

  it.each([
    ['/FlateDecode', async (text: string) => deflated(latin1(text), 'deflate')],
    ['[/ASCIIHexDecode/Fl]', async (text: string) => latin1(toHex(await deflated(latin1(text), 'deflate')))],
    ['/AHx', async (text: string) => latin1(toHex(latin1(text)))],
  ])('is read through %s', async (filter, encode) => {
    expect(await onlyPart(onePage({ dictionary: `/Filter${filter}`, data: await encode(shows('text')) }), PDF)).toBe(
      'text',
    );
  });

  it('is read where its glyphs are drawings', async () => {
    const font =
      '<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]/FirstChar 97/LastChar 98/Widths[9 9]/Encoding<</Differences[97/h/i]>>/CharProcs<</h 6 0 R/i 6 0 R>>/Resources<<>>>>';
    const glyph = { dictionary: '', data: '9 0 d0 0 0 9 9 re f' };
    const bytes = onePage({ dictionary: '', data: 'BT /F 12 Tf 72 720 Td (ab) Tj ET' }, [font, glyph], {
      resources: '/Font<</F 5 0 R>>',
    });
    expect(await onlyPart(bytes, PDF)).toBe('hi');
  });

  it('is read where it is encrypted without a password', async () => {
    expect(await onlyPart(encryptedPdf(latin1(shows('open to all')), ''), PDF)).toBe('open to all');
  });

  it('is read where its table is missing', async () => {
    expect(await onlyPart(textPdf([['found']], { withoutTable: true }), PDF)).toBe('found');
  });

  it('has as many pages as may be, and as much text', async () => {
    const bytes = textPdf([['one'], ['two'], ['three']]);
    const pages = await textOf(bytes, PDF, { limits: { pages: 2 } });
    expect([pages.parts.length, pages.truncated]).toEqual([2, true]);
    const characters = await textOf(bytes, PDF, { limits: { characters: 4 } });
    expect([characters.parts.map(({ text }) => text), characters.truncated]).toEqual([['one', 't'], true]);
  });

  it('is none of what is no PDF, or has no text, or no time', async () => {
    expect(await reasonOf(textPdf([['x']]), PDF, { limits: { milliseconds: 0 } })).toBe('too_slow');
    expect(await reasonOf('%PDF-1.7\n', PDF)).toBe('malformed');
    expect(await reasonOf('hello', PDF)).toBe('malformed');
    expect(await reasonOf(onePage({ dictionary: '', data: '0 0 10 10 re f' }), PDF)).toBe('no_text');
  });

  it('is not read where pdf.js is not as its limits expect it', async () => {
    await expect(reachCore([])).rejects.toThrow('pdf.js is not as its limits expect it');
    await expect(reachCore([{}, {}, {}])).rejects.toThrow('pdf.js is not as its limits expect it');
    expect(() => limitPdf({ decodingStream: {} } as Core)).toThrow('pdf.js is not as its limits expect it');
  });
});

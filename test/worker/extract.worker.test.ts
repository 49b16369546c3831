import { describe, expect, it } from 'vitest';

import { extractText } from '../../src/files/extract/extract-text.ts';
import type { Extraction } from '../../src/files/extract/model.ts';
import { describeTable } from '../../src/files/extract/tables/describe-table.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { latin1, utf16le } from '../fixtures/files/bytes.ts';
import { docxFile, paragraph } from '../fixtures/files/docx.ts';
import { HOSTILE } from '../fixtures/files/hostile.ts';
import { encryptedPdf, shows, textPdf } from '../fixtures/files/pdf.ts';

const PDF = 'application/pdf';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

/** A reason, or `text: ` with the beginning of the first part that has some. */
function outcome(extraction: Extraction): string {
  if (extraction.kind === 'none') return extraction.reason;
  return `text: ${extraction.parts.find(({ text }) => text !== '')?.text.slice(0, 40) ?? ''}`;
}

describe('text, in workerd', () => {
  it('is that of a PDF', async () => {
    const bytes = textPdf([['first page'], ['second', 'page']], { info: '<</Title(A title)>>' });
    expect(await extractText(bytes, PDF)).toEqual({
      kind: 'text',
      unit: 'page',
      parts: [
        { label: '1', text: 'first page' },
        { label: '2', text: 'second\npage' },
      ],
      title: 'A title',
      truncated: false,
    });
    expect(outcome(await extractText(encryptedPdf(latin1(shows('for all')), ''), PDF))).toBe('text: for all');
    expect(outcome(await extractText(utf8('no PDF'), PDF))).toBe('malformed');
  });

  it('is that of a Word document', async () => {
    const bytes = await docxFile({ body: paragraph('One', 'berschrift1') + paragraph('text'), title: 'A title' });
    expect(await extractText(bytes, DOCX)).toEqual({
      kind: 'text',
      unit: 'section',
      parts: [{ label: 'One', text: 'One\n\ntext' }],
      title: 'A title',
      truncated: false,
    });
    expect(outcome(await extractText(bytes.slice(0, 300), DOCX))).toBe('malformed');
  });

  it.each([
    ['text/html', utf8('<title>t</title><h1>a &amp; b</h1><p hidden>no</p><p>c'), 'text: a & b\n\nc'],
    ['text/html', latin1('<meta charset="windows-1252"><p>\u0080'), 'text: €'],
    ['text/markdown', utf8('# a\nb'), 'text: # a\nb'],
    ['text/plain', Uint8Array.from([0xff, 0xfe, ...utf16le('naïve')]), 'text: naïve'],
    ['image/png', utf8('x'), 'unsupported'],
  ])('is that of %s', async (type, bytes, expected) => {
    expect(outcome(await extractText(bytes, type))).toBe(expected);
  });

  it('is asked for by several at the same time', async () => {
    const bytes = textPdf([['one of many']]);
    const all = await Promise.all(Array.from({ length: 5 }, async () => outcome(await extractText(bytes, PDF))));
    expect(new Set(all)).toEqual(new Set(['text: one of many']));
  });
});

describe('tables, in workerd', () => {
  it.each([
    ['text/csv', 'a,b\n1,"x\ny"\n', { columns: [{ type: 'integer' }, { type: 'string' }], rows: 1, badRows: 0 }],
    ['application/json', '[{"a":1},{"a":2.5}]', { rows: 2, schema: '{ a: number }[]' }],
    ['application/x-ndjson', '{"a":1}\n{"a":2}\n', { rows: 2, schema: '{ a: integer }[]' }],
  ])('of %s are described', async (type, text, expected) => {
    expect(await describeTable(new Blob([text]).stream(), type)).toMatchObject(expected);
  });

  it('of which there is more are let go', async () => {
    const stream = new Blob([`a,b\n${'1,2\n'.repeat(100_000)}`]).stream();
    expect(await describeTable(stream, 'text/csv', { limits: { bytes: 10_000 } })).toMatchObject({ more: true });
  });
});

describe('what is hostile, in workerd', () => {
  it.for(HOSTILE.filter(({ type, slow }) => (type === PDF || type === DOCX) && slow !== true))(
    '$name',
    async ({ type, make, outcome: expected }) => {
      const bytes = await make();
      const began = Date.now();
      const found = outcome(await extractText(bytes, type));
      console.log(`${Date.now() - began} ms: ${found}`);
      expect(found.slice(0, expected.length)).toBe(expected);
    },
  );
});

import { describe, expect, it } from 'vitest';

import { utf8 } from '../../src/lib/encoding.ts';
import { zerosZlib } from '../fixtures/files/bytes.ts';
import { docxFile, paragraph } from '../fixtures/files/docx.ts';
import { onePage, textPdf } from '../fixtures/files/pdf.ts';
import { useBundledWorker } from '../support/bundled-worker.ts';

const PDF = 'application/pdf';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

describe('what reads files, bundled and minified for workerd', () => {
  const worker = useBundledWorker('extract', 'test/fixtures/files/extract-worker.ts');

  async function post(path: string, type: string, body: Uint8Array<ArrayBuffer>): Promise<unknown> {
    const response = await fetch(worker.url + path, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body,
    });
    return response.json();
  }

  it('is loaded when it is needed, and is of a fair size', () => {
    const { modules, source, gzipped } = worker;
    const sizes = modules().map((name) => [name, gzipped(name)] as const);
    for (const [name, size] of sizes) console.log(`${name}: ${Math.round(size / 1000)} KB when gzipped`);
    expect(gzipped('index.js')).toBeLessThan(2000);
    const parsers = sizes.filter(([name]) => /FlateDecode|ContentDocument|&notin/.test(source(name)));
    expect(parsers.some(([name]) => name === 'index.js')).toBe(false);
    // pdf.js alone is half a megabyte.
    expect(sizes.reduce((sum, [, size]) => sum + size, 0)).toBeLessThan(600_000);
    for (const name of modules()) expect(source(name), name).not.toMatch(/\bnew Function\(|\beval\(/);
  });

  it('reads every format', async () => {
    expect(await post('/', PDF, textPdf([['one'], ['two']]))).toMatchObject({
      parts: [{ text: 'one' }, { text: 'two' }],
    });
    const docx = await docxFile({ body: paragraph('One', 'berschrift1') + paragraph('two') });
    expect(await post('/', DOCX, docx)).toMatchObject({ parts: [{ label: 'One', text: 'One\n\ntwo' }] });
    expect(await post('/', 'text/html', utf8('<h1>a</h1>&eacute;'))).toMatchObject({ parts: [{ text: 'a\n\né' }] });
    expect(await post('/', 'text/markdown', utf8('# a'))).toMatchObject({ parts: [{ label: 'a' }] });
    expect(await post('/table', 'text/csv', utf8('a,b\n1,2\n'))).toMatchObject({ rows: 1 });
    expect(await post('/table', 'application/json', utf8('[{"a":1}]'))).toMatchObject({ schema: '{ a: integer }[]' });
  });

  it('keeps its limits, which the names inside pdf.js must survive', async () => {
    const bomb = onePage({ dictionary: '/Filter/FlateDecode', data: zerosZlib(1_000_000_000) });
    expect(await post('/', PDF, bomb)).toEqual({ kind: 'none', reason: 'too_large' });
  });
});

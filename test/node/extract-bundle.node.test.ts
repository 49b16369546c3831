import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startWorker } from '../../scripts/lib/bench/worker-host.ts';
import type { WorkerHost } from '../../scripts/lib/bench/worker-host.ts';
import { bundleWorker } from '../../scripts/lib/bundle.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { zerosZlib } from '../fixtures/files/bytes.ts';
import { docxFile, paragraph } from '../fixtures/files/docx.ts';
import { onePage, textPdf } from '../fixtures/files/pdf.ts';

const PDF = 'application/pdf';
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

describe('what reads files, bundled and minified for workerd', () => {
  let folder: string;
  let worker: WorkerHost;

  const modules = () => readdirSync(folder).filter((name) => name.endsWith('.js'));
  const source = (name: string) => readFileSync(join(folder, name), 'utf8');
  async function post(path: string, type: string, body: Uint8Array<ArrayBuffer>): Promise<unknown> {
    const response = await fetch(worker.url + path, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body,
    });
    return response.json();
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'carrel-extract-'));
    await bundleWorker({ root: ROOT, entry: 'test/fixtures/files/extract-worker.ts', folder });
    worker = await startWorker({
      name: 'extract',
      bundle: folder,
      compatibility: { date: '2026-09-25', flags: ['nodejs_compat'] },
      env: {},
    });
  }, 60_000);
  afterAll(async () => {
    await worker.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is loaded when it is needed, and is of a fair size', () => {
    const sizes = modules().map((name) => [name, gzipSync(source(name)).length] as const);
    for (const [name, size] of sizes) console.log(`${name}: ${Math.round(size / 1000)} KB when gzipped`);
    expect(gzipSync(source('index.js')).length).toBeLessThan(2000);
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

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startWorker } from '../../scripts/lib/bench/worker-host.ts';
import type { WorkerHost } from '../../scripts/lib/bench/worker-host.ts';
import { bundleWorker } from '../../scripts/lib/bundle.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import type { PageReading } from '../../src/research/page/model.ts';
import { page } from '../fixtures/pages/reading.ts';

describe('what reads pages, bundled and minified for workerd', () => {
  let folder: string;
  let worker: WorkerHost;

  const source = (name: string) => readFileSync(join(folder, name), 'utf8');

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'carrel-pages-'));
    await bundleWorker({ root: ROOT, entry: 'scripts/lib/bench/page-worker.ts', folder });
    worker = await startWorker({
      name: 'pages',
      bundle: folder,
      compatibility: { date: '2026-09-25', flags: ['nodejs_compat'] },
      env: {},
    });
  }, 60_000);
  afterAll(async () => {
    await worker.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is loaded when it is needed, formulas apart, and is of a fair size', () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.js'));
    const sizes = names.map((name) => [name, gzipSync(source(name)).length] as const);
    for (const [name, size] of sizes) console.log(`${name}: ${Math.round(size / 1000)} KB when gzipped`);
    const withReadability = names.filter((name) => source(name).includes('unlikelyCandidates'));
    const withFormulas = names.filter((name) => source(name).includes('munderover'));
    expect([withReadability.length, withFormulas.length]).toEqual([1, 1]);
    expect(new Set([...withReadability, ...withFormulas, 'index.js']).size).toBe(3);
    expect(gzipSync(source('index.js')).length).toBeLessThan(2000);
    expect(sizes.reduce((sum, [, size]) => sum + size, 0)).toBeLessThan(130_000);
    for (const name of names) expect(source(name), name).not.toMatch(/\bnew Function\(|\beval\(/);
  });

  it('reads a page, and its formulas', async () => {
    const body = page('<p>So <math><msup><mi>x</mi><mn>2</mn></msup></math> it is.</p>');
    const answer = await fetch(worker.url, { method: 'POST', headers: { 'Content-Type': 'text/html' }, body });
    const reading = (await answer.json()) as PageReading;
    expect(reading).toMatchObject({ kind: 'page', extent: 'main', metadata: { title: 'Bees' } });
    expect(reading.kind === 'page' && reading.markdown).toContain('So $x^{2}$ it is.');
  });
});

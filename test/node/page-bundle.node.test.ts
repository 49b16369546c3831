import { describe, expect, it } from 'vitest';

import type { PageReading } from '../../src/research/page/model.ts';
import { page } from '../fixtures/pages/reading.ts';
import { useBundledWorker } from '../support/bundled-worker.ts';

describe('what reads pages, bundled and minified for workerd', () => {
  const worker = useBundledWorker('pages', 'scripts/lib/bench/page-worker.ts');

  it('is loaded when it is needed, formulas apart, and is of a fair size', () => {
    const { modules, source, gzipped } = worker;
    const names = modules();
    const sizes = names.map((name) => [name, gzipped(name)] as const);
    for (const [name, size] of sizes) console.log(`${name}: ${Math.round(size / 1000)} KB when gzipped`);
    const withReadability = names.filter((name) => source(name).includes('unlikelyCandidates'));
    const withFormulas = names.filter((name) => source(name).includes('munderover'));
    expect([withReadability.length, withFormulas.length]).toEqual([1, 1]);
    expect(new Set([...withReadability, ...withFormulas, 'index.js']).size).toBe(3);
    expect(gzipped('index.js')).toBeLessThan(2000);
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

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { HOSTILE } from '../fixtures/files/hostile.ts';

/** MB of JavaScript's heap. A Worker has 128 for it and all buffers together. */
const HEAP_MB = 100;
/** MB that the process may come to hold beyond what it held before: heap, buffers, and code of the parser. */
const GROWTH_MB = 192;

/**
 * Reads one file in a process of its own, because only there memory can be bounded and measured: beyond its
 * heap the process dies. Its high-water mark is what Linux keeps.
 */
const CHILD = `
  import { readFileSync } from 'node:fs';
  const [, path, type, module] = process.argv;
  const highest = () => Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1000;
  const { extractText } = await import(module);
  const bytes = new Uint8Array(readFileSync(path));
  const [before, began] = [highest(), performance.now()];
  const extraction = await extractText(bytes, type);
  const text = extraction.kind === 'text' ? extraction.parts.find((part) => part.text !== '').text : '';
  const outcome = extraction.kind === 'text' ? 'text: ' + text.slice(0, 40) : extraction.reason;
  console.log(JSON.stringify({ outcome, milliseconds: performance.now() - began, growth: highest() - before }));
`;

interface Report {
  readonly outcome: string;
  readonly milliseconds: number;
  /** MB. */
  readonly growth: number;
}

describe('what is hostile costs no more than it may', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'carrel-hostile-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(HOSTILE)('$name', { timeout: 60_000 }, async ({ type, make, outcome }) => {
    const path = join(folder, 'file');
    writeFileSync(path, await make());
    const heap = [`--max-old-space-size=${HEAP_MB}`, '--max-semi-space-size=8', '--no-warnings'];
    const module = new URL('../../src/files/extract/extract-text.ts', import.meta.url).href;
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...heap,
      '--input-type=module',
      '--eval',
      CHILD,
      path,
      type,
      module,
    ]);
    const report = JSON.parse(stdout) as Report;
    console.log(`${Math.round(report.milliseconds)} ms, ${Math.round(report.growth)} MB: ${report.outcome}`);
    expect(report.outcome.slice(0, outcome.length)).toBe(outcome);
    expect(report.growth).toBeLessThan(GROWTH_MB);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ENTRY_GZIP_LIMIT, kilobytes } from '../../scripts/lib/bundle-size.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { showsLog } from '../support/test-log.ts';

/**
 * docs/your-own-toolset.md prints the code of `cart` as it is in the checkout, whose tests then are
 * tests of what is printed.
 */
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/your-own-toolset.md');

const printed = [...page.matchAll(/^## [^\n]*: `(?<path>[^`]+)`\n\n```ts\n(?<code>.*?\n)```$/gms)].map(
  ({ groups }) => ({
    path: groups?.['path'] ?? '',
    code: groups?.['code'] ?? '',
  }),
);
const named = [...page.matchAll(/^`(?<path>src\/[^`]+)` lists.*?```diff\n(?<lines>.*?\n)```$/gms)].map(
  ({ groups }) => ({
    path: groups?.['path'] ?? '',
    lines: (groups?.['lines'] ?? '').split('\n').filter((line) => line.startsWith('+')),
  }),
);

/** What is printed of no file that the reader makes: pieces of a toolset that the tests call. */
const pieces = [...page.matchAll(/^```ts\n(?<code>.*?\n)```$/gms)]
  .map(({ groups }) => groups?.['code'] ?? '')
  .filter((code) => !printed.some((file) => file.code === code));
const unindented = (code: string): string => code.replaceAll(/^ +/gm, '');

/** Neither empty nor a comment alone. */
const isCode = (line: string): boolean => !/^\s*(?:$|\/\*\*|\*|\/\/)/.test(line);

describe('the tutorial of a toolset of your own', () => {
  it('has a store, tools and a test, and names them in two files', () => {
    expect(printed.map(({ path }) => path)).toEqual([
      'src/cart/store.ts',
      'src/cart/tools.ts',
      'test/worker/cart.worker.test.ts',
    ]);
    expect(named.map(({ path, lines }) => [path, lines.length])).toEqual([
      ['src/workspace/features.ts', 2],
      ['src/toolsets.ts', 2],
    ]);
  });

  it.each(printed)('prints $path as it is', ({ path, code }) => {
    expect(code).toBe(read(path));
  });

  it.each(named)('names the lines that $path has', ({ path, lines }) => {
    const there = read(path).split('\n');
    for (const line of lines) expect(there).toContain(line.slice(1));
  });

  it('prints of other toolsets what the tests call', () => {
    expect(pieces).toHaveLength(2);
    for (const code of pieces) expect(unindented(read('test/support/toolsets.ts'))).toContain(unindented(code));
  });

  it('says what the gates are', () => {
    const limit = /const TOKEN_LIMIT = (\d+);/.exec(read('test/node/registry.node.test.ts'))?.[1];
    expect(page).toContain(`${limit ?? 'no limit'} tokens together`);
    expect(page).toContain(`${kilobytes(ENTRY_GZIP_LIMIT)}, gzipped`);
  });

  it('is as short as it says, and has less than 80 lines of code', () => {
    const code = printed.flatMap((file) => file.code.split('\n')).filter(isCode);
    const lines = code.length + named.reduce((sum, file) => sum + file.lines.length, 0);
    expect(lines).toBeLessThan(80);
    expect(page).toContain(`in ${lines} lines of code`);
  });

  it('points to what is there', () => {
    for (const [, path = ''] of page.matchAll(/`((?:src|test|docs)\/[\w./-]+)`/g))
      expect(() => read(path.endsWith('/') ? `${path}../../package.json` : path), path).not.toThrow();
  });

  it('lets the log of a test say why a tool failed, and no more', () => {
    const shown: string[] = [];
    const show = (line: string) => showsLog(line, 'a book is added', (text) => void shown.push(text));
    expect(show('{"type":"tool_called","tool":"reading_add","outcome":"internal"}\n')).toBe(false);
    const error = { name: 'TypeError', message: '`reading_add` gave what its `output` does not allow' };
    expect(show(`${JSON.stringify({ type: 'tool_failed', requestId: 'r1', tool: 'reading_add', error })}\n`)).toBe(
      false,
    );
    expect(shown).toEqual([
      '\ntool_failed reading_add r1\n  TypeError: `reading_add` gave what its `output` does not allow\n  during "a book is added"\n\n',
    ]);
    expect(show('what a test prints')).toBe(true);
  });
});

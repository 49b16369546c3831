import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ROOT } from '../../scripts/lib/paths.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const page = read('docs/security.md');
const attacks = page.slice(page.indexOf('\n## Attacks\n'), page.indexOf('\n## What is not protected yet\n'));

/** The rows of the tables: attack, what stops it, the tests. */
const rows = attacks
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (?:-|attack )/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, attack = '', stop = '', tests = '', ...rest]) => ({ attack, stop, tests, rest }));

const TEST = /^`(?<file>test\/[\w./-]+\.test\.ts)`: (?<ticks>`+) ?(?<title>.+?) ?\k<ticks>$/;

/** The titles that a file gives to groups and to tests. Not of the rest of its text: a comment is no test. */
function titlesOf(file: string): { groups: ReadonlySet<string>; tests: ReadonlySet<string> } {
  const [groups, tests] = [new Set<string>(), new Set<string>()];
  // A call, or the second one of `it.each(…)(…)`: there the title follows what closes the cases.
  const calls =
    /(?<!\.)\b(?:(?<kind>describe|it|test)|(?<each>describe|it|test)\.each(?:<[^;]*?>)?\([^;]*?\))\(\s*(?<quote>['"`])(?<title>.*?)\k<quote>,/g;
  const code = read(file).replaceAll(/^\s*\/\/.*$/gm, '');
  for (const { groups: found = {} } of code.matchAll(calls)) {
    const kind = found['kind'] ?? found['each'];
    (kind === 'describe' ? groups : tests).add(found['title'] ?? '');
  }
  return { groups, tests };
}

describe('docs/security.md', () => {
  it('has at least 45 attacks, each once', () => {
    expect(rows.length).toBeGreaterThanOrEqual(45);
    expect(new Set(rows.map(({ attack }) => attack)).size).toBe(rows.length);
    for (const { rest } of rows) expect(rest).toEqual(['']);
  });

  it.each(rows)('shows a test for: $attack', ({ tests }) => {
    expect(tests).not.toBe('');
    for (const named of tests.split('<br>')) {
      expect(named).toMatch(TEST);
      const { file = '', title = '' } = TEST.exec(named)?.groups ?? {};
      const titles = titlesOf(file);
      const path = title.split(' › ');
      expect([...titles.tests], `${file} has no such test`).toContain(path.at(-1));
      for (const group of path.slice(0, -1)) expect([...titles.groups], `${file} has no such group`).toContain(group);
    }
  });

  it.each(rows)('names what stops: $attack', ({ stop }) => {
    const files = [...stop.matchAll(/`(?<file>(?:src|scripts|migrations)\/[\w./-]+)`/g)];
    expect(files).not.toEqual([]);
    for (const { groups } of files) expect(existsSync(join(ROOT, groups?.['file'] ?? '')), groups?.['file']).toBe(true);
  });

  it('names no other file that is not there', () => {
    for (const [, file = ''] of page.matchAll(/`((?:src|test|docs|scripts|migrations)\/[\w./-]+)`/g))
      expect([file, existsSync(join(ROOT, file))]).toEqual([file, true]);
  });
});

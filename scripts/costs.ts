/**
 * `npm run costs`: counts what calls cost and writes it into docs/limits.md. The tests hold that page
 * against the count; this brings it up to date after a change of a store, a scope or an answer.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { replaceTables, tablesIn } from './lib/markdown-tables.ts';
import { ROOT } from './lib/paths.ts';
import { lastWords } from './lib/wrangler.ts';
import { faint, MARKS, onlyHelp, runScript, Stop, strong } from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run costs')}   counts what calls cost, for the tables of docs/limits.md
`;

const PAGE = join(ROOT, 'docs/limits.md');

const bin = (name: string, args: readonly string[]) =>
  spawnSync(join(ROOT, 'node_modules/.bin', name), args, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });

await runScript(async () => {
  if (onlyHelp(USAGE)) return;
  const counted = bin('vitest', ['run', '--project', 'worker', 'test/worker/costs']);
  const tables = tablesIn(stripVTControlCharacters(counted.stdout));
  if (tables.length === 0) throw new Stop(`The count did not come to its end:\n${lastWords(counted.stdout, 20)}`);
  const before = readFileSync(PAGE, 'utf8');
  writeFileSync(PAGE, replaceTables(before, tables));
  const formatted = bin('oxfmt', [PAGE]);
  if (formatted.status !== 0) throw new Stop(lastWords(formatted.stderr));
  const said = readFileSync(PAGE, 'utf8') === before ? 'says what was counted' : 'was brought up to date';
  process.stdout.write(`\n  ${MARKS.done()} docs/limits.md ${said} ${faint(`${tables.length} tables`)}\n\n`);
});

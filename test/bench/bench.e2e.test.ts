import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { ROOT } from '../../scripts/lib/paths.ts';

/** What a run leaves in its folder for temporary files can be seen there. */
const temporary = mkdtempSync(join(tmpdir(), 'carrel-bench-test-'));
const profiles = mkdtempSync(join(tmpdir(), 'carrel-profiles-'));
afterAll(() => {
  for (const folder of [temporary, profiles]) rmSync(folder, { recursive: true, force: true });
});

const bench = async (...args: string[]) => run('bench.ts', ...args);

async function run(script: string, ...args: string[]): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, ['--no-warnings', join(ROOT, 'scripts', script), ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}

/** What it is worth on this machine now is nothing that a test may ask. */
describe('npm run bench', () => {
  it('measures every case and says how it stands to what is wanted', async () => {
    const { status, output } = await bench('--rounds', '1', '--seconds', '0.2');
    expect(status, output).toBe(0);
    for (const row of [
      'Echo of fastmcp on Node, 2025',
      "The SDK's own echo, 2025",
      "The SDK's own echo",
      'GET /healthz',
      'state_get, 10 keys, 2025',
      'state_get, 10 keys',
      'state_get, 100,000 keys',
      'state_set, 10 keys',
      'session_list, 11 sessions',
      'file_list, 1,000 files',
      'file_list, 100,000 files',
      'file_search, 1,000 files',
      'file_search, 100,000 files',
      'file_read, 1,000 files',
      'file_read, 100,000 files',
      String.raw`tools/list, \d+ tools`,
      'Refused: a token nobody issued',
      'Refused: the grant was ended',
    ])
      expect(output).toMatch(new RegExp(`^  ${row} +[\\d,]+ .*\\d\\.\\d`, 'm'));
    expect(output).toMatch(/^  [✔!] state_get to the SDK's own echo: \d/m);
    expect(output).toMatch(/^  [✔!] Time at 100,000 keys to that at 10: \d/m);
    for (const tool of ['file_list', 'file_search', 'file_read'])
      expect(output).toMatch(new RegExp(`^  [✔!] ${tool} at 100,000 files to 1,000: \\d`, 'm'));
    expect(readdirSync(temporary)).toEqual([]);
  }, 120_000);

  it('takes profiles that name the places in the source', async () => {
    const { status, output } = await bench('--profile', '--seconds', '0.5', '--case', 'state-get', '--out', profiles);
    expect(status, output).toBe(0);
    expect(output).toMatch(/^ +[\d.]+ +\d+% {2}src\/mcp\//m);
    expect(output).toMatch(/^ +[\d.]+ +\d+% {2}@modelcontextprotocol\/server/m);
    expect(JSON.parse(readFileSync(join(profiles, 'state-get.cpuprofile'), 'utf8'))).toHaveProperty('nodes');
    expect(readdirSync(temporary)).toEqual([]);
  }, 120_000);

  it('says which cases there are', async () => {
    const { status, output } = await bench('--case', 'everything');
    expect(status, output).toBe(1);
    expect(output).toMatch(/There is no case everything\. There are: healthz, .*state-get,/s);
  });
});

describe('npm run bench:files', () => {
  it('sends a file up and down by turns with a Worker that only pipes, and says how it stands to it', async () => {
    const { status, output } = await run('bench-files.ts', '--rounds', '2', '--mb', '3');
    expect(status, output).toBe(0);
    for (const way of ['Upload', 'Download'])
      expect(output).toMatch(new RegExp(`^  ${way} +\\d+ MB/s +\\d+ MB/s +\\d\\.\\d\\d +[✔!] at least 0\\.9$`, 'm'));
    expect(readdirSync(temporary)).toEqual([]);
  }, 120_000);
});

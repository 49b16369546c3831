import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { wranglerEntry } from './paths.ts';

/** The environment for wrangler: nothing is reported home, nothing is advertised, nothing is asked. */
export function wranglerEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  // Another Worker than the project's own is built only for whoever asks for it by name, never for a deployment.
  const { CARREL_ENTRY: _entry, CARREL_DIST: _dist, ...rest } = env;
  return {
    ...rest,
    WRANGLER_SEND_METRICS: 'false',
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_WRITE_LOGS: 'false',
    WRANGLER_NO_SKILLS_UPDATE_PROMPTS: 'true',
  };
}

/** The end of wrangler's output, without colours and empty lines, for an error message. */
export function lastWords(output: string, lines = 12): string {
  return stripVTControlCharacters(output)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-lines)
    .join('\n');
}

/** Has wrangler keep its temporary files in `folder`: a command that fails and a server that is killed leave some. */
export function temporaryFolder(folder: string): NodeJS.ProcessEnv {
  return { TMPDIR: folder, TMP: folder, TEMP: folder };
}

export interface WranglerResult {
  readonly code: number | null;
  /** Everything that was written to stdout and stderr, in the order of arrival. */
  readonly output: string;
}

/**
 * Runs one wrangler command to its end. It never asks: CI=1 makes every question answer itself.
 *
 * @throws only if the process cannot be started; a failing command is a `code` other than 0
 */
export async function runWrangler(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<WranglerResult> {
  const temporary = mkdtempSync(join(tmpdir(), 'carrel-wrangler-'));
  const child = spawn(process.execPath, ['--no-warnings', wranglerEntry(), ...args], {
    cwd: options.cwd,
    env: { ...wranglerEnvironment(options.env), ...temporaryFolder(temporary), CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer): void => void (output += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => rmSync(temporary, { recursive: true, force: true, maxRetries: 3 }));
  return { code, output };
}

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

import { ROOT } from './lib/paths.ts';
import { runScript, Stop } from './lib/terminal.ts';

/** Debian and its family, Fedora, Arch; then Google's own package. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The Chromium to test with: CARREL_CHROMIUM, or the first that is installed.
 *
 * @throws Stop that says what to install or to mend
 */
function findChromium(env: NodeJS.ProcessEnv): string {
  const chosen = env['CARREL_CHROMIUM'];
  if (chosen) {
    if (isAbsolute(chosen) && isExecutable(chosen)) return chosen;
    throw new Stop('CARREL_CHROMIUM must be the absolute path of an executable, such as /usr/bin/chromium.');
  }
  const folders = ['/usr/bin', ...(env['PATH'] ?? '').split(delimiter).filter(isAbsolute)];
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
  if (found) return found;
  throw new Stop('No Chromium. Run `apt-get update && apt-get install -y chromium`, or set CARREL_CHROMIUM to one.');
}

// Arguments go on to vitest: `npm run test:browser -- sign-in`.
async function main(): Promise<void> {
  const chromium = findChromium(process.env);
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--config', 'vitest.browser.config.ts', ...process.argv.slice(2)],
    { cwd: ROOT, stdio: 'inherit', env: { ...process.env, CARREL_CHROMIUM: chromium } },
  );
  // Ctrl-C reaches vitest by itself, through the terminal; this process stays until it has cleaned up.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

await runScript(main);

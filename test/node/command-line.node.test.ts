import { spawn } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/lib/paths.ts';
import { folder, removeFolders, SLOW } from '../support/scripts.ts';

afterAll(removeFolders);

describe('what a script is started with', () => {
  /** Runs a script to its end. */
  async function run(nodeOptions: readonly string[], script: string, ...args: string[]) {
    const child = spawn(process.execPath, [...nodeOptions, join(ROOT, 'scripts', script), ...args], {
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    return { code, output };
  }

  it.each([
    ['start.ts', ['9001'], 'It takes no 9001.', 'npm start '],
    ['start.ts', ['--port', 'x'], '--port takes a whole number', 'npm start '],
    ['demo.ts', ['--bogus'], 'It takes no --bogus.', 'npm run demo'],
    ['doctor.ts', ['--bogus'], `Unknown option '--bogus'.`, 'npm run doctor'],
    ['deploy.ts', ['--bogus'], `Unknown option '--bogus'.`, 'npm run deploy'],
    ['measure-memory.ts', ['--megabytes', '0'], '--megabytes takes', 'npm run measure:memory'],
  ] as const)('%s refuses %j with its usage', SLOW, async (script, args, problem, usage) => {
    const refused = await run([], script, ...args);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`✘ ${problem}`);
    expect(refused.output).toContain(`\n  ${usage}`);
    for (const line of refused.output.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);

    const help = await run([], script, '--help');
    expect(help.code).toBe(0);
    expect(help.output).toContain(`\n  ${usage}`);
  });

  it('is looked at before the first TypeScript file', SLOW, async () => {
    const preflight = ['--import', join(ROOT, 'scripts/preflight.mjs')];
    expect(await run(preflight, 'demo.ts', '--help')).toMatchObject({ code: 0 });
    const old = await run([...preflight, '--no-strip-types'], 'demo.ts', '--help');
    expect(old).toMatchObject({ code: 1, output: expect.stringMatching(/cannot run this. Start it through npm/) });

    const bare = folder();
    mkdirSync(join(bare, 'scripts'));
    cpSync(join(ROOT, 'scripts/preflight.mjs'), join(bare, 'scripts/preflight.mjs'));
    const missing = await run(['--import', join(bare, 'scripts/preflight.mjs')], 'demo.ts', '--help');
    expect(missing).toMatchObject({ code: 1, output: expect.stringContaining('Run npm ci first.') });
  });
});

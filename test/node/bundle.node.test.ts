import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bundleWorker } from '../../scripts/lib/bundle.ts';
import { wranglerEnvironment } from '../../scripts/lib/wrangler.ts';

describe('the bundle of the Worker', () => {
  let root: string;
  let folder: string;

  const write = (name: string, code: string) => writeFileSync(join(root, 'src', name), code);
  const build = async () => bundleWorker({ root, entry: 'src/index.ts', folder });
  const modules = () => readdirSync(folder).filter((name) => name.endsWith('.js'));

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'carrel-bundle-test-'));
    folder = join(root, 'dist');
    mkdirSync(join(root, 'src/lib'), { recursive: true });
    write('lib/no-debug.ts', 'export default () => {};');
    write('index.ts', `export default { fetch: async () => new Response((await import('./later.ts')).TEXT) };`);
    write('later.ts', `export const TEXT = 'first';`);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('has a module for each import(), and none of an earlier build', async () => {
    await build();
    const first = modules();
    expect(first).toEqual(['index.js', expect.stringMatching(/^later-\w+\.js$/)]);
    const { mtimeMs } = statSync(join(folder, 'index.js'));
    await build();
    // What did not change is not written: a server that watches it would start again.
    expect([modules(), statSync(join(folder, 'index.js')).mtimeMs]).toEqual([first, mtimeMs]);
    write('later.ts', `export const TEXT = 'second';`);
    await build();
    expect(modules()).toHaveLength(2);
    expect(modules()).not.toEqual(first);
  });

  it('leaves alone what is no module', async () => {
    mkdirSync(join(folder, 'notes'));
    writeFileSync(join(folder, 'notes/thesis.txt'), 'precious');
    await build();
    expect(readFileSync(join(folder, 'notes/thesis.txt'), 'utf8')).toBe('precious');
  });

  it('can be made by several at once, as by servers that watch the same files', async () => {
    for (let round = 0; round < 20; round++) {
      write('later.ts', `export const TEXT = 'round ${round}';`);
      await Promise.all([build(), build(), build()]);
      expect(modules()).toHaveLength(2);
    }
    expect(readdirSync(dirname(folder)).toSorted()).toEqual(['dist', 'src']);
  });

  it('is of the project’s own Worker wherever wrangler runs', () => {
    const env = wranglerEnvironment({ PATH: 'kept', CARREL_ENTRY: 'test/worker.ts', CARREL_DIST: 'elsewhere' });
    expect(env).toMatchObject({ PATH: 'kept' });
    expect(env).not.toHaveProperty('CARREL_ENTRY');
    expect(env).not.toHaveProperty('CARREL_DIST');
  });
});

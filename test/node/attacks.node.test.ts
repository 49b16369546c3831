import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { bundleWorker } from '../../scripts/lib/bundle.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { Registry } from '../../src/mcp/registry.ts';
import { parseSettings } from '../../src/settings.ts';
import { TOOLSETS } from '../../src/toolsets.ts';
import type { JobService } from '../../src/jobs/service.ts';
import { conformanceToolset } from '../conformance/toolset.ts';

describe('what is uploaded of this checkout', () => {
  const CANARY = 'canary-of-a-secret-'.padEnd(64, '0');
  const folder = mkdtempSync(join(tmpdir(), 'carrel-attacks-'));
  let code = '';

  beforeAll(async () => {
    for (const name of ['CARREL_SECRET', 'PERSON_ID_KEY', 'CLOUDFLARE_API_TOKEN']) vi.stubEnv(name, CANARY);
    await bundleWorker({ root: ROOT, entry: 'src/index.ts', folder });
    vi.unstubAllEnvs();
    for (const name of readdirSync(folder)) code += readFileSync(join(folder, name), 'utf8');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('holds no secret of the machine that builds it', () => {
    expect(code).toContain('CARREL_SECRET');
    expect(code).not.toContain(CANARY);
  });

  it('holds no toolset of the tests, and none can be turned on', async () => {
    expect(code).toContain('session_list');
    const { tools } = await new Registry([conformanceToolset(async () => ({}) as JobService)]).select(
      new URLSearchParams(),
    );
    expect(tools.size).toBeGreaterThan(0);
    // `greet` is a word that the examples of libraries have as well.
    const names = [...tools.keys()].filter((name) => name !== 'greet');
    for (const name of names) expect(code).not.toContain(name);
    const secret = 'x'.repeat(32);
    const settings = { CARREL_SECRET: secret, PERSON_ID_KEY: secret, TOOLSETS: 'conformance' };
    expect(parseSettings(settings, Object.keys(TOOLSETS))).toMatchObject({
      ok: false,
      faults: [{ setting: 'TOOLSETS' }],
    });
  });
});

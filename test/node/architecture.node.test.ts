import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, it } from 'vitest';

/**
 * Shows that the rules of scripts/lint/architecture.ts bite. Every file of the fixture project that
 * begins with `// Breaks <rule>: …` must break that rule, once, and no other; every other file must
 * break none. To cover a new rule, add a file.
 */
const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = 'test/fixtures/architecture';

interface Report {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
}

async function lint(): Promise<Map<string, string[]>> {
  const command = [
    join(ROOT, 'node_modules/oxlint/bin/oxlint'),
    '-c',
    `${FIXTURES}/lint.config.ts`,
    '-f',
    'json',
    FIXTURES,
  ];
  // It exits with 1, as it must: what it says is what counts.
  const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT, maxBuffer: 16e6 }).catch(
    (failure: unknown) => failure as { stdout: string },
  );
  const found = new Map<string, string[]>();
  for (const { code, filename } of (JSON.parse(stdout) as Report).diagnostics) {
    const place = relative(FIXTURES, filename);
    found.set(place, [...(found.get(place) ?? []), code]);
  }
  return found;
}

const places = await readdir(join(ROOT, FIXTURES), { recursive: true });
const fixtures = await Promise.all(
  places
    .filter((place) => /\.tsx?$/.test(place))
    .toSorted()
    .map(async (place) => {
      const text = await readFile(join(ROOT, FIXTURES, place), 'utf8');
      const [, rule, why] = /^\/\/ Breaks (\S+): (.+)$/m.exec(text) ?? [];
      return { place, rule, why };
    }),
);

describe('the architecture rules', () => {
  let found: Map<string, string[]>;
  beforeAll(async () => {
    found = await lint();
  });

  it.each(fixtures.filter(({ rule }) => rule))('fire on $place: $why', ({ place, rule }) => {
    expect(found.get(place)).toEqual([rule]);
  });

  it('leave in peace what keeps them', () => {
    const good = fixtures.filter(({ rule }) => !rule);
    expect(good.length).toBeGreaterThan(10);
    expect(good.filter(({ place }) => found.has(place))).toEqual([]);
  });

  it('leave no layer without a fixture', () => {
    const broken = fixtures.filter(({ rule }) => rule).map(({ place }) => place);
    const names = ['model.ts', 'store.ts', 'repo.ts', 'service.ts', 'tools.ts', 'routes.ts', 'pages.tsx'];
    for (const part of ['lib/', 'telemetry/', ...names])
      expect(
        broken.some((place) => place.includes(`/${part}`)),
        part,
      ).toBe(true);
  });
});

import { availableParallelism } from 'node:os';

import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

import { outsideWorld } from './test/support/outside-world.ts';
import { showsLog } from './test/support/test-log.ts';
import { TEST_TOOLSETS } from './test/support/toolsets.ts';

/** What measures time or memory, or has a suite beside it: nothing else may run meanwhile. */
const ALONE = [
  'test/bench/*.e2e.test.ts',
  'test/conformance/*.e2e.test.ts',
  'test/e2e/{call,concurrency,datasets,limits,memory,parts}.e2e.test.ts',
];

/**
 * Three kinds of tests, told apart by the file's name. `npm test` runs them all; one kind alone is
 * `npx vitest run --project node`. The browser tests are a run of their own (vitest.browser.config.ts).
 *
 * | name               | runs in                        | for                                          |
 * |--------------------|--------------------------------|----------------------------------------------|
 * | `*.node.test.ts`   | Node                           | pure code, scripts, the rules of this checkout |
 * | `*.worker.test.ts` | workerd, with bindings         | features, storage, the whole Worker          |
 * | `*.e2e.test.ts`    | Node, beside `wrangler dev`    | the real bundle, over the network; `alone` are those that measure |
 */
export default defineConfig({
  test: {
    onConsoleLog: (log, _stream, entity) =>
      showsLog(log, entity && 'fullName' in entity ? entity.fullName : 'the setup of a file'),
    // The kinds run one after another: a server started by one must not starve the timeouts of the next.
    projects: [
      {
        test: {
          name: 'node',
          include: ['test/**/*.node.test.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [
          cloudflareTest(async ({ inject }) => ({
            // src/index.ts with delays that the tests of races turn on.
            main: './test/support/worker.ts',
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                // What `npm start` sets, and secrets that are none. They win over wrangler.toml and .dev.vars.
                DEPLOYMENT: 'development',
                PUBLIC_URL: '',
                // All of them, those that are off by default too.
                TOOLSETS: Object.keys(TEST_TOOLSETS).join(','),
                DEV_SIGN_IN: 'true',
                FETCH_LOOPBACK: 'true',
                CALLS_PER_MINUTE: '0',
                CARREL_SECRET: 'test-secret-'.padEnd(64, '0'),
                PERSON_ID_KEY: 'test-person-id-key-'.padEnd(64, '0'),
                TEST_MIGRATIONS: await readD1Migrations('./migrations'),
                TEST_ROUNDS: process.env['CI'] === undefined ? '100' : '1000',
              },
              ...outsideWorld(inject('stranger')),
            },
          })),
        ],
        test: {
          name: 'worker',
          include: ['test/**/*.worker.test.ts'],
          // Bundled before they are loaded: what they need besides is CommonJS that workerd cannot load.
          deps: {
            optimizer: {
              ssr: { enabled: true, include: ['@simplewebauthn/server', '@simplewebauthn/server/helpers'] },
            },
          },
          setupFiles: ['./test/support/apply-migrations.ts'],
          globalSetup: ['./test/support/stranger.ts', './test/support/library.ts', './test/support/search-provider.ts'],
          // A file waits for its own workerd most of the time; by default, two cores would run one at a time.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          // The longest, a thousand refreshes many times over, takes 17 s of two cores that do nothing else.
          testTimeout: 90_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e.test.ts'],
          exclude: ['**/node_modules/**', ...ALONE],
          // Each file starts a server of its own and waits for it much of the time, also for one that was killed.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'alone',
          include: ALONE,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});

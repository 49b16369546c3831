import { defineConfig } from 'vitest/config';

/** The tests that drive a real Chromium; `npm run test:browser` finds one and passes its path in CARREL_CHROMIUM. */
export default defineConfig({
  test: {
    name: 'browser',
    include: ['test/browser/**/*.browser.test.ts'],
    // Each file starts a server and a browser, and waits for them much of the time.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

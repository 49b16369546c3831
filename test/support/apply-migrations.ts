/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from 'cloudflare:test';
import { env } from 'cloudflare:workers';

/**
 * Brings the directory's schema into each test file's own storage. It may run more than once for a
 * file; what has been applied is not applied again.
 */
// What the configuration binds, of which the type of `env` knows nothing.
const { DIRECTORY, TEST_MIGRATIONS } = env as unknown as { DIRECTORY: D1Database; TEST_MIGRATIONS: D1Migration[] };
await applyD1Migrations(DIRECTORY, TEST_MIGRATIONS);

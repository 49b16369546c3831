import { join } from 'node:path';

import { defineConfig } from 'oxlint';

import { architecture } from './scripts/lint/architecture.ts';

/**
 * The lint rules. `npm run check` runs them with warnings denied; editors read the same file.
 *
 * This file holds what makes code right and pleasant in general; who may know whom is in
 * scripts/lint/architecture.ts. A rule that fights good code is turned off here, with its reason,
 * and not with a comment at each place.
 */
export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'promise'],
  jsPlugins: [{ name: 'carrel', specifier: join(import.meta.dirname, 'scripts/lint/plugin.ts') }],
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  // The fixtures break the rules on purpose; test/node/architecture.node.test.ts lints them.
  ignorePatterns: ['test/fixtures/**'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  rules: {
    // Promises that nobody waits for are how a Worker loses work.
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': 'error',

    // What the type checker cannot vouch for must be parsed first.
    'typescript/no-explicit-any': 'error',
    'typescript/no-unsafe-argument': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-function-type': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/restrict-plus-operands': 'error',
    'typescript/no-deprecated': 'error',
    'typescript/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true, boolean: true } }],

    // One way to write a thing, where two ways only cost the reader.
    'typescript/consistent-type-imports': 'error',
    'typescript/no-import-type-side-effects': 'error',
    'typescript/prefer-readonly': 'error',
    'typescript/no-require-imports': 'error',
    'import/no-duplicates': 'error',
    'import/no-mutable-exports': 'error',
    'import/first': 'error',
    'unicorn/prefer-node-protocol': 'error',
    'unicorn/throw-new-error': 'error',
    'unicorn/no-useless-promise-resolve-reject': 'error',
    'unicorn/prefer-string-slice': 'error',
    'unicorn/prefer-string-replace-all': 'error',
    'unicorn/no-typeof-undefined': 'error',
    'unicorn/no-abusive-eslint-disable': 'error',
    eqeqeq: 'error',
    'prefer-const': ['error', { ignoreReadBeforeAssign: true }],
    'object-shorthand': 'error',
    'no-var': 'error',
    'no-param-reassign': 'error',
    'no-else-return': 'error',
    'no-useless-return': 'error',
    'no-self-compare': 'error',
    'no-new-func': 'error',
    'no-script-url': 'error',
    'array-callback-return': 'error',
    'default-case-last': 'error',

    // Logs are events with a type and redaction (src/telemetry); default exports have no name to search for.
    'no-console': 'error',
    'import/no-default-export': 'error',
    'import/no-cycle': ['error', { ignoreTypes: false }],

    // Off: a loop that awaits is mostly one that must go step by step, and the rule cannot tell.
    'no-await-in-loop': 'off',
    // Off: `{ ...row, more }` in a map is the clearest way to say it, and the lists here are pages.
    'oxc/no-map-spread': 'off',
    // Off: meant for Express, whose handlers do not catch rejections. Hono's do.
    'oxc/no-async-endpoint-handlers': 'off',
    // Off: rows, JSON and RPC results get their types by assertion where they enter; `any` stays forbidden.
    'typescript/no-unsafe-type-assertion': 'off',
    // Off: a helper beside its only user reads better than one at the top of the file.
    'unicorn/consistent-function-scoping': 'off',
    // Off: it does not know that `new Request(request, { body })` keeps the method.
    'unicorn/no-invalid-fetch-options': 'off',
    // Off: setup files and polyfills are imported for what they do.
    'import/no-unassigned-import': 'off',
    // Off: `import * as z from 'zod'` is how zod wants it, and its default export is the same object.
    'import/no-named-as-default-member': 'off',
    // Off: `return;` and `return void log();` beside a returned value say what they mean.
    'typescript/consistent-return': 'off',
    // Off: the caller names the row that a statement gives (`db.all<FileRow>(…)`), as in most query helpers.
    'typescript/no-unnecessary-type-parameters': 'off',
  },
  overrides: [
    { files: ['src/**'], rules: { 'max-lines': ['error', 400] } },
    // Off: an element of Hono's JSX becomes its HTML when it is made a string.
    { files: ['**/*.tsx', 'src/http/html.ts'], rules: { 'typescript/no-base-to-string': 'off' } },
    { files: ['scripts/**', 'src/telemetry/**', 'test/**'], rules: { 'no-console': 'off' } },
    // Cloudflare, the tools and an aliased dependency find these by their default export.
    {
      files: [
        'src/index.ts',
        'src/lib/no-debug.ts',
        'test/support/worker.ts',
        'test/conformance/worker.ts',
        'test/support/jobs-worker.ts',
        '*.config.ts',
        'scripts/lint/plugin.ts',
      ],
      rules: { 'import/no-default-export': 'off' },
    },
    {
      files: ['test/**'],
      plugins: ['vitest'],
      rules: {
        // What comes back over HTTP, RPC or JSON is asserted on, not parsed: the assertion is the parser.
        'typescript/no-unsafe-argument': 'off',
        'typescript/no-unsafe-assignment': 'off',
        'typescript/no-unsafe-member-access': 'off',
        'typescript/no-non-null-assertion': 'off',
        // Hostile input is what some of them are about.
        'no-script-url': 'off',
        'vitest/valid-expect': ['error', { maxArgs: 2 }],
        'vitest/no-focused-tests': 'error',
        'vitest/no-disabled-tests': 'error',
      },
    },
    ...architecture,
  ],
});

import type { OxlintOverride } from 'oxlint';

import { SETTINGS } from '../../src/setting-descriptions.ts';

/**
 * Who may know whom, as lint rules. ARCHITECTURE.md says why; test/node/architecture.node.test.ts
 * shows every rule firing on a fixture, because a pattern that matches nothing fails silently.
 *
 * `no-restricted-imports` compares the text of a specifier with gitignore-style globs, where `!` lets
 * in again, past every other pattern too. (Its `regex` form ignores look-ahead without a word.) When
 * several overrides set one rule for a file, the last one alone holds, so every layer is built with
 * {@link layer}, which repeats what holds everywhere.
 */

interface Restriction {
  readonly message: string;
  readonly allowTypeImports?: boolean;
}

/** Exact specifiers. They are compared by themselves, so no `!` of a pattern lets them in again. */
interface Path extends Restriction {
  readonly name: string;
  readonly importNames?: string[];
}

interface Pattern extends Restriction {
  readonly group: string[];
}

const NO_PROCESS = 'A Worker has settings (src/settings.ts), not a process.';

const PATHS_EVERYWHERE: readonly Path[] = [
  {
    name: 'cloudflare:workers',
    importNames: ['env'],
    message: 'Bindings reach the code through src/app.ts, which hands each part what it needs.',
  },
  { name: 'node:process', message: NO_PROCESS },
  { name: 'process', message: NO_PROCESS },
];

const PATTERNS_EVERYWHERE: readonly Pattern[] = [
  {
    group: ['**/test/**', '**/scripts/**'],
    message: 'The Worker is built from src alone: nothing in it may need tests or scripts.',
  },
];

const FACES = ['**/src/**/{tools,routes,pages}.{ts,tsx}'];
const FACE_MODULES = ['**/{tools,routes,pages}.{ts,tsx}'];

/** The same places, as seen from one folder below src and from two. */
function places(...names: string[]): string[] {
  return names.flatMap((name) => [`!../${name}`, `!../../${name}`]);
}

type Rules = OxlintOverride['rules'];

interface Layer {
  readonly patterns?: readonly Pattern[];
  readonly paths?: readonly Path[];
  /** Rules besides no-restricted-imports. */
  readonly rules?: Rules;
}

function layer(files: string[], { patterns = [], paths = [], rules = {} }: Layer): OxlintOverride {
  const restricted = { paths: [...PATHS_EVERYWHERE, ...paths], patterns: [...PATTERNS_EVERYWHERE, ...patterns] };
  return { files, rules: { 'no-restricted-imports': ['error', restricted], ...rules } };
}

/** A folder that may know only itself and the given neighbours. `..` leaves it from its top, `../..` from one below. */
function folder(name: string, neighbours: string[], message: string, rules: Rules = {}): OxlintOverride[] {
  const outside = neighbours.flatMap((neighbour) => places(neighbour));
  return [
    layer([`**/src/${name}/*`], { patterns: [{ group: ['../**', ...outside], message }], rules }),
    layer([`**/src/${name}/*/**`], { patterns: [{ group: ['../../**', ...outside], message }], rules }),
  ];
}

/** Forbids types (and the globals of that name) that belong to another layer. */
function foreign(names: readonly string[], message: string): Rules {
  return {
    'typescript/no-restricted-types': ['error', { types: Object.fromEntries(names.map((name) => [name, message])) }],
    'no-restricted-globals': ['error', { globals: names.map((name) => ({ name, message })), checkGlobalObject: true }],
  };
}

const everywhere = layer(['**/src/**'], {
  rules: {
    'no-restricted-properties': ['error', { object: 'process', property: 'env', message: NO_PROCESS }],
    'carrel/no-env-read': 'error',
  },
});

const lib = folder(
  'lib',
  [],
  'lib/ holds pure helpers and knows nothing else of ours.',
  foreign(['Env', 'R2Bucket', 'D1Database', 'KVNamespace'], 'lib/ does no I/O.'),
);

const telemetry = folder('telemetry', ['lib/**'], 'telemetry/ knows only lib/, so that everything may report to it.');

const model = layer(['**/src/**/model.ts'], {
  patterns: [
    {
      group: ['**/*store.ts', '**/*repo.ts', '**/service.ts', ...FACE_MODULES],
      message: 'A model is types and schemas: it knows lib/ and other models.',
    },
    {
      group: ['**/workspace/**', 'cloudflare:*', 'hono', 'hono/**'],
      message: 'A model is types and schemas: it knows neither storage nor platform.',
    },
  ],
});

const APPLIES_SCHEMA = 'A store declares its schema steps (a type); the workspace applies them.';

const store = layer(['**/src/**/*store.ts'], {
  paths: [
    { name: '../workspace/schema.ts', allowTypeImports: true, message: APPLIES_SCHEMA },
    { name: '../../workspace/schema.ts', allowTypeImports: true, message: APPLIES_SCHEMA },
  ],
  patterns: [
    {
      group: [
        '**',
        '!./model.ts',
        // SQL that the stores of one feature share.
        '!./schema.ts',
        '!./shelf.ts',
        '!./contents.ts',
        '!./base.ts',
        // How a run of a job is named.
        '!./durable.ts',
        '!./source-rows.ts',
        '!./search/{schema,search-rows}.ts',
        // What reads documents, in the object of whoever has them.
        '!./read-document.ts',
        '!./extract/{extract-text,model}.ts',
        // SQL that few requests need, loaded with the first of them.
        '!./shares.ts',
        // What a store does that few isolates need; it is loaded with the first call.
        '!./tus/rows.ts',
        ...places('lib/**', 'workspace/sql.ts', 'workspace/schema.ts', 'workspace/storage.ts', 'files/contents.ts'),
      ],
      message: 'A store knows SQL and its own model: policy belongs in the service.',
    },
  ],
});

const repo = layer(['**/src/**/*repo.ts'], {
  patterns: [
    {
      group: ['**', '!./types.ts', '!./passkey-statements.ts', ...places('lib/**')],
      message: 'A repo of the directory knows SQL and its own types: policy belongs in the service.',
    },
  ],
});

const service = layer(['**/src/**/service.ts'], {
  patterns: [
    { group: FACE_MODULES, message: 'A service does not know who shows its work.' },
    {
      group: ['cloudflare:*', 'hono', 'hono/**'],
      message: 'A service knows ports and stores; transport and platform belong to the faces and to src/app.ts.',
    },
  ],
  rules: {
    ...foreign(
      ['Env', 'Request', 'Response'],
      'A service takes and gives plain values; HTTP belongs to the faces, bindings to src/app.ts.',
    ),
    'carrel/no-sql': 'error',
  },
});

const ASKS_ITS_SERVICE = 'A face asks its service; it reaches no storage and no binding.';

const face = layer(FACES, {
  patterns: [
    { group: ['./*store.ts', './*repo.ts'], message: ASKS_ITS_SERVICE },
    {
      group: [
        '../**',
        ...places('lib/**', 'telemetry/**', 'mcp/**', 'http/**', 'console/**', '*/model.ts', 'directory/types.ts'),
        // Who is signed in in this browser, which every page may ask.
        ...places('identity/sign-in.ts', 'identity/signed-in.ts'),
        // How bytes go out, of whatever face.
        '!../download.ts',
      ],
      message: 'A face knows its own service, the sign-in, models, mcp/, http/, console/, telemetry/ and lib/.',
    },
  ],
  rules: {
    ...foreign(
      ['Env', 'R2Bucket', 'D1Database', 'KVNamespace', 'DurableObjectNamespace', 'DurableObjectStub', 'SqlStorage'],
      ASKS_ITS_SERVICE,
    ),
    'carrel/no-sql': 'error',
    'carrel/no-try': 'error',
  },
});

/** Vars and secrets are read once, by settings.ts; these two read bindings. */
const roots: OxlintOverride[] = [
  { files: ['**/src/settings.ts'], rules: { 'carrel/no-env-read': 'off' } },
  {
    files: ['**/src/app.ts', '**/src/index.ts'],
    rules: { 'carrel/no-env-read': ['error', { names: SETTINGS.map(({ name }) => name) }] },
  },
];

export const architecture: OxlintOverride[] = [
  everywhere,
  ...lib,
  ...telemetry,
  model,
  store,
  repo,
  service,
  face,
  ...roots,
];

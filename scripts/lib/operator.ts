import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';

import { OPERATOR_HEADER, OPERATOR_PATH, OperatorSignature } from '../../src/account/operator.ts';
import type { OperatorCommand } from '../../src/account/operator.ts';
import { PeopleRepo } from '../../src/directory/people-repo.ts';
import type { PersonEntry } from '../../src/directory/types.ts';
import { Admission } from '../../src/identity/admission.ts';
import { parseJson } from '../../src/lib/json.ts';
import { Keyring } from '../../src/lib/keyring.ts';
import { asObject, asObjects, asText } from './deploy/api.ts';
import { findLogin, NOT_LOGGED_IN } from './deploy/login.ts';
import { secretsCopy } from './deploy/new-secrets.ts';
import { readProject } from './deploy/project.ts';
import { lookUp } from './deploy/state.ts';
import { DIRECTORY_BINDING, localDatabaseFile } from './local-migrations.ts';
import { ROOT } from './paths.ts';
import { readSecretsFile } from './secrets.ts';
import { Stop, wrongUsage } from './terminal.ts';

type Secrets = Readonly<Record<string, string>>;
type Query = (sql: string, values: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;

/** One Carrel, as its operator reaches it. */
export interface Target {
  /** Where it answers. */
  readonly origin: string;
  readonly secrets: Secrets;
  /** Where the secrets were read, for whoever looks for them. */
  readonly source: string;
  /** Its directory, for the repos of the Worker. */
  readonly d1: D1Database;
}

/** The options that say which Carrel a command is for. */
export const TARGET_OPTIONS = {
  remote: { type: 'boolean', default: false },
  'persist-to': { type: 'string' },
} as const;
/** Besides, for commands that ask the server itself. */
export const SERVER_OPTIONS = {
  ...TARGET_OPTIONS,
  url: { type: 'string', default: 'http://localhost:8787' },
} as const;

/**
 * The Carrel that the options name.
 *
 * @throws Stop with the usage when the URL is none, and as {@link deployedTarget}
 */
export async function targetOf(
  values: { readonly remote: boolean; readonly 'persist-to'?: string | undefined; readonly url?: string },
  usage: string,
): Promise<Target> {
  const url = values.url === undefined ? undefined : URL.parse(values.url);
  if (url === null) throw wrongUsage('--url is no address.', usage);
  return values.remote ? deployedTarget(ROOT, process.env) : localTarget(ROOT, url?.origin ?? '', values['persist-to']);
}

/**
 * The server on this machine.
 *
 * @param state the folder of `npm start -- --persist-to`, which holds secrets of its own; undefined: without it
 */
function localTarget(root: string, origin: string, state?: string): Target {
  const file = state === undefined ? join(root, '.dev.vars') : join(state, 'dev.vars');
  const database = localDatabaseFile(state ?? join(root, '.wrangler/state'), DIRECTORY_BINDING);
  return {
    origin,
    secrets: { ...readSecretsFile(file), ...givenSecret(process.env) },
    source: basename(file),
    d1: asD1(async (sql, values) => {
      if (!existsSync(database)) throw new Stop('There is no local database yet. `npm start` makes it.');
      const open = new DatabaseSync(database, { readOnly: true });
      try {
        // By number, as D1 does, which calls the first value ?1 wherever it stands.
        const numbered = Object.fromEntries(values.map((value, at) => [`?${at + 1}`, value as SQLInputValue]));
        const statement = open.prepare(sql);
        return sql.includes('?1') ? statement.all(numbered) : statement.all(...(values as SQLInputValue[]));
      } finally {
        open.close();
      }
    }),
  };
}

/**
 * The deployed Worker. Its secrets come from the copy that `npm run deploy` keeps: Cloudflare shows none.
 *
 * @throws Stop when nobody is signed in or nothing is deployed
 */
export async function deployedTarget(root: string, env: NodeJS.ProcessEnv): Promise<Target> {
  const project = await readProject(root);
  const login = await findLogin(root, env, project.accountId);
  if (login === undefined) throw new Stop(NOT_LOGGED_IN);
  const { worker, databaseId } = await lookUp(login, project, DIRECTORY_BINDING);
  const origin = worker?.vars['PUBLIC_URL'];
  if (origin === undefined || origin === '' || databaseId === undefined)
    throw new Stop(`There is no complete deployment of "${project.name}" in this account. Deploy it: npm run deploy`);
  const source = secretsCopy(login.env, login.accountId, project.name);
  return {
    origin,
    secrets: { ...readSecretsFile(source), ...givenSecret(env) },
    source,
    d1: asD1(async (sql, values) => {
      const path = `/accounts/${login.accountId}/d1/database/${databaseId}/query`;
      const answer = await login.api.request('POST', path, { body: { sql, params: values } });
      return asObjects(asObjects(answer)[0]?.['results']);
    }),
  };
}

/** The secret that stands before the command, for a machine that has no copy. */
function givenSecret({ CARREL_SECRET }: NodeJS.ProcessEnv): Secrets {
  return CARREL_SECRET ? { CARREL_SECRET } : {};
}

/** The part of a D1 database that reading needs, so that commands read with the repos of the Worker. */
function asD1(query: Query): D1Database {
  const statement = (sql: string, values: readonly unknown[]) => ({
    bind: (...bound: unknown[]) => statement(sql, bound),
    all: async () => ({ results: await query(sql, values) }),
    first: async () => (await query(sql, values))[0] ?? null,
  });
  return { prepare: (sql: string) => statement(sql, []) } as unknown as D1Database;
}

const PAGE = 500;

/** Everybody who is here, by id. */
export async function* allPeople(d1: D1Database): AsyncGenerator<PersonEntry> {
  const repo = new PeopleRepo(d1);
  for (let after: string | undefined; ;) {
    const page = await repo.list(PAGE, after);
    yield* page;
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

/** @throws Stop when the secret is not on this machine */
function keyringOf(secrets: Secrets, source: string): Keyring {
  const secret = secrets['CARREL_SECRET'];
  if (secret === undefined || secret === '')
    throw new Stop(
      `CARREL_SECRET is not in ${source}. Run the command where Carrel was started or deployed, or give the secret: ` +
        'CARREL_SECRET=… before the command.',
    );
  return new Keyring([secret]);
}

/** The code with which the owner claims the deployment that has these secrets. */
export async function ownerCode(secrets: Secrets, source = 'the file with the secrets'): Promise<string> {
  return Admission.ownerCode(keyringOf(secrets, source));
}

/**
 * Has the Worker do something, as its operator.
 *
 * @throws Stop with what it says, when it refuses or cannot be reached
 */
export async function operate({ origin, secrets, source }: Target, command: OperatorCommand) {
  const body = JSON.stringify(command);
  const signature = await new OperatorSignature(keyringOf(secrets, source)).sign(origin, body, Date.now());
  const response = await fetch(origin + OPERATOR_PATH, {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'application/json', [OPERATOR_HEADER]: signature },
  }).catch(() => {
    throw new Stop(
      `${origin} cannot be reached. A local Carrel must run (\`npm start\`), for only it knows its objects.`,
    );
  });
  const answer = asObject(parseJson(await response.text()));
  if (!response.ok) throw new Stop(asText(answer['detail']) ?? `${origin} answered ${response.status}.`);
  return answer;
}

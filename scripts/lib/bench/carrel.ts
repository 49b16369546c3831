import { Browser } from '../../client/browser.ts';
import { call, connect, connectWithToken, PersonalAuth } from '../../client/mcp.ts';
import { applyMigrations, NAME, projectWorker } from './project-worker.ts';
import { startWorker } from './worker-host.ts';
import type { Compatibility, WorkerHost } from './worker-host.ts';

/** Keys of the session that is read, of the small workspace and of the large one. */
export const FEW_KEYS = 10;
export const MANY_KEYS = 100_000;
/** Files of the small workspace and of the large one. */
export const FEW_FILES = 1000;
export const MANY_FILES = 100_000;
/** Jobs of the small workspace and of the large one, which have all ended. */
export const FEW_JOBS = 20;
export const MANY_JOBS = 1000;
/** In each workspace, the default one among them. */
export const SESSIONS = 11;

/** Where the keys are; the other sessions are for the list. */
export const SESSION = 'market-study';

/** The key of a number, of one length for all numbers. */
export const keyOf = (index: number): string => `finding/${String(index).padStart(6, '0')}`;

/** What is kept under each key. */
export const VALUE = { title: 'Prices of the three largest vendors', checked: true, price: 129.9 };

/** People with a workspace each. Nobody writes where somebody reads. */
export interface Tokens {
  /** Has {@link FEW_KEYS}. */
  readonly few: string;
  /** Has {@link MANY_KEYS}. */
  readonly many: string;
  readonly writer: string;
  /** Let in once by the server that is measured, then ended. */
  readonly revoked: string;
}

export interface Carrel {
  readonly host: WorkerHost;
  readonly tokens: Tokens;
  /** How many tools are listed. */
  readonly tools: number;
  readonly compatibility: Compatibility;
}

const WORKSPACE_CLASS = 'Workspace';

/** Somebody who signs in through OAuth and has some sessions, one of them with a few keys. */
async function settle(url: string, email: string): Promise<string> {
  const auth = new PersonalAuth(new Browser(url), email, { name: 'Benchmark' });
  const client = await connect(`${url}/mcp`, auth);
  await call(client, 'session_open', { session: SESSION });
  for (let index = 3; index <= SESSIONS; index++)
    await call(client, 'session_open', { session: `Project ${index}`, description: 'What there is to know of it.' });
  for (let index = 0; index < FEW_KEYS; index++)
    await call(client, 'state_set', { session: SESSION, key: keyOf(index), value: VALUE });
  // Makes the tables of jobs, which come with the first call.
  await call(client, 'job_list');
  await client.close();
  return auth.accessToken;
}

/**
 * Copies the first key's row until there are as many as wanted: over HTTP that takes minutes. What is
 * written is what a state_set wrote, but for the key; each read in the measurement shows that it is right.
 */
async function fill({ miniflare }: WorkerHost, token: string, keys: number): Promise<void> {
  const [person = ''] = token.split('.');
  const storage = await miniflare.unsafeGetDurableObjectStorage(NAME, WORKSPACE_CLASS, { name: person });
  // A statement may not run for ever in there.
  const step = 10_000;
  for (let from = FEW_KEYS; from < keys; from += step)
    await storage.exec(
      `WITH RECURSIVE number (n) AS (SELECT CAST(? AS INTEGER) UNION ALL SELECT n + 1 FROM number WHERE n + 1 < ?)
       INSERT INTO state (session_id, key, value, bytes, version, updated_at)
       SELECT session_id, 'finding/' || substr('000000' || n, -6), value, bytes, version, updated_at
       FROM state, number WHERE key = ?`,
      from,
      Math.min(from + step, keys),
      keyOf(0),
    );
}

/** Where a file is, and its text: a word that all have, some that many have, and one of its own. */
export const filePath = (index: number): string => `folder-${index % 100}/file-${index}.txt`;

/**
 * Files whose bytes are nowhere, with texts that were read: what a list, a search and a reader of texts see of
 * as many uploads.
 */
async function fillFiles({ miniflare }: WorkerHost, token: string, files: number): Promise<void> {
  const [person = ''] = token.split('.');
  const storage = await miniflare.unsafeGetDurableObjectStorage(NAME, WORKSPACE_CLASS, { name: person });
  const step = 5000;
  const content = `printf('%064d', n)`;
  for (let from = 0; from < files; from += step) {
    const numbers = `WITH RECURSIVE number (n) AS (SELECT CAST(? AS INTEGER) UNION ALL SELECT n + 1 FROM number WHERE n + 1 < ?)`;
    const until = Math.min(from + step, files);
    for (const statement of [
      `INSERT INTO contents SELECT ${content}, 10, 'key-' || n FROM number`,
      `INSERT INTO files SELECT printf('fil_%020d', n), 'ses_default', 'folder-' || (n % 100) || '/file-' || n || '.txt',
         1, 'text/plain', n, ${content}, '[]', n, n, NULL FROM number`,
      `INSERT INTO file_versions SELECT printf('fil_%020d', n), 1, 'text/plain', 10, ${content}, n FROM number`,
      `INSERT INTO content_parts (sha256, number, label, text) SELECT ${content}, 1, '',
         'everywhere word' || (n % 10) || ' word' || (n % 1000) || ' alone' || n FROM number`,
    ])
      await storage.exec(`${numbers} ${statement}`, from, until);
  }
  await storage.exec(`UPDATE content_texts SET state = 'text', unit = 'text'`);
}

/** Jobs that have ended, with results of 2 KB. */
async function fillJobs({ miniflare }: WorkerHost, token: string, jobs: number): Promise<void> {
  const [person = ''] = token.split('.');
  const storage = await miniflare.unsafeGetDurableObjectStorage(NAME, WORKSPACE_CLASS, { name: person });
  await storage.exec(
    `WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < CAST(? AS INTEGER))
     INSERT INTO jobs (id, definition, session_id, input, status, run, launched_run, done, total, message, steps, begun, attempts,
         result, person_id, workspace_id, client_id, label, scopes, origin, created_at, started_at, updated_at, finished_at)
       SELECT printf('job_%020d', n), 'extract_text', 'ses_default', '{"files":["report.pdf"]}', 'completed', 1, 1, 3, 3, 'read 3',
         3, 3, 3, json_object('text', printf('%02000d', n)), ?, ?, 'client', 'Benchmark', '["files:read"]',
         'http://localhost', n, n, n, unixepoch() * 1000 FROM number`,
    jobs,
    person,
    person,
  );
}

/** Lets somebody in and ends the grant again: an isolate knows the token then, and must ask all the same. */
async function comeAndGo(url: string): Promise<string> {
  const auth = new PersonalAuth(new Browser(url), 'grace@example.com', { name: 'Benchmark' });
  const client = await connect(`${url}/mcp`, auth);
  await call(client, 'whoami');
  await client.close();
  const token = auth.accessToken;
  await auth.revoke();
  return token;
}

async function countTools(url: string, token: string): Promise<number> {
  const client = await connectWithToken(`${url}/mcp`, token);
  const { tools } = await client.listTools();
  await client.close();
  return tools.length;
}

export interface CarrelOptions {
  /** Gets the bundle and the storage. */
  readonly folder: string;
  readonly inspect: boolean;
}

/**
 * Starts our Worker with people who have something in their workspaces. It starts twice: the first time
 * it is furnished, with what that needs, the second time it is as it is measured.
 */
export async function startCarrel({ folder, inspect }: CarrelOptions): Promise<Carrel> {
  const { options, migrations } = await projectWorker(folder);
  const furnished = await startWorker({ ...options, inspectObjects: true });
  const { port } = furnished;
  let tokens: Omit<Tokens, 'revoked'>;
  try {
    await applyMigrations(furnished, migrations);
    const people = ['ada@example.com', 'mary@example.com', 'joan@example.com'];
    const [few = '', many = '', writer = ''] = await Promise.all(people.map((email) => settle(furnished.url, email)));
    tokens = { few, many, writer };
    await fill(furnished, many, MANY_KEYS);
    await fillFiles(furnished, few, FEW_FILES);
    await fillFiles(furnished, many, MANY_FILES);
    await fillJobs(furnished, few, FEW_JOBS);
    await fillJobs(furnished, many, MANY_JOBS);
  } finally {
    await furnished.stop();
  }
  const host = await startWorker({ ...options, port, inspect });
  try {
    const revoked = await comeAndGo(host.url);
    return {
      host,
      tokens: { ...tokens, revoked },
      tools: await countTools(host.url, tokens.few),
      compatibility: options.compatibility,
    };
  } catch (thrown) {
    await host.stop();
    throw thrown;
  }
}

import { createHash, createHmac } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { wranglerEntry } from './paths.ts';
import { Stop } from './terminal.ts';
import { lastWords, runWrangler } from './wrangler.ts';

/** The binding of the D1 database in wrangler.toml. */
export const DIRECTORY_BINDING = 'DIRECTORY';

const LOCAL_D1 = 'miniflare-D1DatabaseObject';

/** The file in which miniflare keeps a D1 database: a Durable Object id derived from the database's id. */
export function localDatabaseFile(persistTo: string, databaseId: string): string {
  const key = createHash('sha256').update(LOCAL_D1).digest();
  const name = createHmac('sha256', key).update(databaseId).digest('hex').slice(0, 32);
  const check = createHmac('sha256', key).update(name, 'hex').digest('hex').slice(0, 32);
  return join(persistTo, 'v3', 'd1', LOCAL_D1, `${name}${check}.sqlite`);
}

/** The names of the migration files, in the order in which they are applied. */
export function migrationNames(root: string): string[] {
  const folder = join(root, 'migrations');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted();
}

/**
 * Whether the local database has every migration, read from the database itself. It costs 2 ms where
 * asking wrangler costs more than a second. Whatever it does not recognise (no file, another layout,
 * another migrations table) counts as "no": then wrangler is asked.
 */
function isUpToDate(root: string, persistTo: string): boolean {
  try {
    const config = readFileSync(join(root, 'wrangler.toml'), 'utf8');
    if (!/^migrations_dir\s*=\s*["']migrations["']/m.test(config) || /^\s*(preview_)?database_id\s*=/m.test(config))
      return false;
    const file = localDatabaseFile(persistTo, DIRECTORY_BINDING);
    if (!existsSync(file)) return false;
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      const applied = new Set(
        database
          .prepare('SELECT name FROM d1_migrations')
          .all()
          .map((row) => row['name']),
      );
      return migrationNames(root).every((name) => applied.has(name));
    } finally {
      database.close();
    }
  } catch {
    return false;
  }
}

/**
 * Where an empty database with these very migrations is kept, to be copied for the next throwaway
 * server: applying them takes wrangler seconds. Its name changes with the migrations and with wrangler.
 */
function templateFolder(root: string): string {
  const hash = createHash('sha256').update(readFileSync(join(dirname(wranglerEntry()), '../package.json')));
  for (const name of migrationNames(root)) hash.update(name).update(readFileSync(join(root, 'migrations', name)));
  return join(root, '.wrangler', 'migrated', hash.digest('hex').slice(0, 16));
}

function keepTemplate(template: string, d1: string): void {
  const draft = `${template}-${process.pid}-${Date.now()}`;
  try {
    cpSync(d1, draft, { recursive: true });
    renameSync(draft, template);
  } catch {
    // Another server was faster, or the folder cannot be written: the next one asks wrangler again.
    rmSync(draft, { recursive: true, force: true });
  }
}

/**
 * Brings the local database to the newest migration.
 *
 * @param persistTo wrangler's state folder, absolute
 * @returns whether something had to be applied
 * @throws Stop with wrangler's last words when a migration fails
 */
export async function applyLocalMigrations(root: string, persistTo: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (migrationNames(root).length === 0 || isUpToDate(root, persistTo)) return false;
  const d1 = join(persistTo, 'v3', 'd1');
  const fresh = !existsSync(d1);
  const template = templateFolder(root);
  if (fresh && existsSync(template)) {
    cpSync(template, d1, { recursive: true });
    // It is of no use where wrangler.toml gives the database another id.
    if (isUpToDate(root, persistTo)) return true;
  }
  const { code, output } = await runWrangler(
    ['d1', 'migrations', 'apply', DIRECTORY_BINDING, '--local', '--persist-to', persistTo],
    { cwd: root, env },
  );
  if (code !== 0)
    throw new Stop(
      `A migration could not be applied to the local database. Mend it in migrations/, or remove ${persistTo} to begin ` +
        `with an empty one. Wrangler said:\n${lastWords(output)}`,
    );
  if (fresh && isUpToDate(root, persistTo)) keepTemplate(template, d1);
  return true;
}

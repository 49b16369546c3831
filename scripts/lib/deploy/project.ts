import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DIRECTORY_BINDING, migrationNames } from '../local-migrations.ts';
import { Stop } from '../terminal.ts';
import { asObject, asObjects, asText, type Json } from './api.ts';

export interface BucketConfig {
  readonly binding: string;
  readonly name: string;
  readonly jurisdiction: string | undefined;
}

/** What wrangler.toml says about the deployment. */
export interface Project {
  readonly root: string;
  readonly config: Json;
  readonly name: string;
  readonly accountId: string | undefined;
  readonly database: { readonly name: string; readonly id: string | undefined };
  readonly buckets: readonly BucketConfig[];
  readonly vars: Readonly<Record<string, string>>;
  /** Hosts of routes with `custom_domain = true`. */
  readonly customDomains: readonly string[];
  readonly workersDev: boolean;
  /** Names of the migration files, oldest first. */
  readonly migrations: readonly string[];
}

/**
 * Reads wrangler.toml (or wrangler.jsonc) through wrangler itself.
 *
 * @throws Stop when something is missing without which Carrel cannot be deployed
 */
export async function readProject(root: string): Promise<Project> {
  // Loading wrangler costs a second, which only some of the scripts have to pay.
  const { unstable_readConfig: readConfig } = await import('wrangler');
  const file = ['wrangler.toml', 'wrangler.jsonc', 'wrangler.json'].map((name) => join(root, name));
  const config = ((): Json => {
    for (const path of file)
      try {
        return asObject(readConfig({ config: path }, { hideWarnings: true }));
      } catch (error) {
        if (
          error instanceof Error &&
          /could not read|ENOENT|no such file/i.test(`${error.message} ${String(error.cause)}`)
        )
          continue;
        throw new Stop(`wrangler.toml has a fault. ${error instanceof Error ? error.message : String(error)}`);
      }
    throw new Stop('There is no wrangler.toml here. Run the command in the folder of the checkout.');
  })();

  const name = asText(config['name']);
  const database = asObjects(config['d1_databases']).find((entry) => entry['binding'] === DIRECTORY_BINDING);
  const databaseName = asText(database?.['database_name']);
  if (name === undefined) throw new Stop('wrangler.toml has no name for the Worker. Add one, such as name = "carrel".');
  if (databaseName === undefined)
    throw new Stop(`wrangler.toml has no D1 database bound as ${DIRECTORY_BINDING} with a database_name. Add it back.`);
  const routes = Array.isArray(config['routes']) ? config['routes'] : [config['route']];
  return {
    root,
    config,
    name,
    accountId: asText(config['account_id']),
    database: { name: databaseName, id: asText(database?.['database_id']) },
    buckets: asObjects(config['r2_buckets']).flatMap((entry) => {
      const [binding, bucket] = [asText(entry['binding']), asText(entry['bucket_name'])];
      return binding === undefined || bucket === undefined
        ? []
        : [{ binding, name: bucket, jurisdiction: asText(entry['jurisdiction']) }];
    }),
    vars: Object.fromEntries(Object.entries(asObject(config['vars'])).map(([key, value]) => [key, String(value)])),
    customDomains: routes
      .map(asObject)
      .filter((route) => route['custom_domain'] === true)
      .flatMap((route) => asText(route['pattern']) ?? []),
    workersDev: config['workers_dev'] !== false,
    migrations: migrationNames(root),
  };
}

// Beside wrangler.toml, because the paths in it are relative to its folder.
const GENERATED = 'wrangler.deploy.jsonc';

// What wrangler adds when it reads a configuration, and refuses or warns about when it reads it again.
const NOT_CONFIGURATION = new Set(['configPath', 'userConfigPath', 'topLevelName', 'definedEnvironments']);

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** What a deployment adds to wrangler.toml. */
export interface Additions {
  readonly databaseId: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly workersDev: boolean;
}

/**
 * Writes the configuration of one deployment: wrangler.toml plus what was looked up in the account.
 *
 * The file is no record. The account is: the database and the buckets are found by their names, and
 * the vars and secrets on the deployed Worker, at every deployment anew. So nothing has to be kept in
 * the checkout, an update of wrangler.toml cannot overwrite it, and a fresh clone on another machine
 * continues the same deployment. The file exists only while wrangler runs.
 */
export async function withDeploymentConfig<T>(
  project: Project,
  additions: Additions,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const { config } = project;
  // Custom domains are attached by a step of our own: wrangler, when it cannot ask, takes a host name
  // away from the Worker or the DNS record that has it.
  const routes = (Array.isArray(config['routes']) ? config['routes'] : []).filter(
    (route: unknown) => asObject(route)['custom_domain'] !== true,
  );
  const complete: Json = {
    ...config,
    workers_dev: additions.workersDev,
    routes,
    vars: additions.vars,
    d1_databases: asObjects(config['d1_databases']).map((entry) =>
      entry['binding'] === DIRECTORY_BINDING ? { ...entry, database_id: additions.databaseId } : entry,
    ),
  };
  const kept = Object.entries(complete).filter(([key, value]) => !NOT_CONFIGURATION.has(key) && !isEmpty(value));
  const file = join(project.root, GENERATED);
  writeFileSync(
    file,
    `// Made by npm run deploy from wrangler.toml, for one run. Do not edit or commit it.\n${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`,
  );
  try {
    return await use(file);
  } finally {
    rmSync(file, { force: true });
  }
}

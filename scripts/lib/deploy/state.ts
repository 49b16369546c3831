import { ApiError, asObject, asObjects, asText } from './api.ts';
import type { Login } from './login.ts';
import type { BucketConfig, Project } from './project.ts';

/** The Worker as it is deployed now. */
export interface DeployedWorker {
  readonly vars: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly databaseId: string | undefined;
  /** Bucket names by binding. */
  readonly buckets: Readonly<Record<string, string>>;
}

/** What is in the account, found by name. Only GET requests (and one SELECT) find it out. */
export interface AccountState {
  readonly worker: DeployedWorker | undefined;
  readonly databaseId: string | undefined;
  /** Names of the buckets of wrangler.toml that exist. */
  readonly buckets: readonly string[];
  /** Names of the applied migrations, oldest first. */
  readonly appliedMigrations: readonly string[];
  /** The account's part of its workers.dev addresses; undefined when it has none yet. */
  readonly subdomain: string | undefined;
  /** Custom domains of the account: host name to Worker name. */
  readonly domains: ReadonlyMap<string, string>;
}

async function findWorker(
  { api, accountId }: Login,
  name: string,
  directoryBinding: string,
): Promise<DeployedWorker | undefined> {
  const path = `/accounts/${accountId}/workers/scripts/${encodeURIComponent(name)}`;
  const settings = await api.find(`${path}/settings`);
  if (settings === undefined) return undefined;
  const bindings = asObjects(asObject(settings)['bindings']);
  const secrets = asObjects(await api.request('GET', `${path}/secrets`));
  const directory = bindings.find((binding) => binding['type'] === 'd1' && binding['name'] === directoryBinding);
  const texts = (type: string, field: string): Record<string, string> =>
    Object.fromEntries(
      bindings.flatMap((binding) => {
        const [key, value] = [asText(binding['name']), binding[field]];
        return binding['type'] === type && key !== undefined && typeof value === 'string' ? [[key, value]] : [];
      }),
    );
  return {
    vars: texts('plain_text', 'text'),
    secrets: secrets.flatMap((secret) => asText(secret['name']) ?? []),
    databaseId: asText(directory?.['id']) ?? asText(directory?.['database_id']),
    buckets: texts('r2_bucket', 'bucket_name'),
  };
}

async function findDatabase({ api, accountId }: Login, name: string): Promise<string | undefined> {
  // The filter also matches parts of names.
  const found = asObjects(
    await api.request('GET', `/accounts/${accountId}/d1/database`, { query: { name, per_page: '100' } }),
  );
  return asText(found.find((entry) => entry['name'] === name)?.['uuid']);
}

/** R2 keeps buckets of a jurisdiction apart; this header names it. */
export function jurisdictionHeader(bucket: BucketConfig): Record<string, string> {
  return bucket.jurisdiction === undefined ? {} : { 'cf-r2-jurisdiction': bucket.jurisdiction };
}

async function hasBucket({ api, accountId }: Login, bucket: BucketConfig): Promise<boolean> {
  const path = `/accounts/${accountId}/r2/buckets/${encodeURIComponent(bucket.name)}`;
  return (await api.find(path, { headers: jurisdictionHeader(bucket) })) !== undefined;
}

async function appliedMigrations({ api, accountId }: Login, databaseId: string): Promise<string[]> {
  const query = async (sql: string): Promise<readonly Record<string, unknown>[]> => {
    const answer = await api.request('POST', `/accounts/${accountId}/d1/database/${databaseId}/query`, {
      body: { sql },
    });
    return asObjects(asObjects(answer)[0]?.['results']);
  };
  const table = await query(`SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'd1_migrations'`);
  if (table.length === 0) return [];
  return (await query('SELECT name FROM d1_migrations ORDER BY id')).flatMap((row) => asText(row['name']) ?? []);
}

const NO_SUBDOMAIN = 10_007;

async function findSubdomain({ api, accountId }: Login): Promise<string | undefined> {
  try {
    return asText(asObject(await api.find(`/accounts/${accountId}/workers/subdomain`))['subdomain']);
  } catch (error) {
    if (error instanceof ApiError && error.code === NO_SUBDOMAIN) return undefined;
    throw error;
  }
}

async function findDomains({ api, accountId }: Login): Promise<Map<string, string>> {
  const domains = asObjects(await api.request('GET', `/accounts/${accountId}/workers/domains`));
  return new Map(domains.map((domain) => [asText(domain['hostname']) ?? '', asText(domain['service']) ?? '']));
}

/**
 * Looks up everything a deployment depends on.
 *
 * @throws Stop or ApiError when Cloudflare does not answer or refuses
 */
export async function lookUp(login: Login, project: Project, directoryBinding: string): Promise<AccountState> {
  const [worker, databaseId, buckets, subdomain, domains] = await Promise.all([
    findWorker(login, project.name, directoryBinding),
    project.database.id ?? findDatabase(login, project.database.name),
    Promise.all(project.buckets.map(async (bucket) => ((await hasBucket(login, bucket)) ? [bucket.name] : []))),
    findSubdomain(login),
    findDomains(login),
  ]);
  return {
    worker,
    databaseId,
    buckets: buckets.flat(),
    appliedMigrations: databaseId === undefined ? [] : await appliedMigrations(login, databaseId),
    subdomain,
    domains,
  };
}

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DatabaseSync } from 'node:sqlite';

export const ACCOUNT_ID = '0123456789abcdef0123456789abcdef';

interface Binding {
  readonly type: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

/** What an upload carries beside the code. */
export interface UploadMetadata {
  readonly bindings: readonly Binding[];
  readonly keep_bindings?: readonly string[];
  /** Names of the modules that were sent with it. */
  readonly modules: readonly string[];
  readonly [field: string]: unknown;
}

export interface RecordedRequest {
  readonly method: string;
  /** Without the account's prefix and the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface Script {
  bindings: Binding[];
  migrationTag: string | undefined;
  uploads: number;
}

interface Refusal {
  readonly method: string;
  readonly path: RegExp;
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

class Refused extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const notFound = (what: string, code: number): Refused => new Refused(404, code, `${what} not found`);

/**
 * A stand-in for the part of the Cloudflare API that a deployment uses, on loopback. It remembers what
 * it is told, like the real one: D1 databases are SQLite databases, and an upload replaces the bindings
 * that it does not keep. Every request is recorded.
 */
export class CloudflareStandIn {
  readonly requests: RecordedRequest[] = [];
  readonly databases = new Map<string, { readonly name: string; readonly sqlite: DatabaseSync }>();
  readonly buckets = new Set<string>();
  readonly scripts = new Map<string, Script>();
  readonly domains = new Map<string, string>();
  /** The Worker of each workflow. */
  readonly workflows = new Map<string, string>();
  subdomain: string | undefined = 'acme';
  accounts: { readonly id: string; readonly name: string }[] = [{ id: ACCOUNT_ID, name: 'Acme' }];
  #refusals: Refusal[] = [];
  readonly #server = createServer((request, response) => {
    void (async () => {
      const { status, body } = await this.#answer(request);
      response.writeHead(status, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(body));
    })();
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    for (const { sqlite } of this.databases.values()) sqlite.close();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/client/v4`;
  }

  /** The environment in which wrangler and the deploy script talk to this server. */
  get env(): Record<string, string> {
    return { CLOUDFLARE_API_BASE_URL: this.url, CLOUDFLARE_API_TOKEN: 'a-token', CLOUDFLARE_ACCOUNT_ID: ACCOUNT_ID };
  }

  /** Refuses the next request that matches. */
  refuse(
    method: string,
    path: RegExp,
    error: { readonly status: number; readonly code: number; readonly message: string },
  ): void {
    this.#refusals.push({ method, path, ...error });
  }

  /** Recorded requests that change something, as "METHOD path". */
  get changes(): string[] {
    const reads = (request: RecordedRequest): boolean =>
      request.method === 'GET' || (request.path.endsWith('/query') && /^\s*SELECT/i.test(sqlOf(request.body)));
    return this.requests.filter((request) => !reads(request)).map(({ method, path }) => `${method} ${path}`);
  }

  /** The metadata of each upload, oldest first. */
  get uploads(): UploadMetadata[] {
    return this.requests.flatMap(({ method, path, body }) =>
      (method === 'PUT' && /^\/workers\/scripts\/[^/]+$/.test(path)) ||
      (method === 'POST' && path.endsWith('/versions'))
        ? [body as UploadMetadata]
        : [],
    );
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    try {
      const url = new URL(request.url ?? '/', 'http://stand-in');
      const path = url.pathname.replace('/client/v4', '').replace(`/accounts/${ACCOUNT_ID}`, '');
      const method = request.method ?? 'GET';
      const body = await readBody(request);
      this.requests.push({ method, path, query: Object.fromEntries(url.searchParams), body });
      const refusal = this.#refusals.find((candidate) => candidate.method === method && candidate.path.test(path));
      if (refusal !== undefined) {
        this.#refusals = this.#refusals.filter((candidate) => candidate !== refusal);
        throw new Refused(refusal.status, refusal.code, refusal.message);
      }
      const result = this.#route(method, decodeURIComponent(path), url.searchParams, body);
      return { status: 200, body: { success: true, errors: [], messages: [], result } };
    } catch (error) {
      const { status, code, message } =
        error instanceof Refused ? error : { status: 500, code: 1, message: String(error) };
      return { status, body: { success: false, errors: [{ code, message }], messages: [], result: null } };
    }
  }

  #route(method: string, path: string, query: URLSearchParams, body: unknown): unknown {
    const [, area, kind, name, ...rest] = path.split('/');
    const sub = rest.join('/');
    if (path === '/accounts') return this.accounts;
    if (area === 'd1') return this.#d1(method, name, sub, query, body);
    if (area === 'r2') return this.#r2(method, name, body);
    if (area === 'workflows') return this.#workflows(method, kind ?? '', body);
    if (area === 'workers' && kind === 'subdomain') {
      if (this.subdomain === undefined) throw notFound('subdomain', 10_007);
      return { subdomain: this.subdomain };
    }
    if (area === 'workers' && kind === 'domains') return this.#customDomains(method, body);
    if (area === 'workers' && kind === 'services') {
      const script = this.#script(name ?? '');
      return {
        default_environment: {
          environment: 'production',
          script: { tag: 't', tags: [], last_deployed_from: 'wrangler', migration_tag: script.migrationTag },
        },
      };
    }
    if (area === 'workers' && kind === 'scripts' && name === undefined)
      return [...this.scripts].map(([id, script]) => ({ id, migration_tag: script.migrationTag }));
    if (area === 'workers' && kind === 'scripts' && name !== undefined) return this.#scripts(method, name, sub, body);
    throw notFound(`${method} ${path}`, 7003);
  }

  #d1(method: string, id: string | undefined, action: string, query: URLSearchParams, body: unknown): unknown {
    const list = [...this.databases].map(([uuid, { name }]) => ({ uuid, name }));
    if (id === undefined && method === 'GET') return list.filter(({ name }) => name.includes(query.get('name') ?? ''));
    if (id === undefined) {
      const { name } = body as { name: string };
      if (list.some((entry) => entry.name === name))
        throw new Refused(400, 7502, 'a database with that name already exists');
      const uuid = randomUUID();
      this.databases.set(uuid, { name, sqlite: new DatabaseSync(':memory:') });
      return { uuid, name };
    }
    const uuid = list.find((entry) => entry.uuid === id || entry.name === id)?.uuid;
    const database = uuid === undefined ? undefined : this.databases.get(uuid);
    if (database === undefined) throw notFound('database', 7404);
    if (action === 'query')
      return [{ success: true, results: runSql(database.sqlite, sqlOf(body), paramsOf(body)), meta: { duration: 1 } }];
    return { uuid, name: database.name };
  }

  #r2(method: string, name: string | undefined, body: unknown): unknown {
    if (method === 'POST') {
      this.buckets.add((body as { name: string }).name);
      return {};
    }
    if (name === undefined || !this.buckets.has(name)) throw notFound('bucket', 10_006);
    return { name };
  }

  #workflows(method: string, name: string, body: unknown): unknown {
    if (method === 'PUT') this.workflows.set(name, (body as { script_name: string }).script_name);
    const script = this.workflows.get(name);
    if (script === undefined) throw notFound('workflow', 10_200);
    return { name, script_name: script };
  }

  #customDomains(method: string, body: unknown): unknown {
    if (method === 'GET') return [...this.domains].map(([hostname, service]) => ({ id: hostname, hostname, service }));
    const { hostname, service } = body as { hostname: string; service: string };
    this.domains.set(hostname, service);
    return { id: hostname, hostname, service };
  }

  #script(name: string): Script {
    const script = this.scripts.get(name);
    if (script === undefined) throw notFound('Worker', 10_007);
    return script;
  }

  #scripts(method: string, name: string, sub: string, body: unknown): unknown {
    if (method === 'PUT' && sub === '') return this.#upload(name, body as UploadMetadata);
    const script = this.#script(name);
    const secrets = script.bindings.filter(({ type }) => type === 'secret_text');
    if (sub === 'versions' && method === 'POST') return this.#upload(name, body as UploadMetadata);
    if (sub === 'settings' || sub === 'script-settings')
      return { bindings: script.bindings, tags: [], observability: {} };
    if (sub === 'secrets') return secrets.map((binding) => ({ name: binding.name, type: 'secret_text' }));
    if (sub === 'deployments' && method === 'GET')
      return {
        deployments: [
          {
            id: 'd',
            versions: [{ version_id: `00000000-0000-4000-8000-00000000000${script.uploads}`, percentage: 100 }],
          },
        ],
      };
    if (sub === 'deployments' || sub === 'schedules') return {};
    if (sub === 'subdomain') return { enabled: true, previews_enabled: false };
    throw notFound(`${method} scripts/${name}/${sub}`, 7003);
  }

  /** As the real one: bindings are replaced, except those whose type is kept and that are not named anew. */
  #upload(name: string, metadata: UploadMetadata): unknown {
    const before = this.scripts.get(name);
    const named = new Set(metadata.bindings.map((binding) => binding.name));
    const kept = (before?.bindings ?? []).filter(
      (binding) => !named.has(binding.name) && (metadata.keep_bindings ?? []).includes(binding.type),
    );
    const migrations = metadata['migrations'] as { new_tag?: string } | undefined;
    const uploads = (before?.uploads ?? 0) + 1;
    this.scripts.set(name, {
      bindings: [...metadata.bindings.filter(({ type }) => type !== 'inherit'), ...kept],
      migrationTag: migrations?.new_tag ?? before?.migrationTag,
      uploads,
    });
    const id = `00000000-0000-4000-8000-00000000000${uploads}`;
    return { id, deployment_id: id.replaceAll('-', ''), startup_time_ms: 5, resources: { script: { etag: 'e' } } };
  }
}

function sqlOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'sql' in body ? String(body.sql) : '';
}

function paramsOf(body: unknown): string[] {
  return typeof body === 'object' && body !== null && 'params' in body ? (body.params as string[]) : [];
}

function runSql(sqlite: DatabaseSync, sql: string, params: readonly string[]): unknown[] {
  try {
    if (/^\s*SELECT/i.test(sql)) return sqlite.prepare(sql).all(...params);
    sqlite.exec('BEGIN');
    try {
      sqlite.exec(sql);
      sqlite.exec('COMMIT');
    } catch (error) {
      sqlite.exec('ROLLBACK');
      throw error;
    }
    return [];
  } catch (error) {
    throw new Refused(400, 7500, error instanceof Error ? error.message : String(error));
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array<ArrayBuffer>);
  const body = new Blob(chunks);
  const type = request.headers['content-type'] ?? '';
  if (body.size === 0) return undefined;
  if (type.startsWith('multipart/form-data')) {
    const form = await new Response(body, { headers: { 'Content-Type': type } }).formData();
    const metadata = form.get('metadata');
    const fields = JSON.parse(typeof metadata === 'string' ? metadata : await (metadata as Blob).text()) as object;
    return { ...fields, modules: [...form.keys()].filter((name) => name !== 'metadata') };
  }
  return type.includes('json') ? JSON.parse(await body.text()) : await body.text();
}

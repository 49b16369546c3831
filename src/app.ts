import { OAuthRecordRepo } from './directory/oauth-repo.ts';
import { DirectoryRepo } from './directory/repo.ts';
import { AuditRepo } from './directory/audit-repo.ts';
import { RegistrationRepo } from './directory/registration-repo.ts';
import { AuditTrail } from './directory/audit.ts';
import { Addresses } from './files/addresses.ts';
import { R2FileBucket } from './files/bucket.ts';
import type { DatasetsHost } from './datasets/host.ts';
import { DropService } from './files/drop/service.ts';
import { LinkService } from './files/link-service.ts';
import { fileRoutes } from './files/routes.ts';
import { PartsService } from './files/parts-service.ts';
import { FileService } from './files/service.ts';
import { UploadService } from './files/upload-service.ts';
import { AccessControl } from './http/access.ts';
import { addressLimit } from './http/address-limit.ts';
import { readToEnd } from './http/body.ts';
import { refuseRedirects } from './http/outbound.ts';
import { readinessRoutes } from './http/readiness.ts';
import type { Route } from './http/route.ts';
import { createRouter } from './http/router.ts';
import { docsRoutes } from './http-docs/routes.ts';
import { Keyring } from './lib/keyring.ts';
import { isLoopbackHostname } from './lib/loopback.ts';
import type { JobDefinition } from './jobs/definition.ts';
import type { makeDefinitions } from './jobs/definitions/all.ts';
import type { DurableSteps, RunReference } from './jobs/durable.ts';
import { WorkflowRunner } from './jobs/workflow.ts';
import { Registry } from './mcp/registry.ts';
import { mcpRoutes } from './mcp/routes.ts';
import { McpEndpoint } from './mcp/server.ts';
import { MissLimit } from './oauth/miss-limit.ts';
import { PersonIds } from './oauth/person-ids.ts';
import { Registrations } from './oauth/registrations.ts';
import { ResourceGuard } from './oauth/resource-guard.ts';
import { oauthRoutes } from './oauth/routes.ts';
import { AuthorizationServers } from './oauth/server.ts';
import { DirectoryOAuthKv } from './oauth/storage.ts';
import { TokenCheck } from './oauth/token-check.ts';
import { TokenEndpoint } from './oauth/token-endpoint.ts';
import { parseSettings } from './settings.ts';
import type { Settings, SettingsFault } from './settings.ts';
import { ConsoleTelemetry } from './telemetry/telemetry.ts';
import { makeToolsets, TOOLSETS } from './toolsets.ts';
import type { WorkspaceDependencies, WorkspaceObject } from './workspace/object.ts';
import { RpcWorkspaces } from './workspace/rpc-client.ts';

/** The bindings of wrangler.toml. Vars and secrets are beside them; settings.ts reads those. */
export interface Bindings {
  readonly DIRECTORY: D1Database;
  readonly FILES: R2Bucket;
  readonly WORKSPACE: DurableObjectNamespace<WorkspaceObject>;
  readonly JOBS: Workflow<RunReference>;
  readonly DATASETS: DurableObjectNamespace<DatasetsHost<unknown>>;
  readonly PAGES_LIMIT?: RateLimit;
  readonly TOKENS_LIMIT?: RateLimit;
  readonly MISSES_LIMIT?: RateLimit;
}

type MoreJobs = Parameters<typeof makeDefinitions>[1];

export interface App {
  fetch(request: Request): Promise<Response>;
  /** One run of a job, until it ends or waits. */
  runJob(run: RunReference, steps: DurableSteps): Promise<void>;
  /** All that `fetch` answers, in the order in which it looks. */
  routes(): Promise<readonly Route[]>;
  /** The hourly sweep of the directory. Everything of a person sweeps itself in its own object. */
  scheduled(): Promise<void>;
}

/** Bytes of one upload. The edge takes bodies of at most 100 MB; locally there is no edge. */
const MAX_UPLOAD_BYTES = { production: 95_000_000, development: 5_000_000_000 } as const;

/** A deployment that is not set up says what is missing, and does nothing else. */
function notSetUp(faults?: readonly SettingsFault[]): App {
  return {
    fetch: async (request) => (await import('./http/setup-answer.tsx')).setupAnswer(request, faults),
    runJob: async () => {},
    routes: async () => [],
    scheduled: async () => {},
  };
}

const telemetry = new ConsoleTelemetry();
refuseRedirects();

/**
 * Puts the deployment together: settings → services → routes. Once an isolate.
 *
 * @param toolsets tests bring toolsets of their own
 * @param moreJobs and kinds of jobs
 */
export function createApp(env: Bindings, toolsets = TOOLSETS, moreJobs?: MoreJobs): App {
  const parsed = parseSettings({ ...env }, Object.keys(toolsets));
  if (!parsed.ok) return notSetUp(parsed.faults);
  const { settings } = parsed;
  if (settings.publicUrl === undefined && settings.deployment === 'production') return notSetUp();
  return compose(env, settings, toolsets, moreJobs);
}

function compose(env: Bindings, settings: Settings, toolsets: typeof TOOLSETS, moreJobs: MoreJobs): App {
  const keyring = new Keyring(settings.secrets);
  const personIds = new PersonIds(settings.personIdKeys);
  const workspaces = new RpcWorkspaces(env.WORKSPACE);
  const bucket = new R2FileBucket(env.FILES);
  const directory = new DirectoryRepo(env.DIRECTORY);
  const records = new OAuthRecordRepo(env.DIRECTORY);
  const addresses = new Addresses(keyring);
  const shelf = new FileService({ bucket });
  const limits = { maxBytes: MAX_UPLOAD_BYTES[settings.deployment] };
  const uploads = new UploadService({ bucket, addresses, workspaces, files: shelf, limits });
  const parts = new PartsService({ bucket, addresses, workspaces });
  const drop = new DropService({ addresses, workspaces, uploads, parts });
  const imports = async () =>
    new (await import('./files/import-service.ts')).ImportService(uploads, settings.fetchLoopback);
  const forms = async () => new (await import('./files/form-service.ts')).FormService(uploads, limits.maxBytes);
  const tus = async () => new (await import('./files/tus/protocol.ts')).TusService({ bucket, addresses, workspaces });
  const links = new LinkService({ addresses, workspaces, files: shelf });
  const files = { files: shelf, uploads, parts, drop, imports, forms, tus, links };

  const research = async () => {
    const { researchTools } = await import('./research/tools/all.ts');
    const { fetchLoopback: loopback, respectsRobots: robots, webSearch } = settings;
    return researchTools({ bucket, files: shelf, uploads, loopback, robots, webSearch });
  };

  const recipeTools = async () => {
    const { registryTools } = await import('./recipes/registry-tools.ts');
    return registryTools(registry);
  };
  const datasets = async () => {
    const { makeDatasetService } = await import('./datasets/make-service.ts');
    return makeDatasetService({ namespace: env.DATASETS, files: shelf, uploads });
  };
  let kinds: ReadonlyMap<string, JobDefinition> | undefined;
  const definitions = async () => {
    if (kinds) return kinds;
    const { makeDefinitions } = await import('./jobs/definitions/all.ts');
    // The value and not its promise: that is bound to the request that began it, and a failure would stay for ever.
    const { fetchLoopback: loopback, respectsRobots: robots } = settings;
    return (kinds ??= makeDefinitions(
      { bucket, files: shelf, uploads, loopback, robots, recipeTools: await recipeTools(), datasets: await datasets() },
      moreJobs,
    ));
  };
  const jobService = async () => {
    const { JobService } = await import('./jobs/service.ts');
    return new JobService({ definitions, keep: settings.keepJobs });
  };
  const tasks = async () => new (await import('./jobs/tasks.ts')).JobTasks(await jobService());
  const jobs = async () =>
    (await import('./jobs/tools/all.ts')).jobsContents(await jobService(), recipeTools, await datasets());

  const registry = new Registry(makeToolsets(toolsets, { files, research, jobs, jobService }), settings.toolsets);
  const scopeNames = registry.scopes.map(({ name }) => name);
  const servers = authorizationServers(settings, scopeNames);
  const oauthEnv = { OAUTH_KV: new DirectoryOAuthKv(records) };
  /** On one's own machine every request has one address. */
  const atEdge = (binding: RateLimit | undefined) => (settings.deployment === 'production' ? binding : undefined);
  const misses = new MissLimit(atEdge(env.MISSES_LIMIT));
  const guard = new ResourceGuard(new TokenCheck(workspaces, personIds, telemetry, misses), scopeNames);
  const lines = new AuditRepo(env.DIRECTORY);
  const audit = new AuditTrail(lines, telemetry);
  const approvals = async () => new (await import('./approvals/gatekeeper.ts')).ApprovalGate(audit);
  const access = new AccessControl(guard, workspaces, approvals);
  const registrations = new Registrations(new RegistrationRepo(env.DIRECTORY), records, keyring, audit);
  const tokens = new TokenEndpoint({
    servers,
    env: oauthEnv,
    workspaces,
    personIds,
    audit,
    device: async (call) => (await peopleApp()).devices.token(call),
  });
  const limitOf = (binding: RateLimit | undefined) => addressLimit(atEdge(binding));
  const fileFaces = fileRoutes(files);
  // A toolset that is off has no other way in either.
  const hasFiles = registry.toolsets.some(({ name }) => name === 'files');

  const forPrograms = [
    ...mcpRoutes({ endpoint: new McpEndpoint(telemetry, keyring, approvals, tasks), registry, access }),
    ...readinessRoutes({ directory, bucket, workspaces }),
    ...guard.routes(),
    ...oauthRoutes({
      tokens,
      servers,
      env: oauthEnv,
      registrations,
      limit: limitOf(env.TOKENS_LIMIT),
      device: async (...call) => (await peopleApp()).devices.begin(...call),
    }),
    ...(hasFiles ? [...fileFaces.protected.map((route) => access.route(route)), ...fileFaces.open] : []),
  ];
  /** Loaded when a person comes: an isolate that serves clients only never parses it. */
  const forPeople = async () => {
    const { createPeopleApp } = await import('./people-app.ts');
    return createPeopleApp({
      settings,
      d1: env.DIRECTORY,
      directory,
      telemetry,
      audit,
      lines,
      keyring,
      workspaces,
      personIds,
      registry,
      access,
      servers,
      oauthEnv,
      bucket,
      files: hasFiles ? files : undefined,
    });
  };
  let people: Awaited<ReturnType<typeof forPeople>> | undefined;
  const peopleApp = async () => {
    if (people) return people;
    // The value and not its promise: that is bound to the request that began it, and a failure would stay for ever.
    const made = await forPeople();
    return (people ??= made);
  };
  /** Loaded when somebody comes for one. */
  const jobRoutes = async () =>
    (await import('./jobs/http.ts')).allJobRoutes(registry, access, jobService, recipeTools);
  const allRoutes = async () => [...(await jobRoutes()), ...(await peopleApp()).routes];
  const documents = docsRoutes({ routes: async () => [...(await allRoutes()), ...forPrograms], registry });

  const guards = {
    accepts: (url: URL) =>
      url.origin === settings.publicUrl || (settings.deployment === 'development' && isLoopbackHostname(url.hostname)),
    telemetry,
  };
  let [pages, ofJobs]: ((request: Request) => Promise<Response>)[] = [];
  const answer = createRouter({
    ...guards,
    routes: [...forPrograms, ...documents],
    otherwise: async (request) => {
      if (/^\/(?:workflows\/|jobs(?:\/|$))/.test(new URL(request.url).pathname))
        return (ofJobs ??= createRouter({ ...guards, routes: await jobRoutes() }))(request);
      const { routes, mapError } = await peopleApp();
      pages ??= createRouter({ ...guards, routes, mapError, limit: limitOf(env.PAGES_LIMIT) });
      return pages(request);
    },
  });
  return {
    async fetch(request) {
      const response = await answer(request);
      if (settings.deployment === 'development') await readToEnd(request);
      return response;
    },
    async runJob(run, steps) {
      const { JobEngine } = await import('./jobs/engine.ts');
      await new JobEngine({ workspaces, definitions, telemetry, audit, patience: settings.jobPatience }).run(
        run,
        steps,
      );
    },
    routes: async () => [...forPrograms, ...documents, ...(await allRoutes())],
    async scheduled() {
      const now = Date.now();
      const { sweep } = await peopleApp();
      await Promise.all([
        records.sweep(now),
        audit.sweep(now),
        directory.sweep(now),
        registrations.sweep(now),
        sweep(now),
      ]);
    },
  };
}

/** What a workspace object needs from this deployment. */
export function workspaceDependencies(env: Bindings): WorkspaceDependencies {
  const parsed = parseSettings({ ...env });
  // Nothing reaches an object past the front door, which refuses everything under a wrong configuration.
  if (!parsed.ok) throw new TypeError('the configuration is wrong: `npm run doctor` says where');
  return {
    servers: authorizationServers(parsed.settings, []),
    records: new OAuthRecordRepo(env.DIRECTORY),
    bucket: new R2FileBucket(env.FILES),
    telemetry,
    audit: new AuditTrail(new AuditRepo(env.DIRECTORY), telemetry),
    onReuse: parsed.settings.onRefreshReuse,
    callsPerMinute: parsed.settings.callsPerMinute,
    quotas: parsed.settings.quotas,
    runner: new WorkflowRunner(env.JOBS),
    jobs: { patience: parsed.settings.jobPatience, keep: parsed.settings.keepJobs },
    wipeDatasets: async (workspaceId) => void (await env.DATASETS.getByName(workspaceId).run('wipe', [])),
  };
}

function authorizationServers(settings: Settings, scopes: readonly string[]): AuthorizationServers {
  return new AuthorizationServers({
    scopes,
    accessTokenSeconds: settings.accessTokenSeconds,
    grantIdleSeconds: settings.grantIdleSeconds,
    onError: ({ code, status, internal }) =>
      telemetry.record({ type: 'oauth_refused', code, status, category: internal.category, reason: internal.reason }),
  });
}

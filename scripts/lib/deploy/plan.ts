import { SETTINGS } from '../../../src/setting-descriptions.ts';
import { parseSettings } from '../../../src/settings.ts';
import { MADE_SECRETS } from '../secrets.ts';
import { Stop } from '../terminal.ts';
import type { DeployOptions } from './options.ts';
import type { BucketConfig, Project } from './project.ts';
import type { AccountState } from './state.ts';

/** What one deployment will do, decided before anything is touched. */
export interface Plan {
  readonly firstDeployment: boolean;
  /** Undefined only when nobody is signed in, so that it could not be found out. */
  readonly publicUrl: string | undefined;
  readonly vars: Readonly<Record<string, string>>;
  /** Vars whose values come from the deployed Worker, not from this checkout. */
  readonly keptVars: readonly string[];
  readonly workersDev: boolean;
  readonly databaseId: string | undefined;
  readonly missingBuckets: readonly BucketConfig[];
  readonly pendingMigrations: readonly string[];
  readonly missingSecrets: readonly (typeof MADE_SECRETS)[number][];
  /** Host names to make custom domains of the Worker. */
  readonly attach: readonly string[];
  readonly warnings: readonly string[];
}

const WORKERS_DEV = '.workers.dev';

/** A var as Carrel ships it in wrangler.toml; the descriptions write an absent one in parentheses. */
function shippedDefault(name: string): string | undefined {
  const setting = SETTINGS.find((candidate) => candidate.name === name && candidate.kind === 'var');
  if (setting === undefined) return undefined;
  return setting.default.startsWith('(') ? '' : setting.default;
}

/**
 * The vars of the new version. Whoever does not edit wrangler.toml sets vars with --var (or in the
 * dashboard), and they must survive updates; whoever edits it means it. So a value that is not the
 * shipped one wins over what is deployed, and a shipped one does not.
 */
function decideVars(
  project: Project,
  state: AccountState | undefined,
  options: DeployOptions,
): { vars: Record<string, string>; kept: string[] } {
  const vars: Record<string, string> = { ...project.vars };
  const kept: string[] = [];
  for (const [name, value] of Object.entries(project.vars)) {
    const deployed = state?.worker?.vars[name];
    if (deployed === undefined || deployed === value || value !== shippedDefault(name) || name in options.vars)
      continue;
    vars[name] = deployed;
    kept.push(name);
  }
  return { vars: { ...vars, ...options.vars, DEPLOYMENT: 'production', DEV_SIGN_IN: '', FETCH_LOOPBACK: '' }, kept };
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : URL.parse(url)?.hostname;
}

function decideUrl(project: Project, state: AccountState | undefined, options: DeployOptions): string | undefined {
  const deployed = state?.worker?.vars['PUBLIC_URL'];
  // The account's workers.dev name can change; that address is therefore made anew each time.
  const kept = deployed === undefined || hostOf(deployed)?.endsWith(WORKERS_DEV) === true ? '' : deployed;
  const [domain] = project.customDomains;
  const chosen = options.url ?? (project.vars['PUBLIC_URL'] || (domain === undefined ? kept : `https://${domain}`));
  if (chosen !== '') return chosen;
  if (state === undefined) return undefined;
  if (project.workersDev && state.subdomain !== undefined)
    return `https://${project.name}.${state.subdomain}${WORKERS_DEV}`;
  throw new Stop(
    project.workersDev
      ? 'This account has no workers.dev address yet. Open Workers & Pages once in the Cloudflare dashboard, which makes one, ' +
          'or give an address of your own: npm run deploy -- --url https://carrel.example.com'
      : 'wrangler.toml switches workers.dev off, so an address is needed: npm run deploy -- --url https://carrel.example.com',
  );
}

function requireSettings(vars: Record<string, string>): void {
  const placeholder = 'x'.repeat(64);
  const result = parseSettings({ ...vars, ...Object.fromEntries(MADE_SECRETS.map((name) => [name, placeholder])) });
  if (!result.ok)
    throw new Stop(
      `The configuration has ${result.faults.length === 1 ? 'a fault' : 'faults'}. Mend wrangler.toml or use --var and --url:\n` +
        result.faults.map(({ setting, problem }) => `${setting} ${problem}`).join('\n'),
    );
}

/** A Worker that silently got another, empty database would have lost everybody's account. */
function requireSameStorage(project: Project, state: AccountState): void {
  const { worker } = state;
  if (worker?.databaseId !== undefined && worker.databaseId !== state.databaseId)
    throw new Stop(
      `The deployed Worker uses the D1 database ${worker.databaseId}, but wrangler.toml names "${project.database.name}", which is ` +
        `${state.databaseId === undefined ? 'not in this account' : 'another one'}. Put back the name it had. To point the Worker at ` +
        'the other one on purpose, add --replace.',
    );
  for (const bucket of project.buckets) {
    const deployed = worker?.buckets[bucket.binding];
    if (deployed !== undefined && deployed !== bucket.name)
      throw new Stop(
        `The deployed Worker keeps its ${bucket.binding} in the bucket "${deployed}", but wrangler.toml names "${bucket.name}". Put back ` +
          'the name it had. To point the Worker at the other one on purpose, copy the objects first and add --replace.',
      );
  }
}

function decideDomains(
  project: Project,
  state: AccountState | undefined,
  options: DeployOptions,
  host: string | undefined,
) {
  const asked = options.url !== undefined && options.attachDomain && host !== undefined && !host.endsWith(WORKERS_DEV);
  const wanted = [...new Set([...project.customDomains, ...(asked ? [host] : [])])];
  for (const domain of wanted) {
    const owner = state?.domains.get(domain);
    if (owner !== undefined && owner !== project.name)
      throw new Stop(
        `${domain} is a custom domain of the Worker "${owner}". Remove it there in the Cloudflare dashboard first, or choose another host.`,
      );
  }
  return wanted.filter((domain) => state?.domains.get(domain) !== project.name);
}

/**
 * Decides what a deployment will do.
 *
 * @param state undefined when nobody is signed in: then it is the plan of a first deployment
 * @throws Stop when it must not go on; nothing has been touched by then
 */
export function makePlan(project: Project, state: AccountState | undefined, options: DeployOptions): Plan {
  if (state !== undefined && !options.replace) requireSameStorage(project, state);
  const publicUrl = decideUrl(project, state, options);
  const { vars, kept } = decideVars(project, state, options);
  if (publicUrl !== undefined) vars['PUBLIC_URL'] = publicUrl;
  requireSettings(vars);

  const host = hostOf(publicUrl);
  const attach = decideDomains(project, state, options, host);
  const applied = state?.appliedMigrations ?? [];
  const unknown = applied.filter((name) => !project.migrations.includes(name));
  const warnings = [
    ...(unknown.length === 0
      ? []
      : [
          `The database has migrations that this checkout lacks (${unknown.join(', ')}): newer code was deployed before.`,
        ]),
    ...(state !== undefined &&
    host !== undefined &&
    !host.endsWith(WORKERS_DEV) &&
    !attach.includes(host) &&
    !state.domains.has(host)
      ? [
          `${host} is no custom domain of this Worker. If nothing else routes it here, run npm run deploy -- --url https://${host}`,
        ]
      : []),
  ];
  return {
    firstDeployment: state?.worker === undefined,
    publicUrl,
    vars,
    keptVars: kept.filter((name) => name !== 'PUBLIC_URL'),
    // Without a workers.dev name in the account wrangler would refuse to deploy at all.
    workersDev: project.workersDev && (state === undefined || state.subdomain !== undefined),
    databaseId: state?.databaseId,
    missingBuckets: project.buckets.filter(({ name }) => state?.buckets.includes(name) !== true),
    pendingMigrations: project.migrations.filter((name) => !applied.includes(name)),
    missingSecrets: MADE_SECRETS.filter((name) => state?.worker?.secrets.includes(name) !== true),
    attach,
    warnings,
  };
}

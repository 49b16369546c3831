import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleSize, describeBundle } from '../bundle-size.ts';
import { DIRECTORY_BINDING } from '../local-migrations.ts';
import { readSecretsFile, writeSecretsFile } from '../secrets.ts';
import { lastWords, runWrangler, type WranglerResult } from '../wrangler.ts';
import { ApiError, asObject, asText } from './api.ts';
import type { Login } from './login.ts';
import { newSecrets, secretsCopy } from './new-secrets.ts';
import type { DeployOptions } from './options.ts';
import type { Plan } from './plan.ts';
import { type Project, withDeploymentConfig } from './project.ts';
import { type AccountState, jurisdictionHeader } from './state.ts';

/** One thing that a deployment does. Each can be repeated: what is done is found to be done. */
export interface Step {
  readonly title: string;
  /** What there is to do, for a dry run; undefined when it is done already. */
  readonly todo: string | undefined;
  /** What to say when there is nothing to do. */
  readonly already: string;
  /** @returns what was done, in a few words */
  run(): Promise<string>;
}

/** A step that failed, with what to do about it. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
}

export interface StepContext {
  readonly project: Project;
  readonly plan: Plan;
  readonly options: DeployOptions;
  readonly login: Login | undefined;
  readonly state: AccountState | undefined;
  /** How long to wait for the deployed Worker's answer, in milliseconds; 0 does not ask. */
  readonly patience: number;
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a step ran without the login or the resource it needs');
  return value;
}

/** Runs wrangler with a place for its machine-readable answers, and returns the last of the type. */
async function runAndRead(
  args: readonly string[],
  context: StepContext,
  type: string,
): Promise<{ result: WranglerResult; answer: Readonly<Record<string, unknown>> }> {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-deploy-'));
  const file = join(folder, 'output.ndjson');
  try {
    const env = { ...(context.login?.env ?? process.env), WRANGLER_OUTPUT_FILE_PATH: file };
    const result = await runWrangler(args, { cwd: context.project.root, env });
    const lines = ((): string[] => {
      try {
        return readFileSync(file, 'utf8').trim().split('\n');
      } catch {
        return [];
      }
    })();
    const answers = lines.map((line) => asObject(JSON.parse(line || '{}')));
    return { result, answer: answers.findLast((entry) => entry['type'] === type) ?? {} };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function buildStep(context: StepContext): Step {
  return {
    title: 'Bundle',
    // A dry run builds as well: that touches nothing, and a fault shows before anything is changed.
    todo: 'build the Worker',
    already: '',
    async run() {
      const folder = mkdtempSync(join(tmpdir(), 'carrel-bundle-'));
      try {
        const { code, output } = await runWrangler(['deploy', '--dry-run', '--outdir', folder], {
          cwd: context.project.root,
          env: context.login?.env ?? process.env,
        });
        if (code !== 0) throw new StepFailure(`The Worker does not build. Mend it:\n${lastWords(output)}`);
        return `builds: ${describeBundle(await bundleSize(folder))}`;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

/** The steps of a deployment, in the order in which they must run. */
export function deploymentSteps(context: StepContext): readonly Step[] {
  const { project, plan, options, login, state } = context;
  let databaseId = plan.databaseId;
  const account = `/accounts/${login?.accountId ?? ''}`;
  const worker = project.name;

  const additions = () => ({ databaseId: need(databaseId), vars: plan.vars, workersDev: plan.workersDev });

  const database: Step = {
    title: 'D1 database',
    todo: databaseId === undefined ? `create ${project.database.name}` : undefined,
    already: `${project.database.name} is there`,
    async run() {
      const created = await need(login).api.request('POST', `${account}/d1/database`, {
        body: {
          name: project.database.name,
          ...(options.location === undefined ? {} : { primary_location_hint: options.location }),
        },
      });
      databaseId = asText(asObject(created)['uuid']);
      if (databaseId === undefined)
        throw new StepFailure('Cloudflare created the database but did not say its id. Run the command again.');
      return `${project.database.name} created`;
    },
  };

  const buckets = project.buckets.map((bucket): Step => {
    const missing = plan.missingBuckets.includes(bucket);
    return {
      title: 'R2 bucket',
      todo: missing ? `create ${bucket.name}` : undefined,
      already: `${bucket.name} is there`,
      async run() {
        await need(login).api.request('POST', `${account}/r2/buckets`, {
          headers: jurisdictionHeader(bucket),
          body: { name: bucket.name, ...(options.location === undefined ? {} : { locationHint: options.location }) },
        });
        return `${bucket.name} created`;
      },
    };
  });

  const pending = plan.pendingMigrations;
  const migrations: Step = {
    title: 'Migrations',
    todo: pending.length === 0 ? undefined : `apply ${pending.length}: ${pending.join(', ')}`,
    already: 'the database has them all',
    async run() {
      const { code, output } = await withDeploymentConfig(project, additions(), (config) =>
        runWrangler(['d1', 'migrations', 'apply', DIRECTORY_BINDING, '--remote', '--config', config], {
          cwd: project.root,
          env: need(login).env,
        }),
      );
      if (code !== 0)
        throw new StepFailure(
          `A migration failed; D1 has rolled that one back, and the old code goes on running. Wrangler said:\n${lastWords(output)}`,
        );
      return `${pending.length} applied: ${pending.join(', ')}`;
    },
  };

  const upload: Step = {
    title: 'Worker',
    todo: `${plan.firstDeployment ? 'upload' : 'update'} ${worker}${secretsNote(plan, options)}`,
    already: '',
    async run() {
      const { env, accountId } = need(login);
      const copyFile = secretsCopy(env, accountId, worker);
      const copy = readSecretsFile(copyFile);
      const secrets = newSecrets(options.rotate, { deployed: state?.worker?.secrets ?? [], copy, env });
      // Written first: a secret that was uploaded but not kept could never be replaced.
      if (Object.keys(secrets).length > 0)
        writeSecretsFile(
          copyFile,
          { ...copy, ...secrets },
          `Secrets of the Worker "${worker}", made by \`npm run deploy\`.`,
        );
      const version = await uploadWorker(context, additions(), secrets);
      const names = Object.keys(secrets);
      return `${version}${names.length === 0 ? '' : `, with new ${names.join(', ')}`}`;
    },
  };

  const domains = plan.attach.map((hostname): Step => ({
    title: 'Custom domain',
    todo: `attach ${hostname}`,
    already: '',
    async run() {
      try {
        await need(login).api.request('PUT', `${account}/workers/domains`, {
          body: { hostname, service: worker, environment: 'production' },
        });
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        throw new StepFailure(
          `The Worker is deployed, but ${hostname} could not be attached (${error.message}). Its zone must be in this account, and no ` +
            `DNS record of that name may exist. Then run: npm run deploy -- --url https://${hostname}`,
        );
      }
      return `${hostname} attached`;
    },
  }));

  return [buildStep(context), database, ...buckets, migrations, upload, ...domains, answerStep(context)];
}

function secretsNote(plan: Plan, options: DeployOptions): string {
  const parts = [
    ...(plan.missingSecrets.length === 0 ? [] : [`make ${plan.missingSecrets.join(', ')}`]),
    ...(options.rotate.length === 0 ? [] : [`replace ${options.rotate.join(', ')}`]),
  ];
  return parts.length === 0 ? '' : `; ${parts.join('; ')}`;
}

/** Uploads code, vars and new secrets as one version, so that no version ever runs without its secrets. */
async function uploadWorker(
  context: StepContext,
  additions: Parameters<typeof withDeploymentConfig>[1],
  secrets: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-secrets-'));
  const secretsFile = join(folder, 'secrets.json');
  try {
    writeFileSync(secretsFile, JSON.stringify(secrets), { mode: 0o600 });
    const { result, answer } = await withDeploymentConfig(context.project, additions, (config) =>
      // --keep-vars leaves alone what only the dashboard knows: vars, and secrets too.
      runAndRead(['deploy', '--config', config, '--keep-vars', '--secrets-file', secretsFile], context, 'deploy'),
    );
    if (result.code !== 0)
      throw new StepFailure(
        `The Worker was not uploaded; the old code goes on running. Wrangler said:\n${lastWords(result.output)}`,
      );
    const version = asText(answer['version_id']);
    return version === undefined ? 'uploaded' : `version ${version.slice(0, 8)} is deployed`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function answerStep({ plan, patience }: StepContext): Step {
  const { publicUrl } = plan;
  return {
    title: 'Answer',
    todo: publicUrl === undefined ? 'ask the Worker for /healthz' : `ask ${publicUrl}/healthz`,
    already: '',
    async run() {
      const end = Date.now() + patience;
      let last = 'it was not asked';
      while (Date.now() < end) {
        try {
          const response = await fetch(`${need(publicUrl)}/healthz`, { signal: AbortSignal.timeout(10_000) });
          await response.body?.cancel();
          if (response.ok) return `${publicUrl} answers`;
          last = `it answers ${response.status}`;
        } catch {
          last = 'it cannot be reached yet';
        }
        await sleep(1000);
      }
      // A new address can take minutes, so this is no failure of the deployment.
      return patience === 0 ? 'not asked' : `${last}; a new address can take a few minutes: try ${publicUrl}/healthz`;
    },
  };
}

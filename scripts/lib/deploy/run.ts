import { renderConnectLines } from '../connect.ts';
import { DIRECTORY_BINDING } from '../local-migrations.ts';
import { readSecretsFile } from '../secrets.ts';
import { COLUMNS, faint, heading, link, MARKS, pad, paragraph, Stop, strong, wrap } from '../terminal.ts';
import { ApiError } from './api.ts';
import { findLogin, type Login, NOT_LOGGED_IN } from './login.ts';
import { newSecrets, secretsCopy } from './new-secrets.ts';
import { DEPLOY_USAGE, readDeployOptions } from './options.ts';
import { makePlan, type Plan } from './plan.ts';
import { type Project, readProject } from './project.ts';
import { type AccountState, lookUp } from './state.ts';
import { deploymentSteps, type Step, StepFailure } from './steps.ts';

export interface DeployRun {
  /** As they stand after `npm run deploy --`. */
  readonly args: readonly string[];
  /** The folder with wrangler.toml. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly write: (text: string) => void;
  /** How long to wait until the deployed Worker answers, in milliseconds; 0 does not ask it. */
  readonly patience: number;
}

const TITLE = 16;

function line(mark: string, title: string, text: string): string {
  const [first = '', ...rest] = wrap(text, COLUMNS - TITLE - 4);
  return [`  ${mark} ${pad(title, TITLE)}${first}`, ...rest.map((more) => ' '.repeat(TITLE + 4) + more)].join('\n');
}

function summary(project: Project, plan: Plan, login: Login | undefined, given: readonly string[]): string {
  const account = login === undefined ? 'not signed in' : (login.accountName ?? login.accountId);
  const lines = [
    `  ${pad(strong('Account'), TITLE)}${account}`,
    `  ${pad(strong('Worker'), TITLE)}${project.name}${login === undefined ? '' : faint(plan.firstDeployment ? '  first deployment' : '  update')}`,
    `  ${pad(strong('Address'), TITLE)}${plan.publicUrl === undefined ? faint('found out when you are signed in') : link(plan.publicUrl)}`,
    ...[
      ...given.map((name) => [name, 'from now on'] as const),
      ...plan.keptVars.map((name) => [name, 'kept from the deployment'] as const),
    ].map(
      ([name, note]) =>
        `  ${pad(strong(name), TITLE)}${name.length < TITLE ? '' : ' '}${plan.vars[name] || '(empty)'}${faint(`  ${note}`)}`,
    ),
  ];
  return `${lines.join('\n')}\n\n`;
}

function failure(step: Step, error: unknown, done: readonly string[]): Stop {
  const what =
    error instanceof StepFailure || error instanceof Stop
      ? error.message
      : error instanceof ApiError
        ? `Cloudflare refused it: ${error.message}`
        : undefined;
  if (what === undefined) throw error;
  const before = done.length === 0 ? 'Nothing was changed before it.' : `Done before it: ${done.join('; ')}.`;
  return new Stop(
    `${step.title} failed. ${what}\n${before}\nMend it and run the same command again: what is done is not done twice.`,
  );
}

async function runSteps(steps: readonly Step[], write: DeployRun['write']): Promise<void> {
  const done: string[] = [];
  for (const step of steps) {
    if (step.todo === undefined) {
      write(`${line(MARKS.same(), step.title, faint(step.already))}\n`);
      continue;
    }
    try {
      const text = await step.run();
      write(`${line(MARKS.done(), step.title, text)}\n`);
      // Building changes nothing that a person would have to know about.
      if (step !== steps[0]) done.push(`${step.title} ${text}`);
    } catch (error) {
      throw failure(step, error, done);
    }
  }
}

async function describe(steps: readonly Step[], login: Login | undefined, write: DeployRun['write']): Promise<void> {
  const [build, ...others] = steps;
  if (build !== undefined) {
    try {
      write(`${line(MARKS.done(), build.title, await build.run())}\n`);
    } catch (error) {
      throw failure(build, error, []);
    }
  }
  for (const step of others)
    write(
      `${step.todo === undefined ? line(MARKS.same(), step.title, faint(step.already)) : line(MARKS.todo(), step.title, step.todo)}\n`,
    );
  const note =
    login === undefined
      ? 'Nothing was done. You are not signed in to Cloudflare, so this could not look up which of these are done already; ' +
        'it is what a first deployment does. Sign in with npx wrangler login.'
      : 'Nothing was done. Without --dry-run it does the steps marked with an arrow.';
  write(`\n${paragraph(note)}\n\n`);
}

/** How it gets its owner: until then nobody gets in. */
function claiming(url: string, plan: Plan): string[] {
  const how = ['', `  ${strong('npm run owner-code -- --remote')}   ${link(`${url}/claim`)}`];
  return plan.firstDeployment
    ? [paragraph('Now claim it, for nobody gets in before: this prints a code for that page.'), ...how]
    : [paragraph('If you have not claimed it yet, nobody gets in: this prints a code for that page.'), ...how];
}

function nextSteps(url: string, plan: Plan, copy: string | undefined): string {
  return [
    heading('Carrel is deployed'),
    '',
    `  ${strong('MCP address')}   ${link(`${url}/mcp`)}`,
    '',
    renderConnectLines(`${url}/mcp`),
    `  ${strong('Claude, ChatGPT')}  ${faint('in the settings: add a custom connector')}`,
    `    ${link(`${url}/mcp`)}`,
    '',
    ...claiming(url, plan),
    ...(copy === undefined
      ? []
      : [
          '',
          paragraph(
            `The secrets made now are kept in ${copy} too: Cloudflare never shows them again. Put a copy into your password manager.`,
          ),
        ]),
    ...(plan.firstDeployment
      ? ['', paragraph('Updates: git pull, npm ci, npm run deploy. More in docs/deploy.md.')]
      : []),
    '',
    '',
  ].join('\n');
}

/** Says early that a secret cannot be replaced, before anything is created. */
function requireReplaceable(
  run: DeployRun,
  project: Project,
  login: Login,
  state: AccountState,
  rotate: Parameters<typeof newSecrets>[0],
) {
  const file = secretsCopy(login.env, login.accountId, project.name);
  const secrets = newSecrets(rotate, {
    deployed: state.worker?.secrets ?? [],
    copy: readSecretsFile(file),
    env: run.env,
  });
  return Object.keys(secrets).length === 0 ? undefined : file;
}

/**
 * `npm run deploy`: looks up what is there, does what is missing, uploads the Worker. Running it again
 * continues after a failure and updates after a success.
 *
 * @throws Stop with what failed, what was done before, and how to go on
 */
export async function runDeploy(run: DeployRun): Promise<void> {
  const options = readDeployOptions(run.args);
  if (options.help) return run.write(`${DEPLOY_USAGE}\n`);
  const { write } = run;
  write(`${heading('Carrel', options.dryRun ? 'what a deployment would do' : 'deployment to Cloudflare')}\n\n`);

  const project = await readProject(run.root);
  const login = await findLogin(run.root, run.env, project.accountId);
  if (login === undefined && !options.dryRun) throw new Stop(NOT_LOGGED_IN);
  const state = await (async () => {
    try {
      return login === undefined ? undefined : await lookUp(login, project, DIRECTORY_BINDING);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      throw new Stop(`The account could not be looked up: ${error.message}. Nothing was changed. Try again.`);
    }
  })();
  const plan = makePlan(project, state, options);
  write(summary(project, plan, login, Object.keys(options.vars)));
  for (const warning of plan.warnings) write(`${line(MARKS.warning(), 'Note', warning)}\n`);

  const copy =
    login === undefined || state === undefined
      ? undefined
      : requireReplaceable(run, project, login, state, options.rotate);
  const steps = deploymentSteps({ project, plan, options, login, state, patience: run.patience });
  if (options.dryRun) return await describe(steps, login, write);
  await runSteps(steps, write);
  if (plan.publicUrl !== undefined) write(nextSteps(plan.publicUrl, plan, copy));
}

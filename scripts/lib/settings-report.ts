import { join } from 'node:path';
import { type SettingDescription, SETTINGS } from '../../src/setting-descriptions.ts';
import { parseSettings, type SettingsFault } from '../../src/settings.ts';
import { TOOLSETS } from '../../src/toolsets.ts';
import type { Check } from './checks.ts';
import { findLogin, NOT_LOGGED_IN } from './deploy/login.ts';
import { readProject } from './deploy/project.ts';
import { lookUp } from './deploy/state.ts';
import { DEVELOPMENT_VARS } from './dev-server.ts';
import { DIRECTORY_BINDING } from './local-migrations.ts';
import { MADE_SECRETS, readSecretsFile, unreadableLines } from './secrets.ts';
import { columns, COLUMNS, faint, MARKS, pad, Stop, strong, style, wrap } from './terminal.ts';

export interface SettingsReport {
  /** Where the values were read, in words. */
  readonly source: string;
  readonly checks: readonly Check[];
  /** Values of vars. For a secret only that it is there: any text. */
  readonly values: Readonly<Record<string, string>>;
  /** Secrets that will be made without anybody's doing. */
  readonly willBeMade: readonly string[];
  readonly faults: readonly SettingsFault[];
}

const PLACEHOLDER = 'x'.repeat(64);

function faultsOf(values: Readonly<Record<string, string>>, willBeMade: readonly string[]): readonly SettingsFault[] {
  const made = Object.fromEntries(willBeMade.map((name) => [name, PLACEHOLDER]));
  const result = parseSettings({ ...values, ...made }, Object.keys(TOOLSETS));
  return result.ok ? [] : result.faults;
}

/** How many letters two names do not share at the same place from either end; a slip is one or two. */
function difference(one: string, other: string): number {
  let [begin, end] = [0, 0];
  const shorter = Math.min(one.length, other.length);
  while (begin < shorter && one[begin] === other[begin]) begin++;
  while (end < shorter - begin && one.at(-1 - end) === other.at(-1 - end)) end++;
  return Math.max(one.length, other.length) - begin - end;
}

/** A name that Carrel does not know does nothing, and is often a known one with a slip. */
function unknownNames(secrets: Readonly<Record<string, string>>): string[] {
  return Object.keys(secrets)
    .filter((name) => !SETTINGS.some((setting) => setting.name === name))
    .map((name) => {
      const meant = SETTINGS.find((setting) => difference(setting.name, name.toUpperCase()) <= 2);
      return `.dev.vars sets ${name}, which Carrel does not know.${meant ? ` Is ${meant.name} meant?` : ' Remove it.'}`;
    });
}

/** The settings that `npm start` will use: wrangler.toml, .dev.vars and the development flags. */
export async function inspectLocal(root: string): Promise<SettingsReport> {
  const project = await readProject(root);
  const file = join(root, '.dev.vars');
  const secrets = readSecretsFile(file);
  const strange = [...unreadableLines(file), ...unknownNames(secrets)];
  const values = { ...project.vars, ...secrets, ...DEVELOPMENT_VARS };
  const willBeMade = MADE_SECRETS.filter((name) => (secrets[name] ?? '') === '');
  return {
    source: 'of npm start: wrangler.toml, .dev.vars',
    checks: strange.map((fault) => ({ title: '.dev.vars', found: 'at fault', fault })),
    values,
    willBeMade,
    faults: faultsOf(values, willBeMade),
  };
}

async function checkAnswer(url: string | undefined): Promise<Check> {
  const title = 'Answer';
  if (url === undefined || url === '')
    return { title, found: 'no PUBLIC_URL', fault: 'The deployment has no PUBLIC_URL. Run npm run deploy.' };
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(10_000) });
    await response.body?.cancel();
    return response.ok
      ? { title, found: `${url} answers` }
      : {
          title,
          found: `${response.status}`,
          fault: `${url}/healthz answers ${response.status}. npx wrangler tail shows why.`,
        };
  } catch {
    return {
      title,
      found: 'no answer',
      fault: `${url} cannot be reached. Check its DNS record, or set another address with npm run deploy -- --url.`,
    };
  }
}

/**
 * The settings of the deployed Worker, as Cloudflare tells them.
 *
 * @throws Stop when nobody is signed in or nothing is deployed
 */
export async function inspectDeployment(root: string, env: NodeJS.ProcessEnv): Promise<SettingsReport> {
  const project = await readProject(root);
  const login = await findLogin(root, env, project.accountId);
  if (login === undefined) throw new Stop(NOT_LOGGED_IN);
  const state = await lookUp(login, project, DIRECTORY_BINDING);
  if (state.worker === undefined)
    throw new Stop(`There is no Worker "${project.name}" in this account yet. Deploy it: npm run deploy`);
  const { vars, secrets, databaseId } = state.worker;
  const values = { ...vars, ...Object.fromEntries(secrets.map((name) => [name, PLACEHOLDER])) };
  const pending = project.migrations.filter((name) => !state.appliedMigrations.includes(name));
  const checks: Check[] = [
    {
      title: 'D1 database',
      found: state.databaseId === undefined ? 'missing' : project.database.name,
      ...(state.databaseId !== undefined && state.databaseId === databaseId
        ? {}
        : {
            fault: `The Worker does not use the database "${project.database.name}". npm run deploy -- --dry-run says more.`,
          }),
    },
    {
      title: 'Applied there',
      found: pending.length === 0 ? 'every migration' : `all but ${pending.length}`,
      ...(pending.length === 0 ? {} : { fault: `The database lacks ${pending.join(', ')}. Run npm run deploy.` }),
    },
    await checkAnswer(vars['PUBLIC_URL']),
  ];
  return {
    source: `of the deployed Worker "${project.name}"`,
    checks,
    values,
    willBeMade: [],
    faults: faultsOf(values, []),
  };
}

function stateOf(setting: SettingDescription, report: SettingsReport): { mark: string; text: string } {
  const value = report.values[setting.name] ?? '';
  if (report.faults.some((fault) => fault.setting === setting.name))
    return { mark: MARKS.fault(), text: style('red', value === '' ? 'missing' : 'at fault') };
  if (report.willBeMade.includes(setting.name)) return { mark: MARKS.todo(), text: 'npm start will make it' };
  if (setting.kind === 'secret')
    return value === '' ? { mark: MARKS.same(), text: faint('not set') } : { mark: MARKS.done(), text: 'set' };
  if (value === '') return { mark: MARKS.same(), text: faint('empty') };
  return { mark: MARKS.done(), text: value };
}

/** Every setting with its state, meaning and default, laid out for a terminal. */
export function renderSettings(report: SettingsReport): string {
  const width = Math.max(...SETTINGS.map(({ name }) => columns(name))) + 2;
  return SETTINGS.map((setting) => {
    const { mark, text } = stateOf(setting, report);
    const about = [...wrap(setting.meaning, COLUMNS - 6), ...wrap(`Default: ${setting.default}`, COLUMNS - 6)];
    return [
      `  ${mark} ${pad(strong(setting.name), width)}${pad(faint(setting.kind), 8)}${text}`,
      ...about.map((line) => `    ${faint(line)}`),
    ].join('\n');
  }).join('\n\n');
}

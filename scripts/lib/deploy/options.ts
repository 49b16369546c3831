import { parseArgs } from 'node:util';
import { SETTINGS } from '../../../src/setting-descriptions.ts';
import { MADE_SECRETS } from '../secrets.ts';
import { faint, Stop, strong, withUsage } from '../terminal.ts';

export type MadeSecret = (typeof MADE_SECRETS)[number];

export interface DeployOptions {
  readonly help: boolean;
  readonly dryRun: boolean;
  /** The origin to use from now on; undefined keeps the one in use. */
  readonly url: string | undefined;
  /** False: someone else routes the host of `url` to the Worker. */
  readonly attachDomain: boolean;
  readonly vars: Readonly<Record<string, string>>;
  readonly rotate: readonly MadeSecret[];
  readonly location: string | undefined;
  /** The Worker may be pointed at another database or bucket than the one it uses. */
  readonly replace: boolean;
}

export const DEPLOY_USAGE = `
  ${strong('npm run deploy')} ${faint('[-- options]')}   deploys Carrel to your Cloudflare account

    --dry-run                says what it would do, and does nothing
    --url https://HOST       the address to use; HOST becomes a custom domain
    --no-domain              with --url: HOST is routed otherwise; not attached
    --var NAME:VALUE         sets a var; it stays on the following deployments
    --rotate SECRET          replaces ${MADE_SECRETS.join(' or ')}; the
                             old one stays valid beside it
    --location HINT          where to create database and bucket: weur, eeur,
                             apac, oc, wnam or enam
    --replace                allows another database or bucket than is in use
`;

// Deploying sets these itself; a value from outside could open the dev sign-in to the internet.
const FIXED = new Set(['DEPLOYMENT', 'DEV_SIGN_IN', 'FETCH_LOOPBACK', 'PUBLIC_URL']);

const LOCATIONS = ['weur', 'eeur', 'apac', 'oc', 'wnam', 'enam'];

function readVars(entries: readonly string[]): Record<string, string> {
  const allowed = SETTINGS.filter(({ kind, name }) => kind === 'var' && !FIXED.has(name)).map(({ name }) => name);
  return Object.fromEntries(
    entries.map((entry) => {
      const [name = '', ...value] = entry.split(':');
      if (!allowed.includes(name) || value.length === 0)
        throw new Stop(
          `--var takes NAME:VALUE with one of these names: ${allowed.join(', ')}.` +
            (name === 'PUBLIC_URL' ? ' The address is set with --url.' : ''),
        );
      return [name, value.join(':')];
    }),
  );
}

/**
 * Reads the arguments of `npm run deploy`.
 *
 * @throws Stop with what the argument should look like
 */
export function readDeployOptions(args: readonly string[]): DeployOptions {
  const parsed = withUsage(DEPLOY_USAGE, () => parse(args));
  const rotate = (parsed.rotate ?? []).map((name) => {
    const known = MADE_SECRETS.find((secret) => secret === name);
    if (known === undefined) throw new Stop(`--rotate takes ${MADE_SECRETS.join(' or ')}.`);
    return known;
  });
  const { location } = parsed;
  if (location !== undefined && !LOCATIONS.includes(location))
    throw new Stop(`--location takes one of ${LOCATIONS.join(', ')}.`);
  return {
    help: parsed.help === true,
    dryRun: parsed['dry-run'] === true,
    url: parsed.url?.replace(/\/$/, ''),
    attachDomain: parsed['no-domain'] !== true,
    vars: readVars(parsed.var ?? []),
    rotate,
    location,
    replace: parsed.replace === true,
  };
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      'dry-run': { type: 'boolean' },
      url: { type: 'string' },
      'no-domain': { type: 'boolean' },
      var: { type: 'string', multiple: true },
      rotate: { type: 'string', multiple: true },
      location: { type: 'string' },
      replace: { type: 'boolean' },
    },
  }).values;
}

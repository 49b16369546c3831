import { homedir } from 'node:os';
import { join } from 'node:path';
import { MADE_SECRETS, makeSecret } from '../secrets.ts';
import { Stop } from '../terminal.ts';
import type { MadeSecret } from './options.ts';

/** Where the earlier value of a secret goes, so that what it signed stays valid. */
const EARLIER: Record<MadeSecret, string> = {
  CARREL_SECRET: 'CARREL_SECRET_PREVIOUS',
  PERSON_ID_KEY: 'PERSON_ID_KEYS_RETIRED',
};

/**
 * The file in which the operator's machine keeps a copy of the secrets that it made. Cloudflare never
 * shows a secret again, but replacing one needs the old value. Whoever can read this file can read
 * wrangler's login beside it, which may do more; the checkout would be the wrong place.
 */
export function secretsCopy(env: NodeJS.ProcessEnv, accountId: string, workerName: string): string {
  const folder = env['XDG_CONFIG_HOME'] || env['APPDATA'] || join(homedir(), '.config');
  return join(folder, 'carrel', `${accountId}-${workerName}.vars`);
}

export interface SecretSources {
  /** Names on the deployed Worker. */
  readonly deployed: readonly string[];
  readonly copy: Readonly<Record<string, string>>;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The secrets to put, new ones only: those that are missing and those to be replaced. A value may be
 * given in the environment; a copy from an attempt that failed half-way is used again.
 *
 * @throws Stop when a secret is to be replaced whose present value is not known here
 */
export function newSecrets(
  rotate: readonly MadeSecret[],
  { deployed, copy, env }: SecretSources,
): Record<string, string> {
  const secrets: Record<string, string> = {};
  for (const name of MADE_SECRETS) {
    if (!deployed.includes(name)) {
      secrets[name] = env[name] || copy[name] || makeSecret();
      continue;
    }
    if (!rotate.includes(name)) continue;
    const present = env[name] || copy[name];
    if (present === undefined)
      throw new Stop(
        `${name} cannot be replaced from here: its present value is not on this machine, and Cloudflare does not show it. ` +
          `Run the command where it was made, or give the present value: ${name}=… npm run deploy -- --rotate ${name}`,
      );
    const earlier = EARLIER[name];
    const listed = name === 'PERSON_ID_KEY' ? env[earlier] || copy[earlier] || '' : '';
    if (name === 'PERSON_ID_KEY' && listed === '' && deployed.includes(earlier))
      throw new Stop(
        `${name} cannot be replaced from here: ${earlier} is set, and its value is not on this machine. Tokens that bear those ` +
          `earlier keys would stop working. Give it as well: ${earlier}=… npm run deploy -- --rotate ${name}`,
      );
    secrets[earlier] = listed === '' ? present : `${present},${listed}`;
    secrets[name] = makeSecret();
  }
  return secrets;
}

import { join } from 'node:path';
import { readSecretsFile } from '../secrets.ts';
import { Stop } from '../terminal.ts';
import { runWrangler } from '../wrangler.ts';
import { asObject, asObjects, asText, CloudflareApi } from './api.ts';

const API = 'https://api.cloudflare.com/client/v4';

/** A signed-in caller and the account it works in. */
export interface Login {
  readonly api: CloudflareApi;
  readonly accountId: string;
  readonly accountName: string | undefined;
  /** For wrangler: the same environment with the account chosen. */
  readonly env: NodeJS.ProcessEnv;
}

export const NOT_LOGGED_IN =
  'You are not signed in to Cloudflare. Run npx wrangler login and try again. On a machine without a browser set ' +
  'CLOUDFLARE_API_TOKEN to a token that may edit Workers Scripts, D1 and Workers R2 Storage and read Account Settings.';

async function authorization(root: string, env: NodeJS.ProcessEnv): Promise<Record<string, string> | undefined> {
  if (env['CLOUDFLARE_API_TOKEN']) return { Authorization: `Bearer ${env['CLOUDFLARE_API_TOKEN']}` };
  // Wrangler keeps the login, perhaps in the system's keychain, and renews it.
  const { code, output } = await runWrangler(['auth', 'token', '--json'], { cwd: root, env });
  if (code !== 0) return undefined;
  const answer = asObject(JSON.parse(output.slice(output.indexOf('{'))));
  const [token, key, email] = [asText(answer['token']), asText(answer['key']), asText(answer['email'])];
  if (token !== undefined) return { Authorization: `Bearer ${token}` };
  return key !== undefined && email !== undefined ? { 'X-Auth-Key': key, 'X-Auth-Email': email } : undefined;
}

/**
 * Finds out who is signed in (as wrangler knows it, or by CLOUDFLARE_API_TOKEN, also from .env) and in
 * which account to work.
 *
 * @returns undefined when nobody is signed in
 * @throws Stop when the account is not certain
 */
export async function findLogin(
  root: string,
  processEnv: NodeJS.ProcessEnv,
  configuredAccount: string | undefined,
): Promise<Login | undefined> {
  const fromFile = Object.entries(readSecretsFile(join(root, '.env'))).filter(([name]) =>
    name.startsWith('CLOUDFLARE_'),
  );
  const env: NodeJS.ProcessEnv = { ...Object.fromEntries(fromFile), ...processEnv };
  const headers = await authorization(root, env);
  if (headers === undefined) return undefined;
  const api = new CloudflareApi(env['CLOUDFLARE_API_BASE_URL'] || API, headers);

  const chosen = asText(env['CLOUDFLARE_ACCOUNT_ID']) ?? configuredAccount;
  const finish = (accountId: string, accountName?: string): Login => ({
    api,
    accountId,
    accountName,
    env: { ...env, CLOUDFLARE_ACCOUNT_ID: accountId },
  });
  if (chosen !== undefined) return finish(chosen);

  const accounts = asObjects(await api.request('GET', '/accounts', { query: { per_page: '50' } })).map((account) => ({
    id: asText(account['id']) ?? '',
    name: asText(account['name']) ?? '(no name)',
  }));
  const [only] = accounts;
  if (only === undefined)
    throw new Stop(
      'This login reaches no Cloudflare account. Give the API token the permission Account Settings Read.',
    );
  if (accounts.length > 1)
    throw new Stop(
      `This login reaches ${accounts.length} accounts. Choose one by setting CLOUDFLARE_ACCOUNT_ID:\n` +
        accounts.map(({ id, name }) => `CLOUDFLARE_ACCOUNT_ID=${id} npm run deploy   # ${name}`).join('\n'),
    );
  return finish(only.id, only.name);
}

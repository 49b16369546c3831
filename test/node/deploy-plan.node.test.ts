import { describe, expect, it } from 'vitest';
import { newSecrets } from '../../scripts/lib/deploy/new-secrets.ts';
import { readDeployOptions } from '../../scripts/lib/deploy/options.ts';
import { makePlan } from '../../scripts/lib/deploy/plan.ts';
import type { Project } from '../../scripts/lib/deploy/project.ts';
import type { AccountState } from '../../scripts/lib/deploy/state.ts';

describe('the plan', () => {
  const project: Project = {
    root: '/nowhere',
    config: {},
    name: 'carrel',
    accountId: undefined,
    database: { name: 'carrel-directory', id: undefined },
    buckets: [{ binding: 'FILES', name: 'carrel-files', jurisdiction: undefined }],
    vars: {
      DEPLOYMENT: 'production',
      PUBLIC_URL: '',
      TOOLSETS: '',
      ACCESS_TOKEN_SECONDS: '3600',
      GRANT_IDLE_DAYS: '30',
      DEV_SIGN_IN: '',
    },
    customDomains: [],
    workersDev: true,
    migrations: ['0001_a.sql', '0002_b.sql'],
  };
  const state: AccountState = {
    worker: {
      vars: { PUBLIC_URL: 'https://carrel.acme.workers.dev', TOOLSETS: '', ACCESS_TOKEN_SECONDS: '3600' },
      secrets: ['CARREL_SECRET', 'PERSON_ID_KEY'],
      databaseId: 'id-1',
      buckets: { FILES: 'carrel-files' },
    },
    databaseId: 'id-1',
    buckets: ['carrel-files'],
    appliedMigrations: ['0001_a.sql'],
    subdomain: 'acme',
    domains: new Map(),
  };
  const worker = (over: Partial<NonNullable<AccountState['worker']>>): AccountState => ({
    ...state,
    worker: { vars: {}, secrets: [], databaseId: 'id-1', buckets: {}, ...state.worker, ...over },
  });
  const plan = (over: Partial<Project>, current: AccountState | undefined, ...args: string[]) =>
    makePlan({ ...project, ...over }, current, readDeployOptions(args));

  it('does only what is missing', () => {
    expect(plan({}, state)).toMatchObject({
      firstDeployment: false,
      missingBuckets: [],
      pendingMigrations: ['0002_b.sql'],
      missingSecrets: [],
      keptVars: [],
      attach: [],
      warnings: [],
    });
  });

  it('makes only the secret that is missing', () => {
    expect(plan({}, worker({ secrets: ['CARREL_SECRET'] })).missingSecrets).toEqual(['PERSON_ID_KEY']);
  });

  it('never lets the dev sign-in out, whatever wrangler.toml says', () => {
    const { vars } = plan({ vars: { ...project.vars, DEPLOYMENT: 'development', DEV_SIGN_IN: 'true' } }, state);
    expect(vars).toMatchObject({ DEPLOYMENT: 'production', DEV_SIGN_IN: '' });
    expect(() => readDeployOptions(['--var', 'DEV_SIGN_IN:true'])).toThrow('--var takes NAME:VALUE');
  });

  it('keeps a deployed var unless wrangler.toml was edited or --var is given', () => {
    const deployed = worker({ vars: { TOOLSETS: 'sessions', ACCESS_TOKEN_SECONDS: '600' } });
    const edited = { vars: { ...project.vars, ACCESS_TOKEN_SECONDS: '1200' } };
    expect(plan(edited, deployed).vars).toMatchObject({ TOOLSETS: 'sessions', ACCESS_TOKEN_SECONDS: '1200' });
    expect(plan({}, deployed, '--var', 'TOOLSETS:').vars).toMatchObject({ TOOLSETS: '', ACCESS_TOKEN_SECONDS: '600' });
  });

  it('follows the account when its workers.dev name changes, and keeps an address of its own', () => {
    expect(plan({}, { ...state, subdomain: 'renamed' }).publicUrl).toBe('https://carrel.renamed.workers.dev');
    const own = worker({ vars: { PUBLIC_URL: 'https://carrel.example.com' } });
    expect(plan({}, { ...own, domains: new Map([['carrel.example.com', 'carrel']]) })).toMatchObject({
      publicUrl: 'https://carrel.example.com',
      attach: [],
      warnings: [],
    });
    expect(plan({}, own).warnings.join()).toContain('carrel.example.com is no custom domain of this Worker');
  });

  it('takes the address from a custom domain in wrangler.toml', () => {
    expect(plan({ customDomains: ['mcp.example.com'] }, state)).toMatchObject({
      publicUrl: 'https://mcp.example.com',
      attach: ['mcp.example.com'],
    });
  });

  it('asks for an address when the account has none', () => {
    const { subdomain: _, ...rest } = state;
    const none: AccountState = { ...rest, subdomain: undefined };
    expect(() => plan({}, none)).toThrow('This account has no workers.dev address yet.');
    expect(plan({}, none, '--url', 'https://carrel.example.com').workersDev).toBe(false);
  });

  it('refuses a host that another Worker has', () => {
    const taken: AccountState = { ...state, domains: new Map([['carrel.example.com', 'blog']]) };
    expect(() => plan({}, taken, '--url', 'https://carrel.example.com')).toThrow(
      'carrel.example.com is a custom domain of the Worker "blog".',
    );
  });

  it('refuses to point the Worker at another database or bucket by accident', () => {
    expect(() => plan({}, { ...state, databaseId: 'id-2' })).toThrow('The deployed Worker uses the D1 database id-1');
    expect(() => plan({}, { ...state, databaseId: undefined })).toThrow('not in this account');
    expect(() => plan({}, worker({ buckets: { FILES: 'other' } }))).toThrow('in the bucket "other"');
    expect(plan({}, { ...state, databaseId: 'id-2' }, '--replace').databaseId).toBe('id-2');
  });

  it('lists every fault of the configuration before anything is touched', () => {
    const wrong = () =>
      plan({ vars: { ...project.vars, GRANT_IDLE_DAYS: 'soon' } }, state, '--url', 'http://carrel.example.com');
    expect(wrong).toThrow(/GRANT_IDLE_DAYS must be a whole number/);
    expect(wrong).toThrow(/PUBLIC_URL must begin with https/);
  });

  it('says when the database is newer than the code', () => {
    expect(plan({}, { ...state, appliedMigrations: ['0001_a.sql', '0009_z.sql'] }).warnings.join()).toContain(
      '0009_z.sql',
    );
  });
});

describe('new secrets', () => {
  const deployed = ['CARREL_SECRET', 'PERSON_ID_KEY'];

  it('are none when all are there', () => {
    expect(newSecrets([], { deployed, copy: {}, env: {} })).toEqual({});
  });

  it('can be given in the environment', () => {
    expect(newSecrets([], { deployed: ['CARREL_SECRET'], copy: {}, env: { PERSON_ID_KEY: 'k'.repeat(40) } })).toEqual({
      PERSON_ID_KEY: 'k'.repeat(40),
    });
  });

  it('keep every earlier key when the person id key is replaced', () => {
    const copy = { PERSON_ID_KEY: 'second', PERSON_ID_KEYS_RETIRED: 'first' };
    expect(
      newSecrets(['PERSON_ID_KEY'], { deployed: [...deployed, 'PERSON_ID_KEYS_RETIRED'], copy, env: {} }),
    ).toMatchObject({
      PERSON_ID_KEYS_RETIRED: 'second,first',
    });
  });

  it('are refused when an earlier value would be lost', () => {
    expect(() => newSecrets(['CARREL_SECRET'], { deployed, copy: {}, env: {} })).toThrow(
      'its present value is not on this machine',
    );
    const retired = { deployed: [...deployed, 'PERSON_ID_KEYS_RETIRED'], copy: { PERSON_ID_KEY: 'second' }, env: {} };
    expect(() => newSecrets(['PERSON_ID_KEY'], retired)).toThrow('PERSON_ID_KEYS_RETIRED is set');
  });
});

import { readdirSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { NEWEST_MIGRATION } from '../../src/http/readiness.ts';
import { SETTINGS } from '../../src/setting-descriptions.ts';
import { parseSettings } from '../../src/settings.ts';

const SECRET = 'x'.repeat(32);
const minimal = { CARREL_SECRET: SECRET, PERSON_ID_KEY: SECRET };

function faults(env: Record<string, unknown>, toolsets?: string[]) {
  const result = parseSettings(env, toolsets);
  return result.ok ? [] : result.faults.map(({ setting }) => setting);
}

test('two secrets are enough, and the rest has defaults', () => {
  expect(parseSettings(minimal)).toEqual({
    ok: true,
    settings: {
      deployment: 'production',
      publicUrl: undefined,
      toolsets: undefined,
      accessTokenSeconds: 3600,
      grantIdleSeconds: 30 * 86_400,
      onRefreshReuse: 'refuse',
      callsPerMinute: 1200,
      jobPatience: 30_000,
      keepJobs: 30 * 86_400_000,
      quotas: Object.fromEntries(
        ['owner', 'admin', 'member', 'auditor'].map((role) => [role, { bytes: 10e9, files: 100_000 }]),
      ),
      devSignIn: false,
      fetchLoopback: false,
      respectsRobots: true,
      webSearch: undefined,
      admission: { emails: [], domains: [], groups: [] },
      passkeySignIn: true,
      github: undefined,
      oidc: [],
      secrets: [SECRET],
      personIdKeys: [SECRET],
    },
  });
});

test('every fault is listed at once, and no value is repeated', () => {
  const wrong = {
    DEPLOYMENT: 'staging',
    PUBLIC_URL: 'http://carrel.example.com/mcp',
    TOOLSETS: 'sessions,nope',
    ACCESS_TOKEN_SECONDS: '10',
    GRANT_IDLE_DAYS: 'a month',
    DEV_SIGN_IN: 'yes',
    CARREL_SECRET: 'too-short',
    PERSON_ID_KEYS_RETIRED: 'short',
  };
  expect(new Set(faults(wrong, ['sessions', 'files']))).toEqual(
    new Set([
      'DEPLOYMENT',
      'PUBLIC_URL',
      'TOOLSETS',
      'ACCESS_TOKEN_SECONDS',
      'GRANT_IDLE_DAYS',
      'DEV_SIGN_IN',
      'CARREL_SECRET',
      'PERSON_ID_KEY',
      'PERSON_ID_KEYS_RETIRED',
    ]),
  );
  expect(JSON.stringify(parseSettings(wrong))).not.toContain('too-short');
});

test('of the names in TOOLSETS it is said which is wrong, without repeating it', () => {
  const result = parseSettings({ ...minimal, TOOLSETS: 'sessions, readings' }, ['sessions', 'reading']);
  expect(result).toEqual({
    ok: false,
    faults: [
      {
        setting: 'TOOLSETS',
        problem:
          'names a toolset that does not exist; there are: sessions, reading (number 2 of its names is none of them)',
      },
    ],
  });
});

describe('PUBLIC_URL', () => {
  test.each(['https://carrel.example.com', 'https://carrel.example.com/', 'http://localhost:8787'])('%s', (url) => {
    const result = parseSettings({ ...minimal, PUBLIC_URL: url });
    expect(result.ok && result.settings.publicUrl).toBe(new URL(url).origin);
  });

  test.each([
    'carrel.example.com',
    'http://carrel.example.com',
    'https://carrel.example.com/mcp',
    'https://user@carrel.example.com',
    'https://carrel.example.com?x',
    'ftp://carrel.example.com',
  ])('%s is refused', (url) => {
    expect(faults({ ...minimal, PUBLIC_URL: url })).toContain('PUBLIC_URL');
  });
});

test('the dev sign-in is a fault where the deployment is not development', () => {
  expect(faults({ ...minimal, DEV_SIGN_IN: 'true' })).toEqual(['DEV_SIGN_IN']);
  expect(faults({ ...minimal, DEV_SIGN_IN: 'true', DEPLOYMENT: 'production' })).toEqual(['DEV_SIGN_IN']);
  expect(faults({ ...minimal, DEV_SIGN_IN: 'true', DEPLOYMENT: 'development' })).toEqual([]);
});

test('nothing is fetched from this machine unless it is development and says so', () => {
  const allowed = (env: Record<string, string>) => {
    const result = parseSettings({ ...minimal, ...env });
    return result.ok && result.settings.fetchLoopback;
  };
  expect(allowed({ FETCH_LOOPBACK: 'true', DEPLOYMENT: 'development' })).toBe(true);
  expect(allowed({ FETCH_LOOPBACK: 'true' })).toBe(false);
  expect(allowed({ DEPLOYMENT: 'development' })).toBe(false);
});

test('secrets that were rotated stand behind the current one', () => {
  const [previous, retired] = ['p'.repeat(32), 'r'.repeat(32)];
  const result = parseSettings({
    ...minimal,
    CARREL_SECRET_PREVIOUS: previous,
    PERSON_ID_KEYS_RETIRED: ` ${retired} ,`,
  });
  expect(result.ok && result.settings.secrets).toEqual([SECRET, previous]);
  expect(result.ok && result.settings.personIdKeys).toEqual([SECRET, retired]);
});

describe('web search', () => {
  const KEY = 'a-key-that-pays';
  const searching = (env: Record<string, string>) => ({ ...minimal, WEB_SEARCH_KEY: KEY, ...env });
  const parsed = (env: Record<string, string>) => {
    const result = parseSettings(searching(env));
    return result.ok ? result.settings.webSearch : faults(searching(env));
  };
  const openai = { WEB_SEARCH: 'openai', WEB_SEARCH_URL: 'https://llm.example.com/v1/', WEB_SEARCH_MODEL: 'a-model' };

  test('is a service and its key, with or without a proxy', () => {
    expect(parsed({ WEB_SEARCH: 'brave' })).toEqual({ provider: 'brave', key: KEY, baseUrl: undefined, model: '' });
    expect(parsed({ WEB_SEARCH: 'tavily', WEB_SEARCH_URL: 'https://proxy.example.com/tavily' })).toMatchObject({
      baseUrl: 'https://proxy.example.com/tavily',
    });
    expect(parsed(openai)).toEqual({
      provider: 'openai',
      key: KEY,
      baseUrl: 'https://llm.example.com/v1',
      model: 'a-model',
    });
  });

  test('has a key as the service showed it, also where a line break came along', () => {
    expect(parsed({ WEB_SEARCH: 'brave', WEB_SEARCH_KEY: ` ${KEY}\n` })).toMatchObject({ key: KEY });
  });

  test('is none where WEB_SEARCH is empty, whatever else is set', () => {
    expect(parsed({})).toBeUndefined();
    expect(parsed({ ...openai, WEB_SEARCH: '' })).toBeUndefined();
  });

  test.each([
    ['a service that is not known', { WEB_SEARCH: 'altavista' }, ['WEB_SEARCH']],
    ['no key', { WEB_SEARCH: 'brave', WEB_SEARCH_KEY: ' ' }, ['WEB_SEARCH_KEY']],
    ['a key of two lines', { WEB_SEARCH: 'brave', WEB_SEARCH_KEY: `${KEY}\nX-Other: 1` }, ['WEB_SEARCH_KEY']],
    ['no place and no model', { WEB_SEARCH: 'openai' }, ['WEB_SEARCH_URL', 'WEB_SEARCH_MODEL']],
    ['a place without TLS', { ...openai, WEB_SEARCH_URL: 'http://llm.example.com' }, ['WEB_SEARCH_URL']],
    ['a place that is none', { ...openai, WEB_SEARCH_URL: 'llm.example.com' }, ['WEB_SEARCH_URL']],
    [
      'a place with a key in it',
      { ...openai, WEB_SEARCH_URL: `https://me:${KEY}@llm.example.com` },
      ['WEB_SEARCH_URL'],
    ],
    ['a place with a query', { ...openai, WEB_SEARCH_URL: `https://llm.example.com?key=${KEY}` }, ['WEB_SEARCH_URL']],
    ['this machine', { WEB_SEARCH: 'brave', WEB_SEARCH_URL: 'http://localhost:1' }, ['WEB_SEARCH_URL']],
  ])('with %s is refused, without a word of the values', (_what, env, expected) => {
    expect(new Set(faults(searching(env)))).toEqual(new Set(expected));
    expect(JSON.stringify(parseSettings(searching(env)))).not.toContain(KEY);
  });

  test('may be on this machine where what is fetched may be', () => {
    const here = { WEB_SEARCH: 'brave', WEB_SEARCH_URL: 'http://127.0.0.1:9' };
    expect(parsed({ ...here, FETCH_LOOPBACK: 'true', DEPLOYMENT: 'development' })).toMatchObject({
      baseUrl: 'http://127.0.0.1:9',
    });
    expect(parsed({ ...here, FETCH_LOOPBACK: 'true' })).toEqual(['WEB_SEARCH_URL']);
  });
});

test('robots.txt is respected unless the operator says otherwise', () => {
  const respects = (ROBOTS_TXT: string) => {
    const result = parseSettings({ ...minimal, ROBOTS_TXT });
    return result.ok ? result.settings.respectsRobots : faults({ ...minimal, ROBOTS_TXT });
  };
  expect(['', 'respect', 'ignore', 'no'].map(respects)).toEqual([true, true, false, ['ROBOTS_TXT']]);
});

describe('OIDC_PROVIDERS', () => {
  const google = { name: 'google', issuer: 'https://accounts.google.com', client_id: 'an-id' };
  const withProviders = (...providers: object[]) => ({ ...minimal, OIDC_PROVIDERS: JSON.stringify(providers) });

  test('is a list of issuers', () => {
    const tenant = {
      ...google,
      name: 'staff',
      label: 'Staff',
      client_secret: 'a-secret',
      groups_claim: 'groups',
      prompt: 'login',
    };
    const result = parseSettings(withProviders(google, tenant));
    expect(result.ok && result.settings.oidc).toMatchObject([
      { name: 'google', label: 'google', clientSecret: undefined, groupsClaim: undefined },
      { name: 'staff', label: 'Staff', clientSecret: 'a-secret', groupsClaim: 'groups', prompt: 'login' },
    ]);
  });

  test.each([
    ['no JSON', { ...minimal, OIDC_PROVIDERS: 'google' }],
    ['no list', { ...minimal, OIDC_PROVIDERS: JSON.stringify(google) }],
    ['a name twice', withProviders(google, google)],
    ['the name of another way to sign in', withProviders({ ...google, name: 'passkey' })],
    ['a name that is no part of an address', withProviders({ ...google, name: 'Google/..' })],
    ['an issuer without TLS', withProviders({ ...google, issuer: 'http://accounts.google.com' })],
    ['an issuer that is a script', withProviders({ ...google, issuer: 'javascript:alert(1)' })],
    ['an issuer with a fragment', withProviders({ ...google, issuer: 'https://accounts.google.com#a' })],
    ['an issuer with an empty fragment', withProviders({ ...google, issuer: 'https://accounts.google.com/#' })],
    ['a question that is none', withProviders({ ...google, prompt: 'consent' })],
    ['a field of another name', withProviders({ ...google, secret: 'a-secret' })],
  ])('with %s is refused', (_what, environment) => {
    expect(faults(environment)).toEqual(['OIDC_PROVIDERS']);
    expect(JSON.stringify(parseSettings(environment))).not.toContain('a-secret');
  });
});

test('every setting is described', () => {
  for (const { name, meaning } of SETTINGS) expect([name, meaning]).toEqual([name, expect.stringMatching(/\.$/)]);
});

test('/readyz asks for the newest migration', () => {
  expect(NEWEST_MIGRATION).toBe(readdirSync('migrations').toSorted().at(-1));
});

describe('a quota', () => {
  const secrets = { CARREL_SECRET: 'a'.repeat(32), PERSON_ID_KEY: 'b'.repeat(32) };
  const quotas = (value: string) => {
    const parsed = parseSettings({ ...secrets, QUOTA_GB: value });
    return parsed.ok ? parsed.settings.quotas : parsed.faults.map(({ problem }) => problem).join();
  };

  test('is one number for all, or others for roles', () => {
    expect(quotas('5')).toMatchObject({ owner: { bytes: 5e9 }, member: { bytes: 5e9 } });
    expect(quotas('5, admin=50,auditor=0')).toMatchObject({
      owner: { bytes: 5e9 },
      admin: { bytes: 50e9 },
      auditor: { bytes: 0 },
    });
  });

  test.each(['-1', 'much', 'king=5', 'admin=', '1e9', '100001'])('is not %s', (value) => {
    expect(quotas(value)).toMatch(/whole number from 0 to 100000/);
  });
});

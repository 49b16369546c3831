import * as z from 'zod';

import { ROLES } from './directory/types.ts';
import type { Role } from './directory/types.ts';
import type { Quota } from './files/model.ts';
import { parseJson } from './lib/json.ts';
import { isLoopbackHostname } from './lib/loopback.ts';

/** Who may enter without an invitation. Addresses and domains are in lower case. */
export interface AdmissionSettings {
  readonly emails: readonly string[];
  readonly domains: readonly string[];
  readonly groups: readonly string[];
}

export interface GithubSettings {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly organisations: readonly string[];
}

export interface OidcSettings {
  /** In addresses and in the directory. */
  readonly name: string;
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  /** The claim that lists groups, where there is one. */
  readonly groupsClaim: string | undefined;
  /** What the issuer is to ask each time, also of somebody whom it knows. */
  readonly prompt: 'login' | 'select_account' | undefined;
}

/** The services that search the web, by their names in WEB_SEARCH. */
const WEB_SEARCHES = ['brave', 'tavily', 'perplexity', 'openai'] as const;

export interface WebSearchSettings {
  readonly provider: (typeof WEB_SEARCHES)[number];
  readonly key: string;
  /** Where requests go, without a slash at the end; undefined for the provider's own host. `openai` has one. */
  readonly baseUrl: string | undefined;
  /** Of `openai`; empty for the others. */
  readonly model: string;
}

export interface Settings {
  readonly deployment: 'development' | 'production';
  /** The origin people use, without a trailing slash; undefined until it is set. */
  readonly publicUrl: string | undefined;
  /** Names of toolsets; undefined means the default ones. */
  readonly toolsets: readonly string[] | undefined;
  readonly accessTokenSeconds: number;
  readonly grantIdleSeconds: number;
  readonly onRefreshReuse: 'refuse' | 'revoke';
  /** Of one person's apps together; 0 for any number. */
  readonly callsPerMinute: number;
  /** How long a run of a job may be silent, in ms. */
  readonly jobPatience: number;
  /** How long a job that ended is kept, in ms. */
  readonly keepJobs: number;
  /** What a workspace may hold, by the role of its person. */
  readonly quotas: Readonly<Record<Role, Quota>>;
  readonly devSignIn: boolean;
  /** Whether what is fetched for somebody may run on this machine. */
  readonly fetchLoopback: boolean;
  /** Whether sources are fetched only where robots.txt lets them be. */
  readonly respectsRobots: boolean;
  /** Undefined where assistants search by other means. */
  readonly webSearch: WebSearchSettings | undefined;
  readonly admission: AdmissionSettings;
  readonly passkeySignIn: boolean;
  readonly github: GithubSettings | undefined;
  readonly oidc: readonly OidcSettings[];
  /** The current secret first, then the previous one if there is one. */
  readonly secrets: readonly [string, ...string[]];
  /** The current key first, then the retired ones. */
  readonly personIdKeys: readonly [string, ...string[]];
}

/** One thing that is wrong with the configuration, in words for the operator. Never holds a value. */
export interface SettingsFault {
  readonly setting: string;
  readonly problem: string;
}

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly faults: readonly SettingsFault[] };

const MIN_SECRET_LENGTH = 32;
const secret = z
  .string({ error: 'is missing. `npm start` and `npm run deploy` make it' })
  .min(MIN_SECRET_LENGTH, `has fewer than ${MIN_SECRET_LENGTH} characters`);

function list(value: string): string[] {
  return value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

const publicUrl = z
  .string()
  .default('')
  .superRefine((value, context) => {
    if (value === '') return;
    const url = URL.parse(value);
    if (!url) {
      context.addIssue({
        code: 'custom',
        message: 'is not a URL. Give the origin, such as https://carrel.example.com',
      });
      return;
    }
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopbackHostname(url.hostname)))
      context.addIssue({ code: 'custom', message: 'must begin with https:// (http:// is for loopback only)' });
    if (url.origin !== value.replace(/\/$/, ''))
      context.addIssue({ code: 'custom', message: 'must be an origin alone: scheme and host, no path, query or user' });
  });

function wholeNumber(fallback: number, min: number, max: number) {
  const problem = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .default('')
    .transform((value) => (value.trim() === '' ? fallback : Number(value)))
    .pipe(z.int({ error: problem }).min(min, problem).max(max, problem));
}

/** One number for everybody, or with others for roles: `10,admin=50`. */
function byRole(fallback: number, max: number) {
  const problem = `must be a whole number from 0 to ${max}, or with others for roles: ${fallback},admin=${fallback}`;
  return z
    .string()
    .default('')
    .transform((text, context): Record<Role, number> => {
      const found: Partial<Record<Role, number>> = {};
      let all = fallback;
      for (const entry of list(text)) {
        const [, role, digits] = /^(?:(owner|admin|member|auditor)=)?(\d{1,9})$/.exec(entry) ?? [];
        if (digits === undefined || Number(digits) > max) {
          context.addIssue({ code: 'custom', message: problem });
          return z.NEVER;
        }
        if (role === undefined) all = Number(digits);
        else found[role as Role] = Number(digits);
      }
      return { owner: all, admin: all, member: all, auditor: all, ...found };
    });
}

const names = z.string().default('').transform(list);
const lowerCaseNames = names.transform((values) => values.map((value) => value.toLowerCase()));

/** Whether it begins with https:// (http:// is for loopback only) and has neither query nor fragment. */
function isPlainUrl(value: string): boolean {
  const { protocol, hostname = '' } = URL.parse(value) ?? {};
  return (protocol === 'https:' || (protocol === 'http:' && isLoopbackHostname(hostname))) && !/[?#]/.test(value);
}
const PLAIN_URL = 'must begin with https:// (http:// is for loopback only) and have neither query nor fragment';

/** As an issuer is called in its tokens. The directory separates it from the subject with a `#`. */
const issuerUrl = z.url().refine(isPlainUrl, PLAIN_URL);

const oidcProvider = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be lower-case letters, digits and hyphens'),
  label: z.string().min(1).max(60).optional(),
  issuer: issuerUrl,
  client_id: z.string().min(1),
  client_secret: z.string().min(1).optional(),
  groups_claim: z.string().min(1).optional(),
  prompt: z.enum(['login', 'select_account']).optional(),
});

/** Names that are of other ways to sign in. */
const TAKEN_PROVIDER_NAMES: ReadonlySet<string> = new Set(['dev', 'passkey', 'github', 'recovery']);

const oidcProviders = z
  .string()
  .default('')
  .transform((text, context): OidcSettings[] => {
    if (text.trim() === '') return [];
    const parsed = z.array(oidcProvider).safeParse(parseJson(text));
    const problem = parsed.error
      ? `is no list of issuers: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`
      : undefined;
    const given = parsed.data ?? [];
    const taken = given.find(
      ({ name }, index) => TAKEN_PROVIDER_NAMES.has(name) || given.findIndex((each) => each.name === name) !== index,
    );
    if (problem !== undefined || taken) {
      context.addIssue({
        code: 'custom',
        message: problem ?? 'names two issuers alike, or one as another way to sign in is named',
      });
      return z.NEVER;
    }
    return given.map(({ name, label, issuer, ...rest }) => ({
      name,
      label: label ?? name,
      issuer,
      clientId: rest.client_id,
      clientSecret: rest.client_secret,
      groupsClaim: rest.groups_claim,
      prompt: rest.prompt,
    }));
  });

/** The names of all vars and secrets. */
export type SettingName = keyof z.input<typeof environment>;

const environment = z.object({
  DEPLOYMENT: z
    .enum(['development', 'production'], { error: 'must be `production` or `development`' })
    .default('production'),
  PUBLIC_URL: publicUrl,
  TOOLSETS: z.string().default(''),
  ACCESS_TOKEN_SECONDS: wholeNumber(3600, 60, 86_400),
  GRANT_IDLE_DAYS: wholeNumber(30, 1, 365),
  REFRESH_REUSE: z.enum(['refuse', 'revoke', ''], { error: 'must be `refuse` or `revoke`' }).default('refuse'),
  CALLS_PER_MINUTE: wholeNumber(1200, 0, 1_000_000),
  JOB_STALL_SECONDS: wholeNumber(30, 3, 3600),
  JOB_DAYS: wholeNumber(30, 1, 3650),
  QUOTA_GB: byRole(10, 100_000),
  QUOTA_FILES: byRole(100_000, 10_000_000),
  DEV_SIGN_IN: z.enum(['true', 'false', ''], { error: 'must be `true`, `false` or empty' }).default(''),
  FETCH_LOOPBACK: z.enum(['true', 'false', ''], { error: 'must be `true`, `false` or empty' }).default(''),
  ROBOTS_TXT: z.enum(['respect', 'ignore', ''], { error: 'must be `respect` or `ignore`' }).default('respect'),
  WEB_SEARCH: z
    .enum([...WEB_SEARCHES, ''], { error: `must be one of ${WEB_SEARCHES.join(', ')}, or empty` })
    .default(''),
  WEB_SEARCH_URL: z
    .string()
    .default('')
    .refine((value) => value === '' || (isPlainUrl(value) && !value.includes('@')), PLAIN_URL),
  WEB_SEARCH_MODEL: z.string().default(''),
  // Trimmed, because a line break comes along when a key is piped into wrangler.
  WEB_SEARCH_KEY: z
    .string()
    .trim()
    .regex(/^[!-~]*$/, 'has characters that no key has')
    .default(''),
  ADMIT_EMAILS: lowerCaseNames,
  ADMIT_DOMAINS: lowerCaseNames,
  ADMIT_GROUPS: names,
  PASSKEY_SIGN_IN: z.enum(['true', 'false', ''], { error: 'must be `true` or `false`' }).default('true'),
  GITHUB_CLIENT_ID: z.string().default(''),
  GITHUB_ORGANISATIONS: lowerCaseNames,
  GITHUB_CLIENT_SECRET: z.string().default(''),
  OIDC_PROVIDERS: oidcProviders,
  CARREL_SECRET: secret,
  CARREL_SECRET_PREVIOUS: secret.optional(),
  PERSON_ID_KEY: secret,
  PERSON_ID_KEYS_RETIRED: z.string().default('').transform(list).pipe(z.array(secret)),
});

/**
 * Reads the configuration, once per isolate. On failure it lists every fault at once, because an
 * operator who mends one to meet the next gives up.
 *
 * @param knownToolsets names that TOOLSETS may use
 */
export function parseSettings(env: Record<string, unknown>, knownToolsets?: readonly string[]): SettingsResult {
  const faults: SettingsFault[] = [];
  const parsed = environment.safeParse(env);
  for (const issue of parsed.error?.issues ?? [])
    faults.push({ setting: String(issue.path[0]), problem: issue.message });

  const toolsets = typeof env['TOOLSETS'] === 'string' ? list(env['TOOLSETS']) : [];
  for (const [index, name] of toolsets.entries())
    if (knownToolsets && !knownToolsets.includes(name))
      faults.push({
        setting: 'TOOLSETS',
        problem: `names a toolset that does not exist; there are: ${knownToolsets.join(', ')} (number ${index + 1} of its names is none of them)`,
      });

  // A dev sign-in that answered the internet would let everybody in as anybody.
  if (env['DEV_SIGN_IN'] === 'true' && env['DEPLOYMENT'] !== 'development')
    faults.push({
      setting: 'DEV_SIGN_IN',
      problem: 'is set, but DEPLOYMENT is not `development`. Only `npm start` sets it',
    });

  if ((env['GITHUB_CLIENT_ID'] ?? '') !== '' && (env['GITHUB_CLIENT_SECRET'] ?? '') === '')
    faults.push({ setting: 'GITHUB_CLIENT_SECRET', problem: 'is missing, and GITHUB_CLIENT_ID is set' });

  // A key by itself is no fault: it is set before WEB_SEARCH, so that a deployment is at no moment without it.
  const isSet = (name: string) => typeof env[name] === 'string' && /\S/.test(env[name]);
  const needs = ['WEB_SEARCH_KEY', ...(env['WEB_SEARCH'] === 'openai' ? ['WEB_SEARCH_URL', 'WEB_SEARCH_MODEL'] : [])];
  for (const setting of isSet('WEB_SEARCH') ? needs : [])
    if (!isSet(setting)) faults.push({ setting, problem: 'is missing, and WEB_SEARCH needs it' });

  const fetchLoopback = env['FETCH_LOOPBACK'] === 'true' && env['DEPLOYMENT'] === 'development';
  if (!fetchLoopback && /^http:/i.test(String(env['WEB_SEARCH_URL'])))
    faults.push({ setting: 'WEB_SEARCH_URL', problem: 'needs FETCH_LOOPBACK for http://' });

  if (!parsed.success || faults.length > 0) return { ok: false, faults };
  const value = parsed.data;
  return {
    ok: true,
    settings: {
      deployment: value.DEPLOYMENT,
      publicUrl: value.PUBLIC_URL === '' ? undefined : new URL(value.PUBLIC_URL).origin,
      toolsets: toolsets.length === 0 ? undefined : toolsets,
      accessTokenSeconds: value.ACCESS_TOKEN_SECONDS,
      grantIdleSeconds: value.GRANT_IDLE_DAYS * 86_400,
      onRefreshReuse: value.REFRESH_REUSE === 'revoke' ? 'revoke' : 'refuse',
      callsPerMinute: value.CALLS_PER_MINUTE,
      jobPatience: value.JOB_STALL_SECONDS * 1000,
      keepJobs: value.JOB_DAYS * 86_400_000,
      quotas: Object.fromEntries(
        ROLES.map((role) => [role, { bytes: value.QUOTA_GB[role] * 1e9, files: value.QUOTA_FILES[role] }]),
      ) as Record<Role, Quota>,
      devSignIn: value.DEV_SIGN_IN === 'true',
      fetchLoopback,
      respectsRobots: value.ROBOTS_TXT !== 'ignore',
      webSearch:
        value.WEB_SEARCH === ''
          ? undefined
          : {
              provider: value.WEB_SEARCH,
              key: value.WEB_SEARCH_KEY,
              baseUrl: value.WEB_SEARCH_URL.replace(/\/+$/, '') || undefined,
              model: value.WEB_SEARCH_MODEL,
            },
      admission: { emails: value.ADMIT_EMAILS, domains: value.ADMIT_DOMAINS, groups: value.ADMIT_GROUPS },
      passkeySignIn: value.PASSKEY_SIGN_IN !== 'false',
      github:
        value.GITHUB_CLIENT_ID === ''
          ? undefined
          : {
              clientId: value.GITHUB_CLIENT_ID,
              clientSecret: value.GITHUB_CLIENT_SECRET,
              organisations: value.GITHUB_ORGANISATIONS,
            },
      oidc: value.OIDC_PROVIDERS,
      secrets: [
        value.CARREL_SECRET,
        ...(value.CARREL_SECRET_PREVIOUS === undefined ? [] : [value.CARREL_SECRET_PREVIOUS]),
      ],
      personIdKeys: [value.PERSON_ID_KEY, ...value.PERSON_ID_KEYS_RETIRED],
    },
  };
}

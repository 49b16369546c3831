import * as z from 'zod';

import { isLoopbackHostname } from './lib/loopback.ts';

/** What one var or secret means, for the configuration that people read and for `npm run doctor`. */
export interface SettingDescription {
  readonly name: string;
  readonly kind: 'var' | 'secret';
  readonly meaning: string;
  /** As it stands in wrangler.toml; for a secret, who makes it. */
  readonly default: string;
  readonly example: string;
}

/** Every var and secret that Carrel reads. Nothing else in `src` reads one. */
export const SETTINGS: readonly SettingDescription[] = [
  {
    name: 'DEPLOYMENT',
    kind: 'var',
    meaning: 'Where this runs. `development` allows loopback addresses and, with DEV_SIGN_IN, the dev sign-in.',
    default: 'production',
    example: 'production',
  },
  {
    name: 'PUBLIC_URL',
    kind: 'var',
    meaning: 'The origin that people and clients use. Until it is set, a deployed Worker serves one page that says so.',
    default: '(empty; `npm run deploy` finds it out)',
    example: 'https://carrel.example.com',
  },
  {
    name: 'TOOLSETS',
    kind: 'var',
    meaning: 'The toolsets of this deployment, separated by commas. Empty: all that are on by default.',
    default: '(empty)',
    example: 'sessions,files',
  },
  {
    name: 'ACCESS_TOKEN_SECONDS',
    kind: 'var',
    meaning: 'How long an access token lives, in seconds (60 to 86400).',
    default: '3600',
    example: '3600',
  },
  {
    name: 'GRANT_IDLE_DAYS',
    kind: 'var',
    meaning: 'A grant ends when its client has not come back for this many days (1 to 365).',
    default: '30',
    example: '30',
  },
  {
    name: 'DEV_SIGN_IN',
    kind: 'var',
    meaning:
      'Lets any e-mail address sign in. Only `npm start` sets it, and it has no effect off loopback or in production.',
    default: '(empty)',
    example: 'true',
  },
  {
    name: 'CARREL_SECRET',
    kind: 'secret',
    meaning: 'At least 32 characters. Addresses, cookies and forms are signed with keys derived from it.',
    default: 'made by `npm start` locally and by `npm run deploy`',
    example: '(64 hexadecimal characters)',
  },
  {
    name: 'CARREL_SECRET_PREVIOUS',
    kind: 'secret',
    meaning:
      'The secret before the last rotation: the addresses and forms it signed stay valid, remembered consents are asked for again. Remove it after 30 days.',
    default: '(absent)',
    example: '(64 hexadecimal characters)',
  },
  {
    name: 'PERSON_ID_KEY',
    kind: 'secret',
    meaning:
      'At least 32 characters. Marks the person ids inside tokens, so that an invented token costs no storage read.',
    default: 'made by `npm start` locally and by `npm run deploy`',
    example: '(64 hexadecimal characters)',
  },
  {
    name: 'PERSON_ID_KEYS_RETIRED',
    kind: 'secret',
    meaning: 'Earlier PERSON_ID_KEYs, separated by commas: tokens that bear their mark stay valid.',
    default: '(absent)',
    example: '(64 hexadecimal characters)',
  },
] satisfies readonly (SettingDescription & { readonly name: keyof z.input<typeof environment> })[];

export interface Settings {
  readonly deployment: 'development' | 'production';
  /** The origin people use, without a trailing slash; undefined until it is set. */
  readonly publicUrl: string | undefined;
  /** Names of toolsets; undefined means the default ones. */
  readonly toolsets: readonly string[] | undefined;
  readonly accessTokenSeconds: number;
  readonly grantIdleSeconds: number;
  readonly devSignIn: boolean;
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

const environment = z.object({
  DEPLOYMENT: z
    .enum(['development', 'production'], { error: 'must be `production` or `development`' })
    .default('production'),
  PUBLIC_URL: publicUrl,
  TOOLSETS: z.string().default(''),
  ACCESS_TOKEN_SECONDS: wholeNumber(3600, 60, 86_400),
  GRANT_IDLE_DAYS: wholeNumber(30, 1, 365),
  DEV_SIGN_IN: z.enum(['true', 'false', ''], { error: 'must be `true`, `false` or empty' }).default(''),
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
  for (const name of toolsets)
    if (knownToolsets && !knownToolsets.includes(name))
      faults.push({
        setting: 'TOOLSETS',
        problem: `names a toolset that does not exist; there are: ${knownToolsets.join(', ')}`,
      });

  // A dev sign-in that answered the internet would let everybody in as anybody.
  if (env['DEV_SIGN_IN'] === 'true' && env['DEPLOYMENT'] !== 'development')
    faults.push({
      setting: 'DEV_SIGN_IN',
      problem: 'is set, but DEPLOYMENT is not `development`. Only `npm start` sets it',
    });

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
      devSignIn: value.DEV_SIGN_IN === 'true',
      secrets: [
        value.CARREL_SECRET,
        ...(value.CARREL_SECRET_PREVIOUS === undefined ? [] : [value.CARREL_SECRET_PREVIOUS]),
      ],
      personIdKeys: [value.PERSON_ID_KEY, ...value.PERSON_ID_KEYS_RETIRED],
    },
  };
}

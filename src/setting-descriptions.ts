import type { SettingName } from './settings.ts';

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
    name: 'REFRESH_REUSE',
    kind: 'var',
    meaning:
      'What happens when a refresh token that was exchanged comes back: `refuse` it, or `revoke` its grant as well, which also logs out a client that restored a backup.',
    default: 'refuse',
    example: 'refuse',
  },
  {
    name: 'CALLS_PER_MINUTE',
    kind: 'var',
    meaning: 'How many calls one person’s apps may make in a minute, all together (0 to 1000000). 0: any number.',
    default: '1200',
    example: '1200',
  },
  {
    name: 'JOB_STALL_SECONDS',
    kind: 'var',
    meaning: 'A job whose run has said nothing for this long is taken up by another run, in seconds (3 to 3600).',
    default: '30',
    example: '30',
  },
  {
    name: 'JOB_DAYS',
    kind: 'var',
    meaning: 'How many days a job that ended is kept, with its result (1 to 3650).',
    default: '30',
    example: '90',
  },
  {
    name: 'QUOTA_GB',
    kind: 'var',
    meaning: 'How many gigabytes of files a workspace may hold; with others for roles after commas.',
    default: '10',
    example: '10,admin=100',
  },
  {
    name: 'QUOTA_FILES',
    kind: 'var',
    meaning: 'How many files a workspace may hold, those in the trash among them; with others for roles after commas.',
    default: '100000',
    example: '100000,auditor=0',
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
    name: 'FETCH_LOOPBACK',
    kind: 'var',
    meaning:
      'Lets what apps have fetched (an import from a URL) come from this machine over http, to try that out. It has no effect in production.',
    default: '(empty)',
    example: 'true',
  },
  {
    name: 'ROBOTS_TXT',
    kind: 'var',
    meaning:
      'Whether sources of a research are fetched only where the robots.txt of their host allows it: `respect`, or `ignore`.',
    default: 'respect',
    example: 'respect',
  },
  {
    name: 'WEB_SEARCH',
    kind: 'var',
    meaning:
      'The service that searches the web for assistants: `brave`, `tavily`, `perplexity` or `openai` (any service that answers as OpenAI does). Empty: none. docs/web-search.md says what each needs.',
    default: '(empty)',
    example: 'brave',
  },
  {
    name: 'WEB_SEARCH_URL',
    kind: 'var',
    meaning:
      'Where the service is asked: needed for `openai`, for the others only if a proxy stands before them. Key and queries go there.',
    default: '(empty: the host of the service)',
    example: 'https://api.openai.com/v1',
  },
  {
    name: 'WEB_SEARCH_MODEL',
    kind: 'var',
    meaning: 'The model that `openai` asks. It has to be one that searches the web.',
    default: '(empty)',
    example: 'gpt-5-search-api',
  },
  {
    name: 'ADMIT_EMAILS',
    kind: 'var',
    meaning:
      'Addresses that may enter without an invitation, separated by commas, where the provider has verified them.',
    default: '(empty: nobody)',
    example: 'ada@example.com,ben@example.com',
  },
  {
    name: 'ADMIT_DOMAINS',
    kind: 'var',
    meaning: 'Whoever has a verified address in one of these domains may enter.',
    default: '(empty: nobody)',
    example: 'example.com',
  },
  {
    name: 'ADMIT_GROUPS',
    kind: 'var',
    meaning:
      'Whoever is in one of these groups may enter; OIDC_PROVIDERS says which claim names them. A GitHub organisation is `github:acme`.',
    default: '(empty: nobody)',
    example: 'research,staff',
  },
  {
    name: 'PASSKEY_SIGN_IN',
    kind: 'var',
    meaning: 'Whether people may sign in with passkeys, which need no account anywhere else (`true` or `false`).',
    default: 'true',
    example: 'true',
  },
  {
    name: 'GITHUB_CLIENT_ID',
    kind: 'var',
    meaning: 'The OAuth app with which people sign in with GitHub. Empty: they cannot.',
    default: '(empty)',
    example: 'Iv1.0123456789abcdef',
  },
  {
    name: 'GITHUB_ORGANISATIONS',
    kind: 'var',
    meaning: 'Only members of one of these organisations may sign in with GitHub. Empty: that is not asked.',
    default: '(empty)',
    example: 'acme',
  },
  {
    name: 'GITHUB_CLIENT_SECRET',
    kind: 'secret',
    meaning: 'The secret of the OAuth app of GITHUB_CLIENT_ID.',
    default: '(absent)',
    example: '(40 hexadecimal characters)',
  },
  {
    name: 'OIDC_PROVIDERS',
    kind: 'secret',
    meaning:
      'OpenID Connect issuers as a JSON list of {name, label, issuer, client_id, client_secret, groups_claim, prompt}. docs/sign-in.md has examples.',
    default: '(absent)',
    example:
      '[{"name":"google","label":"Google","issuer":"https://accounts.google.com","client_id":"…","client_secret":"…"}]',
  },
  {
    name: 'WEB_SEARCH_KEY',
    kind: 'secret',
    meaning: 'The key of the service that WEB_SEARCH names. Set it before WEB_SEARCH.',
    default: '(absent)',
    example: '(as the service shows it)',
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
] satisfies readonly (SettingDescription & { readonly name: SettingName })[];

import * as z from 'zod';

import type { Vouched } from '../../directory/types.ts';
import { parseJson } from '../../lib/json.ts';
import type { GithubSettings } from '../../settings.ts';
import type { RedirectProvider, SignInOutcome } from '../provider.ts';
import { codeOf, newProof } from './code-flow.ts';
import { providerFetch } from './outbound.ts';
import type { OutboundOptions, OutboundRequest } from './outbound.ts';
import { outcomeOf, ProviderFault } from './refusals.ts';

/** Where GitHub is. Only tests give another place: a setting would let a secret be sent anywhere. */
export interface GithubPlaces {
  readonly web: string;
  readonly api: string;
}

const GITHUB: GithubPlaces = { web: 'https://github.com', api: 'https://api.github.com' };

const keptSchema = z.object({ verifier: z.string(), clientId: z.string() });
const tokenSchema = z.object({ access_token: z.string().min(1).max(1000) });
const errorSchema = z.object({ error: z.string() });
const userSchema = z.object({ id: z.int().positive(), login: z.string().regex(/^[\w-]{1,100}$/) });
const emailsSchema = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));
const membershipSchema = z.object({ state: z.string(), organization: z.object({ login: z.string() }) });
const address = z.email().max(254);

/**
 * GitHub, as an OAuth app. Whoever comes back is the account's number, which GitHub never gives to
 * another; a login can be given up and taken by a stranger. The access token is used for these few
 * questions, ended at GitHub, and kept nowhere.
 *
 * With organisations in the settings, GitHub is asked for each whether this account is an active
 * member: an invitation that was not accepted is none. That needs `read:org`, which is asked for only
 * then, and an organisation that restricts OAuth apps has to approve this one.
 */
export class GithubProvider implements RedirectProvider {
  readonly kind = 'redirect';
  readonly name = 'github';
  readonly label = 'Sign in with GitHub';
  readonly #settings: GithubSettings;
  readonly #places: GithubPlaces;
  readonly #fetch: (address: string, request: OutboundRequest) => Promise<Response>;

  constructor(settings: GithubSettings, outbound: OutboundOptions, places = GITHUB) {
    this.#settings = settings;
    this.#places = places;
    this.#fetch = providerFetch(outbound);
  }

  exists(): boolean {
    return true;
  }

  async begin(redirectUri: string, state: string): Promise<{ location: string; kept: unknown }> {
    const { clientId, organisations } = this.#settings;
    const { verifier, challenge } = await newProof();
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      scope: organisations.length === 0 ? 'user:email' : 'user:email read:org',
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      // GitHub would make an account of whoever has none, in the middle of a sign-in to something else.
      allow_signup: 'false',
      // Otherwise who signed out here could only come back as who they were.
      prompt: 'select_account',
    });
    return {
      location: `${this.#places.web}/login/oauth/authorize?${query.toString()}`,
      kept: { verifier, clientId } satisfies z.infer<typeof keptSchema>,
    };
  }

  async finish(callback: URL, redirectUri: string, state: string, kept: unknown): Promise<SignInOutcome> {
    return outcomeOf('GitHub', async () => {
      const code = codeOf(callback, state);
      const own = keptSchema.safeParse(kept).data;
      if (own?.clientId !== this.#settings.clientId) throw new ProviderFault('provider_changed');
      const token = await this.#redeem(code, redirectUri, own.verifier);
      try {
        return await this.#ask(token);
      } finally {
        await this.#end(token);
      }
    });
  }

  async #redeem(code: string, redirectUri: string, verifier: string): Promise<string> {
    const { clientId, clientSecret } = this.#settings;
    const response = await this.#fetch(`${this.#places.web}/login/oauth/access_token`, {
      method: 'POST',
      headers: { Accept: 'application/json' },
      body: new URLSearchParams({
        client_id: clientId,
        client_secret: clientSecret,
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
    });
    const body = parseJson(await response.text());
    // An error comes with status 200.
    const error = errorSchema.safeParse(body).data?.error;
    if (error !== undefined)
      throw new ProviderFault(error === 'incorrect_client_credentials' ? 'client_refused' : 'code_refused');
    const token = response.ok ? tokenSchema.safeParse(body).data : undefined;
    if (!token) throw new ProviderFault('malformed_answer');
    return token.access_token;
  }

  async #ask(token: string): Promise<Vouched> {
    const [user, emails] = await Promise.all([
      this.#get(token, '/user', userSchema),
      this.#get(token, '/user/emails?per_page=100', emailsSchema),
    ]);
    const email = address.safeParse(emails.find(({ primary, verified }) => primary && verified)?.email).data;
    return {
      provider: this.name,
      subject: String(user.id),
      email,
      label: user.login,
      emailVerified: email !== undefined,
      groups: await this.#organisations(token),
    };
  }

  /**
   * Those of the settings that this account is an active member of, as `github:acme`: a group of that
   * name that an OpenID Connect issuer knows is another one.
   *
   * @throws ProviderFault `not_in_organisation` where the settings name some and it is in none
   */
  async #organisations(token: string): Promise<string[]> {
    const { organisations } = this.#settings;
    if (organisations.length === 0) return [];
    const memberships = await Promise.all(
      organisations.map(async (name) => {
        const membership = await this.#get(
          token,
          `/user/memberships/orgs/${encodeURIComponent(name)}`,
          membershipSchema.optional(),
        );
        // Only what the settings name counts, whatever name GitHub would answer for.
        return membership?.state === 'active' && membership.organization.login.toLowerCase() === name;
      }),
    );
    const joined = organisations.filter((_, index) => memberships[index]);
    if (joined.length === 0) throw new ProviderFault('not_in_organisation');
    return joined.map((name) => `github:${name}`);
  }

  /** What GitHub answers; undefined when it says that there is no such thing, or not for us. */
  async #get<Output>(token: string, path: string, schema: z.ZodType<Output>): Promise<Output> {
    const response = await this.#fetch(`${this.#places.api}${path}`, { headers: headers(`Bearer ${token}`) });
    const absent = response.status === 403 || response.status === 404;
    if (!response.ok && !absent) throw new ProviderFault(response.status < 500 ? 'malformed_answer' : 'unreachable');
    const parsed = schema.safeParse(absent ? undefined : parseJson(await response.text()));
    if (!parsed.success) throw new ProviderFault('malformed_answer');
    return parsed.data;
  }

  /** GitHub would keep the token for a year. It is ended here; where that fails, nobody has it any more. */
  async #end(token: string): Promise<void> {
    const { clientId, clientSecret } = this.#settings;
    await this.#fetch(`${this.#places.api}/applications/${encodeURIComponent(clientId)}/token`, {
      method: 'DELETE',
      headers: { ...headers(`Basic ${btoa(`${clientId}:${clientSecret}`)}`), 'Content-Type': 'application/json' },
      body: JSON.stringify({ access_token: token }),
    }).catch(() => undefined);
  }
}

/** GitHub refuses requests that do not say whose they are. */
function headers(authorization: string): Record<string, string> {
  return {
    Authorization: authorization,
    Accept: 'application/vnd.github+json',
    'X-GitHub-Api-Version': '2022-11-28',
    'User-Agent': 'carrel',
  };
}

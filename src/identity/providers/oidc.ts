import type * as OAuth from 'oauth4webapi';
import * as z from 'zod';

import type { Vouched } from '../../directory/types.ts';
import { fromBase64Url } from '../../lib/encoding.ts';
import { CarrelError } from '../../lib/errors.ts';
import { hasHiddenText } from '../../lib/hidden-text.ts';
import { parseJson } from '../../lib/json.ts';
import type { OidcSettings } from '../../settings.ts';
import type { RedirectProvider, SignInOutcome } from '../provider.ts';
import { checkState, newProof } from './code-flow.ts';
import { asProviderFault } from './oidc-refusals.ts';
import { providerFetch, secureAddress } from './outbound.ts';
import type { OutboundOptions } from './outbound.ts';
import { outcomeOf, ProviderFault } from './refusals.ts';

/** How far the issuer's clock may be from ours, in seconds. */
const CLOCK_TOLERANCE = 60;

/** How long an isolate believes what an issuer published of itself. */
const REMEMBERED_MS = 600_000;

const MAX_GROUPS = 1000;
const MAX_GROUP_LENGTH = 256;

const keptSchema = z.object({ verifier: z.string(), nonce: z.string(), issuer: z.string(), clientId: z.string() });
const tokenAnswer = z.object({ id_token: z.string() });
const subject = z.string().min(1).max(255);
const email = z.email().max(254);
const shortName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine((text) => !hasHiddenText(text));

type Claims = Readonly<Record<string, unknown>>;

/** What an issuer published, as an isolate remembers it. Plain values: a promise belongs to one request. */
interface Published {
  readonly at: number;
  readonly metadata: OAuth.AuthorizationServer;
  /** As the library writes them down when it has fetched them; it asks again after five minutes. */
  keys: OAuth.JWKSCacheInput;
}

/**
 * Any OpenID Connect issuer, found by discovery: authorization code with PKCE. The ID token comes
 * straight from the issuer over TLS, and its signature is checked all the same: what stands between
 * (a proxy of the operator's, a cache) must not be able to say who somebody is.
 */
export class OidcProvider implements RedirectProvider {
  readonly kind = 'redirect';
  readonly name: string;
  readonly label: string;
  readonly #settings: OidcSettings;
  readonly #outbound: OutboundOptions;
  #published: Published | undefined;

  constructor(settings: OidcSettings, outbound: OutboundOptions) {
    this.name = settings.name;
    this.label = `Sign in with ${settings.label}`;
    this.#settings = settings;
    this.#outbound = outbound;
  }

  exists(): boolean {
    return true;
  }

  async begin(redirectUri: string, state: string): Promise<{ location: string; kept: unknown }> {
    const { issuer, clientId, label, prompt } = this.#settings;
    const oauth = await import('oauth4webapi');
    try {
      const { metadata } = await this.#discover(oauth);
      const { verifier, challenge } = await newProof();
      const nonce = oauth.generateRandomNonce();
      const url = secureAddress(metadata.authorization_endpoint ?? '', this.#outbound.development);
      for (const [name, value] of Object.entries({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: this.#scope(metadata),
        state,
        nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        ...(prompt === undefined ? {} : { prompt }),
      }))
        url.searchParams.set(name, value);
      return { location: url.href, kept: { verifier, nonce, issuer, clientId } satisfies z.infer<typeof keptSchema> };
    } catch (error) {
      if (!(error instanceof ProviderFault)) throw error;
      const message = `Signing in with ${label} does not work at the moment. Try again in a minute; if it stays so, tell whoever runs this deployment.`;
      throw new CarrelError('unavailable', message, { cause: error });
    }
  }

  async finish(callback: URL, redirectUri: string, state: string, kept: unknown): Promise<SignInOutcome> {
    const oauth = await import('oauth4webapi');
    return outcomeOf(this.#settings.label, async () => {
      try {
        return await this.#identity(oauth, callback, redirectUri, state, kept);
      } catch (error) {
        throw asProviderFault(oauth, error);
      }
    });
  }

  async #identity(
    oauth: typeof OAuth,
    callback: URL,
    redirectUri: string,
    state: string,
    kept: unknown,
  ): Promise<Vouched> {
    const { issuer, clientId, clientSecret } = this.#settings;
    const { searchParams } = callback;
    checkState(callback, state);
    const own = keptSchema.safeParse(kept).data;
    // The name may lead to another issuer by now: a code of the one must not be shown to the other.
    if (own?.issuer !== issuer || own.clientId !== clientId) throw new ProviderFault('provider_changed');

    const published = await this.#discover(oauth);
    // RFC 9207: of several issuers, the one that was asked must be the one that answers.
    const answering = searchParams.getAll('iss');
    if (answering.some((each) => each !== published.metadata.issuer)) throw new ProviderFault('wrong_issuer');

    // A copy for this request: the library keeps promises beside the object it is given, and in
    // workerd no request can wait for what another one has begun.
    const metadata = { ...published.metadata };
    const client: OAuth.Client = { client_id: clientId, [oauth.clockTolerance]: CLOCK_TOLERANCE };
    const options = this.#options(oauth);
    const response = await oauth.authorizationCodeGrantRequest(
      metadata,
      client,
      clientAuthentication(oauth, metadata, clientSecret),
      oauth.validateAuthResponse(metadata, client, searchParams, state),
      redirectUri,
      own.verifier,
      options,
    );
    refuseWeakSignature(parseJson(await response.clone().text()));
    const tokens = await oauth.processAuthorizationCodeResponse(metadata, client, response, {
      expectedNonce: own.nonce,
      requireIdToken: true,
    });
    const claims = oauth.getValidatedIdTokenClaims(tokens);
    if (!claims) throw new ProviderFault('malformed_answer');
    if (claims.iat > Date.now() / 1000 + CLOCK_TOLERANCE) throw new ProviderFault('from_the_future');
    // The library looks at it only beside several audiences; a single one may be shared by apps too.
    if (claims.azp !== undefined && claims.azp !== clientId) throw new ProviderFault('wrong_audience');
    await this.#checkSignature(oauth, published, response);
    if (!this.#needsMore(claims, metadata)) return this.#vouched(metadata.issuer, claims, {});
    const answer = await oauth.userInfoRequest(metadata, client, tokens.access_token, options);
    // A challenge would be taken for one of the token endpoint, which is about our own secret.
    if (!answer.ok) throw new ProviderFault('malformed_answer');
    const more = await oauth.processUserInfoResponse(metadata, client, claims.sub, answer);
    return this.#vouched(metadata.issuer, claims, more);
  }

  /** With remembered keys, and once more with fresh ones, since an issuer may change them at any time. */
  async #checkSignature(oauth: typeof OAuth, published: Published, response: Response): Promise<void> {
    const attempt = async (keys: OAuth.JWKSCacheInput): Promise<void> => {
      const options = { ...this.#options(oauth), [oauth.jwksCache]: keys };
      await oauth.validateApplicationLevelSignature({ ...published.metadata }, response, options);
      published.keys = keys;
    };
    try {
      // A copy, for the library keeps promises beside each key too.
      if ('jwks' in published.keys) return await attempt(structuredClone(published.keys));
    } catch {
      // Then the fresh ones decide.
    }
    try {
      await attempt({});
    } catch (error) {
      // Also what WebCrypto says of a key that is none.
      throw error instanceof ProviderFault ? error : new ProviderFault('bad_signature', { cause: error });
    }
  }

  async #discover(oauth: typeof OAuth): Promise<Published> {
    if (this.#published && Date.now() - this.#published.at < REMEMBERED_MS) return this.#published;
    const issuer = secureAddress(this.#settings.issuer, this.#outbound.development);
    const response = await oauth.discoveryRequest(issuer, this.#options(oauth));
    try {
      const metadata = await oauth.processDiscoveryResponse(issuer, response);
      this.#published = { at: Date.now(), metadata, keys: {} };
      return this.#published;
    } catch (error) {
      const fault = asProviderFault(oauth, error);
      throw fault instanceof ProviderFault && fault.reason !== 'malformed_answer'
        ? fault
        : new ProviderFault('malformed_discovery', { cause: error });
    }
  }

  #options(oauth: typeof OAuth) {
    return {
      [oauth.customFetch]: providerFetch(this.#outbound),
      // oxlint-disable-next-line typescript/no-deprecated -- our own fetch decides: http to this machine, in development
      [oauth.allowInsecureRequests]: true,
    };
  }

  /** Only what the issuer knows, where it says what it knows: some refuse the rest. */
  #scope({ scopes_supported: supported }: OAuth.AuthorizationServer): string {
    const wanted = ['openid', 'email', 'profile'];
    // A scope of some issuers (Okta, Authelia), without which they leave the claim out.
    if (this.#settings.groupsClaim !== undefined && supported?.includes('groups')) wanted.push('groups');
    return wanted.filter((scope) => scope === 'openid' || (supported?.includes(scope) ?? true)).join(' ');
  }

  /** Whether the address or the groups may stand in the issuer's other answer. */
  #needsMore(claims: Claims, { userinfo_endpoint: endpoint }: OAuth.AuthorizationServer): boolean {
    const { groupsClaim } = this.#settings;
    return (
      endpoint !== undefined &&
      (typeof claims['email'] !== 'string' || (groupsClaim !== undefined && !Object.hasOwn(claims, groupsClaim)))
    );
  }

  #vouched(issuer: string, claims: Claims, more: Claims): Vouched {
    const sub = subject.safeParse(claims['sub']);
    if (!sub.success) throw new ProviderFault('malformed_answer');
    // Address and proof from one answer: one's proof says nothing of the other's address.
    const source = typeof claims['email'] === 'string' ? claims : more;
    const address = email.safeParse(source['email']).data;
    const verified = source['email_verified'];
    const names = [address, ...['preferred_username', 'name'].map((claim) => claims[claim] ?? more[claim]), sub.data];
    return {
      provider: this.name,
      // With the issuer, which has no `#`: when the operator leads this name to another issuer, a
      // stranger there with the same subject must not be the person from here.
      subject: `${issuer}#${sub.data}`,
      email: address,
      label: names.map((name) => shortName.safeParse(name).data).find((name) => name !== undefined) ?? this.name,
      // Some issuers write it as text.
      emailVerified: address !== undefined && (verified === true || verified === 'true'),
      groups: groupsOf(this.#settings.groupsClaim, claims, more),
    };
  }
}

/**
 * Refuses what proves nothing before anything of it is believed: no signature at all, or one made with
 * a secret, for which an attacker would take the public key that everybody knows.
 */
function refuseWeakSignature(answer: unknown): void {
  const token = tokenAnswer.safeParse(answer).data?.id_token;
  const bytes = fromBase64Url(token?.split('.')[0] ?? '');
  const header = bytes && parseJson(new TextDecoder().decode(bytes));
  const { alg } = z.object({ alg: z.string() }).safeParse(header).data ?? {};
  // What is no token is for the library to refuse.
  if (alg === undefined) return;
  if (alg.toLowerCase() === 'none') throw new ProviderFault('unsigned');
  if (alg.toUpperCase().startsWith('HS')) throw new ProviderFault('wrong_algorithm');
}

/**
 * The secret in the body where the issuer takes it there: in the header it is to be form-encoded, which
 * not every server undoes. Without a secret, PKCE alone protects the code.
 */
function clientAuthentication(
  oauth: typeof OAuth,
  { token_endpoint_auth_methods_supported: methods }: OAuth.AuthorizationServer,
  secret: string | undefined,
): OAuth.ClientAuth {
  if (secret === undefined) return oauth.None();
  return methods?.includes('client_secret_post') ? oauth.ClientSecretPost(secret) : oauth.ClientSecretBasic(secret);
}

function groupsOf(claim: string | undefined, claims: Claims, more: Claims): string[] {
  if (claim === undefined) return [];
  const source = Object.hasOwn(claims, claim) ? claims : more;
  const value = Object.hasOwn(source, claim) ? source[claim] : undefined;
  const list: unknown[] = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
  return list
    .filter((each): each is string => typeof each === 'string' && each !== '' && each.length <= MAX_GROUP_LENGTH)
    .slice(0, MAX_GROUPS);
}

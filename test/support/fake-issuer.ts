import { toBase64Url, utf8 } from '../../src/lib/encoding.ts';

type Claims = Record<string, unknown>;

/** How the next ID token is made; each field is one thing that an issuer, or who plays one, can do wrong. */
export interface TokenChanges {
  readonly header?: Claims;
  /** `undefined` leaves a claim out. */
  readonly claims?: Claims;
  readonly key?: CryptoKey;
  /** The signature itself, of what is signed. */
  readonly sign?: (signed: string) => Promise<Uint8Array>;
  /** Instead of the whole token. */
  readonly token?: string;
}

type Answer = (request: { readonly body: string; readonly signal: AbortSignal | undefined }) => Promise<Response>;

const RS256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

export async function newKeyPair(): Promise<CryptoKeyPair> {
  const parameters = { ...RS256, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  return (await crypto.subtle.generateKey(parameters, true, ['sign', 'verify'])) as CryptoKeyPair;
}

const json = (value: unknown) => toBase64Url(utf8(JSON.stringify(value)));

/** Seconds since the epoch. */
export const now = () => Math.floor(Date.now() / 1000);

/**
 * An OpenID Connect issuer inside the test: {@link fetch} takes the place of the global one. It keeps
 * the rules of the protocol, PKCE and the client's secret too, unless a test has it break one.
 */
export class FakeIssuer {
  readonly url: string;
  /** What it does wrong with the next token. */
  changes: TokenChanges = {};
  /** What it says of people beyond the ID token. */
  userinfo: Claims = {};
  /** Answers instead of its own, by path. */
  readonly answers = new Map<string, Answer>();
  /** Every path it was asked for. */
  readonly asked: string[] = [];
  /** Fields that its discovery document has besides. */
  metadata: Claims = {};
  keyId = 'key-1';
  #keys: CryptoKeyPair;
  /** Of the newest token. */
  #subject: unknown;
  /** What a code stands for: the parameters of its request. */
  readonly #codes = new Map<string, { request: URLSearchParams; claims: Claims }>();

  private constructor(url: string, keys: CryptoKeyPair) {
    this.url = url;
    this.#keys = keys;
  }

  static async create(url: string): Promise<FakeIssuer> {
    return new FakeIssuer(url, await newKeyPair());
  }

  /** Signs with a new key from now on, and publishes that one alone. */
  async rotate(keyId: string): Promise<void> {
    this.#keys = await newKeyPair();
    this.keyId = keyId;
  }

  async publicKey(): Promise<JsonWebKey> {
    return (await crypto.subtle.exportKey('jwk', this.#keys.publicKey)) as JsonWebKey;
  }

  /** Signs somebody in who came with a link of ours. @returns where the browser is sent back to */
  authorize(link: URL, claims: Claims): URL {
    const code = crypto.randomUUID();
    this.#codes.set(code, { request: link.searchParams, claims });
    const callback = new URL(link.searchParams.get('redirect_uri') ?? '');
    callback.search = new URLSearchParams({
      code,
      state: link.searchParams.get('state') ?? '',
      iss: this.url,
    }).toString();
    return callback;
  }

  /** In the place of the global `fetch`. */
  readonly fetch = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(address);
    if (url.origin !== new URL(this.url).origin) throw new TypeError('nobody is there');
    this.asked.push(url.pathname);
    const body = init.body instanceof URLSearchParams ? init.body.toString() : '';
    const own = this.answers.get(url.pathname);
    if (own) return own({ body, signal: init.signal ?? undefined });
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return Response.json({
          issuer: this.url,
          authorization_endpoint: `${this.url}/authorize`,
          token_endpoint: `${this.url}/token`,
          userinfo_endpoint: `${this.url}/userinfo`,
          jwks_uri: `${this.url}/jwks`,
          token_endpoint_auth_methods_supported: ['client_secret_post'],
          id_token_signing_alg_values_supported: ['RS256'],
          ...this.metadata,
        });
      case '/jwks':
        return Response.json({ keys: [{ ...(await this.publicKey()), kid: this.keyId, use: 'sig' }] });
      case '/token':
        return this.#token(new URLSearchParams(body));
      case '/userinfo':
        return Response.json({ sub: this.#subject, ...this.userinfo });
      default:
        return new Response('not here', { status: 404 });
    }
  };

  async #token(form: URLSearchParams): Promise<Response> {
    const refused = (error: string, status = 400) =>
      Response.json({ error, error_description: '<b>Call 0900-STEAL</b>' }, { status });
    const known = this.#codes.get(form.get('code') ?? '');
    this.#codes.delete(form.get('code') ?? '');
    if (form.get('client_secret') !== 'the-secret') return refused('invalid_client', 401);
    const digest = await crypto.subtle.digest('SHA-256', utf8(form.get('code_verifier') ?? ''));
    if (!known || toBase64Url(new Uint8Array(digest)) !== known.request.get('code_challenge'))
      return refused('invalid_grant');
    const { request, claims } = known;
    this.#subject = claims['sub'];
    const token = await this.#idToken({
      iss: this.url,
      aud: request.get('client_id'),
      nonce: request.get('nonce'),
      iat: now(),
      exp: now() + 300,
      ...claims,
    });
    return Response.json({ access_token: 'an-access-token', token_type: 'Bearer', id_token: token });
  }

  async #idToken(claims: Claims): Promise<string> {
    const { changes } = this;
    if (changes.token !== undefined) return changes.token;
    const header = { alg: 'RS256', kid: this.keyId, ...changes.header };
    const signed = `${json(header)}.${json({ ...claims, ...changes.claims })}`;
    const key = changes.key ?? this.#keys.privateKey;
    const signature = changes.sign
      ? await changes.sign(signed)
      : new Uint8Array(await crypto.subtle.sign(RS256, key, utf8(signed)));
    return `${signed}.${toBase64Url(signature)}`;
  }
}

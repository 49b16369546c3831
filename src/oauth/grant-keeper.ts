import type { ValidatedAccessToken } from '@cloudflare/workers-oauth-provider';

import type { AuditTrail } from '../directory/audit.ts';
import type { OAuthRecordRepo } from '../directory/oauth-repo.ts';
import { formBody } from '../http/body.ts';
import { fromBase64Url, sha256Hex, toBase64Url, utf8 } from '../lib/encoding.ts';
import { KeyedMutex } from '../workspace/mutex.ts';
import type { AuthorizeInput, GrantSummary, TokenProps } from './model.ts';
import { tokenParts } from './person-ids.ts';
import type { AuthorizationServers, OAuthEnv } from './server.ts';
import { DirectoryOAuthKv, PersonalOAuthKv } from './storage.ts';
import type { GrantHooks, Pause } from './storage.ts';
import type { GrantStore } from './store.ts';
import { presentedToken, serveToken } from './token-endpoint.ts';

/** How long the answer to a refresh is given again to the same request, in ms. */
export const REPLAY_MS = 120_000;
/** How long an exchanged refresh token is remembered, in ms. Who comes back later is refused without a word. */
const ROTATED_MS = 30 * 86_400_000;
/** Grants that one client may have of one person; the oldest goes when one more is made. */
const MAX_GRANTS_PER_CLIENT = 10;

/** What becomes of a grant of which an exchanged refresh token comes back. */
export type OnReuse = 'refuse' | 'revoke';

interface GrantKeeperOptions {
  readonly grants: GrantStore;
  readonly servers: AuthorizationServers;
  readonly records: OAuthRecordRepo;
  readonly audit: AuditTrail;
  readonly onReuse: OnReuse;
  /** Tests only: see {@link Pause}. */
  readonly pause?: Pause | undefined;
}

/**
 * Runs the OAuth library for one person, in that person's object, over local storage. The library
 * reads a grant, computes, and writes it back; here everything that changes one grant runs one at a
 * time, so that of two requests the second sees what the first wrote.
 */
export class GrantKeeper {
  readonly #grants: GrantStore;
  readonly #servers: AuthorizationServers;
  readonly #records: OAuthRecordRepo;
  readonly #audit: AuditTrail;
  readonly #onReuse: OnReuse;
  readonly #pause: Pause | undefined;
  readonly #mutex = new KeyedMutex();

  constructor({ grants, servers, records, audit, onReuse, pause }: GrantKeeperOptions) {
    this.#grants = grants;
    this.#servers = servers;
    this.#records = records;
    this.#audit = audit;
    this.#onReuse = onReuse;
    this.#pause = pause;
  }

  /** Makes a grant and its code. @returns where to send the browser */
  async authorize(input: AuthorizeInput): Promise<string> {
    const { origin, request, outwardPerson, personId, scopes, props } = input;
    const env = this.#env({
      // The index first: a row without a grant is harmless, a grant without a row could not be found.
      beforeGrantWrite: (grant) =>
        this.#records.indexGrant(personId, String(grant['id']), request.clientId, Date.now()),
    });
    const { redirectTo } = await this.#servers
      .for(origin)
      .getOAuthApi(env)
      .completeAuthorization({
        request,
        userId: outwardPerson,
        scope: [...scopes],
        metadata: {},
        props,
        // The library's default would end the person's other devices that use the same client.
        revokeExistingGrants: false,
      });
    return redirectTo;
  }

  /** Whether a client with this redirect has a grant that it made use of, and that nobody ended. */
  holdsGrant(clientId: string, redirectUri: string): boolean {
    return this.#redeemed(clientId).some((grant) => grant.redirectUri === redirectUri);
  }

  /** The grants that clients made use of, newest first. */
  summaries(): GrantSummary[] {
    return this.#redeemed()
      .map(({ id, clientId, redirectUri, scope = [], createdAt = 0, expiresAt }) => ({
        grantId: id,
        clientId,
        redirectUri,
        scopes: scope,
        createdAt: createdAt * 1000,
        expiresAt: expiresAt === undefined ? undefined : expiresAt * 1000,
      }))
      .toSorted((left, right) => right.createdAt - left.createdAt);
  }

  /**
   * Answers a request to the token endpoint that names this person: code, refresh or revocation.
   *
   * @param entitled whether the person may enter; to somebody who may not, no grant is there
   */
  async token(request: Request, entitled: boolean): Promise<Response> {
    if (!entitled) return this.#serve(request, { afterGrantRead: () => null });
    const form = await formBody(request.clone());
    const presented = presentedToken(form) ?? '';
    const presentedHash = await sha256Hex(presented);
    const grantId = tokenParts(presented)?.grantId ?? '';
    // What this grant never gave out cannot change it, and must not make it wait: the library asks the
    // client's own host for its document, which may be slow on purpose.
    if (!this.#gaveOut(grantId, presentedHash)) {
      if (this.#grants.wasRotated(presentedHash, grantId)) await this.#reused(grantId, presented);
      return this.#serve(request);
    }
    return this.#mutex.run(grantId, () => {
      switch (form.get('grant_type')) {
        case 'refresh_token':
          return this.#refresh(request, form.get('scope'), presented, presentedHash, grantId);
        case 'authorization_code':
          return this.#redeem(request, grantId);
        default:
          return this.#revoke(request, presentedHash);
      }
    });
  }

  /** What a token stands for, or null. Reads only; says nothing of the person's standing. */
  async describe(token: string, origin: string): Promise<ValidatedAccessToken<TokenProps> | null> {
    return this.#servers.for(origin).validateToken<TokenProps>(origin, token, this.#env());
  }

  /**
   * A refresh, answered again in the same way when the same request comes back within the grace
   * period: clients refresh in parallel and lose answers, and must not end up with a dead token.
   * The library does the work in both cases, so that the client is authenticated and the request
   * checked before a stored answer is given; a repeated one stops short of writing.
   */
  async #refresh(
    request: Request,
    scope: string | null,
    presented: string,
    presentedHash: string,
    grantId: string,
  ): Promise<Response> {
    // The client and the resource are checked by the library in any case; the scope alone makes the answer another.
    const asked = JSON.stringify(scope?.split(' ').toSorted() ?? null);
    const stored = this.#grants.replay(presentedHash, Date.now());
    const replay = stored?.request === asked ? stored : undefined;

    let wrappedKey: string | undefined;
    const hooks: GrantHooks = replay
      ? {
          afterGrantRead: asPrevious(presentedHash, replay.wrappedKey),
          beforeGrantWrite: async () => {
            throw new Replayed();
          },
        }
      : {
          beforeGrantWrite: async (grant) => {
            wrappedKey = String(grant['previousRefreshTokenWrappedKey']);
          },
        };

    try {
      const response = await this.#serve(request, hooks);
      if (!response.ok || wrappedKey === undefined) return response;
      const now = Date.now();
      const body = await response.clone().text();
      const { expires_in: lifetime } = JSON.parse(body) as { expires_in: number };
      this.#grants.keepRotated(presentedHash, grantId, now + ROTATED_MS);
      this.#grants.keepReplay({
        presentedHash,
        grantId,
        request: asked,
        wrappedKey,
        sealed: await seal(body, presented),
        createdAt: now,
        // No longer than the tokens in it are worth having.
        expiresAt: now + Math.min(REPLAY_MS, lifetime * 500),
      });
      return response;
    } catch (thrown) {
      if (!(thrown instanceof Replayed) || !replay) throw thrown;
      const answer = JSON.parse(await unseal(replay.sealed, presented)) as { expires_in: number };
      const age = Math.floor((Date.now() - replay.createdAt) / 1000);
      // Revoked while this request was computing: the stored answer must not leave any more.
      if (!this.#grants.isGrantAlive(grantId, Date.now())) return this.#serve(request);
      return Response.json(
        { ...answer, expires_in: answer.expires_in - age },
        { headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache' } },
      );
    }
  }

  /**
   * An exchanged refresh token came back after its successor was used: either its client lost track, or
   * somebody else has a copy. It is refused in any case; whether the grant ends too is the operator's
   * choice, because ending it logs out a client that only restored a backup (RFC 9700 §4.14.2).
   */
  async #reused(grantId: string, presented: string): Promise<void> {
    const ends = this.#onReuse === 'revoke';
    if (ends) this.#grants.revoke(grantId, Date.now());
    const clientId = this.#grant(grantId)?.clientId;
    await this.#audit.record({
      action: 'refresh_token_reused',
      personId: tokenParts(presented)?.outwardPerson.split('.')[0],
      clientId,
      grantId,
      detail: { grant_ended: ends },
    });
  }

  async #serve(request: Request, hooks?: GrantHooks): Promise<Response> {
    return serveToken(this.#servers.for(new URL(request.url).origin), request.clone(), this.#env(hooks));
  }

  #env(hooks?: GrantHooks): OAuthEnv {
    return { OAUTH_KV: new PersonalOAuthKv(this.#grants, new DirectoryOAuthKv(this.#records), hooks, this.#pause) };
  }

  /** Redeems a code. With a new grant of a client, its least recently used one beyond the limit ends. */
  async #redeem(request: Request, grantId: string): Promise<Response> {
    const response = await this.#serve(request);
    const clientId = response.ok ? this.#grant(grantId)?.clientId : undefined;
    // Only now, and among grants that are in use: codes that nobody redeems must not push out a device.
    const others = clientId === undefined ? [] : this.#redeemed(clientId).filter((grant) => grant.id !== grantId);
    const newestFirst = others.toSorted((left, right) => (right.expiresAt ?? 0) - (left.expiresAt ?? 0));
    for (const { id } of newestFirst.slice(MAX_GRANTS_PER_CLIENT - 1)) this.#grants.revoke(id, Date.now());
    return response;
  }

  /**
   * Revokes (RFC 7009). The library knows the last two refresh tokens of a grant; an older one whose
   * answer is still stored would open it again, so its revocation must count as well.
   */
  async #revoke(request: Request, presentedHash: string): Promise<Response> {
    const replay = this.#grants.replay(presentedHash, Date.now());
    return this.#serve(request, replay && { afterGrantRead: asPrevious(presentedHash, replay.wrappedKey) });
  }

  /** Whether this code or token came from this grant and can still do something. */
  #gaveOut(grantId: string, presentedHash: string): boolean {
    const now = Date.now();
    const { authCodeId, refreshTokenId, previousRefreshTokenId } = this.#grant(grantId) ?? {};
    return (
      [authCodeId, refreshTokenId, previousRefreshTokenId].includes(presentedHash) ||
      this.#grants.get(`token:${grantId}:${presentedHash}`, now) !== undefined ||
      this.#grants.replay(presentedHash, now)?.grantId === grantId
    );
  }

  #grant(grantId: string): LibraryGrant | undefined {
    const record = this.#grants.get(`grant:${grantId}`, Date.now());
    return record && (JSON.parse(record.value) as LibraryGrant);
  }

  /** The grants, of one client or of all, whose code was redeemed. */
  #redeemed(clientId?: string): LibraryGrant[] {
    return this.#grants
      .list('grant:', 1000, Date.now())
      .map((record) => JSON.parse(record.value) as LibraryGrant)
      .filter((grant) => grant.authCodeWrappedKey === undefined)
      .filter((grant) => clientId === undefined || grant.clientId === clientId);
  }
}

/** What we read of a grant as the library stores it. */
interface LibraryGrant {
  readonly id: string;
  readonly clientId: string;
  readonly redirectUri?: string;
  readonly scope?: readonly string[];
  /** Seconds since the epoch. */
  readonly createdAt?: number;
  /** Seconds since the epoch; moves with every refresh. */
  readonly expiresAt?: number;
  readonly authCodeId?: string;
  /** There until the code is redeemed. */
  readonly authCodeWrappedKey?: string;
  readonly refreshTokenId?: string;
  readonly previousRefreshTokenId?: string;
}

/** Shows the library a rotated refresh token as the previous one, whatever was rotated since. */
function asPrevious(presentedHash: string, wrappedKey: string): NonNullable<GrantHooks['afterGrantRead']> {
  return (grant) => ({
    ...grant,
    previousRefreshTokenId: presentedHash,
    previousRefreshTokenWrappedKey: wrappedKey,
  });
}

/** Stops the library where it would rotate a refresh token that was rotated before. */
class Replayed extends Error {
  override readonly name = 'Replayed';
}

async function sealingKey(token: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', utf8(token), 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: utf8('carrel'), info: utf8('refresh-replay') },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

async function seal(text: string, token: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await sealingKey(token), utf8(text));
  return `${toBase64Url(iv)}.${toBase64Url(new Uint8Array(sealed))}`;
}

async function unseal(sealed: string, token: string): Promise<string> {
  const [iv, body] = sealed.split('.').map((part) => fromBase64Url(part));
  if (!iv || !body) throw new TypeError('not a sealed text');
  return new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, await sealingKey(token), body));
}

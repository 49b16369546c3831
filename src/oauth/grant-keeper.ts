import type { ValidatedAccessToken } from '@cloudflare/workers-oauth-provider';

import type { AuditTrail } from '../directory/audit.ts';
import type { OAuthRecordRepo } from '../directory/oauth-repo.ts';
import { formBody } from '../http/body.ts';
import { sha256Hex } from '../lib/encoding.ts';
import { KeyedMutex } from '../workspace/mutex.ts';
import { newProofKey, redemptionRequest } from './device/redemption.ts';
import type { About, Answer, Asked } from './grant-request.ts';
import { LibraryGrants } from './library-grants.ts';
import type { AuthorizeInput, ClientCredentials, Narrowing, TokenProps } from './model.ts';
import { tokenParts } from './person-ids.ts';
import { seal, unseal } from './sealed-answer.ts';
import type { AuthorizationServers, OAuthEnv } from './server.ts';
import { DirectoryOAuthKv, PersonalOAuthKv } from './storage.ts';
import type { GrantHooks, Pause } from './storage.ts';
import type { GrantStore } from './store.ts';
import { presentedClient, presentedToken, serveToken } from './token-endpoint.ts';

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
  readonly #library: LibraryGrants;
  readonly #servers: AuthorizationServers;
  readonly #records: OAuthRecordRepo;
  readonly #audit: AuditTrail;
  readonly #onReuse: OnReuse;
  readonly #pause: Pause | undefined;
  readonly #mutex = new KeyedMutex();

  constructor({ grants, servers, records, audit, onReuse, pause }: GrantKeeperOptions) {
    this.#grants = grants;
    this.#library = new LibraryGrants(grants);
    this.#servers = servers;
    this.#records = records;
    this.#audit = audit;
    this.#onReuse = onReuse;
    this.#pause = pause;
  }

  /** Makes a grant and its code. @returns where to send the browser */
  async authorize(input: AuthorizeInput, hooks?: GrantHooks): Promise<string> {
    const { origin, request, outwardPerson, personId, scopes, props, deviceHash } = input;
    const env = this.#env({
      ...hooks,
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
        metadata: deviceHash === undefined ? {} : { deviceHash },
        props,
        // The library's default would end the person's other devices that use the same client.
        revokeExistingGrants: false,
      });
    return redirectTo;
  }

  /**
   * Makes a grant for a client on a device without a browser, and gives its first tokens (RFC 8628). The
   * library knows no such grant: it makes a code as for any other, which is redeemed here and never leaves.
   */
  async authorizeDevice(
    input: AuthorizeInput & { readonly deviceHash: string },
    credentials: ClientCredentials,
    requestId: string,
  ): Promise<Response> {
    const { deviceHash } = input;
    return this.#mutex.run(`device ${deviceHash}`, async () => {
      // A poll whose answer was lost has left one: of all for one device, no more than one lives.
      for (const { id } of this.#library.ofDevice(deviceHash)) this.#grants.revoke(id, Date.now());
      return this.#authorizeDevice(input, credentials, requestId);
    });
  }

  async #authorizeDevice(input: AuthorizeInput, credentials: ClientCredentials, requestId: string): Promise<Response> {
    const { origin, request, personId } = input;
    const { clientId, redirectUri } = request;
    const key = await newProofKey();
    // A client of devices has no redirect, and need not be registered for codes.
    const asAny: GrantHooks = {
      afterClientRead: (client) => ({
        ...client,
        redirectUris: [redirectUri],
        grantTypes: ['authorization_code', 'refresh_token'],
        responseTypes: ['code'],
      }),
    };
    const location = await this.authorize(
      { ...input, request: { ...request, codeChallenge: key.challenge, codeChallengeMethod: 'S256' } },
      asAny,
    );
    const presented = new URL(location).searchParams.get('code') ?? '';
    const grantId = tokenParts(presented)?.grantId ?? '';
    const about = { personId, grantId, clientId, requestId };
    const asked: Asked = {
      ...redemptionRequest(origin, { ...key, code: presented, redirectUri, clientId }, credentials),
      presented,
      presentedHash: await sha256Hex(presented),
      grantId,
      about,
    };
    const { response, refusal } = await this.#mutex.run(grantId, () => this.#redeem(asked, asAny));
    await this.#audit.record(
      refusal
        ? { ...about, action: 'token_refused', detail: { reason: refusal.reason } }
        : { ...about, action: 'code_exchanged' },
    );
    return response;
  }

  /**
   * Takes scopes from a grant. Its access tokens end, because they carry the scopes that they were made
   * with; its client gets one with what is left when it refreshes, which it does without asking anybody.
   *
   * What its client has not come for yet ends: it would bring back what was taken.
   *
   * @param scopes those that stay
   * @returns what was written, with nothing left where nothing was; undefined when there is no such grant
   */
  async narrow(grantId: string, scopes: readonly string[]): Promise<Narrowing | undefined> {
    // After a refresh that has read the grant: it would write the old scopes back.
    return this.#mutex.run(grantId, async () => {
      const grant = this.#library.find(grantId);
      if (!grant || grant.authCodeWrappedKey !== undefined) return undefined;
      const had = grant.scope ?? [];
      const left = had.filter((scope) => scopes.includes(scope));
      const taken = had.filter((scope) => !scopes.includes(scope));
      if (left.length === 0 || taken.length === 0) return { left, taken };
      this.#grants.narrow(grantId, { ...grant, scope: left });
      this.#endUnredeemed(grant.clientId);
      return { left, taken };
    });
  }

  /**
   * Ends a grant for its person, with what its client has not come for yet: a code in waiting would let it in again.
   *
   * @returns whether it was alive until now
   */
  end(grantId: string): boolean {
    const clientId = this.#library.find(grantId)?.clientId;
    if (clientId !== undefined) this.#endUnredeemed(clientId);
    return this.#grants.revoke(grantId, Date.now());
  }

  #endUnredeemed(clientId: string): void {
    for (const { id } of this.#library.unredeemed(clientId)) this.#grants.revoke(id, Date.now());
  }

  /** Records that a grant was used for the first time, which ends the story of how its client connected. */
  async recordFirstUse(grantId: string): Promise<void> {
    const grant = this.#library.find(grantId);
    if (!grant) return;
    const personId = grant.userId.split('.')[0];
    await this.#audit.record({ action: 'grant_first_used', personId, clientId: grant.clientId, grantId });
  }

  /**
   * Answers a request to the token endpoint that names this person: code, refresh or revocation. What
   * became of it is in the audit.
   *
   * @param entitled whether the person may enter; to somebody who may not, no grant is there
   */
  async token(request: Request, entitled: boolean, requestId?: string): Promise<Response> {
    const form = await formBody(request.clone());
    const presented = presentedToken(form) ?? '';
    const { outwardPerson = '', grantId = '' } = tokenParts(presented) ?? {};
    const personId = outwardPerson.split('.')[0];
    const presentedHash = await sha256Hex(presented);
    // An expired one too: a client that comes too late is part of its person's story.
    const grant = this.#library.find(grantId, 0);
    const clientOfGrant = grant?.clientId;
    const wasOurs = this.#gaveOut(grantId, presentedHash, grant, 0) || this.#grants.wasRotated(presentedHash, grantId);
    const about = { personId, grantId, clientId: clientOfGrant, requestId };
    const asked: Asked = { request, form, presented, presentedHash, grantId, about };
    const { response, refusal } = entitled
      ? await this.#answer(asked)
      : await this.#serve(request, { afterGrantRead: () => null });
    if (refusal) {
      const clientId = refusal.clientAuthenticated ? presentedClient(request, form) : undefined;
      const line = { action: 'token_refused', requestId, clientId, detail: { reason: refusal.reason } } as const;
      if (wasOurs) {
        const detail = entitled ? line.detail : { reason: 'person_disabled' };
        // A client that did not show who it is may say anything: then the grant says whose it is.
        await this.#audit.record({ ...line, ...about, clientId: clientId ?? clientOfGrant, detail });
      } else if (clientId !== undefined) {
        // Who once saw a token of a person knows their id in it: made-up ones must not fill that person's page.
        await this.#audit.record(line);
      }
    } else if (form.get('grant_type') === 'authorization_code') {
      await this.#audit.record({ ...about, action: 'code_exchanged' });
    }
    return response;
  }

  async #answer(asked: Asked): Promise<Answer> {
    const { request, form, presentedHash, grantId } = asked;
    // What this grant never gave out cannot change it, and must not make it wait: the library asks the
    // client's own host for its document, which may be slow on purpose.
    if (!this.#gaveOut(grantId, presentedHash, this.#library.find(grantId), Date.now())) {
      if (this.#grants.wasRotated(presentedHash, grantId)) await this.#reused(asked);
      return this.#serve(request);
    }
    return this.#mutex.run(grantId, () => {
      switch (form.get('grant_type')) {
        case 'refresh_token':
          return this.#refresh(asked);
        case 'authorization_code':
          return this.#redeem(asked);
        default:
          return this.#revoke(asked);
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
  async #refresh({ request, form, presented, presentedHash, grantId }: Asked): Promise<Answer> {
    // The client and the resource are checked by the library in any case; the scope alone makes the answer another.
    const asked = JSON.stringify(form.get('scope')?.split(' ').toSorted() ?? null);
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
      const answer = await this.#serve(request, hooks);
      const { response } = answer;
      if (!response.ok || wrappedKey === undefined) return answer;
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
      return answer;
    } catch (thrown) {
      if (!(thrown instanceof Replayed) || !replay) throw thrown;
      const answer = JSON.parse(await unseal(replay.sealed, presented)) as { expires_in: number };
      const age = Math.floor((Date.now() - replay.createdAt) / 1000);
      // Revoked while this request was computing: the stored answer must not leave any more.
      if (!this.#grants.isGrantAlive(grantId, Date.now())) return this.#serve(request);
      const response = Response.json(
        { ...answer, expires_in: answer.expires_in - age },
        { headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache' } },
      );
      return { response, refusal: undefined, ended: false };
    }
  }

  /**
   * An exchanged refresh token came back after its successor was used: either its client lost track, or
   * somebody else has a copy. It is refused in any case; whether the grant ends too is the operator's
   * choice, because ending it logs out a client that only restored a backup (RFC 9700 §4.14.2).
   */
  async #reused({ grantId, about }: Asked): Promise<void> {
    const ends = this.#onReuse === 'revoke';
    if (ends) this.#grants.revoke(grantId, Date.now());
    await this.#audit.record({ ...about, action: 'refresh_token_reused', detail: { grant_ended: ends } });
  }

  async #serve(request: Request, hooks?: GrantHooks): Promise<Answer> {
    const seen: { ended: boolean } = { ended: false };
    const env = this.#env({ ...hooks, afterGrantEnd: () => (seen.ended = true) });
    const answer = await serveToken(this.#servers.for(new URL(request.url).origin), request.clone(), env);
    return { ...answer, ...seen };
  }

  #env(hooks?: GrantHooks): OAuthEnv {
    return { OAUTH_KV: new PersonalOAuthKv(this.#grants, new DirectoryOAuthKv(this.#records), hooks, this.#pause) };
  }

  /**
   * Redeems a code. With a new grant of a client, its least recently used one beyond the limit ends; with
   * a code that comes back, what it gave (RFC 6749 §4.1.2).
   */
  async #redeem({ request, grantId, about }: Asked, hooks?: GrantHooks): Promise<Answer> {
    const answer = await this.#serve(request, hooks);
    if (answer.refusal) {
      if (answer.ended) await this.#ended(about, answer.refusal.reason);
      return answer;
    }
    // Only now, and among grants that are in use: codes that nobody redeems must not push out a device.
    const others = this.#library.redeemed(about.clientId).filter((grant) => grant.id !== grantId);
    const newestFirst = others.toSorted((left, right) => (right.expiresAt ?? 0) - (left.expiresAt ?? 0));
    for (const { id } of newestFirst.slice(MAX_GRANTS_PER_CLIENT - 1)) {
      this.#grants.revoke(id, Date.now());
      await this.#ended({ ...about, grantId: id }, 'too_many');
    }
    return answer;
  }

  /**
   * Revokes (RFC 7009). The library knows the last two refresh tokens of a grant; an older one whose
   * answer is still stored would open it again, so its revocation must count as well.
   */
  async #revoke({ request, presentedHash, about }: Asked): Promise<Answer> {
    const replay = this.#grants.replay(presentedHash, Date.now());
    const answer = await this.#serve(
      request,
      replay && { afterGrantRead: asPrevious(presentedHash, replay.wrappedKey) },
    );
    if (answer.ended) await this.#ended(about, 'client');
    return answer;
  }

  async #ended(about: About, by: string): Promise<void> {
    await this.#audit.record({ ...about, action: 'grant_revoked', detail: { by } });
  }

  /** Whether this code or token came from this grant and, at a moment, can still do something. */
  #gaveOut(grantId: string, presentedHash: string, grant: ReturnType<LibraryGrants['find']>, now: number): boolean {
    const { authCodeId, refreshTokenId, previousRefreshTokenId } = grant ?? {};
    return (
      [authCodeId, refreshTokenId, previousRefreshTokenId].includes(presentedHash) ||
      this.#grants.get(`token:${grantId}:${presentedHash}`, now) !== undefined ||
      this.#grants.replay(presentedHash, now)?.grantId === grantId
    );
  }
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

import type { GrantSummary } from './model.ts';
import type { GrantStore } from './store.ts';

/** What we read of a grant as the library stores it. */
export interface LibraryGrant {
  readonly id: string;
  readonly clientId: string;
  /** The person's id as it stands in tokens. */
  readonly userId: string;
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
  /** Ours, kept beside it. */
  readonly metadata?: { readonly deviceHash?: string };
}

/** Reads a person's grants as the OAuth library stores them. */
export class LibraryGrants {
  readonly #store: GrantStore;

  constructor(store: GrantStore) {
    this.#store = store;
  }

  /** Whether a client with this redirect has a grant of all these scopes that it made use of, and that nobody ended. */
  holds(clientId: string, redirectUri: string, scopes: readonly string[]): boolean {
    return this.redeemed(clientId).some(
      (grant) => grant.redirectUri === redirectUri && scopes.every((scope) => grant.scope?.includes(scope) === true),
    );
  }

  /** Whether a grant that was narrowed meanwhile still has a scope. */
  hasScope(grantId: string, scope: string): boolean {
    return this.find(grantId)?.scope?.includes(scope) === true;
  }

  /** The grants that clients made use of, newest first. */
  summaries(): GrantSummary[] {
    return this.redeemed()
      .map(({ id, clientId, redirectUri, scope = [], createdAt = 0, expiresAt }) => ({
        grantId: id,
        clientId,
        redirectUri,
        scopes: scope,
        createdAt: createdAt * 1000,
        expiresAt: expiresAt === undefined ? undefined : expiresAt * 1000,
        lastUsedAt: this.#store.lastUse(id),
      }))
      .toSorted((left, right) => right.createdAt - left.createdAt);
  }

  /** A grant that has not ended. @param now with 0 also one that has expired and is not yet swept */
  find(grantId: string, now = Date.now()): LibraryGrant | undefined {
    const record = this.#store.get(`grant:${grantId}`, now);
    return record && (JSON.parse(record.value) as LibraryGrant);
  }

  /** The grants, of one client or of all, whose code was redeemed. */
  redeemed(clientId?: string): LibraryGrant[] {
    return this.#all()
      .filter((grant) => grant.authCodeWrappedKey === undefined)
      .filter((grant) => clientId === undefined || grant.clientId === clientId);
  }

  /** The grants of a client that still wait for it to come with its code. */
  unredeemed(clientId: string): LibraryGrant[] {
    return this.#all().filter((grant) => grant.authCodeWrappedKey !== undefined && grant.clientId === clientId);
  }

  /** The grants that were made for one answer to a device. */
  ofDevice(deviceHash: string): LibraryGrant[] {
    return this.#all().filter(({ metadata }) => metadata?.deviceHash === deviceHash);
  }

  #all(): LibraryGrant[] {
    return this.#store.list('grant:', 1000, Date.now()).map((record) => JSON.parse(record.value) as LibraryGrant);
  }
}

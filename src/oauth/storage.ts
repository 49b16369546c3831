import { OAuthError } from '@cloudflare/workers-oauth-provider';

import type { OAuthRecordRepo } from '../directory/oauth-repo.ts';
import type { GrantStore } from './store.ts';

/** The part of a KV namespace that the OAuth library calls. */
export interface OAuthKv {
  get(key: string, options?: { type?: 'json' | 'text' }): Promise<unknown>;
  put(key: string, value: string, options?: KvPutOptions): Promise<void>;
  delete(key: string): Promise<void>;
  list(options: { prefix?: string; limit?: number; cursor?: string }): Promise<KvList>;
}

interface KvPutOptions {
  /** Seconds since the epoch. */
  readonly expiration?: number;
  /** Seconds from now. */
  readonly expirationTtl?: number;
  readonly metadata?: unknown;
}

interface KvList {
  readonly keys: readonly { name: string; metadata?: unknown }[];
  readonly list_complete: boolean;
  readonly cursor?: string;
}

/** What a test may put between the library and its storage. */
export type Pause = () => Promise<void>;

function expiresAt(options: KvPutOptions | undefined, now: number): number | null {
  if (options?.expiration !== undefined) return options.expiration * 1000;
  if (options?.expirationTtl !== undefined) return now + options.expirationTtl * 1000;
  return null;
}

function decode(value: string | undefined, options: { type?: string } | undefined): unknown {
  if (value === undefined) return null;
  return options?.type === 'json' ? JSON.parse(value) : value;
}

/**
 * The library's storage for what belongs to no person: registered clients, consent handles, the ids
 * of used client assertions. Strongly consistent, because it is D1. Of grants and tokens it knows
 * nothing: those are in the object of their person.
 */
export class DirectoryOAuthKv implements OAuthKv {
  readonly #records: OAuthRecordRepo;

  constructor(records: OAuthRecordRepo) {
    this.#records = records;
  }

  async get(key: string, options?: { type?: 'json' | 'text' }): Promise<unknown> {
    if (isPersonal(key)) return null;
    return decode(await this.#records.get(key, Date.now()), options);
  }

  async put(key: string, value: string, options?: KvPutOptions): Promise<void> {
    if (isPersonal(key)) throw new TypeError('a grant is written in the object of its person only');
    const record = { key, value, expiresAt: expiresAt(options, Date.now()) };
    // The library reads before it writes; of two requests with one assertion both could pass the read.
    if (key.startsWith('client-assertion-jti:')) {
      if (!(await this.#records.insert(record)))
        throw new OAuthError('invalid_client', {
          description: 'The client assertion was used before',
          statusCode: 401,
        });
      return;
    }
    await this.#records.put(record);
  }

  async delete(key: string): Promise<void> {
    if (isPersonal(key)) return;
    const existed = await this.#records.delete(key);
    // A consent handle is consumed by its deletion: of several requests that all read it, one deletes
    // it and goes on, and the others stop here, before anything is approved.
    if (key.startsWith('transaction:') && !existed) throw new HandleAlreadyUsed();
  }

  async list(): Promise<KvList> {
    return { keys: [], list_complete: true };
  }
}

/** A consent handle that another request has consumed. */
export class HandleAlreadyUsed extends Error {
  override readonly name = 'HandleAlreadyUsed';
}

function isPersonal(key: string): boolean {
  return key.startsWith('grant:') || key.startsWith('token:');
}

/** What the keeper of a grant wants to see or stop while the library works on it. */
export interface GrantHooks {
  /** May change a grant that the library reads, or hide it. */
  readonly afterGrantRead?: (grant: Record<string, unknown>) => Record<string, unknown> | null;
  /** Runs before a grant is written; may throw to stop the library there. */
  readonly beforeGrantWrite?: (grant: Record<string, unknown>) => Promise<void>;
  /** Runs when the library has ended a grant that was alive until then. */
  readonly afterGrantEnd?: () => void;
  /** May change a client that the library reads. */
  readonly afterClientRead?: (client: Record<string, unknown>) => Record<string, unknown>;
}

/**
 * The library's storage inside a person's own object. The library's keys are
 * `grant:<outward person>:<grant>` and `token:<outward person>:<grant>:<hash>`; the person is left
 * out here, whatever key made the outward form, because everything in this object is theirs.
 */
export class PersonalOAuthKv implements OAuthKv {
  readonly #grants: GrantStore;
  readonly #directory: OAuthKv;
  readonly #hooks: GrantHooks;
  readonly #pause: Pause | undefined;

  constructor(grants: GrantStore, directory: OAuthKv, hooks: GrantHooks = {}, pause?: Pause) {
    this.#grants = grants;
    this.#directory = directory;
    this.#hooks = hooks;
    this.#pause = pause;
  }

  async get(key: string, options?: { type?: 'json' | 'text' }): Promise<unknown> {
    await this.#pause?.();
    const local = localKey(key);
    if (!local) {
      const record = await this.#directory.get(key, options);
      const change = key.startsWith('client:') && record !== null ? this.#hooks.afterClientRead : undefined;
      return change ? change(record as Record<string, unknown>) : record;
    }
    const value = decode(this.#grants.get(local.key, Date.now())?.value, options);
    if (local.kind !== 'grant' || value === null || !this.#hooks.afterGrantRead) return value;
    return this.#hooks.afterGrantRead(value as Record<string, unknown>);
  }

  async put(key: string, value: string, options?: KvPutOptions): Promise<void> {
    await this.#pause?.();
    const local = localKey(key);
    if (!local) return this.#directory.put(key, value, options);
    if (local.kind === 'grant') await this.#hooks.beforeGrantWrite?.(JSON.parse(value) as Record<string, unknown>);
    const metadata = options?.metadata === undefined ? null : JSON.stringify(options.metadata);
    const stored = this.#grants.put({
      key: local.key,
      grantId: local.grantId,
      value,
      metadata,
      expiresAt: expiresAt(options, Date.now()),
    });
    if (!stored) throw new OAuthError('invalid_grant', { description: 'This grant was revoked' });
  }

  async delete(key: string): Promise<void> {
    await this.#pause?.();
    const local = localKey(key);
    if (!local) return this.#directory.delete(key);
    if (local.kind === 'grant') {
      if (this.#grants.revoke(local.grantId, Date.now())) this.#hooks.afterGrantEnd?.();
    } else this.#grants.deleteToken(local.key, local.grantId);
  }

  async list(options: { prefix?: string; limit?: number; cursor?: string }): Promise<KvList> {
    await this.#pause?.();
    const match = /^(grant|token):([^:]+):(.*)$/.exec(options.prefix ?? '');
    if (!match) return this.#directory.list(options);
    const [, kind = '', outward = '', rest = ''] = match;
    const limit = options.limit ?? 1000;
    const records = this.#grants.list(`${kind}:${rest}`, limit + 1, Date.now(), options.cursor);
    const page = records.slice(0, limit);
    const last = page.at(-1);
    return {
      keys: page.map((record) => ({
        name: `${kind}:${outward}:${record.key.slice(kind.length + 1)}`,
        ...(record.metadata === null ? {} : { metadata: JSON.parse(record.metadata) as unknown }),
      })),
      list_complete: records.length <= limit,
      ...(records.length > limit && last ? { cursor: last.key } : {}),
    };
  }
}

function localKey(key: string): { kind: 'grant' | 'token'; key: string; grantId: string } | undefined {
  const grant = /^grant:[^:]+:([^:]+)$/.exec(key);
  if (grant?.[1] !== undefined) return { kind: 'grant', key: `grant:${grant[1]}`, grantId: grant[1] };
  const token = /^token:[^:]+:([^:]+):([^:]+)$/.exec(key);
  if (token?.[1] !== undefined && token[2] !== undefined)
    return { kind: 'token', key: `token:${token[1]}:${token[2]}`, grantId: token[1] };
  return undefined;
}

import { BoundedMap } from '../lib/bounded-map.ts';
import { sha256Hex } from '../lib/encoding.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Workspaces } from '../workspace/client.ts';
import type { MissLimit } from './miss-limit.ts';
import type { TokenFacts } from './model.ts';
import type { PersonIds } from './person-ids.ts';
import { tokenParts } from './person-ids.ts';
import { isPersonalToken, personalTokenParts } from './personal-token.ts';

/** An access token that one of ours once was: what it stands for, not whether it still may be used. */
export interface KnownToken {
  readonly personId: string;
  readonly grantId: string;
  readonly tokenHash: string;
  readonly facts: TokenFacts;
}

/** How often invented tokens are reported, in ms. */
const REPORT_MS = 60_000;

/**
 * Reads access tokens. What a token stands for never changes, so it is unwrapped once an isolate and
 * kept in memory; whether it may be used is never kept, and asked of the workspace on every request.
 */
export class TokenCheck {
  readonly #workspaces: Workspaces;
  readonly #personIds: PersonIds;
  readonly #telemetry: Telemetry;
  readonly #misses: MissLimit;
  readonly #known = new BoundedMap<string, KnownToken>(2000);
  /** Tokens that are none since the last event about them, and when that was, ms since the epoch. */
  #invented = 0;
  #reportedAt = 0;

  constructor(workspaces: Workspaces, personIds: PersonIds, telemetry: Telemetry, misses: MissLimit) {
    this.#misses = misses;
    this.#workspaces = workspaces;
    this.#personIds = personIds;
    this.#telemetry = telemetry;
  }

  /**
   * @param address from which it came, undefined where there is no edge
   * @returns undefined for a token that is not ours (no storage is read), unknown or expired
   * @throws CarrelError `limit_exceeded` for one that is not known here, after too many that were none
   */
  async read(token: string, origin: string, address: string | undefined): Promise<KnownToken | undefined> {
    const cacheKey = `${origin}\n${token}`;
    const known = this.#known.get(cacheKey);
    if (known && known.facts.expiresAt * 1000 > Date.now()) return known;
    this.#known.delete(cacheKey);

    const isPersonal = isPersonalToken(token);
    const parts = isPersonal ? personalTokenParts(token) : tokenParts(token);
    const personId = parts && (await this.#personIds.parse(parts.outwardPerson));
    if (!parts || personId === undefined) {
      this.#countInvented(Date.now());
      return undefined;
    }
    // Of deployments in one account, those with the same namespace count together.
    const missKey = address === undefined ? undefined : `${origin} ${address} ${personId}`;
    if (missKey !== undefined) this.#misses.check(missKey, Date.now());
    const { grantId } = parts;
    const tokenHash = await sha256Hex(token);
    const facts = isPersonal
      ? await this.#workspaces.describePersonalToken(personId, grantId, tokenHash)
      : await this.#workspaces.describeToken(personId, token, origin);
    if (!facts) {
      this.#countInvented(Date.now());
      if (missKey !== undefined) await this.#misses.count(missKey, Date.now());
      return undefined;
    }
    const read = { personId, grantId, tokenHash, facts };
    this.#known.set(cacheKey, read);
    return read;
  }

  /** Counted and not written one by one: whoever sends them decides how many there are. */
  #countInvented(now: number): void {
    this.#invented += 1;
    if (now - this.#reportedAt < REPORT_MS) return;
    this.#telemetry.record({ type: 'invented_tokens', count: this.#invented });
    this.#invented = 0;
    this.#reportedAt = now;
  }
}

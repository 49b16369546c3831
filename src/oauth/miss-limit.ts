import { BoundedMap } from '../lib/bounded-map.ts';
import { CarrelError } from '../lib/errors.ts';

/** The seconds that the limit of wrangler.toml counts over. */
const PERIOD_SECONDS = 60;

/**
 * A brake on tokens that bear a person's mark and are none: whoever once saw a token of somebody can make them
 * up, and each wakes that person's object. Counted at the edge, for one person from one network, so that whoever
 * shares an address with such a one is not held up; and asked only after a miss, so that it costs nobody else
 * anything. Without an edge, or without the binding, nobody is held up.
 */
export class MissLimit {
  readonly #binding: RateLimit | undefined;
  /** Until when each is held up, ms since the epoch: the edge counts, and says it only to whoever counts once more. */
  readonly #held = new BoundedMap<string, number>(2000);

  constructor(binding: RateLimit | undefined) {
    this.#binding = binding;
  }

  /** Before the object is asked. @throws CarrelError `limit_exceeded`, with `retry_after` in seconds */
  check(key: string, now: number): void {
    const until = this.#held.get(key);
    if (until === undefined || until <= now) return;
    throw new CarrelError('limit_exceeded', 'Too many tokens that are none. Try again in a minute.', {
      details: { retry_after: Math.ceil((until - now) / 1000) },
    });
  }

  /** After a token of which the object knows nothing. */
  async count(key: string, now: number): Promise<void> {
    // A counter that does not answer must not lock anybody out.
    const answer = await this.#binding?.limit({ key }).catch(() => undefined);
    if (answer?.success === false) this.#held.set(key, now + PERIOD_SECONDS * 1000);
  }
}

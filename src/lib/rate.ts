const MINUTE_MS = 60_000;

/** Counts calls by the minute, in memory: whoever holds it forgets it when it is forgotten itself. */
export class Rate {
  readonly #limit: number;
  #since = 0;
  #count = 0;

  /** @param limit calls of one minute; 0 for any number */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Counts a call.
   *
   * @param now ms since the epoch
   * @returns in how many seconds another is taken, at least 1; undefined for one that is taken now
   */
  take(now: number): number | undefined {
    if (this.#limit === 0) return undefined;
    // Also when the clock was set back.
    if (now - this.#since >= MINUTE_MS || now < this.#since) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= this.#limit ? undefined : Math.max(1, Math.ceil((this.#since + MINUTE_MS - now) / 1000));
  }
}

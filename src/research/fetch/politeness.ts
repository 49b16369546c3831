import type { Clock } from './clock.ts';

/**
 * Sources that are fetched and read at once, which bounds what is held in memory: as many times 10 MB, and 10 MB more
 * for the one that is put together.
 */
const AT_ONCE = 4;
/** Of these, from one host. */
const AT_ONCE_FROM_HOST = 2;
/** Between the beginnings of two requests to one host, in ms; half as much again, by chance. */
const GAP_MS = 250;
/** What a host may ask for in place of that. Longer, and one call would fetch a handful of pages. */
const MAX_CRAWL_DELAY_MS = 5000;

interface Waiting {
  readonly host: string;
  /** Whether a place among all is needed as well; who goes on to another host has one. */
  readonly begins: boolean;
  readonly admit: () => void;
}

/** Who may ask which host when, within one call. */
export class Politeness {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  readonly #gaps = new Map<string, number>();
  readonly #next = new Map<string, number>();
  readonly #asking = new Map<string, number>();
  #places = AT_ONCE;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits for a place among all and one at this host. Whoever gets it ends it. */
  async begin(host: string, signal: AbortSignal): Promise<Turn> {
    await this.#admission(host, true, signal);
    return new Turn(this, host);
  }

  /** Goes on to another host, without keeping the first from others meanwhile: two that wait for each other would wait for ever. */
  async move(from: string | undefined, to: string, signal: AbortSignal): Promise<void> {
    if (from !== undefined) this.leave(from);
    await this.#admission(to, false, signal);
  }

  leave(host: string): void {
    this.#asking.set(host, (this.#asking.get(host) ?? 0) - 1);
    this.#admitWaiting();
  }

  end(): void {
    this.#places++;
    this.#admitWaiting();
  }

  /** Waits until the host may be asked again. */
  async pace(host: string, signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const at = Math.max(now, this.#next.get(host) ?? 0);
    this.#next.set(host, at + (this.#gaps.get(host) ?? GAP_MS * (1 + this.#clock.random() / 2)));
    if (at > now) await this.#clock.sleep(at - now, signal);
  }

  /** @param seconds what the host asks for: `Crawl-delay` */
  slowDown(host: string, seconds: number): void {
    this.#gaps.set(host, Math.min(Math.max(GAP_MS, seconds * 1000), MAX_CRAWL_DELAY_MS));
  }

  async #admission(host: string, begins: boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        host,
        begins,
        admit: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal.addEventListener('abort', abort);
      this.#waiting.push(waiting);
      this.#admitWaiting();
    });
  }

  /** The first that can go on does, so a host that is slow holds up nobody who waits for another. */
  #admitWaiting(): void {
    for (let index = 0; index < this.#waiting.length;) {
      const next = this.#waiting[index];
      const asking = next ? (this.#asking.get(next.host) ?? 0) : 0;
      if (!next || asking >= AT_ONCE_FROM_HOST || (next.begins && this.#places === 0)) {
        index++;
        continue;
      }
      this.#waiting.splice(index, 1);
      this.#asking.set(next.host, asking + 1);
      if (next.begins) this.#places--;
      next.admit();
    }
  }
}

/** A place among all that are fetched in one call, and one at a host. */
export class Turn {
  readonly #politeness: Politeness;
  #host: string | undefined;
  #ended = false;

  constructor(politeness: Politeness, host: string) {
    this.#politeness = politeness;
    this.#host = host;
  }

  async moveTo(host: string, signal: AbortSignal): Promise<void> {
    if (host === this.#host) return;
    const from = this.#host;
    // Should it be aborted on the way, it is at neither.
    this.#host = undefined;
    await this.#politeness.move(from, host, signal);
    // Whoever waited for it may have given up meanwhile.
    if (this.#ended) this.#politeness.leave(host);
    else this.#host = host;
  }

  /** The host is not asked any more; what it gave is still held. */
  leaveHost(): void {
    if (this.#host !== undefined) this.#politeness.leave(this.#host);
    this.#host = undefined;
  }

  end(): void {
    this.#ended = true;
    this.leaveHost();
    this.#politeness.end();
  }
}

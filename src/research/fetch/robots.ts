import { BoundedMap } from '../../lib/bounded-map.ts';
import { CarrelError } from '../../lib/errors.ts';
import { guardedFetch } from '../../web/guarded-fetch.ts';
import type { Clock } from './clock.ts';
import type { FetchSettings } from './model.ts';
import { isAllowed, readRobots } from './robots-rules.ts';
import type { RobotsRules } from './robots-rules.ts';

/** What a robots.txt calls us; `User-Agent` begins with it. */
const PRODUCT = 'Carrel';
/** What RFC 9309, section 2.5, has a reader take at least. What is behind it is not read. */
const MAX_ROBOTS_BYTES = 512_000;

/** ms. RFC 9309, section 2.4: a day at most. */
const REMEMBERED_MS = 3_600_000;
const UNREACHABLE_REMEMBERED_MS = 60_000;
/** Hosts, times characters of patterns: what an isolate may hold of it, about 4 MB. */
const MAX_REMEMBERED = 200;
const MAX_REMEMBERED_CHARACTERS = 20_000;

/** What is known of a host: its rules, or that it could not be asked for them. */
interface Known {
  readonly rules: RobotsRules | undefined;
  /** ms since the epoch. */
  readonly until: number;
}

/** By origin. An isolate may forget it at any moment. */
const REMEMBERED = new BoundedMap<string, Known>(MAX_REMEMBERED);

/** The robots.txt of the hosts that one call asks. */
export class Robots {
  readonly #settings: Pick<FetchSettings, 'origin' | 'loopback'>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** Of this call alone: a promise of another request may not be awaited in a Worker. */
  readonly #asked = new Map<string, Promise<Known>>();

  constructor(settings: Pick<FetchSettings, 'origin' | 'loopback'>, clock: Clock, timeoutMs: number) {
    this.#settings = settings;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @returns seconds that the host asks to leave between requests
   * @throws CarrelError `forbidden` (`robots`), `unavailable` (`robots_unreachable`)
   */
  async check(url: URL, signal: AbortSignal): Promise<number | undefined> {
    const { rules } = await this.#known(url.origin, signal);
    if (!rules)
      throw new CarrelError(
        'unavailable',
        'The robots.txt of this host could not be read, so whether this page may be fetched is not known. Add it again later.',
        { details: { reason: 'robots_unreachable' } },
      );
    if (!isAllowed(rules, url))
      throw new CarrelError(
        'forbidden',
        'The robots.txt of this host asks programs not to fetch this page. Add its text, or a file of it, instead.',
        { details: { reason: 'robots' } },
      );
    return rules.crawlDelay;
  }

  async #known(origin: string, signal: AbortSignal): Promise<Known> {
    const remembered = REMEMBERED.get(origin);
    if (remembered && remembered.until > this.#clock.now()) return remembered;
    let asked = this.#asked.get(origin);
    if (!asked) {
      asked = this.#ask(origin, signal);
      this.#asked.set(origin, asked);
    }
    return asked;
  }

  async #ask(origin: string, signal: AbortSignal): Promise<Known> {
    const rules = await this.#read(origin, signal);
    const known = { rules, until: this.#clock.now() + (rules ? REMEMBERED_MS : UNREACHABLE_REMEMBERED_MS) };
    const size = rules?.rules.reduce((sum, { pattern }) => sum + pattern.length, 0) ?? 0;
    // That the caller has gone says nothing about the host.
    if (size <= MAX_REMEMBERED_CHARACTERS && !signal.aborted) REMEMBERED.set(origin, known);
    return known;
  }

  /** `undefined` where the host must be taken to forbid everything (RFC 9309, section 2.3.1.4). */
  async #read(origin: string, signal: AbortSignal): Promise<RobotsRules | undefined> {
    try {
      const { body } = await guardedFetch({
        ...this.#settings,
        address: `${origin}/robots.txt`,
        accept: 'text/plain, */*;q=0.5',
        // Longer ones are read up to where they are cut.
        maxBytes: Number.MAX_SAFE_INTEGER,
        timeoutMs: this.#timeoutMs,
        signal,
      });
      return readRobots(await beginning(body), PRODUCT);
    } catch (thrown) {
      // A refusal, or redirects that lead nowhere: there is none (sections 2.3.1.2 and 2.3.1.3). A host that asks for
      // fewer requests (429) is taken at its word, which guardedFetch says as `unavailable`.
      const isThere = thrown instanceof CarrelError && thrown.code === 'invalid_input';
      return isThere ? { rules: [] } : undefined;
    }
  }
}

/** The text of the first bytes, up to the last line that is whole. */
async function beginning(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  for (let size = 0; ;) {
    const { value } = await reader.read();
    if (!value) return text + decoder.decode();
    size += value.byteLength;
    text += decoder.decode(value, { stream: true });
    if (size < MAX_ROBOTS_BYTES) continue;
    await reader.cancel();
    return text.slice(0, text.lastIndexOf('\n') + 1);
  }
}

import type { Clock } from './clock.ts';
import type { Politeness } from './politeness.ts';

/** Of one page or document, after decoding. */
export const MAX_SOURCE_BYTES = 10_000_000;
/** Addresses that are fetched in one call. */
export const MAX_BATCH = 20;

/** How long things may take, in ms. */
export interface FetchTimes {
  /** One source: its robots.txt, redirects and further tries with it. It begins when it is its turn. */
  readonly source: number;
  /** One robots.txt, within that. */
  readonly robots: number;
  /** All that is fetched in one call. Clients give up after a minute. */
  readonly batch: number;
}

export const FETCH_TIMES: FetchTimes = { source: 15_000, robots: 5000, batch: 45_000 };

export interface FetchSettings {
  /** The origin of this deployment: it is never fetched, and whoever is fetched learns it. */
  readonly origin: string;
  /** Whether http to this machine is fetched: for development and tests. */
  readonly loopback: boolean;
  /** Whether robots.txt is asked first (RFC 9309). */
  readonly robots: boolean;
  /** Ends it early: its caller has gone. */
  readonly signal?: AbortSignal;
  readonly times?: Partial<FetchTimes>;
  readonly clock?: Clock;
  /** What is known of how often hosts were asked, where several calls share it. */
  readonly politeness?: Politeness;
}

/** An answer on the way to a source: a redirect, or a try that failed. */
export interface PastAnswer {
  readonly url: string;
  /** Absent where no answer came, or one that broke off. */
  readonly status?: number;
}

export interface FetchedSource {
  /** Where the answer came from, after redirects. */
  readonly url: string;
  /** As `Content-Type` says, with its parameters; empty where it says nothing. Nobody has checked it. */
  readonly type: string;
  readonly bytes: Uint8Array;
  /** What `Last-Modified` says, in ms since the epoch. */
  readonly lastModified?: number;
  /** RFC 9110, section 8.8.3, with its quotes. */
  readonly etag?: string;
  /** What `Content-Language` says, if that is one language (BCP 47). */
  readonly language?: string;
  /** What came before, oldest first. */
  readonly history: readonly PastAnswer[];
  /** When the last byte was there, in ms since the epoch. */
  readonly fetchedAt: number;
}

import { joined } from '../../lib/encoding.ts';
import { asCarrelError, CarrelError } from '../../lib/errors.ts';
import { guardedFetch } from '../../web/guarded-fetch.ts';
import type { FetchedPage } from '../../web/guarded-fetch.ts';
import { normalise } from '../addresses/normalise.ts';
import { CLOCK } from './clock.ts';
import type { Clock } from './clock.ts';
import { FETCH_TIMES, MAX_SOURCE_BYTES } from './model.ts';
import type { FetchedSource, FetchSettings, FetchTimes, PastAnswer } from './model.ts';
import { Politeness } from './politeness.ts';
import type { Turn } from './politeness.ts';
import { addressRefusal, emptyRefusal, explained, notReached, typeRefusal } from './refusals.ts';
import { Robots } from './robots.ts';

/** Markdown first: some sites give it to whoever asks, without what surrounds a page. */
const ACCEPT = 'text/markdown, text/html;q=0.9, application/pdf;q=0.9, */*;q=0.5';

/** One, and two more after what passes. */
const MAX_TRIES = 3;
/** Before the second try, in ms: from half of it to one and a half times, by chance; twice that before the third. */
const PAUSE_MS = 500;

/** What the fetches of one call share. */
export interface Fetching {
  readonly settings: FetchSettings;
  readonly times: FetchTimes;
  readonly clock: Clock;
  readonly politeness: Politeness;
  readonly robots: Robots | undefined;
  readonly signal: AbortSignal;
}

export function fetching(settings: FetchSettings, signal: AbortSignal): Fetching {
  const { clock = CLOCK } = settings;
  const times = { ...FETCH_TIMES, ...settings.times };
  return {
    settings,
    times,
    clock,
    politeness: settings.politeness ?? new Politeness(clock),
    robots: settings.robots ? new Robots(settings, clock, times.robots) : undefined,
    signal,
  };
}

/**
 * Fetches a source: a URL, a DOI or an arXiv id. What may be asked is what `guardedFetch` lets pass, after each redirect
 * again, and what robots.txt allows. What is transient is tried twice more: 429, 502, 503, 504 and connections that
 * break, after a pause, or after as long as the host asks for, if there is that much time.
 *
 * @throws CarrelError with `reason` in its details, and `status` if there was one
 */
export async function fetchSource(options: FetchSettings & { readonly address: string }): Promise<FetchedSource> {
  const signal = options.signal ?? new AbortController().signal;
  return fetchWithin(fetching(options, signal), options.address, async (source) => source);
}

/** Its place among all is kept until what it is used for is done, because its bytes are held as long. */
export async function fetchWithin<Result>(
  all: Fetching,
  address: string,
  use: (source: FetchedSource) => Promise<Result>,
): Promise<Result> {
  const place = normalise(address);
  if (place.fault !== undefined) throw addressRefusal(place.fault);
  const turn = await orNotReached(all, all.politeness.begin(new URL(place.fetch).host, all.signal));
  try {
    const source = await orNotReached(all, fetchInTurn(all, place.fetch, turn));
    turn.leaveHost();
    return await use(source);
  } finally {
    turn.end();
  }
}

/** What waits when all of it is ended has nothing to say of its own. */
async function orNotReached<Result>({ signal }: Fetching, run: Promise<Result>): Promise<Result> {
  try {
    return await run;
  } catch (thrown) {
    throw signal.aborted ? notReached() : thrown;
  }
}

async function fetchInTurn(all: Fetching, address: string, turn: Turn): Promise<FetchedSource> {
  const { clock, times } = all;
  const deadline = clock.now() + times.source;
  // So that nothing waits on behalf of a try that is over: guardedFetch does not wait for it to end.
  const ending = new AbortController();
  const signal = AbortSignal.any([all.signal, ending.signal]);
  const history: PastAnswer[] = [];
  try {
    for (let tries = 1; ; tries++) {
      const error = await attempt(all, { address, turn, signal, history, timeoutMs: deadline - clock.now() });
      if (!(error instanceof CarrelError)) return error;
      const pause = tries < MAX_TRIES && !signal.aborted ? pauseAfter(error, tries, clock) : undefined;
      if (pause === undefined || clock.now() + pause >= deadline) throw explained(error);
      await clock.sleep(pause, signal);
    }
  } finally {
    ending.abort();
  }
}

interface Attempt {
  readonly address: string;
  readonly turn: Turn;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly history: PastAnswer[];
}

/** @returns what went wrong, which is part of the history then */
async function attempt(
  { settings, clock, politeness, robots, signal: whole }: Fetching,
  { address, turn, signal, timeoutMs, history }: Attempt,
): Promise<FetchedSource | CarrelError> {
  let asked = address;
  const before = async (url: URL): Promise<void> => {
    asked = url.href;
    await turn.moveTo(url.host, signal);
    const delay = await robots?.check(url, whole);
    if (delay !== undefined) politeness.slowDown(url.host, delay);
    await politeness.pace(url.host, signal);
  };
  try {
    const { origin, loopback } = settings;
    const limits = { maxBytes: MAX_SOURCE_BYTES, timeoutMs };
    const page = await guardedFetch({ address, origin, loopback, accept: ACCEPT, ...limits, signal, before });
    const bytes = await bytesOf(page);
    history.push(...page.redirects.map(({ url, status }) => ({ url: url.href, status })));
    return { ...described(page), bytes, history, fetchedAt: clock.now() };
  } catch (thrown) {
    const error = asCarrelError(thrown);
    const { status } = error.details;
    history.push({ url: asked, ...(typeof status === 'number' && { status }) });
    return error;
  }
}

async function bytesOf({ headers, body }: FetchedPage): Promise<Uint8Array> {
  const refused = typeRefusal(headers.get('Content-Type') ?? '');
  if (refused) {
    await body.cancel();
    throw refused;
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const bytes = joined(pieces);
  if (bytes.byteLength === 0) throw emptyRefusal();
  return bytes;
}

/** Nothing of an answer is kept but this, and nothing longer than it can rightly be: no cookie, no name of a server. */
function described({ url, headers }: FetchedPage): Omit<FetchedSource, 'bytes' | 'history' | 'fetchedAt'> {
  const said = (name: string, form: RegExp): string | undefined => form.exec(headers.get(name) ?? '')?.[0];
  const lastModified = Date.parse(said('Last-Modified', /^[A-Z][a-z]{2}, [\w :]{1,40}$/) ?? '');
  const etag = said('ETag', /^(?:W\/)?"[\x21\x23-\x7E]{1,200}"$/);
  const language = said('Content-Language', /^[a-z]{2,3}(?:-[a-z\d]{1,8}){0,4}$/i);
  return {
    url: url.href,
    type: said('Content-Type', /^[\x20-\x7E]{1,200}$/) ?? '',
    ...(!Number.isNaN(lastModified) && { lastModified }),
    ...(etag !== undefined && { etag }),
    ...(language !== undefined && { language }),
  };
}

/** In ms, or `undefined` after what will not pass. */
function pauseAfter(
  { details: { status, reason, retryAfter } }: CarrelError,
  tries: number,
  clock: Clock,
): number | undefined {
  const passes = status === undefined ? reason === 'unreachable' : [429, 502, 503, 504].includes(Number(status));
  const pause = PAUSE_MS * 2 ** (tries - 1) * (0.5 + clock.random());
  return passes ? Math.max(pause, Number(retryAfter ?? 0) * 1000) : undefined;
}

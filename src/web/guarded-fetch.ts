import { CarrelError } from '../lib/errors.ts';
import { VERSION } from '../version.ts';
import { addressFault, isThisMachine, MAX_ADDRESS } from './public-address.ts';
import type { AddressFault, AddressRules } from './public-address.ts';

export interface GuardedFetch extends AddressRules {
  readonly address: string;
  /** Of the body, after it was decoded. */
  readonly maxBytes: number;
  /** For all of it, from the first request to the last byte, in ms. */
  readonly timeoutMs: number;
  /** What `Accept` says. */
  readonly accept?: string;
  /** Ends it early: its caller has gone. */
  readonly signal?: AbortSignal;
  /** Asked before each request, those that follow a redirect too, within the time of all. What it throws ends the fetch. */
  readonly before?: (url: URL) => Promise<void>;
}

export interface Redirect {
  readonly url: URL;
  readonly status: number;
}

export interface FetchedPage {
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly status: number;
  /** Those that were followed, in their order. */
  readonly redirects: readonly Redirect[];
  readonly headers: Headers;
  /** Bytes, if the answer says so and means what the body gives. It may be wrong. */
  readonly length: number | undefined;
  /** Ends with a CarrelError where it grows too large or takes too long. Read it to its end, or cancel it. */
  readonly body: ReadableStream<Uint8Array>;
}

const MAX_REDIRECTS = 5;
/** For each answer to begin, in ms. */
const HEADERS_MS = 15_000;
/** Bytes that are read at once, unless there are fewer. */
const PIECE_BYTES = 64 * 1024;

/** What the runtime decodes by itself: it leaves `GZIP` as it came. */
const DECODED: ReadonlySet<string> = new Set(['gzip', 'br']);

/**
 * Fetches what an address names that somebody else chose: a model, or a page that a model has read. It goes to public
 * hosts over https, at port 443, and to each redirect only after that was checked the same way. It sends no cookie, no
 * credential and no referrer, and says who we are. What comes is bounded in bytes, after decoding, and in time.
 *
 * Where a name leads is not seen by a Worker; docs/security.md says what holds that instead.
 *
 * @throws CarrelError `invalid_input` (an address that is not fetched, with `reason`; a refusal, with `status`),
 *   `unavailable` (unreachable, too slow, with `reason`; a failure there, with `status`, and `retryAfter` in seconds
 *   where it says so), `too_large`, `unsupported`
 */
export async function guardedFetch(options: GuardedFetch): Promise<FetchedPage> {
  const { address, origin, maxBytes, timeoutMs, accept = '*/*', signal, before } = options;
  const deadline = Date.now() + timeoutMs;
  const ending = new AbortController();
  signal?.addEventListener('abort', () => ending.abort(), { once: true });
  if (signal?.aborted === true) ending.abort();
  const headers = {
    Accept: accept,
    // So that Content-Length is that of the body. Whoever encodes it all the same is held to the same limit.
    'Accept-Encoding': 'identity',
    'User-Agent': `Carrel/${VERSION} (+${origin})`,
  };
  let url = checked(URL.parse(address), options);
  const redirects: Redirect[] = [];
  for (;;) {
    if (before) await within(deadline - Date.now(), ending, () => before(url));
    const left = Math.min(HEADERS_MS, deadline - Date.now());
    const response = await within(left, ending, () =>
      // What a redirect leads to is not asked before it was looked at.
      globalThis.fetch(url.href, { headers, redirect: 'manual', signal: ending.signal }),
    );
    const location = REDIRECTS.has(response.status) ? response.headers.get('Location') : null;
    if (location === null) return page(response, { url, redirects }, { maxBytes, deadline, ending });
    await response.body?.cancel().catch(() => undefined);
    if (redirects.length === MAX_REDIRECTS)
      throw new CarrelError('invalid_input', `The address leads on more than ${MAX_REDIRECTS} times.`, {
        details: { reason: 'too_many_redirects' },
      });
    redirects.push({ url, status: response.status });
    // A page elsewhere must not lead to what runs on this machine.
    const loopback = options.loopback && isThisMachine(url);
    url = checked(URL.parse(location, url.href), { origin, loopback }, 'The address leads to one that');
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What is wrong with an address, as a clause. None of it repeats the address, which somebody else may have chosen. */
const FAULTS: Readonly<Record<AddressFault, string>> = {
  not_a_url: 'is no URL',
  too_long: `has more than ${MAX_ADDRESS} characters`,
  not_https: 'does not begin with https://',
  credentials: 'holds a name or a password',
  port: 'names a port other than 443',
  not_a_public_host: 'names no public host',
  not_a_public_address: 'is of a network that is not public',
  this_deployment: 'is of this deployment itself',
};

function checked(url: URL | null, rules: AddressRules, whose = 'The address'): URL {
  const reason = addressFault(url, rules);
  if (!url || reason !== undefined)
    throw new CarrelError('invalid_input', `${whose} ${FAULTS[reason ?? 'not_a_url']}. Nothing was fetched from it.`, {
      details: { reason: reason ?? 'not_a_url' },
    });
  return url;
}

interface Bounds {
  readonly maxBytes: number;
  /** ms since the epoch. */
  readonly deadline: number;
  readonly ending: AbortController;
}

async function page(
  response: Response,
  way: Pick<FetchedPage, 'url' | 'redirects'>,
  bounds: Bounds,
): Promise<FetchedPage> {
  const { status, headers } = response;
  const encoding = headers.get('Content-Encoding')?.replace(/^identity$/i, '') ?? '';
  const said = headers.get('Content-Length') ?? '';
  const length = encoding === '' && /^\d{1,15}$/.test(said) ? Number(said) : undefined;
  const refusal = statusRefusal(response) ?? refusalOf(encoding, length, bounds.maxBytes);
  if (refusal) {
    await response.body?.cancel().catch(() => undefined);
    throw refusal;
  }
  return {
    ...way,
    status,
    headers,
    length,
    body: bounded((response.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>, bounds),
  };
}

/** No other success brings a body that is the whole. */
function statusRefusal({ status, headers }: Response): CarrelError | undefined {
  if (status === 200 || status === 203) return undefined;
  const retryAfter = secondsOf(headers.get('Retry-After') ?? '');
  return new CarrelError(
    status >= 500 || status === 429 ? 'unavailable' : 'invalid_input',
    `The address answers with status ${status}.`,
    { details: { status, ...(retryAfter !== undefined && { retryAfter }) } },
  );
}

/** Of `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. */
export function secondsOf(retryAfter: string): number | undefined {
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter);
  const seconds = Math.ceil((Date.parse(retryAfter) - Date.now()) / 1000);
  return /^[A-Z][a-z]{2}, /.test(retryAfter) && seconds > 0 ? seconds : undefined;
}

function refusalOf(encoding: string, length: number | undefined, maxBytes: number): CarrelError | undefined {
  if (encoding !== '' && !DECODED.has(encoding))
    return new CarrelError('unsupported', 'The answer is encoded in a way that is not read here.', {
      details: { reason: 'content_encoding' },
    });
  return length !== undefined && length > maxBytes ? tooLarge(maxBytes) : undefined;
}

/** The body, which ends with an error at the limit or at the deadline, even if nothing comes. */
function bounded(body: ReadableStream<Uint8Array>, { maxBytes, deadline, ending }: Bounds): ReadableStream<Uint8Array> {
  const reader = body.getReader({ mode: 'byob' });
  let size = 0;
  const next = async (): Promise<Uint8Array | undefined> => {
    const { value } = await within(deadline - Date.now(), ending, () =>
      reader.readAtLeast(PIECE_BYTES, new Uint8Array(PIECE_BYTES)),
    );
    size += value?.byteLength ?? 0;
    if (size > maxBytes) throw tooLarge(maxBytes);
    return value;
  };
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      try {
        const piece = await next();
        if (piece?.byteLength) return controller.enqueue(piece);
        controller.close();
        controller.byobRequest?.respond(0);
      } catch (thrown) {
        ending.abort();
        await reader.cancel(thrown).catch(() => undefined);
        controller.error(thrown);
      }
    },
    async cancel(reason) {
      ending.abort();
      await reader.cancel(reason).catch(() => undefined);
    },
  });
}

/** @throws CarrelError `unavailable` after this time, and for whatever goes wrong on the way */
async function within<Result>(
  milliseconds: number,
  ending: AbortController,
  run: () => Promise<Result>,
): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => {
        reject(unavailable('too_slow', 'The address takes too long to answer.'));
        ending.abort();
      },
      Math.max(0, milliseconds),
    );
  });
  try {
    return await Promise.race([run(), late]);
  } catch (thrown) {
    if (thrown instanceof CarrelError) throw thrown;
    throw unavailable('unreachable', 'The address could not be reached, or what it sent broke off.', thrown);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(reason: string, message: string, cause?: unknown): CarrelError {
  return new CarrelError('unavailable', message, { details: { reason }, cause });
}

const tooLarge = (limit: number) =>
  new CarrelError('too_large', 'What the address holds is larger than is fetched.', {
    details: { limit },
  });

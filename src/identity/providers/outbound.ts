import { isLoopbackHostname } from '../../lib/loopback.ts';
import { ProviderFault } from './refusals.ts';

export interface OutboundOptions {
  /** Allows http to this machine, where a provider can be tried. */
  readonly development: boolean;
  /** For a request from its start to the last byte of its answer. */
  readonly timeoutMs?: number;
}

/** As libraries and ourselves ask. Their signal and their way with redirects do not count: ours are stricter. */
export interface OutboundRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | URLSearchParams | undefined;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1_000_000;

/** Answers that have no body, and that no Response may be made with one. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * The address, if a provider may be asked or a browser sent there.
 *
 * @throws ProviderFault `insecure_address` for anything but https, and http to this machine in development
 */
export function secureAddress(address: string, development: boolean): URL {
  const url = URL.parse(address);
  const loopback = development && url?.protocol === 'http:' && isLoopbackHostname(url.hostname);
  if (!url || (url.protocol !== 'https:' && !loopback)) throw new ProviderFault('insecure_address');
  return url;
}

/**
 * A `fetch` for what a provider's own documents name: addresses that somebody else chose. It goes to
 * https alone, follows no redirect (a redirector on the provider's host must not answer for it), and
 * takes 10 seconds and 1 MB at most, counted after decompression. The answer is read to its end here,
 * so that nothing after it waits for a stranger.
 *
 * Where an address leads is not checked: a Worker cannot see it. `global_fetch_strictly_public` keeps
 * a deployed one out of private networks.
 *
 * @throws ProviderFault from the returned function, whatever goes wrong on the way
 */
export function providerFetch({
  development,
  timeoutMs = TIMEOUT_MS,
}: OutboundOptions): (address: string, request: OutboundRequest) => Promise<Response> {
  return async (address, { method = 'GET', headers = {}, body = null }) => {
    const url = secureAddress(address, development);
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await globalThis.fetch(url.href, { method, headers, body, redirect: 'manual', signal });
      if (response.status >= 300 && response.status < 400 && response.status !== 304) {
        await response.body?.cancel();
        throw new ProviderFault('redirected');
      }
      return await read(response);
    } catch (error) {
      if (error instanceof ProviderFault) throw error;
      throw new ProviderFault(signal.aborted ? 'too_slow' : 'unreachable', { cause: error });
    }
  };
}

async function read(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (size > MAX_BYTES) throw new ProviderFault('too_large');
    chunks.push(chunk);
  }
  const headers = new Headers();
  // No more than what is looked at: a Content-Encoding would describe bytes that are no longer encoded.
  for (const name of ['Content-Type', 'WWW-Authenticate']) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const body = WITHOUT_BODY.has(response.status) ? null : await new Blob(chunks).arrayBuffer();
  return new Response(body, { status: response.status, headers });
}

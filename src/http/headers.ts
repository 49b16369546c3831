import { isLoopbackHostname } from '../lib/loopback.ts';

/** Headers that browser clients may read beside the simple ones. */
const EXPOSED =
  'WWW-Authenticate, Retry-After, X-Request-Id, Content-Disposition, Content-Range, Accept-Ranges, ETag, Location, Upload-Offset, Upload-Length, Upload-Metadata, Upload-Expires';

/**
 * Lets a page of another origin read the answer. Only for routes that look at no cookie: what such a
 * page gets is what its own token opens.
 *
 * @param more headers that it may read besides
 */
export function withCors(response: Response, request: Request, more: readonly string[]): Response {
  const origin = request.headers.get('Origin');
  if (origin === null) return response;
  const copy = new Response(response.body, response);
  copy.headers.set('Access-Control-Allow-Origin', origin);
  copy.headers.set('Access-Control-Expose-Headers', [EXPOSED, ...more].join(', '));
  copy.headers.append('Vary', 'Origin');
  return copy;
}

/**
 * Whether a page that sends this request may, by its origin. Anything without an Origin is no page of
 * another origin. `local` is what MCP asks of a Streamable HTTP endpoint, against DNS rebinding.
 */
export function maySend(request: Request, own: string, crossOrigin: 'any' | 'local' | undefined): boolean {
  const sender = request.headers.get('Origin');
  if (sender === null || sender === own || crossOrigin !== 'local') return true;
  const url = URL.parse(sender);
  return url !== null && isLoopbackHostname(url.hostname);
}

/** The answer to a CORS preflight. */
export function preflight(request: Request): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'Access-Control-Allow-Origin': request.headers.get('Origin') ?? '*',
      'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      // `*` does not cover Authorization: it must be named (Fetch, CORS protocol).
      'Access-Control-Allow-Headers': `Authorization, ${request.headers.get('Access-Control-Request-Headers') ?? 'Content-Type'}`,
      'Access-Control-Max-Age': '86400',
      Vary: 'Origin, Access-Control-Request-Headers',
    },
  });
}

/** The response with a header; a copy only where its headers are another's, as those of a fetch or an RPC. */
function withHeader(response: Response, name: string, value: string): Response {
  try {
    response.headers.set(name, value);
    return response;
  } catch {
    const copy = new Response(response.body, response);
    copy.headers.set(name, value);
    return copy;
  }
}

/** What every answer bears, whoever made it. @param more what those of its route bear besides */
export function withSecurityHeaders(
  response: Response,
  url: URL,
  requestId: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  const secured = withHeader(response, 'X-Request-Id', requestId);
  const { headers } = secured;
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  headers.set('X-Content-Type-Options', 'nosniff');
  // `same-origin` and not `no-referrer`: with the latter our own forms would send `Origin: null`.
  headers.set('Referrer-Policy', 'same-origin');
  if (!headers.has('Content-Security-Policy'))
    headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
  if (url.protocol === 'https:') headers.set('Strict-Transport-Security', 'max-age=31536000');
  return secured;
}

/** Bytes of the body as Content-Length says; undefined for a chunked one, or none. */
export function contentLength({ headers }: Request): number | undefined {
  const length = headers.get('Content-Length') ?? '';
  return /^\d+$/.test(length) ? Number(length) : undefined;
}

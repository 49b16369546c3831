import type { JSX } from 'hono/jsx/jsx-runtime';

/**
 * What every page allows: its own stylesheet and images in it, forms back to us, no frame around it,
 * nothing else.
 *
 * @param formTargets further origins or schemes that a form may end up at. Chromium checks every
 *   redirect that follows a form against `form-action`, so the way back to a client must be named.
 */
function contentSecurityPolicy(formTargets: readonly (string | undefined)[], script: boolean): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    ...(script ? ["script-src 'self'", "connect-src 'self'"] : []),
    "img-src 'self' data:",
    `form-action ${["'self'", ...formTargets.filter((target) => target !== undefined)].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

export interface HtmlOptions {
  readonly status?: number;
  readonly headers?: HeadersInit;
  readonly formTargets?: readonly (string | undefined)[];
  /** The page runs a script of ours: no other page may run any. */
  readonly script?: boolean;
}

/** A page as a response. Never stored: a page may name the person. */
export function html(
  page: JSX.Element,
  { status = 200, headers, formTargets = [], script = false }: HtmlOptions = {},
): Response {
  const response = new Response(String(page), { status, headers: headers ?? {} });
  response.headers.set('Content-Type', 'text/html; charset=utf-8');
  response.headers.set('Content-Security-Policy', contentSecurityPolicy(formTargets, script));
  response.headers.set('X-Frame-Options', 'DENY');
  response.headers.set('Cache-Control', 'no-store');
  return response;
}

/** Where a form may end up, for `form-action`: an origin, or a scheme for private-use redirects. */
export function formTarget(uri: string): string | undefined {
  const url = URL.parse(uri);
  if (!url) return undefined;
  // A scheme must do for what Chromium takes for no source, an IPv6 literal, and for what would end the
  // source and begin a directive: the URL standard allows `;` and `,` in a host.
  return url.origin === 'null' || !/^[\w.-]+$/.test(url.hostname) ? url.protocol : url.origin;
}

/** Whether a person looks at the answer: programs do not ask for HTML. */
export function prefersHtml(request: Request): boolean {
  return request.headers.get('Accept')?.includes('text/html') ?? false;
}

/** A redirect that the browser follows with GET. */
export function seeOther(location: string, headers: HeadersInit = {}): Response {
  const response = new Response(null, { status: 303, headers });
  response.headers.set('Location', location);
  response.headers.set('Cache-Control', 'no-store');
  return response;
}

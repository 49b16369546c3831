import { Hono } from 'hono';

import { asCarrelError, CarrelError } from '../lib/errors.ts';
import { randomName } from '../lib/ids.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { AddressLimit } from './address-limit.ts';
import { STYLESHEET_PREFIX } from './assets.ts';
import { withBoundedBody } from './body.ts';
import { maySend, preflight, withCors, withSecurityHeaders } from './headers.ts';
import { prefersHtml } from './html.ts';
import { methodNotAllowed, problem, STATUS } from './problem.ts';
import type { Route } from './route.ts';

interface RouterOptions {
  /** In the order in which they are tried. */
  readonly routes: readonly Route[];
  /** Whether this deployment answers at this origin. */
  readonly accepts: (url: URL) => boolean;
  /** The answer to an error that a library of a route throws, if it is one of those. */
  readonly mapError?: (thrown: unknown, requestId: string, request: Request) => Response | undefined;
  readonly telemetry: Telemetry;
  /** What each request must pass first; throws for one that is held up. */
  readonly limit?: AddressLimit;
  /** Who answers what is at no route of this table; without one, nobody. */
  readonly otherwise?: (request: Request) => Promise<Response>;
}

type Answer = (request: Request) => Promise<Response>;
type Environment = {
  Variables: { requestId: string; url: URL; readable: boolean; headers?: Route['headers']; complete: boolean };
};

/**
 * All requests: the guard, the ordered table of routes, and the one place where an error becomes an
 * answer, for programs as problem+json and for people as a page.
 */
export function createRouter({ routes, accepts, mapError, telemetry, limit, otherwise }: RouterOptions): Answer {
  const app = new Hono<Environment>();

  app.use(async (c, next) => {
    const requestId = randomName();
    const url = new URL(c.req.url);
    c.set('requestId', requestId);
    c.set('url', url);
    // The stylesheet belongs to the page that says so, too.
    if (accepts(url) || url.pathname.startsWith(STYLESHEET_PREFIX)) await next();
    else c.res = await errorResponse(notHere(), c.req.raw, requestId, 421);
    // Another table has answered, and has said all that this one would add.
    if (c.get('complete')) return;
    // Here and not at the route, because what its errors say must be readable as well.
    const headers = c.get('headers') ?? {};
    const answer = c.get('readable') ? withCors(c.res, c.req.raw, Object.keys(headers)) : c.res;
    // First nothing: Hono would lay the headers of the response before over those of this one.
    c.res = undefined;
    c.res = withSecurityHeaders(answer, url, requestId, headers);
  });

  for (const route of routes) {
    const { path, crossOrigin, headers } = route;
    app.use(path, async (c, next) => {
      c.set('headers', headers);
      const isForeign = !maySend(c.req.raw, c.get('url').origin, crossOrigin);
      // Before the limit: a client in a page must be able to read that it is held up. A preflight uses up nothing.
      c.set('readable', crossOrigin !== undefined && !isForeign && c.req.method !== 'OPTIONS');
      if (c.req.method !== 'OPTIONS') await limit?.(c.req.raw);
      if (isForeign) throw foreignPage();
      await next();
    });
    for (const [method, answer] of Object.entries(route.methods)) {
      const handle = typeof answer === 'function' ? answer : answer.handle;
      app.on(method, path, async (c) => {
        const request = route.body === 'stream' ? c.req.raw : await withBoundedBody(c.req.raw);
        const url = c.get('url');
        return handle({ request, url, origin: url.origin, params: c.req.param(), requestId: c.get('requestId') });
      });
    }
    app.all(path, async (c) => {
      if (c.req.method === 'OPTIONS' && crossOrigin) return preflight(c.req.raw);
      const [allowed, requestId] = [allowedMethods(route), c.get('requestId')];
      if (!prefersHtml(c.req.raw)) return methodNotAllowed(allowed, requestId);
      return (await errorPages()).noPage(allowed, requestId);
    });
  }

  const failed = async (thrown: unknown, request: Request, requestId: string): Promise<Response> => {
    const known = mapError?.(thrown, requestId, request);
    if (known) return known;
    const error = asCarrelError(thrown);
    if (error.code === 'internal')
      telemetry.record({ type: 'request_failed', requestId, path: new URL(request.url).pathname, error: thrown });
    return errorResponse(error, request, requestId);
  };

  app.notFound(async (c) => {
    if (!otherwise) return errorResponse(nothingHere(), c.req.raw, c.get('requestId'));
    try {
      const answer = await otherwise(c.req.raw);
      c.set('complete', true);
      return answer;
    } catch (thrown) {
      // What fails here Hono would answer past the headers that every answer gets.
      return failed(thrown, c.req.raw, c.get('requestId'));
    }
  });
  app.onError((thrown, c) => failed(thrown, c.req.raw, c.get('requestId')));

  return async (request) => app.fetch(request);
}

const nothingHere = () => new CarrelError('not_found', 'There is nothing at this address.');

const notHere = () =>
  new CarrelError('not_found', 'This deployment does not answer at this address. Use the one it was set up with.');

const foreignPage = () => new CarrelError('forbidden', 'A page of another origin may not call this address.');

function allowedMethods(route: Route): string[] {
  const methods: string[] = [...(route.allow ?? Object.keys(route.methods))];
  if (methods.includes('GET')) methods.push('HEAD');
  if (route.crossOrigin) methods.push('OPTIONS');
  return methods;
}

/** What draws them is loaded with the first: an isolate that serves programs alone never needs it. */
const errorPages = () => import('./error-pages.tsx');

/** An error as its reader wants it. */
export async function errorResponse(
  error: CarrelError,
  request: Request,
  requestId: string,
  status: number = STATUS[error.code],
): Promise<Response> {
  if (!prefersHtml(request)) return problem(error, requestId, status);
  return (await errorPages()).errorPage(error, requestId, status);
}

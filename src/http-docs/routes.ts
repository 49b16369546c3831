import { endpoint, way } from '../http/endpoint.ts';
import { html } from '../http/html.ts';
import type { HttpContext, Route } from '../http/route.ts';
import type { Registry } from '../mcp/registry.ts';
import type { Documents } from './documents.tsx';

interface DocsRoutesOptions {
  /** All others: what this deployment does not serve is not described. */
  readonly routes: () => Promise<readonly Route[]>;
  readonly registry: Registry;
}

/**
 * What the HTTP routes say of themselves, for programs and for people. Made when first asked for, once
 * an isolate: few requests want it, and it takes some milliseconds.
 */
export function docsRoutes({ routes, registry }: DocsRoutesOptions): Route[] {
  // The documents and not a promise of them: a promise of one request must not be waited for by another.
  let documents: Documents | undefined;
  const made = async () => {
    documents ??= await (await import('./documents.tsx')).Documents.of([...(await routes()), ...own], registry.scopes);
    return documents;
  };

  const openApi = way({
    handle: async ({ origin }: HttpContext) =>
      new Response((await made()).openApi(origin), {
        headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache' },
      }),
  });

  const own: Route[] = [
    {
      path: '/openapi.json',
      methods: { GET: endpoint(async () => (await import('./operations.ts')).openApi, openApi) },
      crossOrigin: 'any',
    },
    { path: '/docs', methods: { GET: async ({ origin }) => html((await made()).page(origin)) } },
  ];
  return own;
}

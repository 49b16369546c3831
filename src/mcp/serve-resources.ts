import { requireScopes, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import type { ReadResourceResult, Resource } from '@modelcontextprotocol/server';

import { asCarrelError, CarrelError } from '../lib/errors.ts';
import type { RequestContext } from './context.ts';
import { protocolError } from './protocol-error.ts';
import type { RegisteredResource } from './registry.ts';
import type { Exchange } from './exchange.ts';
import type { ResourceBody } from './toolset.ts';

/** Registers the resources, and the list that leads through them page by page. */
export function addResources(exchange: Exchange): void {
  const { server, selection, context } = exchange;
  for (const { resource, scope } of selection.resources) {
    const { name, title, description } = resource;
    const scopeChallenge = requireScopes(scope);
    if (resource.uri !== undefined)
      server.registerResource(
        name,
        resource.uri,
        { title, description, mimeType: resource.mimeType, scopeChallenge },
        (uri) => read(exchange, uri, async () => ({ mimeType: resource.mimeType, ...(await resource.read(context)) })),
      );
    else
      server.registerResource(
        name,
        new ResourceTemplate(resource.uriTemplate, { list: undefined }),
        { title, description, scopeChallenge },
        (uri, variables) =>
          read(exchange, uri, () => resource.read(String(Object.values(variables)[0] ?? ''), context)),
      );
  }
  const granted = selection.resources.filter(({ scope }) => context.principal.scopes.includes(scope));
  // The SDK's own list has no cursor, and a workspace may hold 100,000 files.
  server.server.setRequestHandler('resources/list', async ({ params }) => {
    try {
      return await list(granted, params?.cursor, context);
    } catch (thrown) {
      throw protocolError('resources/list', thrown, exchange);
    }
  });
  if (selection.capabilities.has('subscriptions')) {
    server.server.setRequestHandler('resources/subscribe', () => ({}));
    server.server.setRequestHandler('resources/unsubscribe', () => ({}));
  }
}

async function read(exchange: Exchange, uri: URL, body: () => Promise<ResourceBody>): Promise<ReadResourceResult> {
  try {
    return { contents: [{ uri: uri.href, ...(await body()) }] };
  } catch (thrown) {
    const error = asCarrelError(thrown);
    if (error.code === 'not_found') throw new ResourceNotFoundError(uri.href);
    throw protocolError('resources/read', error, exchange);
  }
}

/** A page that has as many begins no other list. */
const PAGE = 100;
/** How often one page asks for more: each time is a round trip, and a list may be empty without end. */
const MAX_ASKED = 10;

/**
 * One page; its cursor is the place of a list and, after a colon, that list's own cursor. Some clients show
 * the first page alone. So what is always there comes first, and a page goes on to the next list where
 * one ends or gives nothing.
 */
async function list(granted: readonly RegisteredResource[], cursor: string | undefined, context: RequestContext) {
  const lists = granted.flatMap(({ resource }) => (resource.uri === undefined && resource.list ? [resource] : []));
  const [, place, inner = ''] = /^(\d{1,3}):(.*)$/s.exec(cursor ?? '0:') ?? [];
  if (place === undefined || (cursor !== undefined && lists[Number(place)] === undefined))
    throw new CarrelError('invalid_input', 'The cursor is none that this list gave. Start again without one.');
  const resources = cursor === undefined ? fixedResources(granted) : [];
  let index = Number(place);
  let within = inner === '' ? undefined : inner;
  let asked = 0;
  for (let next = lists[index]; next; next = lists[index]) {
    if (resources.length >= PAGE || asked === MAX_ASKED) return { resources, nextCursor: `${index}:${within ?? ''}` };
    asked += 1;
    const page = await next.list?.(within, context);
    resources.push(...(page?.resources ?? []));
    within = page?.nextCursor;
    if (within === undefined) index += 1;
    else if (page?.resources.length !== 0) return { resources, nextCursor: `${index}:${within}` };
  }
  return { resources };
}

function fixedResources(granted: readonly RegisteredResource[]): Resource[] {
  return granted.flatMap(({ resource }) => {
    if (resource.uri === undefined) return [];
    const { uri, name, title, description, mimeType } = resource;
    return [{ uri, name, title, description, mimeType }];
  });
}

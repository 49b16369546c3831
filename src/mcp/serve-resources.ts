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
        (uri) => read(exchange, uri, () => resource.read(context)),
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

/** One page, part after part: the cursor is the part's place and, after a colon, its own cursor. */
async function list(granted: readonly RegisteredResource[], cursor: string | undefined, context: RequestContext) {
  const parts = granted.filter(({ resource }) => resource.uri !== undefined || resource.list !== undefined);
  const [, place, inner] = /^(\d{1,3})(?::(.*))?$/s.exec(cursor ?? '0') ?? [];
  if (place === undefined || (cursor !== undefined && parts[Number(place)] === undefined))
    throw new CarrelError('invalid_input', 'The cursor is none that this list gave. Start again without one.');
  const resources: Resource[] = [];
  let index = Number(place);
  let within = inner === '' ? undefined : inner;
  // Fixed resources go with whatever page follows them, so that few of them do not cost a request each.
  for (let part = parts[index]; part; part = parts[++index]) {
    const { resource } = part;
    if (resource.uri !== undefined) {
      const { uri, name, title, description, mimeType } = resource;
      resources.push({ uri, name, title, description, mimeType });
      continue;
    }
    const page = await resource.list?.(within, context);
    within = undefined;
    resources.push(...(page?.resources ?? []));
    if (page?.nextCursor !== undefined) return { resources, nextCursor: `${index}:${page.nextCursor}` };
    if (parts[index + 1] !== undefined) return { resources, nextCursor: `${index + 1}:` };
  }
  return { resources };
}

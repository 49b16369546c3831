import type { CompleteRequestParams } from '@modelcontextprotocol/server';

import { CarrelError } from '../lib/errors.ts';
import type { Completer } from './define-prompt.ts';
import { protocolError } from './protocol-error.ts';
import type { Selection } from './registry.ts';
import type { Exchange } from './exchange.ts';

/** As many values as the protocol allows in one answer. */
const MAX_VALUES = 100;

/** Answers what a client asks while a person types an argument of a prompt or the variable of a resource. */
export function addCompletions(exchange: Exchange): void {
  const { server, selection, context } = exchange;
  if (!selection.capabilities.has('completions')) return;
  server.server.setRequestHandler('completion/complete', async ({ params }) => {
    try {
      const complete = completerOf(selection, params, context.principal.scopes);
      const values = (await complete?.(params.argument.value, context)) ?? [];
      const shown = values.slice(0, MAX_VALUES);
      return { completion: { values: [...shown], total: values.length, hasMore: shown.length < values.length } };
    } catch (thrown) {
      throw protocolError('completion/complete', thrown, exchange);
    }
  });
}

/** @throws CarrelError `not_found` for a prompt or a template that is not there, or that the client may not use */
function completerOf(
  { prompts, resources }: Selection,
  { ref, argument }: CompleteRequestParams,
  scopes: readonly string[],
): Completer | undefined {
  if (ref.type === 'ref/prompt') {
    const found = prompts.get(ref.name);
    if (found && scopes.includes(found.scope))
      return Object.hasOwn(found.prompt.complete, argument.name) ? found.prompt.complete[argument.name] : undefined;
  } else {
    const found = resources.find(({ resource }) => resource.uriTemplate === ref.uri);
    if (found?.resource.uriTemplate !== undefined && scopes.includes(found.scope)) return found.resource.complete;
  }
  throw new CarrelError('not_found', 'There is no such prompt or resource template.');
}

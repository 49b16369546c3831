import { isInputRequiredResult, requireScopes } from '@modelcontextprotocol/server';
import type { GetPromptResult, InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';

import { callContext } from './call-context.ts';
import { protocolError } from './protocol-error.ts';
import type { RegisteredPrompt } from './registry.ts';
import type { Exchange } from './exchange.ts';
import { invalidArguments } from './tool-errors.ts';

/**
 * Registers the prompts that this request can use, as addTools does it.
 *
 * @param called undefined for a list
 */
export function addPrompts(exchange: Exchange, called: string | undefined): void {
  const { server, selection, context } = exchange;
  // Without a capability the SDK refuses the method, as it should be for a deployment without prompts.
  if (selection.prompts.size === 0) return;
  const all = [...selection.prompts.values()];
  const usable =
    called === undefined
      ? all.filter(({ scope }) => context.principal.scopes.includes(scope))
      : all.filter(({ prompt }) => prompt.name === called);
  if (called === undefined && usable.length === 0)
    server.server.setRequestHandler('prompts/list', () => ({ prompts: [] }));
  for (const registered of usable) {
    const { name, title, description, argsSchema } = registered.prompt;
    server.registerPrompt(
      name,
      { title, description, argsSchema, scopeChallenge: requireScopes(registered.scope) },
      (input, serverContext) => get(exchange, registered, input, serverContext),
    );
  }
}

async function get(
  exchange: Exchange,
  { prompt }: RegisteredPrompt,
  input: unknown,
  serverContext: ServerContext,
): Promise<GetPromptResult | InputRequiredResult> {
  try {
    const parsed = prompt.input.safeParse(input ?? {});
    if (!parsed.success) throw invalidArguments(parsed.error, input ?? {}, Object.keys(prompt.input.shape));
    const said = await prompt.run(parsed.data, callContext(exchange, serverContext));
    return isInputRequiredResult(said) ? said : { description: prompt.description, messages: [...said] };
  } catch (thrown) {
    throw protocolError('prompts/get', thrown, exchange);
  }
}

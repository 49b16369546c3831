import { isInputRequiredResult, requireScopes } from '@modelcontextprotocol/server';
import type { GetPromptResult, InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';

import { OUTPUT_BUDGET_CHARACTERS } from '../lib/budget.ts';
import { CarrelError } from '../lib/errors.ts';
import { invalidArguments } from '../lib/invalid-arguments.ts';
import { callContext } from './call-context.ts';
import { contentCost } from './content-cost.ts';
import { protocolError } from './protocol-error.ts';
import type { RegisteredPrompt } from './registry.ts';
import type { Exchange } from './exchange.ts';

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
    if (isInputRequiredResult(said)) return said;
    if (contentCost(said.map(({ content }) => content)) > OUTPUT_BUDGET_CHARACTERS)
      throw new CarrelError('too_large', 'The prompt is larger than an answer may be. Ask for less.');
    return { description: prompt.description, messages: [...said] };
  } catch (thrown) {
    throw protocolError('prompts/get', thrown, exchange);
  }
}

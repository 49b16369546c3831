import { isInputRequiredResult, requireScopes } from '@modelcontextprotocol/server';
import type { CallToolResult, InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';

import { gated } from '../approvals/gate.ts';
import { OUTPUT_BUDGET_CHARACTERS } from '../lib/budget.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import { invalidArguments } from '../lib/invalid-arguments.ts';
import { callContext } from './call-context.ts';
import { contentCost } from './content-cost.ts';
import type { CallContext } from './context.ts';
import { gatedCall } from './define-tool.ts';
import { declaresTasks, StartedTask } from './tasks.ts';
import type { RegisteredTool, Selection } from './registry.ts';
import type { Exchange } from './exchange.ts';
import { toolError } from './tool-errors.ts';

/**
 * Answers a list with what the connection may see. The SDK would register all tools and convert their
 * schemas for every list.
 */
export function listTools({ server, selection, context }: Exchange): void {
  server.server.setRequestHandler('tools/list', () => ({
    tools: granted(selection, context.principal.scopes)
      .filter(({ isListed }) => isListed)
      .map(({ tool }) => tool.listing()),
  }));
}

/**
 * Registers the tool that a request calls, whatever the client may do with it: a lacking scope is
 * answered by a challenge.
 */
export function addTool(exchange: Exchange, name: string): void {
  const registered = exchange.selection.tools.get(name);
  if (registered?.tool.tasks === 'required' && !declaresTasks(exchange.body))
    exchange.server.server.setRequestHandler('tools/call', async () => {
      throw (await import('./serve-tasks.ts')).missingTasks();
    });
  else if (registered) register(exchange, registered);
}

/** Registers all tools, for a batch: it may list and call. */
export function addTools(exchange: Exchange): void {
  for (const registered of granted(exchange.selection, exchange.context.principal.scopes))
    register(exchange, registered);
}

function granted({ tools }: Selection, scopes: readonly string[]): RegisteredTool[] {
  return [...tools.values()].filter(({ scope }) => scopes.includes(scope));
}

function register(exchange: Exchange, registered: RegisteredTool): void {
  const { tool, scope } = registered;
  exchange.server.registerTool(
    tool.name,
    {
      title: tool.title,
      description: tool.description,
      inputSchema: tool.inputSchema,
      // The SDK would want structured content of a task as well.
      ...(tool.tasks && declaresTasks(exchange.body) ? {} : { outputSchema: tool.outputSchema }),
      annotations: { title: tool.title, ...tool.annotations },
      scopeChallenge: requireScopes(scope),
    },
    (input, serverContext) => call(exchange, registered, input, serverContext),
  );
}

/** The one way through every tool: parse, authorise, handle, check the output, record, map errors. */
async function call(
  exchange: Exchange,
  registered: RegisteredTool,
  input: unknown,
  serverContext: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const { tool } = registered;
  const { telemetry } = exchange;
  const { requestId, principal } = exchange.context;
  const started = Date.now();
  let outcome: 'ok' | 'input_required' | 'task' | CarrelError['code'] = 'ok';
  let result: CallToolResult | InputRequiredResult;
  let characters = 0;
  try {
    const answered = await run(exchange, registered, input, callContext(exchange, serverContext));
    if (answered instanceof StartedTask) {
      outcome = 'task';
      result = { resultType: 'task', ...answered.task } as unknown as CallToolResult;
    } else if (isInputRequiredResult(answered)) {
      outcome = 'input_required';
      result = answered;
    } else ({ result, characters } = answered);
  } catch (thrown) {
    const error = asCarrelError(thrown);
    outcome = error.code;
    if (error.code === 'internal') telemetry.record({ type: 'tool_failed', requestId, tool: tool.name, error: thrown });
    result = toolError(error, requestId);
  }
  telemetry.record({
    type: 'tool_called',
    tool: tool.name,
    personId: principal.personId,
    clientId: principal.clientId,
    grantId: principal.grantId,
    outcome,
    milliseconds: Date.now() - started,
    characters,
    requestId,
  });
  return result;
}

async function run(
  { tasks, approvals }: Exchange,
  { tool, scope }: RegisteredTool,
  input: unknown,
  context: CallContext,
): Promise<{ result: CallToolResult; characters: number } | InputRequiredResult | StartedTask> {
  const parsed = tool.input.safeParse(input ?? {});
  if (!parsed.success) throw invalidArguments(parsed.error, input ?? {}, Object.keys(tool.input.shape));
  if (!context.principal.scopes.includes(scope))
    throw new CarrelError('forbidden', `This connection lacks the permission ${scope}. Connect again and allow it.`);
  const answered =
    tool.access === 'read'
      ? await tool.run(parsed.data, context)
      : await gated(approvals, context, gatedCall(tool, input, parsed.data), async (admitted) => {
          // What goes on as a task is let in here, where it is begun.
          if (tool.slow && tasks && context.takesTasks)
            return (await tasks()).call(admitted, tool.name, input as Record<string, unknown>);
          if (tool.needsCheck) await admitted.workspace.check();
          return tool.run(parsed.data, admitted);
        });
  if (isInputRequiredResult(answered) || answered instanceof StartedTask) return answered;
  const { structured, text, content } = answered;
  const characters = JSON.stringify(structured).length + text.length + contentCost(content);
  if (characters > OUTPUT_BUDGET_CHARACTERS)
    throw new CarrelError('too_large', 'The result is larger than a tool may answer. Ask for less at a time.');
  return { result: { content: [{ type: 'text', text }, ...content], structuredContent: structured }, characters };
}

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';

import type { Exchange } from './exchange.ts';
import { declaresTasks, TASKS_EXTENSION } from './tasks.ts';
import type { TaskMethod, Tasks } from './tasks.ts';
import { protocolError } from './protocol-error.ts';

/** The protocol's code for a capability that the client did not declare. */
const MISSING_CAPABILITY = -32021;
const HEADER_MISMATCH = -32020;

/** @throws ProtocolError for a client that does not understand tasks */
export function missingTasks(): ProtocolError {
  return new ProtocolError(MISSING_CAPABILITY, 'This needs a client that understands tasks.', {
    requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } },
  });
}

const params = z.looseObject({
  taskId: z.string().min(1).max(200),
  inputResponses: z.record(z.string().max(300), z.unknown()).default({}),
});

/** Answers `tasks/get`, `tasks/update` or `tasks/cancel`. There are no others: a list would show what is not asked for. */
export async function answerTask(
  exchange: Exchange,
  tasks: Tasks,
  method: TaskMethod,
  given: unknown,
  { mcpReq }: ServerContext,
): Promise<Record<string, unknown>> {
  const { context, body, request } = exchange;
  if (!declaresTasks(body)) throw missingTasks();
  const parsed = params.safeParse(given);
  if (!parsed.success) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'A task is named by its taskId.');
  const { taskId, inputResponses } = parsed.data;
  const named = request.headers.get('Mcp-Name');
  if (named !== null && named !== taskId)
    throw new ProtocolError(HEADER_MISMATCH, 'The header Mcp-Name names another task than the body.');
  try {
    if (method === 'tasks/get') return { ...(await tasks.get(context, taskId)) };
    if (method === 'tasks/cancel') await tasks.cancel(context, taskId);
    else await tasks.update(context, taskId, mcpReq.inputResponses ?? inputResponses);
    return {};
  } catch (thrown) {
    throw protocolError(method, thrown, exchange);
  }
}

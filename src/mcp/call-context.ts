import type { ServerContext } from '@modelcontextprotocol/server';

import type { CallContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { declaresTasks } from './tasks.ts';

/** What a tool or a prompt of this request gets besides its input. */
export function callContext({ context, era, rounds, body }: Exchange, server: ServerContext): CallContext {
  // oxlint-disable-next-line typescript/no-deprecated -- clients of the 2025 era still show what is logged
  const { signal, _meta, notify, log } = server.mcpReq;
  const token = _meta?.progressToken;
  return {
    ...context,
    ...rounds.context(era, server),
    signal,
    takesTasks: declaresTasks(body),
    progress: async (done, total, message) => {
      if (token === undefined) return;
      const params = {
        progressToken: token,
        progress: done,
        ...(total === undefined ? {} : { total }),
        ...(message === undefined ? {} : { message }),
      };
      await notify({ method: 'notifications/progress', params });
    },
    log: async (level, data) => log(level, data),
  };
}

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';

import { asCarrelError } from '../lib/errors.ts';
import type { Exchange } from './exchange.ts';

/** A failure outside a tool, as an error of the protocol; recorded where it is ours. */
export function protocolError(method: string, thrown: unknown, { telemetry, context }: Exchange): ProtocolError {
  const error = asCarrelError(thrown);
  if (error.code === 'internal')
    telemetry.record({ type: 'tool_failed', requestId: context.requestId, tool: method, error: thrown });
  const code = error.code === 'internal' ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams;
  return new ProtocolError(code, error.message, { code: error.code, ...error.details });
}

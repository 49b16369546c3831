import type { CallToolResult } from '@modelcontextprotocol/server';

import type { CarrelError } from '../lib/errors.ts';

/** Where in `_meta` a program finds an error's code and details. */
const ERROR_META = 'carrel/error';

/**
 * An error as a tool result. A program reads it in `_meta`: clients check structured content against
 * the tool's output schema even when `isError` is set, and would report a broken schema instead.
 */
export function toolError(error: CarrelError, requestId: string): CallToolResult {
  const details = Object.keys(error.details).length === 0 ? '' : ` ${JSON.stringify(error.details)}`;
  const reference = error.code === 'internal' ? ` (request ${requestId})` : '';
  return {
    isError: true,
    content: [{ type: 'text', text: `${error.code}: ${error.message}${details}${reference}` }],
    _meta: { [ERROR_META]: { code: error.code, message: error.message, ...error.details } },
  };
}

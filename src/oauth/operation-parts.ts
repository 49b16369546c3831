import * as z from 'zod';

import { oauthError } from '../http/oauth-error.ts';
import type { Answer } from '../http/operation.ts';

export const scope = z
  .string()
  .describe('Names of scopes with spaces between; all when absent. The person may allow fewer');
export const resource = z.string().describe('This origin, or the address of the MCP endpoint (RFC 8707)');

/** How a client says who it is. */
export const credentials = {
  client_id: z.string().optional().describe('Unless HTTP Basic says it'),
  client_secret: z.string().optional().describe('Of a client that has one'),
};

/** An error of OAuth. */
export const refused = (description: string): Answer => ({ description, content: { 'application/json': oauthError } });

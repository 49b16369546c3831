import * as z from 'zod';

import { oauthError } from '../http/oauth-error.ts';
import type { Operation } from '../http/operation.ts';
import { problemDocument } from '../http/problem-schema.ts';
import { SAMPLE } from '../http/samples.ts';

/** What the documents say of the MCP endpoint. The SDK reads and checks its messages. */

const id = z.union([z.string(), z.number()]);

const request = z
  .looseObject({
    jsonrpc: z.literal('2.0'),
    id: id.optional().describe('Absent for a notification'),
    method: z.string(),
    params: z.looseObject({}).optional(),
  })
  .meta({ id: 'McpRequest', description: 'A message of the Model Context Protocol.' });

const error = z.looseObject({ code: z.int(), message: z.string() });

const answer = z
  .looseObject({
    jsonrpc: z.literal('2.0'),
    id: id.nullable(),
    result: z.looseObject({}).optional(),
    error: error.optional(),
  })
  .meta({ id: 'McpAnswer', description: 'Its answer: a result or an error.' });

const json = { 'application/json': answer };
const problem = { 'application/problem+json': problemDocument };
const ACCEPT = 'application/json, text/event-stream';
const modern = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

export const mcp: Operation = {
  id: 'mcp',
  group: 'MCP',
  summary: 'Send a message of the Model Context Protocol',
  description: [
    'Streamable HTTP without sessions, for the revisions of 2025 and of 2026-07-28. Use an MCP client; this is what it sends. With an `Accept` that names no `text/event-stream` the answer is JSON alone, without progress.',
    'The tools, with their schemas, are what `tools/list` answers: what the scopes of the token allow. Files are resources. A call that lacks a scope, and any call with a token that has ended, gets a challenge over HTTP and not an error of the protocol, so that the client asks the person again.',
  ].join('\n\n'),
  input: {
    query: z.looseObject({
      toolsets: z
        .string()
        .optional()
        .describe('Names with commas between: only their tools are listed and can be called'),
      readonly: z.enum(['true', 'false']).optional().describe('`true` leaves only tools that change nothing'),
    }),
    body: { 'application/json': request },
  },
  headers: {
    'MCP-Protocol-Version': 'The revision, from the message after the first',
    'Mcp-Method': 'In 2026-07-28: the method of the message',
    'Mcp-Name': 'In 2026-07-28: the tool or resource that it names',
  },
  answers: {
    200: {
      description: 'The answer, or a stream that ends with it.',
      content: { ...json, 'text/event-stream': 'text' },
    },
    202: { description: 'A notification was taken.' },
    400: { description: 'No message of the protocol; or the query does not fit.', content: { ...json, ...problem } },
    403: {
      description: 'The token lacks the scope of the tool; or a page of another origin called.',
      content: { 'application/json': oauthError, ...problem },
      headers: { 'WWW-Authenticate': 'The challenge, with the scope' },
    },
    404: { description: 'No such method, in 2026-07-28.', content: json },
    406: { description: '`Accept` names neither JSON nor an event stream.', content: json },
    415: { description: '`Content-Type` is not JSON.', content: json },
  },
  examples: {
    list: {
      summary: 'The tools',
      request: {
        headers: { Accept: ACCEPT, 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/list' },
        json: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: modern } },
      },
      answer: {
        status: 200,
        json: {
          jsonrpc: '2.0',
          id: 1,
          result: {
            tools: [
              {
                name: 'whoami',
                title: 'Who am I',
                description: 'Whose workspace this connection works in, as which client, with which permissions.',
                inputSchema: { type: 'object', properties: {}, additionalProperties: false },
              },
            ],
          },
        },
      },
    },
    initialize: {
      summary: 'The first message of a client of 2025',
      request: {
        headers: { Accept: ACCEPT },
        json: {
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: {
            protocolVersion: '2025-11-25',
            capabilities: {},
            clientInfo: { name: 'my-script', version: '1.0.0' },
          },
        },
      },
      answer: {
        status: 200,
        text: 'event: message\ndata: {"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":false}},"serverInfo":{"name":"carrel","title":"Carrel","version":"0.1.0"}},"jsonrpc":"2.0","id":1}\n\n',
      },
    },
    wrong: {
      summary: 'No message at all',
      request: { headers: { Accept: ACCEPT }, json: {} },
      answer: {
        status: 400,
        json: {
          jsonrpc: '2.0',
          error: { code: -32_600, message: 'Bad Request: the request body is not a valid JSON-RPC message' },
          id: null,
        },
      },
    },
    query: {
      summary: 'A query that does not fit',
      request: {
        query: { readonly: 'perhaps' },
        headers: { Accept: ACCEPT, 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/list' },
        json: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: modern } },
      },
      answer: {
        status: 400,
        json: {
          type: 'about:blank',
          title: 'The request does not fit',
          status: 400,
          code: 'invalid_input',
          detail: 'In the address, `readonly` must be `true` or `false`.',
          request_id: SAMPLE.requestId,
        },
      },
    },
  },
};

import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

import type { Gatekeeper } from '../approvals/gate.ts';
import type { Keyring } from '../lib/keyring.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { VERSION } from '../version.ts';
import { addCompletions } from './serve-completions.ts';
import { addPrompts } from './serve-prompts.ts';
import type { Era, Exchange, McpRequest } from './exchange.ts';
import { addResources } from './serve-resources.ts';
import { Rounds } from './rounds.ts';
import { addTool, addTools, listTools } from './serve-tools.ts';
import { isTaskMethod, TASKS_EXTENSION } from './tasks.ts';
import type { Tasks } from './tasks.ts';

const SERVER_NAME = 'carrel';

/** Definitions change only with a deployment; the selection and scopes of a connection are its own. */
const LIST_CACHE = { ttlMs: 300_000, cacheScope: 'private' } as const;

/**
 * The MCP endpoint, both eras from one handler, stateless: a server is made for each request, with
 * only what that request can use, because registering and listing tools is what such a request costs.
 */
export class McpEndpoint {
  readonly #telemetry: Telemetry;
  readonly #keyring: Keyring;
  readonly #approvals: () => Promise<Gatekeeper>;
  readonly #tasks: (() => Promise<Tasks>) | undefined;
  readonly #handler: ReturnType<typeof createMcpHandler>;

  /** @param tasks undefined where no toolset has work that goes on */
  constructor(
    telemetry: Telemetry,
    keyring: Keyring,
    approvals: () => Promise<Gatekeeper>,
    tasks?: () => Promise<Tasks>,
  ) {
    this.#telemetry = telemetry;
    this.#approvals = approvals;
    this.#tasks = tasks;
    this.#keyring = keyring;
    this.#handler = createMcpHandler(
      ({ era, authInfo }) => this.#server(era, authInfo?.extra?.['mcpRequest'] as McpRequest),
      { onerror: (error) => telemetry.record({ type: 'request_failed', requestId: '', path: '/mcp', error }) },
    );
  }

  async serve(mcp: McpRequest): Promise<Response> {
    const { principal } = mcp.context;
    return this.#handler.fetch(mcp.request, {
      ...(mcp.body === undefined ? {} : { parsedBody: mcp.body }),
      authInfo: {
        token: mcp.token,
        clientId: principal.clientId,
        scopes: [...principal.scopes],
        expiresAt: mcp.tokenExpiresAt,
        resourceMetadataUrl: mcp.resourceMetadataUrl,
        extra: { mcpRequest: mcp },
      },
    });
  }

  #server(era: Era, mcp: McpRequest): McpServer {
    const { capabilities, prompts, instructions } = mcp.selection;
    const rounds = new Rounds(this.#keyring, mcp.context, mcp.body);
    const server = new McpServer(
      { name: SERVER_NAME, title: 'Carrel', version: VERSION },
      {
        // The same for each request of a connection, whatever is registered for it. listChanged would
        // promise a notification that a stateless endpoint has nobody to send to.
        capabilities: {
          tools: { listChanged: false },
          resources: { listChanged: false, subscribe: capabilities.has('subscriptions') },
          ...(prompts.size > 0 ? { prompts: { listChanged: false } } : {}),
          ...(capabilities.has('completions') ? { completions: {} } : {}),
          ...(capabilities.has('logging') ? { logging: {} } : {}),
          ...(this.#tasks ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
        },
        instructions,
        inputRequired: { legacyShim: false },
        requestState: { verify: (state, context) => rounds.verify(state, context) },
        cacheHints: {
          'tools/list': LIST_CACHE,
          'prompts/list': LIST_CACHE,
          'resources/templates/list': LIST_CACHE,
          'server/discover': LIST_CACHE,
        },
      },
    );
    const shared = { telemetry: this.#telemetry, approvals: this.#approvals, tasks: this.#tasks };
    const exchange: Exchange = { ...mcp, server, era, rounds, ...shared };
    const { method, name } = calling(mcp.body);
    const begins = (prefix: string) => method === undefined || method.startsWith(prefix);
    if (method === undefined) addTools(exchange);
    else if (method === 'tools/list') listTools(exchange);
    else if (method === 'tools/call') addTool(exchange, name);
    const { tasks } = exchange;
    if (tasks && isTaskMethod(method))
      server.server.setRequestHandler(method, { params: z.looseObject({}) }, async (params, context) =>
        (await import('./serve-tasks.ts')).answerTask(exchange, await tasks(), method, params, context),
      );
    if (begins('resources/')) addResources(exchange);
    if (begins('prompts/')) addPrompts(exchange, method === 'prompts/get' ? name : undefined);
    if (begins('completion/')) addCompletions(exchange);
    return server;
  }
}

/** What the body asks for. A batch of the 2025-03 revision has no one method: it may call anything. */
function calling(body: unknown): { method: string | undefined; name: string } {
  if (Array.isArray(body)) return { method: undefined, name: '' };
  const { method, params } = (typeof body === 'object' && body !== null ? body : {}) as {
    method?: unknown;
    params?: { name?: unknown } | null;
  };
  return {
    method: typeof method === 'string' ? method : '',
    name: typeof params?.name === 'string' ? params.name : '',
  };
}

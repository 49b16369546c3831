import {
  createMcpHandler,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  requireScopes,
  ResourceNotFoundError,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import type { CallToolResult, ReadResourceResult } from '@modelcontextprotocol/server';

import { OUTPUT_BUDGET_CHARACTERS } from '../lib/budget.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ToolContext } from './context.ts';
import type { RegisteredResource, RegisteredTool, Selection } from './registry.ts';
import { invalidArguments, toolError } from './tool-errors.ts';

const SERVER_NAME = 'carrel';
const SERVER_VERSION = '0.1.0';

const INSTRUCTIONS = `Carrel is this person's private workspace. It outlives this chat and is shared by all of their assistants.
Work belongs to a session: open one by title with session_open (it resumes if it exists) and pass its slug as \`session\`; without one, tools use the session "default".
Keep what must be remembered with state_set; pass expected_version when another assistant may write the same key.
Files never travel through you: file_upload gives an address for the bytes, file_link one to fetch them, file_read the text.`;

/** Tool definitions change only with a deployment; the selection and scopes of a connection are its own. */
const LIST_CACHE = { ttlMs: 300_000, cacheScope: 'private' } as const;

/** One request to the MCP endpoint. */
export interface McpRequest {
  readonly request: Request;
  /** The body, when it is JSON. */
  readonly body: unknown;
  readonly token: string;
  /** Seconds since the epoch. */
  readonly tokenExpiresAt: number;
  readonly context: ToolContext;
  readonly selection: Selection;
  /** Where the metadata of this resource is, for the challenges. */
  readonly resourceMetadataUrl: string;
}

type Era = 'legacy' | 'modern';

/**
 * The MCP endpoint, both eras from one handler, stateless: a server is made for each request, with
 * only what that request can use, because registering and listing tools is what such a request costs.
 */
export class McpEndpoint {
  readonly #telemetry: Telemetry;
  readonly #handler: ReturnType<typeof createMcpHandler>;

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
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
    const server = new McpServer(
      { name: SERVER_NAME, title: 'Carrel', version: SERVER_VERSION },
      {
        // listChanged would promise a notification that a stateless endpoint has nobody to send to.
        capabilities: { tools: { listChanged: false }, resources: { listChanged: false, subscribe: false } },
        instructions: INSTRUCTIONS,
        inputRequired: { legacyShim: false },
        cacheHints: {
          'tools/list': LIST_CACHE,
          'resources/templates/list': LIST_CACHE,
          'server/discover': LIST_CACHE,
        },
      },
    );
    for (const registered of toolsFor(mcp)) this.#registerTool(server, era, registered, mcp);
    this.#registerResources(server, mcp);
    return server;
  }

  #registerTool(server: McpServer, era: Era, registered: RegisteredTool, mcp: McpRequest): void {
    const { tool, scope } = registered;
    server.registerTool(
      tool.name,
      {
        title: tool.title,
        description: tool.description,
        inputSchema: tool.inputSchema,
        outputSchema: tool.outputSchema,
        annotations: { title: tool.title, ...tool.annotations },
        scopeChallenge: requireScopes(scope),
      },
      (input, { mcpReq }) => this.#call(registered, input, era, { ...mcp.context, signal: mcpReq.signal }),
    );
  }

  /** The one way through every tool: parse, authorise, handle, check the output, record, map errors. */
  async #call(
    { tool, scope }: RegisteredTool,
    input: unknown,
    era: Era,
    context: ToolContext,
  ): Promise<CallToolResult> {
    const started = Date.now();
    let outcome: 'ok' | CarrelError = 'ok';
    let result: CallToolResult;
    try {
      const parsed = tool.input.safeParse(input ?? {});
      if (!parsed.success) throw invalidArguments(parsed.error, input ?? {}, Object.keys(tool.input.shape));
      if (!context.principal.scopes.includes(scope))
        throw new CarrelError(
          'forbidden',
          `This connection lacks the permission ${scope}. Connect again and allow it.`,
        );
      const { structured, text, content } = await tool.run(parsed.data, context);
      if (JSON.stringify(structured).length + text.length > OUTPUT_BUDGET_CHARACTERS)
        throw new CarrelError('too_large', 'The result is larger than a tool may answer. Ask for less at a time.');
      result = { content: [{ type: 'text', text }, ...content], structuredContent: structured };
    } catch (thrown) {
      const error = asCarrelError(thrown);
      outcome = error;
      if (error.code === 'internal')
        this.#telemetry.record({ type: 'tool_failed', requestId: context.requestId, tool: tool.name, error: thrown });
      result = toolError(error, era, context.requestId);
    }
    const { personId, clientId, grantId } = context.principal;
    this.#telemetry.record({
      type: 'tool_called',
      tool: tool.name,
      personId,
      clientId,
      grantId,
      outcome: outcome === 'ok' ? 'ok' : outcome.code,
      milliseconds: Date.now() - started,
      characters: JSON.stringify(result).length,
      requestId: context.requestId,
    });
    return result;
  }

  #registerResources(server: McpServer, { context, selection }: McpRequest): void {
    for (const { family, scope } of selection.resources)
      server.registerResource(
        family.name,
        new ResourceTemplate(family.uriTemplate, { list: undefined }),
        { title: family.title, description: family.description, scopeChallenge: requireScopes(scope) },
        (uri, variables) => this.#read(family, uri, Object.values(variables)[0], context),
      );
    const granted = selection.resources.filter(({ scope }) => context.principal.scopes.includes(scope));
    // The SDK's own list has no cursor, and a workspace may hold 100,000 files.
    server.server.setRequestHandler('resources/list', async ({ params }) => {
      try {
        return await listResources(granted, params?.cursor, context);
      } catch (thrown) {
        throw this.#failed('resources/list', thrown, context);
      }
    });
  }

  async #read(
    family: RegisteredResource['family'],
    uri: URL,
    variable: string | string[] | undefined,
    context: ToolContext,
  ): Promise<ReadResourceResult> {
    try {
      const body = await family.read(String(variable ?? ''), context);
      return { contents: [{ uri: uri.href, ...body }] };
    } catch (thrown) {
      const error = asCarrelError(thrown);
      if (error.code === 'not_found') throw new ResourceNotFoundError(uri.href);
      throw this.#failed('resources/read', error, context);
    }
  }

  /** A failure as an error of the protocol; recorded where it is ours. */
  #failed(method: string, thrown: unknown, { requestId }: ToolContext): ProtocolError {
    const error = asCarrelError(thrown);
    if (error.code === 'internal')
      this.#telemetry.record({ type: 'tool_failed', requestId, tool: method, error: thrown });
    const code = error.code === 'internal' ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams;
    return new ProtocolError(code, error.message, { code: error.code, ...error.details });
  }
}

/**
 * The tools that this request can use: the one that it calls, whatever the client may do with it (a
 * lacking scope is answered by a challenge), or all that a list may show.
 */
function toolsFor({ body, selection, context }: McpRequest): Iterable<RegisteredTool> {
  const { method, params } = (typeof body === 'object' && body !== null ? body : {}) as {
    method?: unknown;
    params?: { name?: unknown };
  };
  if (method === 'tools/call') {
    const called = typeof params?.name === 'string' ? selection.tools.get(params.name) : undefined;
    return called ? [called] : [];
  }
  // A batch of the 2025-03 revision holds several requests: it may call anything.
  if (Array.isArray(body)) return selection.tools.values();
  if (method !== 'tools/list') return [];
  return [...selection.tools.values()].filter(({ scope }) => context.principal.scopes.includes(scope));
}

/** One page, family after family: the cursor is the family's place and, after a colon, its own cursor. */
async function listResources(granted: readonly RegisteredResource[], cursor: string | undefined, context: ToolContext) {
  const [, place = '0', inner] = /^(\d{1,3})(?::(.*))?$/s.exec(cursor ?? '0') ?? [];
  const index = Number(place);
  const current = granted[index];
  if (!current) return { resources: [] };
  const page = await current.family.list(inner === '' ? undefined : inner, context);
  const next =
    page.nextCursor !== undefined
      ? `${index}:${page.nextCursor}`
      : granted[index + 1] !== undefined
        ? `${index + 1}:`
        : undefined;
  return { resources: [...page.resources], ...(next === undefined ? {} : { nextCursor: next }) };
}

import { send } from './person.ts';

export type Era = '2025' | '2026';

export interface RpcAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** As it went over the wire: every event of a stream. */
  readonly text: string;
  /** The JSON-RPC message; for a refusal that is none, the body as it came. */
  readonly message: {
    readonly result?: Record<string, unknown> & { structuredContent?: Record<string, unknown>; isError?: boolean };
    readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
  };
}

const VERSIONS = { '2025': '2025-11-25', '2026': '2026-07-28' } as const;

/** As `fetch` takes it. */
export interface RpcRequest {
  readonly method: 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request of either era, as its SDK sends it. */
export function rpcRequest(
  method: string,
  params: Record<string, unknown> = {},
  era: Era = '2026',
  capabilities: Record<string, unknown> = {},
): RpcRequest {
  const version = VERSIONS[era];
  const meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
  const name = params['name'] ?? params['uri'] ?? params['taskId'];
  return {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': version,
      ...(era === '2026' ? { 'Mcp-Method': method, ...(typeof name === 'string' ? { 'Mcp-Name': name } : {}) } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: era === '2026' ? { ...params, _meta: { ...meta, ...(params['_meta'] as object | undefined) } } : params,
    }),
  };
}

/** One request to the MCP endpoint with an access token. */
export async function rpc(
  token: string,
  method: string,
  params: Record<string, unknown> = {},
  {
    era = '2026',
    address = '/mcp',
    capabilities,
  }: { era?: Era; address?: string; capabilities?: Record<string, unknown> } = {},
): Promise<RpcAnswer> {
  const { headers, ...init } = rpcRequest(method, params, era, capabilities);
  const response = await send(address, { ...init, headers: { ...headers, Authorization: `Bearer ${token}` } });
  const text = await response.text();
  const json = response.headers.get('Content-Type')?.startsWith('text/event-stream') ? lastEvent(text) : text;
  return { status: response.status, headers: response.headers, text, message: json === '' ? {} : JSON.parse(json) };
}

/** Calls a tool. @returns its structured content, or what it says of its error */
export async function tool(token: string, name: string, input: Record<string, unknown> = {}): Promise<ToolAnswer> {
  const { status, message } = await rpc(token, 'tools/call', { name, arguments: input });
  if (!message.result) throw new Error(`${name}: ${status} ${JSON.stringify(message)}`);
  const { structuredContent = {}, isError = false, content, _meta } = message.result;
  const error = (_meta as Record<string, unknown> | undefined)?.['carrel/error'];
  return {
    failed: isError,
    content: isError ? { error } : structuredContent,
    text: (content as { text: string }[])[0]?.text ?? '',
  };
}

export interface ToolAnswer {
  readonly failed: boolean;
  readonly content: Record<string, unknown>;
  readonly text: string;
}

/** The status that a token gets at the MCP endpoint: 200 while it may be used. */
export async function statusOf(token: string): Promise<number> {
  return (await rpc(token, 'tools/call', { name: 'whoami' })).status;
}

function lastEvent(stream: string): string {
  const data = stream.split('\n').filter((line) => line.startsWith('data:'));
  return data.at(-1)?.slice('data:'.length).trim() ?? '';
}

import { send } from './person.ts';

export type Era = '2025' | '2026';

export interface RpcAnswer {
  readonly status: number;
  readonly headers: Headers;
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
export function rpcRequest(method: string, params: Record<string, unknown> = {}, era: Era = '2026'): RpcRequest {
  const version = VERSIONS[era];
  const meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const name = params['name'] ?? params['uri'];
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
      params: era === '2026' ? { ...params, _meta: meta } : params,
    }),
  };
}

/** One request to the MCP endpoint with an access token. */
export async function rpc(
  token: string,
  method: string,
  params: Record<string, unknown> = {},
  { era = '2026', address = '/mcp' }: { era?: Era; address?: string } = {},
): Promise<RpcAnswer> {
  const { headers, ...init } = rpcRequest(method, params, era);
  const response = await send(address, { ...init, headers: { ...headers, Authorization: `Bearer ${token}` } });
  const text = await response.text();
  const json = response.headers.get('Content-Type')?.startsWith('text/event-stream') ? lastEvent(text) : text;
  return { status: response.status, headers: response.headers, message: json === '' ? {} : JSON.parse(json) };
}

/** Calls a tool. @returns the tool's structured content, or its text when it failed */
export async function tool(token: string, name: string, input: Record<string, unknown> = {}): Promise<ToolAnswer> {
  const { status, message } = await rpc(token, 'tools/call', { name, arguments: input });
  if (!message.result) throw new Error(`${name}: ${status} ${JSON.stringify(message)}`);
  const { structuredContent = {}, isError = false, content } = message.result;
  return { failed: isError, content: structuredContent, text: (content as { text: string }[])[0]?.text ?? '' };
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

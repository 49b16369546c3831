import { bearer } from './people.ts';

/** An answer of /mcp as it went over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON-RPC message in it; empty for a refusal that is none. */
  readonly message: { result?: Record<string, unknown>; error?: { code: number; message: string; data?: unknown } };
}

/** One JSON-RPC request in the form of 2025-11-25, without a client that could soften the answer. */
export async function rpc(
  mcpUrl: string,
  token: string,
  method: string,
  params: Record<string, unknown> = {},
): Promise<WireAnswer> {
  const response = await fetch(mcpUrl, {
    method: 'POST',
    headers: {
      ...bearer(token),
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': '2025-11-25',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const text = await response.text();
  const data = response.headers.get('Content-Type')?.startsWith('text/event-stream')
    ? (/^data: (.*)$/m.exec(text)?.[1] ?? '{}')
    : text;
  return {
    status: response.status,
    headers: response.headers,
    text,
    message: data === '' ? {} : (JSON.parse(data) as WireAnswer['message']),
  };
}

export function callOverTheWire(mcpUrl: string, token: string, name: string, input: Record<string, unknown> = {}) {
  return rpc(mcpUrl, token, 'tools/call', { name, arguments: input });
}

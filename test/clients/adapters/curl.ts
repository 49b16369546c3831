import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { AppAuth, knock } from '../../../scripts/client/mcp.ts';
import { onlyText, structured } from './client.ts';
import type { App, ToolResult } from './client.ts';

const run = promisify(execFile);

/** Runs a line in a shell, as somebody does who copied it, with `$TOKEN` set. */
export async function shell(line: string, token: string, cwd?: string): Promise<string> {
  const { stdout } = await run('/bin/sh', ['-c', line], { cwd, env: { ...process.env, TOKEN: token } });
  return stdout;
}

/** A machine may lack it: nothing but npm is needed to run the tests. */
export const hasCurl = await shell('command -v curl', '').then(
  () => true,
  () => false,
);

interface Message {
  readonly result?: ToolResult & {
    readonly tools?: readonly { name: string }[];
    readonly contents?: readonly unknown[];
  };
  readonly error?: unknown;
}

/** A script that has a token of a client of its own, and no library at all. */
export function curl(): App {
  const auth = new AppAuth({ name: 'A script' });
  return {
    async connect(mcpUrl, follow) {
      if (auth.tokens() === undefined) {
        const pending = await knock(mcpUrl, auth);
        const client = await pending.finish(await follow(pending.link));
        await client.close();
      }
      const post = async (method: string, params: Record<string, unknown> = {}) => {
        const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }).replaceAll("'", String.raw`'\''`);
        const headers = [
          'Authorization: Bearer $TOKEN',
          'Content-Type: application/json',
          'Accept: application/json, text/event-stream',
        ];
        const line = `curl -sS --fail-with-body ${headers.map((header) => `-H "${header}"`).join(' ')} -d '${body}' ${mcpUrl}`;
        const text = await shell(line, auth.accessToken);
        const { result, error } = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as Message;
        if (!result) throw new Error(`${method}: ${JSON.stringify(error)}`);
        return result;
      };
      return {
        listTools: async () => ((await post('tools/list')).tools ?? []).map(({ name }) => name),
        call: async (name, input) => structured(name, await post('tools/call', { name, arguments: input })),
        read: async (uri) => onlyText({ contents: (await post('resources/read', { uri })).contents ?? [] }),
        // It negotiates nothing and names no revision.
        revision: () => undefined,
        close: async () => {},
      };
    },
    remove() {},
  };
}

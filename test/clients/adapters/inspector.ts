import { inspect } from '../../e2e/support/inspector.ts';
import { onlyText, structured } from './client.ts';
import type { App, Follow, ToolResult } from './client.ts';
import { Folder } from './folder.ts';

type Answer = ToolResult & {
  readonly tools?: readonly { name: string }[];
  readonly contents?: readonly unknown[];
};

/** The command line of the MCP Inspector: a process for each request, with the tokens of the one before. */
const MADE_BY = 'io.modelcontextprotocol/serverInfo';

export function inspectorCli(era: 'legacy' | 'modern'): App {
  const home = new Folder();
  return {
    async connect(mcpUrl, follow: Follow) {
      let last: Answer = {};
      const run = async (...request: string[]): Promise<Answer> => {
        const server = ['--server-url', mcpUrl, '--transport', 'http', '--protocol-era', era];
        const { status, stdout, stderr } = await inspect([...server, ...request], home.path, follow);
        // 5 says that a tool failed; the result is there then.
        if (status !== 0 && status !== 5) throw new Error(`the inspector ended with ${status}: ${stderr}`);
        return (last = (JSON.parse(stdout) as { result: Answer }).result);
      };
      // It has no request that only connects.
      await run('--method', 'tools/list');
      return {
        listTools: async () => ((await run('--method', 'tools/list')).tools ?? []).map(({ name }) => name),
        call: async (name, input) => {
          const args = ['--tool-name', name, '--tool-args-json', JSON.stringify(input)];
          return structured(name, await run('--method', 'tools/call', ...args));
        },
        read: async (uri) =>
          onlyText({ contents: (await run('--method', 'resources/read', '--uri', uri)).contents ?? [] }),
        // It names no revision; only results of 2026 say who made them.
        revision: () => (Object.hasOwn(last['_meta'] ?? {}, MADE_BY) ? '2026-07-28' : '2025-11-25'),
        close: async () => {},
      };
    },
    remove: () => home.remove(),
  };
}

import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

/**
 * What a server of this kind costs at the least: the SDK's own handler as its documentation uses it, a
 * server for each request, without a token and without storage. The benchmark measures ours against it.
 */
const input = z.object({ text: z.string().max(1000).describe('What to say') });

const handlers = new Map<string, ReturnType<typeof createMcpHandler>>();

/** @param tools how many there are; all but the first are only there to be registered */
function echoHandler(tools: number): ReturnType<typeof createMcpHandler> {
  return createMcpHandler(() => {
    const server = new McpServer({ name: 'echo', version: '1.0.0' });
    for (let index = 0; index < tools; index++)
      server.registerTool(
        index === 0 ? 'echo' : `echo_${index}`,
        {
          title: 'Echo',
          description: 'Says what it is told. Use it to see whether the server answers.',
          inputSchema: input,
          annotations: { readOnlyHint: true },
        },
        ({ text }) => ({ content: [{ type: 'text', text }] }),
      );
    return server;
  });
}

const worker = {
  async fetch(request, { TOOLS }): Promise<Response> {
    const handler = handlers.get(TOOLS) ?? echoHandler(Number(TOOLS));
    handlers.set(TOOLS, handler);
    return handler.fetch(request);
  },
} satisfies ExportedHandler<{ readonly TOOLS: string }>;

// oxlint-disable-next-line import/no-default-export -- workerd finds a Worker by its default export
export default worker;

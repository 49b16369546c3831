/**
 * An echo with npm `fastmcp`, for the benchmark: HTTP without sessions, a static bearer, and as many tools
 * as ours. Started as a process of its own with the port, the token and the number of tools in the
 * environment; says `ready` on the IPC channel and ends with its parent.
 */
import { FastMCP } from 'fastmcp';
import * as z from 'zod';

const { PORT = '0', TOKEN = '', TOOLS = '1' } = process.env;

const silent = () => undefined;

const server = new FastMCP({
  name: 'echo',
  version: '1.0.0',
  // It would write a line for each request.
  logger: { debug: silent, error: silent, info: silent, log: silent, warn: silent },
  ping: { enabled: false },
  authenticate: async ({ headers }) => {
    // oxlint-disable-next-line typescript/only-throw-error -- so fastmcp wants a refusal
    if (headers.authorization !== `Bearer ${TOKEN}`) throw new Response(null, { status: 401 });
    return { person: 'ada' };
  },
});

const parameters = z.object({ text: z.string().max(1000).describe('What to say') });
for (let index = 0; index < Number(TOOLS); index++)
  server.addTool({
    name: index === 0 ? 'echo' : `echo_${index}`,
    description: 'Says what it is told. Use it to see whether the server answers.',
    parameters,
    annotations: { title: 'Echo', readOnlyHint: true },
    execute: async ({ text }) => text,
  });

process.once('disconnect', () => process.exit());
await server.start({
  transportType: 'httpStream',
  httpStream: { host: '127.0.0.1', port: Number(PORT), stateless: true, enableJsonResponse: true },
});
process.send?.('ready');

/**
 * `npm run call -- <tool> '<json>'`: calls one tool of a server on this machine, signed in as whoever
 * you say. For trying a tool out while you write it. Exit status 0 only if the tool did not fail.
 */
import { parseArgs } from 'node:util';

import type { Progress } from '@modelcontextprotocol/client';

import { isLoopbackHostname } from '../src/lib/loopback.ts';
import { parseJson } from '../src/lib/json.ts';
import { Browser } from './client/browser.ts';
import { connect, PersonalAuth } from './client/mcp.ts';
import { faint, heading, runScript, Stop, strong, withUsage, wrongUsage } from './lib/terminal.ts';

const USAGE = `
  ${strong("npm run call -- <tool> '<json>'")} ${faint('[options]')}   calls a tool of a server on this machine

    <tool>            its name; without one, all are listed
    <json>            its arguments, such as '{"item":"tea"}'
    --url URL         where the server is (http://localhost:8787)
    --email ADDRESS   who signs in (you@example.com); another address is another workspace
`;

interface Arguments {
  readonly tool: string | undefined;
  readonly input: Record<string, unknown>;
  readonly origin: string;
  readonly email: string;
}

/** @throws Stop with the usage */
function readArguments(args: readonly string[]): Arguments | 'help' {
  const { values, positionals } = withUsage(USAGE, () =>
    parseArgs({
      args: [...args],
      options: {
        url: { type: 'string', default: 'http://localhost:8787' },
        email: { type: 'string', default: 'you@example.com' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    }),
  );
  if (values.help === true) return 'help';
  const [tool, json = '{}', ...more] = positionals;
  const input = parseJson(json);
  if (typeof input !== 'object' || input === null || Array.isArray(input) || more.length > 0)
    throw wrongUsage(`The arguments are one JSON object, in quotation marks: '{"item":"tea"}'`, USAGE);
  const url = URL.parse(values.url);
  if (!url || !isLoopbackHostname(url.hostname))
    throw wrongUsage('--url is for a server on this machine: no other has the development sign-in.', USAGE);
  return { tool, input: input as Record<string, unknown>, origin: url.origin, email: values.email };
}

await runScript(async () => {
  const read = readArguments(process.argv.slice(2));
  if (read === 'help') return void process.stdout.write(USAGE);
  const { tool, input, origin, email } = read;
  const auth = new PersonalAuth(new Browser(origin), email, { name: 'npm run call' });
  const client = await connect(`${origin}/mcp`, auth).catch((error: unknown) => {
    throw new Stop(`No sign-in at ${origin}: ${String(error)}. Does \`npm start\` run?`);
  });
  try {
    const { tools } = await client.listTools();
    if (tool === undefined) {
      const lines = tools.map(({ name, description = '' }) => `  ${strong(name)}  ${faint(description)}`);
      process.stdout.write(`${heading('Tools', origin)}\n${lines.join('\n')}\n\n`);
    } else {
      if (!tools.some(({ name }) => name === tool))
        throw new Stop(`${origin} has no tool ${tool}. Is its toolset in src/toolsets.ts, and in TOOLSETS?`);
      const onprogress = ({ progress, total, message = '' }: Progress) =>
        void process.stderr.write(`${faint(`  ${progress}${total === undefined ? '' : ` of ${total}`} ${message}`)}\n`);
      const { isError, content, structuredContent } = await client.callTool(
        { name: tool, arguments: input },
        { onprogress },
      );
      const text = content.map((block) => (block.type === 'text' ? block.text : faint(`(${block.type})`))).join('\n');
      process.stdout.write(`${text}\n`);
      if (structuredContent !== undefined)
        process.stdout.write(faint(`\n${JSON.stringify(structuredContent, null, 2)}\n`));
      process.exitCode = isError === true ? 1 : 0;
    }
  } finally {
    await auth.revoke();
    await client.close();
  }
});

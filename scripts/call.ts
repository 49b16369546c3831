/**
 * `npm run call -- <name> '<json>'`: calls one tool of a server on this machine, gets one prompt or reads one
 * resource, signed in as whoever you say. For trying them out while you write them. Exit status 0 only if
 * it did not fail.
 */
import { parseArgs } from 'node:util';

import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client';
import type { Client, ContentBlock, Progress } from '@modelcontextprotocol/client';

import { isLoopbackHostname } from '../src/lib/loopback.ts';
import { parseJson } from '../src/lib/json.ts';
import { Browser } from './client/browser.ts';
import { connect, PersonalAuth } from './client/mcp.ts';
import { faint, heading, runScript, Stop, strong, withUsage, wrongUsage } from './lib/terminal.ts';

const USAGE = `
  ${strong("npm run call -- <name> '<json>'")} ${faint('[options]')}   calls a server on this machine

    <name>            of a tool or a prompt, or the URI of a resource;
                      without one, all are listed
    <json>            its arguments, such as '{"item":"tea"}'
    --url URL         where the server is (http://localhost:8787)
    --email ADDRESS   who signs in (you@example.com); each has a workspace
    --toolsets NAMES  lists the tools of these, such as files,research
`;

/** How MCP answers a call of a tool that is not there. */
const INVALID_PARAMS: number = ProtocolErrorCode.InvalidParams;

interface Arguments {
  readonly name: string | undefined;
  readonly input: Record<string, unknown>;
  readonly origin: string;
  readonly email: string;
  readonly query: string;
}

/** @throws Stop with the usage */
function readArguments(args: readonly string[]): Arguments | 'help' {
  const { values, positionals } = withUsage(USAGE, () =>
    parseArgs({
      args: [...args],
      options: {
        url: { type: 'string', default: 'http://localhost:8787' },
        email: { type: 'string', default: 'you@example.com' },
        toolsets: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    }),
  );
  if (values.help === true) return 'help';
  const [name, json = '{}', ...more] = positionals;
  const input = parseJson(json);
  if (typeof input !== 'object' || input === null || Array.isArray(input) || more.length > 0)
    throw wrongUsage(`The arguments are one JSON object, in quotation marks: '{"item":"tea"}'`, USAGE);
  const url = URL.parse(values.url);
  if (!url || !isLoopbackHostname(url.hostname))
    throw wrongUsage('--url is for a server on this machine: no other has the development sign-in.', USAGE);
  const query =
    values.toolsets === undefined ? '' : `?${new URLSearchParams({ toolsets: values.toolsets }).toString()}`;
  return { name, input: input as Record<string, unknown>, origin: url.origin, email: values.email, query };
}

/** What a client may use, with what it says of itself. */
async function list(client: Client, origin: string): Promise<void> {
  const capabilities = client.getServerCapabilities() ?? {};
  const { tools } = await client.listTools();
  const { prompts } = capabilities.prompts ? await client.listPrompts() : { prompts: [] };
  const { resources } = capabilities.resources ? await client.listResources() : { resources: [] };
  const named = resources.map(({ uri, title, name }) => ({ name: uri, description: title ?? name }));
  for (const [title, things] of Object.entries({ Tools: tools, Prompts: prompts, Resources: named })) {
    const lines = things.map(({ name, description = '' }) => `  ${strong(name)}  ${faint(description)}`);
    if (lines.length > 0) process.stdout.write(`${heading(title, origin)}\n${lines.join('\n')}\n\n`);
  }
}

const shown = (block: ContentBlock): string => (block.type === 'text' ? block.text : faint(`(${block.type})`));

async function callTool(client: Client, name: string, input: Record<string, unknown>): Promise<void> {
  const onprogress = ({ progress, total, message = '' }: Progress) =>
    void process.stderr.write(`${faint(`  ${progress}${total === undefined ? '' : ` of ${total}`} ${message}`)}\n`);
  const { isError, content, structuredContent } = await client.callTool({ name, arguments: input }, { onprogress });
  process.stdout.write(`${content.map(shown).join('\n')}\n`);
  if (structuredContent !== undefined) process.stdout.write(faint(`\n${JSON.stringify(structuredContent, null, 2)}\n`));
  process.exitCode = isError === true ? 1 : 0;
}

async function getPrompt(client: Client, name: string, input: Record<string, unknown>): Promise<void> {
  const { messages } = await client.getPrompt({ name, arguments: input as Record<string, string> });
  for (const { role, content } of messages) process.stdout.write(`${faint(`${role}:`)} ${shown(content)}\n`);
}

async function readResource(client: Client, uri: string): Promise<void> {
  const { contents } = await client.readResource({ uri });
  for (const { mimeType = '', ...body } of contents)
    process.stdout.write(`${'text' in body ? body.text : faint('(bytes)')}\n${faint(mimeType)}\n`);
}

/** @throws Stop when there is nothing of that name */
async function use(client: Client, { name = '', input, origin }: Arguments): Promise<void> {
  if (URL.canParse(name)) return readResource(client, name);
  const { prompts } = client.getServerCapabilities()?.prompts ? await client.listPrompts() : { prompts: [] };
  if (prompts.some((prompt) => prompt.name === name)) return getPrompt(client, name, input);
  try {
    // Also one that is not listed: some toolsets list theirs only to whoever names them.
    await callTool(client, name, input);
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError && thrown.code === INVALID_PARAMS)) throw thrown;
    const { tools } = await client.listTools();
    if (tools.some((tool) => tool.name === name)) throw thrown;
    throw new Stop(`${origin} has no tool ${name}, and no prompt. Is its toolset in src/toolsets.ts, and in TOOLSETS?`);
  }
}

await runScript(async () => {
  const read = readArguments(process.argv.slice(2));
  if (read === 'help') return void process.stdout.write(USAGE);
  const { name, origin, email, query } = read;
  let failure = 0;
  // The SDK and the pages wrap it in words of their own.
  const watched = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await fetch(url, init);
    if (response.status >= 500) failure = response.status;
    return response;
  };
  const auth = new PersonalAuth(new Browser(origin, watched), email, { name: 'npm run call' });
  try {
    const client = await connect(`${origin}/mcp${query}`, auth, watched).catch((error: unknown) => {
      throw new Stop(`No sign-in at ${origin}: ${String(error)}. Does \`npm start\` run?`);
    });
    try {
      await (name === undefined ? list(client, origin) : use(client, read));
    } finally {
      await auth.revoke();
      await client.close();
    }
  } catch (thrown) {
    if (failure > 0) throw new Stop(`${origin} answered ${failure}: look at the terminal of \`npm start\`.`);
    throw thrown instanceof ProtocolError ? new Stop(thrown.message) : thrown;
  }
});

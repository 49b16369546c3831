import { fileURLToPath } from 'node:url';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

import type { App, Follow } from './client.ts';
import { Folder } from './folder.ts';
import { sdkConnection } from './sdk.ts';

const MCP_REMOTE = fileURLToPath(new URL('dist/proxy.js', import.meta.resolve('mcp-remote/package.json')).href);

/** What a desktop app starts in place of the server, and what that process keeps. */
function command(mcpUrl: string, protocol: 'legacy' | 'auto', home: string) {
  return {
    command: process.execPath,
    args: ['--no-warnings', MCP_REMOTE, mcpUrl, '--protocol', protocol, '--transport', 'http-only'],
    // Without a PATH it finds no browser to open: the link is followed here.
    env: { HOME: home, USERPROFILE: home, MCP_REMOTE_CONFIG_DIR: home, PATH: '' },
    stderr: 'pipe' as const,
  };
}

/**
 * `mcp-remote`, for apps that can only start a program: stdio on one side, us on the other, with a
 * sign-in of its own at a port of its own.
 *
 * @param protocol `legacy` passes on what the app says; `auto` asks us first and speaks as we do
 * @param home where it keeps its client and its tokens
 */
export function mcpRemote(protocol: 'legacy' | 'auto', home = new Folder()): App {
  const started: StdioClientTransport[] = [];
  return {
    async connect(mcpUrl, follow) {
      // Apps that can only start a program are of the 2025 era.
      const client = new Client({ name: 'A desktop app', version: '1.0.0' });
      const transport = new StdioClientTransport(command(mcpUrl, protocol, home.path));
      started.push(transport);
      const { output, failed } = watch(transport.stderr, follow);
      await Promise.race([client.connect(transport), failed]).catch(async (error: unknown) => {
        await transport.close();
        throw new Error(`mcp-remote did not connect: ${output()}`, { cause: error });
      });
      return sdkConnection(client, () => /2026-07-28/.exec(output())?.[0]);
    },
    remove: async () => {
      await Promise.all(started.map((transport) => transport.close()));
      home.remove();
    },
  };
}

/** Follows the link that it prints, and takes the answer to the port where it listens. */
function watch(stderr: NodeJS.EventEmitter | null, follow: Follow) {
  let text = '';
  let followed: Promise<void> | undefined;
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const signIn = async (link: string) => {
    const answer = await fetch(await follow(new URL(link)));
    if (!answer.ok) throw new Error(`mcp-remote answered its person with ${answer.status}`);
  };
  stderr?.on('data', (chunk) => {
    text += String(chunk);
    const link = /^Please authorize this client by visiting:\n(\S+)\n/m.exec(text)?.[1];
    // It prints the link some moments before it listens for the answer.
    const listens = text.includes('OAuth callback server running at');
    if (link !== undefined && listens) followed ??= signIn(link).catch(reject);
  });
  return { output: () => text, failed };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

export interface InspectorRun {
  readonly status: number | null;
  /** One JSON object. */
  readonly stdout: string;
  readonly stderr: string;
}

/** What `npx mcp-inspector` starts. */
const INSPECTOR = fileURLToPath(
  new URL('clients/launcher/build/index.js', import.meta.resolve('@modelcontextprotocol/inspector/package.json')).href,
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Runs `mcp-inspector --cli` to its end.
 *
 * @param home the folder in which it keeps its tokens for the next run
 * @param follow takes the link that it prints when a sign-in is needed to its end, the inspector's own address
 */
export async function inspect(
  args: readonly string[],
  home: string,
  follow: (link: URL) => Promise<URL>,
): Promise<InspectorRun> {
  const callback = `http://127.0.0.1:${await freePort()}/oauth/callback`;
  const child = spawn(
    process.execPath,
    ['--no-warnings', INSPECTOR, '--cli', ...args, '--format', 'json', '--callback-url', callback],
    {
      cwd: home,
      env: {
        HOME: home,
        USERPROFILE: home,
        // Without a PATH it finds no browser to open: the link is followed here.
        PATH: '',
        MCP_INSPECTOR_SECRET_STORE: 'file',
        // It signs in only where a human seems to be: at a terminal, or with this.
        MCP_AUTO_OPEN_ENABLED: 'true',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  let followed: Promise<void> | undefined;
  const signIn = async (link: string) => {
    const back = await follow(new URL(link));
    const answer = await fetch(back);
    if (!answer.ok) throw new Error(`the inspector answered its person with ${answer.status}`);
  };
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
    const link = /^Please navigate to: (\S+)\n/m.exec(stderr)?.[1];
    if (link === undefined || followed) return;
    followed = signIn(link);
    // It would wait for ever for somebody who cannot come.
    followed.catch(() => child.kill());
  });
  const [status] = (await once(child, 'close')) as [number | null];
  await followed;
  return { status, stdout, stderr };
}

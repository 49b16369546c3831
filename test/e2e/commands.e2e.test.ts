import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { approve, Browser, decide, signInWithEmail } from '../../scripts/client/browser.ts';
import { call } from '../../scripts/client/mcp.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { useDeployment } from './support/deployment.ts';
import { signUp } from './support/people.ts';

const deployment = useDeployment();

/** A folder for temporary files of the commands, so that what they leave can be seen. */
const temporary = mkdtempSync(join(tmpdir(), 'carrel-commands-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

interface Run {
  readonly status: number | null;
  readonly output: string;
}

/** Runs a script as npm would, without a terminal. @param follow is given the first link in its output */
async function run(
  script: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
  follow?: (link: URL) => Promise<unknown>,
): Promise<Run> {
  const child = spawn(process.execPath, ['--no-warnings', join(ROOT, 'scripts', script), ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: temporary, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let followed: Promise<unknown> | undefined;
  const read = (chunk: unknown) => {
    output += String(chunk);
    const link = /^ +(http\S+\/authorize\?\S+)\n/m.exec(output)?.[1];
    if (link === undefined || followed || !follow) return;
    followed = follow(new URL(link));
    followed.catch(() => child.kill());
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const [status] = (await once(child, 'close')) as [number | null];
  await followed;
  return { status, output };
}

/** A port at which nothing listens now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const steps = (output: string, mark: '✔' | '✘') => [...output.matchAll(new RegExp(`^  ${mark} `, 'gm'))].length;

describe('npm run demo', () => {
  it('shows the main job, restart included, and leaves nothing behind', async () => {
    const { status, output } = await run('demo.ts');
    expect(status, output).toBe(0);
    expect(steps(output, '✔'), output).toBe(22);
    expect(output).toMatch(/All 22 steps held in /);
    for (const step of [
      'Sign in through the form',
      'Upload 25 MB over HTTP',
      'Restart the server',
      'Compare the SHA-256',
    ])
      expect(output).toMatch(new RegExp(`✔ ${step} +[0-9.]+ m?s`));
    // No colours where nobody sees them.
    expect(output).not.toContain('\u001B');
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('npm run call', () => {
  const at = () => ['--url', deployment.origin, '--email', 'caller@example.com'];

  it('lists the tools, calls one, and says what it answered', async () => {
    expect((await run('call.ts', at())).output).toMatch(/whoami {2}\S/);
    const { status, output } = await run('call.ts', ['state_set', '{"key":"k","value":[1]}', ...at()]);
    expect([status, output]).toEqual([0, expect.stringMatching(/Wrote k in default: version 1.*"version": 1/s)]);
    const unlisted = await run('call.ts', ['research_open', '{"session":"Wells"}', ...at()]);
    expect([unlisted.status, unlisted.output]).toEqual([0, expect.stringMatching(/^Begun: Wells/)]);
    expect((await run('call.ts', ['--toolsets', 'research', ...at()])).output).toMatch(/research_open {2}\S/);
    const wrong = await run('call.ts', ['state_get', '{"key":"none"}', ...at()]);
    expect([wrong.status, wrong.output]).toEqual([1, expect.stringContaining('not_found: ')]);
  });

  it('says what is wrong with what it was given', async () => {
    for (const [args, fault] of [
      [['no_such_tool', ...at()], 'has no tool no_such_tool'],
      [['whoami', '[1]', ...at()], 'one JSON object'],
      [['whoami', '--url', 'https://carrel.example.com'], 'on this machine'],
      [['whoami', '--url', `http://localhost:${await freePort()}`], 'Does `npm start` run?'],
    ] as const) {
      const { status, output } = await run('call.ts', args);
      expect([status, output]).toEqual([1, expect.stringContaining(fault)]);
    }
  });
});

describe('npm run smoke', () => {
  it('tries a running server without a human and removes what it made', async () => {
    const { status, output } = await run('smoke.ts', [deployment.origin, '--email', 'smoke@example.com']);
    expect(status, output).toBe(0);
    expect(steps(output, '✘'), output).toBe(0);
    expect(output).toMatch(/✔ Give the access back/);

    const { client } = await signUp(deployment.mcpUrl, 'smoke@example.com');
    expect(await call(client, 'file_list', { all_sessions: true })).toMatchObject({ files: [] });
    const active = await call<{ sessions: { slug: string }[] }>(client, 'session_list');
    expect(active.sessions.map(({ slug }) => slug)).toEqual(['default']);
    const archived = await call<{ sessions: { slug: string }[] }>(client, 'session_list', { archived: true });
    expect(archived.sessions).toEqual([expect.objectContaining({ slug: expect.stringMatching(/^tour-/) })]);
    const session = archived.sessions[0]?.slug ?? '';
    expect(await call(client, 'state_list', { session })).toMatchObject({ keys: [] });
  });

  it('takes a token from the environment', async () => {
    const { token } = await signUp(deployment.mcpUrl, 'token@example.com');
    const { status, output } = await run('smoke.ts', [deployment.mcpUrl], { CARREL_TOKEN: token });
    expect(status, output).toBe(0);
    expect(output).not.toContain(token);
  });

  it('waits for a login in the browser', async () => {
    const browser = new Browser(deployment.origin);
    const { status, output } = await run('smoke.ts', [deployment.origin], {}, async (link) => {
      const back = await approve(browser, link, 'human@example.com');
      expect(back.hostname).toBe('127.0.0.1');
      const page = await fetch(back);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain('You are signed in');
    });
    expect(status, output).toBe(0);
    expect(output).toMatch(/Waiting for you/);
  });

  it('says what was expected and what came when a step fails', async () => {
    const browser = new Browser(deployment.origin);
    const denied = await run('smoke.ts', [deployment.origin], {}, async (link) => {
      const consent = await signInWithEmail(browser, await browser.open(link), 'human@example.com');
      const back = await decide(browser, consent, 'deny');
      expect(await (await fetch(back.url)).text()).toContain('It was not allowed');
    });
    expect(denied.status).toBe(1);
    expect(denied.output).toMatch(
      /✘ Sign in in the browser .*\n\n +expected +the way back with a code\n +came +the error access_denied\n/,
    );
    expect(denied.output).toMatch(/1 step failed, 1 held/);

    const refused = await run('smoke.ts', [deployment.origin], { CARREL_TOKEN: 'none:of:ours' });
    expect(refused.status).toBe(1);
    expect(refused.output).toMatch(
      /✘ Connect with CARREL_TOKEN .*\n\n +expected +a deployment that takes the token\n +came +\S/,
    );
    expect(refused.output.replaceAll(/\s+/g, ' ')).toContain('or belongs to another server.');

    const alone = await run('smoke.ts', [`http://localhost:${await freePort()}`]);
    expect(alone.status).toBe(1);
    expect(alone.output).toContain('Is it running? npm start');
  });

  it.each([
    [[], /Give the address of the deployment/],
    [['carrel.example.com'], /is no address of a deployment/],
    [['http://carrel.example.com'], /Only a server on this machine may be tried over http/],
    [['https://carrel.example.com', '--email', 'a@example.com'], /--email is for a server on this machine/],
    [['http://localhost:8787', '--email', 'nobody'], /--email takes an e-mail address/],
    [['https://carrel.example.com', 'https://other.example.com'], /Give one address/],
    [['https://carrel.example.com', '--fast'], /Unknown option '--fast'/],
  ] as const)('explains itself when it is started with %j', async (args, problem) => {
    const { status, output } = await run('smoke.ts', args);
    expect(status).toBe(1);
    expect(output.replaceAll(/\s+/g, ' ')).toMatch(problem);
    expect(output).toContain('npm run smoke -- <url>');
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startDevServer } from '../../scripts/lib/dev-server.ts';
import type { DevServer } from '../../scripts/lib/dev-server.ts';
import { ROOT } from '../../scripts/lib/paths.ts';

/** Runs `npm run call`, without npm and without a terminal. */
async function call(origin: string, ...args: string[]): Promise<{ status: number | null; output: string }> {
  const script = join(ROOT, 'scripts/call.ts');
  const child = spawn(process.execPath, ['--no-warnings', script, ...args, '--url', origin], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}

describe('npm run call, of a toolset with prompts and resources', () => {
  const state = mkdtempSync(join(tmpdir(), 'carrel-call-'));
  let server: DevServer;
  beforeAll(async () => {
    const vars = { TOOLSETS: 'conformance' };
    server = await startDevServer({ persistTo: state, entry: 'test/conformance/worker.ts', vars, quiet: true });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(state, { recursive: true, force: true, maxRetries: 3 });
  });

  it('lists them all', async () => {
    const { status, output } = await call(server.url);
    expect(status, output).toBe(0);
    expect(output).toMatch(/Tools .*test_simple_text.*Prompts .*test_simple_prompt.*Resources .*test:\/\/static-text/s);
  });

  it('gets a prompt with its arguments, and says what is wrong with them', async () => {
    const said = await call(server.url, 'test_prompt_with_arguments', '{"arg1":"tea","arg2":"milk"}');
    expect(said).toEqual({ status: 0, output: expect.stringMatching(/^user: .*'tea'.*'milk'/) as string });
    const refused = await call(server.url, 'test_prompt_with_arguments', '{"arg1":"tea"}');
    expect(refused).toEqual({ status: 1, output: expect.stringContaining('`arg2` is missing') as string });
  });

  it('reads a resource, and says that there is none', async () => {
    const text = 'This is the content of the static text resource.\ntext/plain\n';
    expect(await call(server.url, 'test://static-text')).toEqual({ status: 0, output: text });
    expect(await call(server.url, 'test://static-binary')).toEqual({ status: 0, output: '(bytes)\nimage/png\n' });
    const none = await call(server.url, 'test://none');
    expect([none.status, none.output]).toEqual([1, expect.stringMatching(/✘ .*not found/i)]);
  });
});

it('npm run call sends whoever meets a server that fails to where it says why', async () => {
  const failing = createServer((_request, response) => void response.writeHead(500).end()).listen(0, '127.0.0.1');
  await once(failing, 'listening');
  const origin = `http://127.0.0.1:${(failing.address() as AddressInfo).port}`;
  const { status, output } = await call(origin, 'whoami');
  failing.close();
  expect([status, output]).toEqual([1, expect.stringContaining(`${origin} answered 500: look at the terminal`)]);
  expect(output).not.toContain('Does `npm start` run?');
});

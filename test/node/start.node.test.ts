import { spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMigrations, checkNode, checkPort } from '../../scripts/lib/checks.ts';
import { connectLines, renderConnectLines } from '../../scripts/lib/connect.ts';
import { type DevServer, startDevServer } from '../../scripts/lib/dev-server.ts';
import { readableEvent } from '../../scripts/lib/events.ts';
import { ROOT } from '../../scripts/lib/paths.ts';
import { isPortFree } from '../../scripts/lib/ports.ts';
import {
  addToSecretsFile,
  ensureDevelopmentSecrets,
  readSecretsFile,
  unreadableLines,
} from '../../scripts/lib/secrets.ts';
import { wrap } from '../../scripts/lib/terminal.ts';

// Real servers run in these; on a busy machine one start takes seconds.
const SLOW = { timeout: 120_000 };

const WORKER = `
import { DurableObject } from 'cloudflare:workers';
CLASSES
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/healthz' && env.GRANT_IDLE_DAYS !== '30')
      return Response.json({ detail: 'The configuration is wrong: GRANT_IDLE_DAYS must be a number.' }, { status: 503, headers: { 'Content-Type': 'application/problem+json' } });
    if (pathname === '/healthz') return new Response('ok');
    if (pathname === '/event') console.log(JSON.stringify({ type: 'tool_called', tool: 'session_list', outcome: 'ok', milliseconds: 2, personId: 'per_1' }));
    if (pathname === '/vars') return Response.json({ deployment: env.DEPLOYMENT, dev: env.DEV_SIGN_IN, secret: env.CARREL_SECRET, extra: env.EXTRA });
    if (pathname === '/add') await env.DIRECTORY.prepare('INSERT INTO guests (name) VALUES (?)').bind('Ada').run();
    if (pathname === '/fail') throw new Error('the Worker fell over');
    return Response.json((await env.DIRECTORY.prepare('SELECT name FROM guests').all()).results);
  },
  scheduled() {},
};
`;

const temporary: string[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'carrel-start-test-'));
  temporary.push(path);
  return path;
}

/** A checkout with this project's scripts and wrangler.toml, and a small Worker in place of Carrel. */
function makeCheckout(): string {
  const root = folder();
  for (const name of ['wrangler.toml', 'package.json', 'scripts', 'src/settings.ts', 'src/lib']) {
    mkdirSync(join(root, 'src'), { recursive: true });
    cpSync(join(ROOT, name), join(root, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  const classes = new Set(
    [...readFileSync(join(root, 'wrangler.toml'), 'utf8').matchAll(/^class_name = "(\w+)"/gm)].map(([, name]) => name),
  );
  writeFileSync(
    join(root, 'src/index.ts'),
    WORKER.replace('CLASSES', [...classes].map((name) => `export class ${name} extends DurableObject {}`).join('\n')),
  );
  mkdirSync(join(root, 'migrations'));
  writeFileSync(join(root, 'migrations/0001_guests.sql'), 'CREATE TABLE guests (name TEXT) STRICT;');
  return root;
}

/** The living processes of the server's group: wrangler and each workerd. */
function groupOf(pid: number): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').filter((entry) => {
    try {
      // After the name in parentheses: state, parent, process group. Z is dead and waits to be collected.
      const [state, , group] = readFileSync(`/proc/${entry}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return Number(group) === pid && state !== 'Z';
    } catch {
      return false;
    }
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 40_000; waited += 50) {
    if (await condition()) return;
    await sleep(50);
  }
  throw new Error('it did not happen within 40 s');
}

const get = async (server: DevServer, path: string): Promise<unknown> => await (await fetch(server.url + path)).json();

let root: string;
beforeAll(() => {
  root = makeCheckout();
});
afterAll(() => {
  for (const path of temporary) rmSync(path, { recursive: true, force: true });
});

describe('startDevServer', () => {
  it('runs servers side by side, each with its own data and secrets, and leaves nothing behind', SLOW, async () => {
    const [one, two] = [folder(), folder()];
    const servers = await Promise.all([
      startDevServer({ root, persistTo: one, quiet: true }),
      startDevServer({ root, persistTo: two, quiet: true, vars: { EXTRA: 'a:b' } }),
    ]);
    const [first, second] = servers;
    expect(first.port).not.toBe(second.port);
    // Elsewhere than on Linux the group cannot be listed, and only the ports tell.
    expect(groupOf(first.pid).length).toBeGreaterThan(process.platform === 'linux' ? 1 : -1);
    expect(await get(first, '/add')).toEqual([{ name: 'Ada' }]);
    expect(await get(second, '/')).toEqual([]);

    const vars = await get(second, '/vars');
    expect(vars).toMatchObject({ deployment: 'development', dev: 'true', extra: 'a:b' });
    expect(vars).toMatchObject({ secret: readSecretsFile(join(two, 'dev.vars'))['CARREL_SECRET'] });
    expect(await get(first, '/vars')).not.toMatchObject({ secret: (vars as { secret: string }).secret });
    expect(existsSync(join(root, '.dev.vars'))).toBe(false);

    await fetch(`${second.url}/fail`);
    await until(() => second.output().includes('the Worker fell over'));

    await Promise.all(servers.map((server) => server.stop()));
    for (const { pid, port } of servers) {
      expect(groupOf(pid)).toEqual([]);
      expect(await isPortFree(port)).toBe(true);
    }
  });

  it('keeps data and secrets over a kill -9', SLOW, async () => {
    const persistTo = folder();
    const before = await startDevServer({ root, persistTo, quiet: true });
    const vars = await get(before, '/vars');
    await get(before, '/add');
    // What a killed server leaves is beside its data, to go with it.
    expect(readdirSync(persistTo).filter((name) => name.startsWith('tmp-'))).toHaveLength(1);
    before.kill();
    await before.ended;
    await until(() => groupOf(before.pid).length === 0);

    const after = await startDevServer({ root, persistTo, quiet: true });
    expect(await get(after, '/')).toEqual([{ name: 'Ada' }]);
    expect(await get(after, '/vars')).toEqual(vars);
    await after.stop();
  });

  it('says in one sentence that the port is taken, and which one is free', SLOW, async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const attempt = startDevServer({ root, port, persistTo: folder(), quiet: true });
    await expect(attempt).rejects.toThrow(new RegExp(`^Port ${port} is in use.*\\nnpm start -- --port \\d+$`));
    other.close();
  });

  it('fails at once when the Worker does not build, or a migration is wrong', SLOW, async () => {
    const broken = makeCheckout();
    appendFileSync(join(broken, 'src/index.ts'), `import './not-there';`);
    await expect(startDevServer({ root: broken, persistTo: folder(), quiet: true })).rejects.toThrow('not-there');
    writeFileSync(join(broken, 'migrations/0002_wrong.sql'), 'INSERT INTO nowhere VALUES (1);');
    await expect(startDevServer({ root: broken, persistTo: folder(), quiet: true })).rejects.toThrow(
      'no such table: nowhere',
    );
  });
});

describe('a configuration that is wrong', () => {
  it('ends the start with the words of the Worker and the file', SLOW, async () => {
    const checkout = makeCheckout();
    const start = () => startDevServer({ root: checkout, quiet: true });
    const words = 'The configuration is wrong: GRANT_IDLE_DAYS must be a number.';
    writeFileSync(join(checkout, '.dev.vars'), 'GRANT_IDLE_DAYS=soon\n');
    await expect(start()).rejects.toThrow(`${words}\nMend it in .dev.vars and try again.`);

    writeFileSync(join(checkout, '.dev.vars'), '');
    const config = join(checkout, 'wrangler.toml');
    writeFileSync(config, readFileSync(config, 'utf8').replace('GRANT_IDLE_DAYS = "30"', 'GRANT_IDLE_DAYS = "soon"'));
    await expect(start()).rejects.toThrow(`${words}\nMend it in wrangler.toml and try again.`);

    writeFileSync(join(checkout, '.dev.vars'), 'CARREL_SECRET="open\n');
    await expect(start()).rejects.toThrow('Line 1 of .dev.vars opens a quotation mark that is not closed.');
    rmSync(join(checkout, '.dev.vars'));
    mkdirSync(join(checkout, '.dev.vars'));
    await expect(start()).rejects.toThrow('.dev.vars is a folder.');
    expect(readdirSync(join(checkout, '.wrangler/state')).filter((name) => name.startsWith('tmp-'))).toEqual([]);
  });
});

describe('what a script is started with', () => {
  /** Runs a script to its end. */
  async function run(nodeOptions: readonly string[], script: string, ...args: string[]) {
    const child = spawn(process.execPath, [...nodeOptions, join(ROOT, 'scripts', script), ...args], {
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    return { code, output };
  }

  it.each([
    ['start.ts', ['9001'], 'It takes no 9001.', 'npm start '],
    ['start.ts', ['--port', 'x'], '--port takes a whole number', 'npm start '],
    ['demo.ts', ['--bogus'], 'It takes no --bogus.', 'npm run demo'],
    ['doctor.ts', ['--bogus'], `Unknown option '--bogus'.`, 'npm run doctor'],
    ['deploy.ts', ['--bogus'], `Unknown option '--bogus'.`, 'npm run deploy'],
    ['measure-memory.ts', ['--megabytes', '0'], '--megabytes takes', 'npm run measure:memory'],
  ] as const)('%s refuses %j with its usage', SLOW, async (script, args, problem, usage) => {
    const refused = await run([], script, ...args);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`✘ ${problem}`);
    expect(refused.output).toContain(`\n  ${usage}`);
    for (const line of refused.output.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);

    const help = await run([], script, '--help');
    expect(help.code).toBe(0);
    expect(help.output).toContain(`\n  ${usage}`);
  });

  it('is looked at before the first TypeScript file', SLOW, async () => {
    const preflight = ['--import', join(ROOT, 'scripts/preflight.mjs')];
    expect(await run(preflight, 'demo.ts', '--help')).toMatchObject({ code: 0 });
    const old = await run([...preflight, '--no-strip-types'], 'demo.ts', '--help');
    expect(old).toMatchObject({ code: 1, output: expect.stringMatching(/cannot run this. Start it through npm/) });

    const bare = folder();
    mkdirSync(join(bare, 'scripts'));
    cpSync(join(ROOT, 'scripts/preflight.mjs'), join(bare, 'scripts/preflight.mjs'));
    const missing = await run(['--import', join(bare, 'scripts/preflight.mjs')], 'demo.ts', '--help');
    expect(missing).toMatchObject({ code: 1, output: expect.stringContaining('Run npm ci first.') });
  });
});

describe('npm start', () => {
  /** Runs the script, and resolves when the banner is there. */
  async function start(
    persistTo: string,
  ): Promise<{ child: ReturnType<typeof spawn>; output: () => string; url: string }> {
    const child = spawn(process.execPath, [join(root, 'scripts/start.ts'), '--port', '0', '--persist-to', persistTo], {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    await until(() => output.includes('Ctrl-C stops it'));
    return { child, output: () => output, url: /http:\/\/localhost:\d+/.exec(output)?.[0] ?? '' };
  }

  it('prints a banner that fits 80 columns, shows errors and no noise, and stops on SIGTERM', SLOW, async () => {
    const { child, output, url } = await start(folder());
    expect(output()).toContain(`claude mcp add --transport http carrel ${url}/mcp`);
    for (const line of output().split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(output()).toBe(stripVTControlCharacters(output()));
    expect(output()).not.toMatch(/wrangler|telemetry|binding/i);
    expect(statSync(join(root, '.dev.vars')).mode & 0o777).toBe(0o600);

    await fetch(`${url}/fail`);
    await until(() => output().includes('the Worker fell over'));
    await fetch(`${url}/event`);
    await until(() => output().includes('\nsession_list ok 2 ms\n'));
    expect(output()).not.toContain('per_1');

    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(child.exitCode).toBe(0);
    expect(await isPortFree(Number(new URL(url).port))).toBe(true);
  });

  it('takes the server with it when it is killed with -9', SLOW, async () => {
    const { child, url } = await start(folder());
    const port = Number(new URL(url).port);
    expect(await isPortFree(port)).toBe(false);
    child.kill('SIGKILL');
    await until(() => isPortFree(port));
  });
});

describe('development secrets', () => {
  it('are made once, for their owner alone', () => {
    const file = join(folder(), 'deep', '.dev.vars');
    expect(ensureDevelopmentSecrets(file)).toEqual(['CARREL_SECRET', 'PERSON_ID_KEY']);
    const made = readFileSync(file, 'utf8');
    expect(made).toMatch(/^CARREL_SECRET=[0-9a-f]{64}$/m);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(ensureDevelopmentSecrets(file)).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(made);
  });

  it('are added beside what is there', () => {
    const file = join(folder(), '.dev.vars');
    addToSecretsFile(file, { MINE: 'kept', CARREL_SECRET: 's'.repeat(40) }, 'By hand.');
    expect(ensureDevelopmentSecrets(file)).toEqual(['PERSON_ID_KEY']);
    expect(readSecretsFile(file)).toMatchObject({ MINE: 'kept', CARREL_SECRET: 's'.repeat(40) });
  });
});

describe('a file of secrets', () => {
  it('is told apart from what nobody can have meant', () => {
    const file = join(folder(), '.dev.vars');
    writeFileSync(
      file,
      `# a comment\n\nexport A=1\nB = "two # words" # why\nC='x\ny'\nD=it's\nno line\nE="open\nF=1\nG='a' b\n`,
    );
    expect(unreadableLines(file)).toEqual([
      'Line 8 of .dev.vars is not of the form NAME=value.',
      'Line 9 of .dev.vars opens a quotation mark that is not closed.',
      'Line 11 of .dev.vars opens a quotation mark that is not closed.',
    ]);
    expect(unreadableLines(join(folder(), 'none'))).toEqual([]);
  });
});

describe('the events of the Worker', () => {
  const line = (event: object) => readableEvent(JSON.stringify(event));

  it('are a short line each', () => {
    expect(line({ type: 'tool_called', tool: 'session_list', outcome: 'not_found', milliseconds: 2 })).toBe(
      'session_list not_found 2 ms',
    );
    expect(line({ type: 'signed_in', personId: 'per_1', provider: 'dev' })).toBe('signed_in per_1 dev');
    expect(line({ type: 'grant_made', clientId: 'c1', scopes: ['files:read', 'files:write'] })).toBe(
      'grant_made c1 files:read files:write',
    );
    expect(line({ type: 'oauth_refused', code: 'invalid_grant', status: 400, reason: 'the\u001B[2J code' })).toBe(
      'oauth_refused invalid_grant the[2J code',
    );
  });

  it('hold an error in full', () => {
    const cause = { name: 'TypeError', message: 'deeper' };
    const error = {
      name: 'CarrelError',
      message: 'sad',
      code: 'internal',
      stack: 'CarrelError: sad\n    at a.ts:1',
      cause,
    };
    expect(line({ type: 'request_failed', path: '/mcp', requestId: 'r', error })).toBe(
      'request_failed /mcp r\n  CarrelError: sad (internal)\n      at a.ts:1\n  because TypeError: deeper',
    );
  });

  it('leave other lines alone', () => {
    for (const other of ['hello', '{"type":"something_else"}', '{"type":"tool_called"', '{"type":"request_failed"}'])
      expect(readableEvent(other)).toBeUndefined();
  });
});

describe('the lines for clients', () => {
  it('are what each client documents', () => {
    const lines = Object.fromEntries(
      connectLines('https://carrel.example.com/mcp').map(({ client, words }) => [client, words.join(' ')]),
    );
    expect(lines).toEqual({
      'Claude Code': 'claude mcp add --transport http carrel https://carrel.example.com/mcp',
      Cursor: '{"mcpServers":{"carrel":{"url":"https://carrel.example.com/mcp"}}}',
      'VS Code': `code --add-mcp '{"name":"carrel","type":"http","url":"https://carrel.example.com/mcp"}'`,
      Codex: 'codex mcp add carrel --url https://carrel.example.com/mcp',
      'MCP Inspector':
        'npx @modelcontextprotocol/inspector --transport http --server-url https://carrel.example.com/mcp',
    });
  });

  it('stay one command for a shell when they are broken', () => {
    const printed = stripVTControlCharacters(renderConnectLines('https://carrel.a-rather-long-name.example.com/mcp'));
    expect(printed.replaceAll(/ \\\n +/g, ' ')).toContain(
      'inspector --transport http --server-url https://carrel.a-rather-long-name',
    );
  });
});

describe('a paragraph', () => {
  it('keeps each command whole', () => {
    expect(wrap('Read this, then run npm run deploy -- --url https://a.example.com, or npm ci.', 30)).toEqual([
      'Read this, then run',
      'npm run deploy -- --url https://a.example.com,',
      'or npm ci.',
    ]);
  });
});

describe('npm run doctor', () => {
  it('finds migrations without a certain order', () => {
    const checkout = folder();
    mkdirSync(join(checkout, 'migrations'));
    for (const name of ['0001_a.sql', '0001_b.sql', 'later.sql'])
      writeFileSync(join(checkout, 'migrations', name), 'SELECT 1;');
    const { fault } = checkMigrations(checkout);
    expect(fault).toContain('0001_b.sql has a number that is taken');
    expect(fault).toContain('later.sql does not begin with a number');
  });

  it('finds a Node.js that is too old', () => {
    expect(checkNode('v20.20.2').fault).toContain('too old');
    expect(checkNode('v22.12.0').fault).toBeUndefined();
  });

  it('names the Node.js of the machine where it is another', () => {
    const agent = (version: string) => `npm/11.19.1 node/${version} linux x64 workspaces/false`;
    expect(checkNode('v24.21.0', agent('v24.21.0')).found).toBe('v24.21.0');
    expect(checkNode('v24.21.0', agent('v20.20.2')).found).toBe('v24.21.0 (from node_modules; yours is v20.20.2)');
  });

  it('says which port works when one is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const busy = await checkPort(port);
    expect(busy).toMatchObject({
      free: false,
      found: expect.stringMatching(/^in use; npm start -- --port \d+ works$/),
    });
    expect(busy.fault).toBeUndefined();
    await new Promise((resolve) => other.close(resolve));
    expect(await checkPort(port)).toMatchObject({ free: true, found: 'free' });
  });

  it('lists every fault, shows no secret, and fails', SLOW, async () => {
    const checkout = makeCheckout();
    writeFileSync(
      join(checkout, '.dev.vars'),
      `CARREL_SECRET=short\nGRANT_IDLE_DAYS=soon\nPERSON_ID_KEY=${'k'.repeat(64)}\nTOOLSETS=bogus\nCARREL_SECRTE=x\nwhat\n`,
    );
    const child = spawn(process.execPath, [join(checkout, 'scripts/doctor.ts')], {
      cwd: checkout,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => void (output += stripVTControlCharacters(chunk.toString())));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(output).toContain('CARREL_SECRET has fewer than 32 characters.');
    expect(output).toContain('GRANT_IDLE_DAYS must be a whole number from 1 to 365.');
    expect(output).toContain('TOOLSETS names a toolset that does not exist; there are: sessions, files.');
    expect(output.replaceAll(/\s+/g, ' ')).toContain('which Carrel does not know. Is CARREL_SECRET meant?');
    expect(output).toContain('Line 6 of .dev.vars is not of the form NAME=value.');
    expect(output).toContain('5 faults');
    expect(output).not.toContain('k'.repeat(64));
    for (const line of output.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});

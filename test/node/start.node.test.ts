import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevServer, startDevServer } from '../../scripts/lib/dev-server.ts';
import { isPortFree } from '../../scripts/lib/ports.ts';
import { readSecretsFile } from '../../scripts/lib/secrets.ts';
import { folder, makeCheckout, removeFolders, SLOW } from '../support/scripts.ts';

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
afterAll(removeFolders);

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
    const start = (...wranglerArguments: string[]) =>
      startDevServer({ root: checkout, quiet: true, wranglerArguments });
    const words = 'The configuration is wrong: GRANT_IDLE_DAYS must be a number.';
    writeFileSync(join(checkout, '.dev.vars'), 'GRANT_IDLE_DAYS=soon\n');
    await expect(start()).rejects.toThrow(`${words}\nMend it in .dev.vars and try again.`);

    writeFileSync(join(checkout, '.dev.vars'), '');
    const config = join(checkout, 'wrangler.toml');
    writeFileSync(config, readFileSync(config, 'utf8').replace('GRANT_IDLE_DAYS = "30"', 'GRANT_IDLE_DAYS = "soon"'));
    await expect(start()).rejects.toThrow(`${words}\nMend it in wrangler.toml and try again.`);

    writeFileSync(join(checkout, '.dev.vars'), 'GRANT_IDLE_DAYS=30\n');
    await expect(start('--var', 'GRANT_IDLE_DAYS:soon')).rejects.toThrow(
      `${words}\nMend it in --var GRANT_IDLE_DAYS:… and try again.`,
    );

    writeFileSync(join(checkout, '.dev.vars'), 'CARREL_SECRET="open\n');
    await expect(start()).rejects.toThrow('Line 1 of .dev.vars opens a quotation mark that is not closed.');
    rmSync(join(checkout, '.dev.vars'));
    mkdirSync(join(checkout, '.dev.vars'));
    await expect(start()).rejects.toThrow('.dev.vars is a folder.');
    expect(readdirSync(join(checkout, '.wrangler/state')).filter((name) => name.startsWith('tmp-'))).toEqual([]);
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
    await fetch(`${url}/failure`);
    await until(() => output().includes('\ntool_failed session_list r1\n  TypeError: it gave nothing\n'));

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

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { on } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { SETTINGS } from '../../src/setting-descriptions.ts';
import { readableEvent } from './events.ts';
import { applyLocalMigrations } from './local-migrations.ts';
import { ROOT, wranglerEntry } from './paths.ts';
import { isPortFree, nextFreePort } from './ports.ts';
import { ensureDevelopmentSecrets, readSecretsFile, unreadableLines } from './secrets.ts';
import { coloured, Stop } from './terminal.ts';
import { lastWords, temporaryFolder, wranglerEnvironment } from './wrangler.ts';

export interface DevServerOptions {
  /** 0, the default, lets the system pick a free one. */
  readonly port?: number;
  /** Where D1, R2 and the Durable Objects keep their data; .wrangler/state by default. */
  readonly persistTo?: string;
  /** The folder that holds wrangler.toml; this checkout by default. */
  readonly root?: string;
  /**
   * The file with the secrets, made if there is none. By default .dev.vars of the checkout, or, with
   * `persistTo`, a file in that folder: a throwaway server leaves nothing in the checkout.
   */
  readonly secretsFile?: string;
  /** The module with the Worker, seen from `root`; src/index.ts by default. Needs `persistTo`, where it is built. */
  readonly entry?: string;
  /** More environment for wrangler. */
  readonly env?: Readonly<Record<string, string>>;
  /** More vars for the Worker; they win over wrangler.toml and the development flags. */
  readonly vars?: Readonly<Record<string, string>>;
  /** More arguments for `wrangler dev`. */
  readonly wranglerArguments?: readonly string[];
  /** True keeps wrangler's and the Worker's output; then only {@link DevServer.output} has it. */
  readonly quiet: boolean;
  /** How long the start may take, in milliseconds; for a broken build only a quiet start ends. */
  readonly timeout?: number;
}

export interface DevServer {
  /** The origin, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** The process that runs wrangler; it leads the process group that workerd belongs to. */
  readonly pid: number;
  /** Resolves when wrangler has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** The end of what wrangler and the Worker wrote, at most 64 KiB. */
  output(): string;
  /** Ends wrangler and workerd; resolves when neither is left. */
  stop(): Promise<void>;
  /** kill -9 of wrangler and workerd, as a power cut would do it. */
  kill(): void;
}

/** Set here and nowhere else, so that no deployment can carry the dev sign-in. */
export const DEVELOPMENT_VARS = { DEPLOYMENT: 'development', DEV_SIGN_IN: 'true', CALLS_PER_MINUTE: '0' };

const KEPT_OUTPUT = 64 * 1024;

// The IPC channel closes when the parent is gone, even by SIGKILL; wrangler then stops as after a SIGTERM.
const STOP_WITH_PARENT = 'data:text/javascript,process.once("disconnect",()=>process.kill(process.pid,"SIGTERM"))';

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

function killAll(pid: number): void {
  if (process.platform === 'win32') spawnSync('taskkill', ['/pid', String(pid), '/T', '/F']);
  else signalGroup(pid, 'SIGKILL');
}

const NOISE =
  /^\[wrangler:info\] GET \/healthz |newer version of Wrangler|^If you think this is a bug|disconnected: .*(?:Broken pipe|reset by peer)|^\s*stack: \S+\/workerd@/;

const PREFIX = /^\[wrangler:info\] /;
/** Before what the Worker writes with console.error. */
const ERROR_PREFIX = /^\S \[ERROR\] /;

// What lets in whoever has it, and nobody reads.
const CAPABILITY = /(?<= \/(?:upload|tus|drop|download)\/)[^\s/]{40,}/;

/** A line of wrangler's as a person wants it, without a prefix, credentials or JSON; undefined for an advertisement. */
function tidy(line: string): string | undefined {
  const plain = stripVTControlCharacters(line);
  if (NOISE.test(plain)) return undefined;
  const event = readableEvent(plain.replace(ERROR_PREFIX, ''));
  if (event !== undefined) return event;
  const kept = coloured() ? (PREFIX.test(plain) ? line.slice(line.indexOf(' ') + 1) : line) : plain.replace(PREFIX, '');
  return kept.replace(CAPABILITY, '…');
}

/** Resolves with the port when wrangler says that it listens. */
async function listening(child: ChildProcess, signal: AbortSignal): Promise<number> {
  for await (const [message] of on(child, 'message', { signal })) {
    const event: unknown = typeof message === 'string' ? JSON.parse(message) : message;
    if (typeof event === 'object' && event !== null && 'port' in event && typeof event.port === 'number')
      return event.port;
  }
  throw new Error('unreachable: the loop ends by returning or by the signal');
}

/** The Worker runs and refuses to work: its own words say why. */
class Misconfigured extends Error {}

/**
 * Resolves when the Worker answers GET /healthz with success.
 *
 * @throws Misconfigured when it says what is wrong with its configuration
 */
async function healthy(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(`${url}/healthz`, { signal });
      // Read to its end: workerd reports a reader that goes away as an error.
      const text = await response.text();
      if (response.ok) return;
      if (response.status === 503 && response.headers.get('Content-Type')?.startsWith('application/problem+json'))
        throw new Misconfigured(String((JSON.parse(text) as { detail?: unknown }).detail));
    } catch (error) {
      if (error instanceof Misconfigured) throw error;
      signal.throwIfAborted();
    }
    await sleep(50, undefined, { signal });
  }
}

/** Where a setting named in `problem` stands: an argument wins over the secrets file, and that over wrangler.toml. */
function whereToMend(problem: string, root: string, secretsFile: string, args: readonly string[]): string {
  const there = readSecretsFile(secretsFile);
  const given = new Set(args.map((argument) => /^(?:--var=)?(\w+):/.exec(argument)?.[1]));
  const places = SETTINGS.filter(({ name }) => new RegExp(`\\b${name}\\b`).test(problem)).map(({ name, kind }) => {
    if (given.has(name)) return `--var ${name}:…`;
    return kind === 'secret' || name in there ? basename(secretsFile) : 'wrangler.toml';
  });
  return places.length === 0 ? root : [...new Set(places)].join(' and ');
}

async function requireFreePort(port: number): Promise<void> {
  if (port === 0 || (await isPortFree(port))) return;
  const free = await nextFreePort(port);
  throw new Stop(
    `Port ${port} is in use, perhaps by another \`npm start\`. Stop that program, or choose another port:` +
      `\nnpm start -- --port ${free ?? '<port>'}`,
  );
}

/**
 * Starts the Worker on this machine under `wrangler dev`: makes the secrets that are missing, applies
 * the migrations, and resolves once /healthz answers. Servers with different `persistTo` run side by
 * side. The server ends with this process, even if that is killed.
 *
 * @throws Stop when the port is taken, a migration fails, or the Worker does not start
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { port = 0, root = ROOT, quiet, timeout = quiet ? 60_000 : 120_000 } = options;
  await requireFreePort(port);

  const persistTo = resolve(root, options.persistTo ?? '.wrangler/state');
  mkdirSync(persistTo, { recursive: true });
  const projectSecrets = join(root, '.dev.vars');
  const secretsFile =
    options.secretsFile ?? (options.persistTo === undefined ? projectSecrets : join(persistTo, 'dev.vars'));
  const unreadable = unreadableLines(secretsFile);
  if (unreadable.length > 0) throw new Stop([...unreadable, `Mend ${secretsFile} and try again.`].join('\n'));
  ensureDevelopmentSecrets(secretsFile);

  const env: NodeJS.ProcessEnv = {
    ...wranglerEnvironment(),
    // Servers of the same name would overwrite each other's entry in wrangler's registry.
    WRANGLER_REGISTRY_PATH: join(persistTo, 'registry'),
    ...(coloured() && !quiet ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: '0' }),
    ...options.env,
  };
  await applyLocalMigrations(root, persistTo, env);
  const { entry } = options;
  const built = join(persistTo, 'dist');
  if (entry !== undefined) Object.assign(env, { CARREL_ENTRY: entry, CARREL_DIST: built });
  // Beside throwaway data these go with the data, even after a kill -9.
  const temporary = mkdtempSync(join(persistTo, 'tmp-'));

  const vars = Object.entries({ ...DEVELOPMENT_VARS, ...options.vars }).flatMap(([name, value]) => [
    '--var',
    `${name}:${value}`,
  ]);
  const child = spawn(
    process.execPath,
    [
      '--no-warnings',
      '--import',
      STOP_WITH_PARENT,
      wranglerEntry(),
      'dev',
      // Beside a named script wrangler would look for a configuration of its own.
      ...(entry === undefined ? [] : [join(built, 'index.js'), '--config', join(root, 'wrangler.toml')]),
      `--port=${port}`,
      `--persist-to=${persistTo}`,
      '--inspector-port=0',
      '--show-interactive-dev-session=false',
      ...vars,
      // Naming a file keeps wrangler from reading the checkout's own.
      ...(secretsFile === projectSecrets ? [] : ['--env-file', secretsFile]),
      ...(options.wranglerArguments ?? []),
    ],
    // A group of its own: Ctrl-C in a terminal reaches only us, and one signal reaches workerd too.
    {
      cwd: root,
      env: { ...env, ...temporaryFolder(temporary) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: process.platform !== 'win32',
    },
  );
  const { pid } = child;
  if (pid === undefined) throw new Stop('wrangler could not be started. Run npm ci and try again.');

  const ending = new AbortController();
  const late = new AbortController();
  let limit = setTimeout(() => late.abort(), timeout);
  let output = '';
  let phase: 'starting' | 'ready' | 'stopping' = 'starting';
  const pass = (source: Readable | null, target: NodeJS.WriteStream, failure: RegExp): void => {
    let begun = '';
    let dropping = false;
    const write = (lines: readonly string[]): void => {
      for (const line of lines) {
        // The empty lines around what is dropped go with it.
        if (dropping && line.trim() === '') continue;
        const kept = tidy(line);
        dropping = kept === undefined;
        if (kept !== undefined) target.write(`${kept}\n`);
      }
    };
    source?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT);
      // Until it is ready wrangler speaks of itself; an error is the exception.
      if (!quiet && (phase === 'ready' || (phase === 'starting' && failure.test(text)))) {
        const lines = `${begun}${text}`.split('\n');
        begun = lines.pop() ?? '';
        write(lines);
      }
      if (phase === 'starting' && text.includes('Build failed')) brokenBuild();
    });
    source?.once('end', () => begun !== '' && write([begun]));
  };
  // Wrangler waits for the next change of a file: right for a person, a waste of time for a test.
  const brokenBuild = (): void => {
    if (quiet) return ending.abort();
    clearTimeout(limit);
    process.stderr.write('  Waiting until that is mended; Ctrl-C stops.\n');
  };
  pass(child.stdout, process.stdout, /\[wrangler:error\]/);
  pass(child.stderr, process.stderr, /ERROR/);

  const ended = new Promise<void>((done) => void child.once('close', () => done()));
  const stop = async (): Promise<void> => {
    phase = 'stopping';
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await Promise.race([ended, sleep(5000, undefined, { ref: false })]);
    }
    killAll(pid);
    // A container without an init keeps dead processes in the group for ever, so this must end by itself.
    for (let waited = 0; signalGroup(pid, 0) && waited < 300; waited += 20) await sleep(20);
    rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
  };

  void ended.then(() => ending.abort());
  const deadline = AbortSignal.any([ending.signal, late.signal]);
  try {
    const actual = await listening(child, deadline);
    const url = `http://localhost:${actual}`;
    // A build that was broken took the limit away.
    clearTimeout(limit);
    limit = setTimeout(() => late.abort(), timeout);
    await healthy(url, deadline);
    phase = 'ready';
    return { url, port: actual, pid, ended, output: () => output, stop, kill: () => killAll(pid) };
  } catch (error) {
    await stop();
    if (error instanceof Misconfigured)
      throw new Stop(
        `${error.message}\nMend it in ${whereToMend(error.message, root, secretsFile, options.wranglerArguments ?? [])} and try again.`,
      );
    if (!deadline.aborted) throw error;
    if (/address already in use/i.test(output))
      throw new Stop('The port was taken by another program while the server started. Run the command again.');
    const what = ending.signal.aborted
      ? 'The server ended before it answered'
      : `The server did not answer within ${timeout / 1000} s`;
    const told = !quiet && ending.signal.aborted;
    throw new Stop(told ? `${what}. The errors are above.` : `${what}. Wrangler said:\n${lastWords(output, 20)}`);
  } finally {
    clearTimeout(limit);
  }
}

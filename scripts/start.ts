/**
 * `npm start`: Carrel on this machine, with a sign-in for development.
 * Arguments that are not ours go to `wrangler dev`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderConnectLines } from './lib/connect.ts';
import { type DevServer, startDevServer } from './lib/dev-server.ts';
import { ROOT } from './lib/paths.ts';
import { faint, heading, link, paragraph, runScript, Stop, strong, wrongUsage } from './lib/terminal.ts';

const DEFAULT_PORT = 8787;

const USAGE = `
  ${strong('npm start')} ${faint('[-- options]')}   starts Carrel on this machine

    --port PORT            where to listen (${DEFAULT_PORT}); 0 picks a free port
    --persist-to DIR       where to keep the data (.wrangler/state)
    other options          go to \`wrangler dev\`, such as --live-reload
`;

interface Arguments {
  readonly port: number;
  readonly persistTo: string | undefined;
  readonly help: boolean;
  readonly rest: readonly string[];
}

function readArguments(args: readonly string[]): Arguments {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: { port: { type: 'string' }, 'persist-to': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    strict: false,
    tokens: true,
  });
  const ours = new Set<number>();
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    // What follows an option that is not ours may be its value; anything else means nothing to anybody.
    if (token.kind === 'positional' && !(before?.kind === 'option' && before.index === token.index - 1))
      throw wrongUsage(`It takes no ${token.value}. A port is given with --port.`, USAGE);
    if (token.kind !== 'option' || !['port', 'persist-to', 'help'].includes(token.name)) continue;
    ours.add(token.index);
    if (token.name !== 'help' && token.inlineValue === false) ours.add(token.index + 1);
  }
  const port =
    values.port === undefined ? DEFAULT_PORT : typeof values.port === 'string' ? Number(values.port) : Number.NaN;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw wrongUsage('--port takes a whole number from 0 to 65535, such as --port 9000.', USAGE);
  const persistTo = values['persist-to'];
  if (persistTo !== undefined && (typeof persistTo !== 'string' || persistTo === ''))
    throw wrongUsage('--persist-to takes a folder, such as --persist-to /tmp/carrel.', USAGE);
  return { port, persistTo, help: values.help === true, rest: args.filter((_, index) => !ours.has(index)) };
}

function banner(url: string, seconds: number): string {
  return [
    heading('Carrel', `is running on this machine · ${seconds.toFixed(1)} s`),
    '',
    `  ${strong('MCP address')}   ${link(`${url}/mcp`)}`,
    `  ${strong('Start page')}    ${link(url)}`,
    `  ${strong('Sign in')}       with any e-mail address: this is a development server`,
    // It keeps no Secure cookie of an http address, not even of this machine.
    `                Safari cannot sign in on http://localhost: use another browser`,
    '',
    renderConnectLines(`${url}/mcp`),
    '',
    `  ${faint('Ctrl-C stops it. Requests and errors appear below.')}`,
    '',
    '',
  ].join('\n');
}

/** The process that started our parent: npm runs a script through a shell. Known on Linux only. */
function grandparent(): string {
  try {
    // The fourth field; the second is in parentheses and may hold anything.
    return (
      readFileSync(`/proc/${process.ppid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[1] ?? ''
    );
  } catch {
    return '';
  }
}

/** A killed npm must not leave the server behind; a shell that ends has no say in it. */
function whenNpmEnds(act: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const ancestors = (): string => `${process.ppid} ${grandparent()}`;
  const before = ancestors();
  setInterval(() => {
    if (ancestors() !== before) act();
  }, 1000).unref();
}

await runScript(async () => {
  const began = performance.now();
  const { port, persistTo, help, rest } = readArguments(process.argv.slice(2));
  if (help) return void process.stdout.write(`${USAGE}\n`);

  let server: DevServer | undefined;
  let asked = false;
  const stop = (): void => {
    // A server that is still starting ends with this process.
    if (server === undefined) process.exit();
    asked = true;
    void server.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  whenNpmEnds(stop);

  if (process.stdout.isTTY) process.stdout.write(`\n${paragraph(faint('Starting …'))}\n`);
  server = await startDevServer({
    port,
    ...(persistTo === undefined ? {} : { persistTo }),
    // The data folder may change; the secrets of this checkout stay.
    secretsFile: join(ROOT, '.dev.vars'),
    wranglerArguments: rest,
    quiet: false,
  });
  process.stdout.write(banner(server.url, (performance.now() - began) / 1000));
  await server.ended;
  if (!asked) throw new Stop('The server ended by itself; what it said is above. Start it again with npm start.');
  await server.stop();
  process.exit();
});

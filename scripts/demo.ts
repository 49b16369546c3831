/**
 * `npm run demo`: the main job without a human, on a server of its own that leaves nothing behind.
 * Exit status 0 only if every step held.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Browser } from './client/browser.ts';
import { AppAuth } from './client/mcp.ts';
import { comeBack, signIn, throughForms, work } from './client/tour.ts';
import type { Belongings } from './client/tour.ts';
import { startDevServer } from './lib/dev-server.ts';
import type { DevServer } from './lib/dev-server.ts';
import { StepFailed, Steps, untilInterrupted } from './lib/steps.ts';
import { faint, onlyHelp, runScript, strong } from './lib/terminal.ts';
import { lastWords } from './lib/wrangler.ts';

const USAGE = `
  ${strong('npm run demo')}   signs in, works, restarts, and finds everything again

    On a server of its own, on a free port, that leaves nothing behind.
`;

const EMAIL = 'ada@example.com';

/** The throwaway folder, from when there is one. */
let state = '';
/** The server of now, from the moment it begins to start: a start that is cut off must be cleaned up too. */
let server: Promise<DevServer> | undefined;

function start(port: number): Promise<DevServer> {
  server = startDevServer({ port, persistTo: state, quiet: true });
  return server;
}

async function leaveNothing(): Promise<void> {
  const running = await server?.catch(() => undefined);
  await running?.stop();
  if (state !== '') rmSync(state, { recursive: true, force: true, maxRetries: 3 });
}

async function demo(steps: Steps): Promise<void> {
  const first = await steps.step({
    name: 'Start on a free port',
    expected: 'a server that answers',
    run: () => start(0),
    note: ({ url }) => url,
  });

  const auth = new AppAuth();
  const made: Belongings = {};
  const client = await signIn(steps, first.url, auth, throughForms(new Browser(first.url), EMAIL));
  try {
    await work(steps, { origin: first.url, token: auth.accessToken, client }, made);
  } finally {
    await client.close();
  }

  await steps.step({
    name: 'Restart the server',
    expected: 'a server that answers on the same port, with the same state folder',
    run: async () => {
      await first.stop();
      // A token is for one origin, which the port is a part of.
      await start(first.port);
    },
    note: () => 'the same state folder',
  });
  await comeBack(steps, first.url, auth.accessToken, made as Required<Belongings>);
}

await runScript(async () => {
  if (onlyHelp(USAGE)) return;
  state = mkdtempSync(join(tmpdir(), 'carrel-demo-'));
  const steps = new Steps(
    'Carrel demo',
    'sign in, work, restart, and find everything again',
    untilInterrupted(leaveNothing),
  );
  try {
    await demo(steps);
  } catch (thrown) {
    if (!(thrown instanceof StepFailed)) throw thrown;
    const running = await server?.catch(() => undefined);
    if (running) steps.say('', faint('The server said last:'), ...lastWords(running.output()).split('\n'));
  } finally {
    await leaveNothing();
  }
  process.exitCode = steps.end();
});

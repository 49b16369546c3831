/**
 * `npm run smoke -- <url>`: the steps of the demo against any running deployment. Its file, its state
 * and its access are gone afterwards; the session stays, empty and archived, because no tool deletes
 * one. Exit status 0 only if every step held.
 */
import { parseArgs } from 'node:util';

import { type Client, UnauthorizedError } from '@modelcontextprotocol/client';
import * as z from 'zod';

import { isLoopbackHostname } from '../src/lib/loopback.ts';
import { Browser } from './client/browser.ts';
import { listenForCallback } from './client/callback.ts';
import { AppAuth, connectWithToken } from './client/mcp.ts';
import { leave, signIn, throughForms, work } from './client/tour.ts';
import type { Belongings, FollowLink } from './client/tour.ts';
import { causesOf, mustBe, StepFailed, Steps, Unexpected } from './lib/steps.ts';
import { faint, link, paragraph, runScript, Stop, strong, withUsage, wrongUsage } from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run smoke -- <url>')} ${faint('[options]')}   tries a running deployment

    <url>             its address, such as https://carrel.example.com
    --email ADDRESS   signs in with the development sign-in, without a human;
                      for a server that \`npm start\` runs on this machine

    With CARREL_TOKEN in the environment it uses that access token. With neither
    it prints a link, and waits until you have signed in in a browser.
    Each run leaves an empty, archived session and removes all else it made.
`;

const APP = 'Carrel smoke test';

interface Arguments {
  readonly origin: string;
  readonly email: string | undefined;
}

const usage = (problem: string): Stop => wrongUsage(problem, USAGE);

/** @throws Stop with the usage */
function readArguments(args: readonly string[]): Arguments | 'help' {
  const options = { email: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values, positionals } = withUsage(USAGE, () =>
    parseArgs({ args: [...args], options, allowPositionals: true }),
  );
  if (values.help === true) return 'help';
  const [address, ...more] = positionals;
  if (address === undefined) throw usage('Give the address of the deployment.');
  if (more.length > 0) throw usage('Give one address.');
  const url = URL.parse(address);
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw usage(`${address} is no address of a deployment: it must begin with https:// or http://.`);
  const loopback = isLoopbackHostname(url.hostname);
  // A token that goes over plain http can be read on the way.
  if (url.protocol === 'http:' && !loopback) throw usage('Only a server on this machine may be tried over http.');
  if (values.email !== undefined && !loopback)
    throw usage('--email is for a server on this machine: no other has the development sign-in.');
  const email = values.email?.trim().toLowerCase();
  if (email !== undefined && !z.email().safeParse(email).success)
    throw usage('--email takes an e-mail address, such as ada@example.com.');
  return { origin: url.origin, email };
}

/** A human in a browser: the link is printed, and a server on loopback waits for the way back. */
function throughBrowser(callback: Promise<URL>): FollowLink {
  return async (steps, url) => {
    steps.say('', 'Open this link in a browser, sign in and allow the access:', '', link(url.href), '');
    steps.say(faint('Waiting for you. Ctrl-C gives up.'), '');
    return steps.step({
      name: 'Sign in in the browser',
      expected: 'the way back with a code, after Allow',
      run: async () => {
        const back = await callback;
        const error = back.searchParams.get('error');
        if (error !== null) throw new Unexpected('the way back with a code', `the error ${error}`);
        return back;
      },
    });
  };
}

interface Visit {
  readonly client: Client;
  readonly token: string;
  /** The access that was asked for, to be given back. Undefined where somebody else gave us a token. */
  readonly auth: AppAuth | undefined;
}

async function enter(steps: Steps, { origin, email }: Arguments): Promise<Visit> {
  const token = process.env['CARREL_TOKEN'] ?? '';
  if (token !== '') {
    const client = await steps.step({
      name: 'Connect with CARREL_TOKEN',
      expected: 'a deployment that takes the token',
      run: () => connectWithToken(`${origin}/mcp`, token),
      note: (connected) => `MCP ${connected.getNegotiatedProtocolVersion() ?? ''}`,
    });
    return { client, token, auth: undefined };
  }
  if (email !== undefined) {
    const auth = new AppAuth({ name: APP });
    const client = await signIn(steps, origin, auth, throughForms(new Browser(origin), email));
    return { client, token: auth.accessToken, auth };
  }
  const listener = await listenForCallback();
  try {
    const auth = new AppAuth({ name: APP, redirectUrl: listener.redirectUrl });
    const client = await signIn(steps, origin, auth, throughBrowser(listener.callback));
    return { client, token: auth.accessToken, auth };
  } finally {
    listener.close();
  }
}

async function giveBack(steps: Steps, origin: string, auth: AppAuth): Promise<void> {
  await steps.step({
    name: 'Give the access back',
    expected: 'a token that is refused with 401 from here on',
    run: async () => {
      await auth.revoke();
      const { status } = await fetch(`${origin}/files`, { headers: { Authorization: `Bearer ${auth.accessToken}` } });
      mustBe('status', status, 401);
    },
  });
}

/** What to do about a step that failed, where the failure tells. */
function advice(failure: StepFailed, origin: string): string | undefined {
  const causes = causesOf(failure);
  if (causes.some((cause) => cause instanceof UnauthorizedError) && process.env['CARREL_TOKEN'])
    return 'The token in CARREL_TOKEN has expired, was given back, or belongs to another server.';
  if (!causes.some((cause) => cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'))
    return undefined;
  return isLoopbackHostname(new URL(origin).hostname)
    ? `Nothing listens at ${origin}. Is it running? npm start`
    : `Nothing listens at ${origin}. Is the address right?`;
}

class Interrupted extends Error {}

/** Rejects on Ctrl-C, so that it cleans up too. A second one ends the process at once. */
async function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Interrupted()));
  });
}

async function smoke(steps: Steps, input: Arguments): Promise<void> {
  const { client, token, auth } = await enter(steps, input);
  const made: Belongings = {};
  try {
    await Promise.race([work(steps, { origin: input.origin, token, client }, made), interruption()]);
  } finally {
    // Also after a step that failed: a deployment that people use must not fill up with tries.
    await leave(steps, client, made);
    await client.close();
    if (auth) await giveBack(steps, input.origin, auth);
  }
}

await runScript(async () => {
  const input = readArguments(process.argv.slice(2));
  if (input === 'help') return void process.stdout.write(`${USAGE}\n`);
  const steps = new Steps('Carrel smoke test', input.origin);
  try {
    await smoke(steps, input);
  } catch (thrown) {
    if (thrown instanceof Interrupted)
      throw new Stop('Interrupted. What was made is removed, but for an empty, archived session.');
    if (!(thrown instanceof StepFailed)) throw thrown;
    const hint = advice(thrown, input.origin);
    if (hint !== undefined) process.stdout.write(`\n${paragraph(hint, 4)}\n`);
  }
  process.exitCode = steps.end();
});

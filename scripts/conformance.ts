/**
 * `npm run conformance`: the official conformance suite against the real stack, signed in through
 * OAuth, on a server of its own that leaves nothing behind. Exit status 0 only if everything passed
 * but what is known that it cannot.
 */
import { ConformanceStack, isExpected, runConformance } from './lib/conformance.ts';
import { renderConformance } from './lib/conformance-report.ts';
import { suiteVersion } from './lib/conformance-suite.ts';
import { StepFailed, Steps, untilInterrupted } from './lib/steps.ts';
import { faint, onlyHelp, runScript, strong } from './lib/terminal.ts';
import { lastWords } from './lib/wrangler.ts';

const USAGE = `
  ${strong('npm run conformance')}   runs the official MCP conformance suite

    Both requirement sets of a server, 2026-07-28 and 2025-11-25, on a free port,
    with a toolset that only tests have; and the authorization server, with
    somebody who signs in in each way: with the development sign-in, a passkey
    in software, an OpenID Connect issuer on this machine, and GitHub. That
    last one is a stand-in on this machine: github.com wants a person.
`;

const stack = new ConformanceStack();

async function conformance(steps: Steps): Promise<void> {
  await steps.step({
    name: 'Start on a free port',
    expected: 'a server that answers, and a proxy in front of it',
    run: () => stack.start(),
    note: (origin) => origin,
  });
  await steps.step({
    name: 'Sign in through OAuth',
    expected: 'an access token for every scope, after sign-in and consent',
    run: () => stack.signIn(),
  });
  const report = await steps.step({
    name: 'Run the suite',
    expected: 'results of both requirement sets, and of the authorization server with each way to sign in',
    run: () => runConformance(stack),
    note: ({ outcomes }) => `${outcomes.length} scored`,
  });
  process.stdout.write(`${renderConformance(report)}\n`);
  process.exitCode = report.outcomes.every(isExpected) ? 0 : 1;
}

await runScript(async () => {
  if (onlyHelp(USAGE)) return;
  const steps = new Steps(
    'MCP conformance',
    `@modelcontextprotocol/conformance ${suiteVersion()}`,
    untilInterrupted(async () => stack.stop()),
  );
  process.exitCode = 1;
  try {
    await conformance(steps);
  } catch (thrown) {
    if (!(thrown instanceof StepFailed)) throw thrown;
    steps.say('', faint('The server said last:'), ...lastWords(await stack.log()).split('\n'));
  } finally {
    await stack.stop();
  }
});

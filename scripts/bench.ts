/**
 * `npm run bench`: how many requests a second the Worker answers, in workerd on this machine, beside the
 * SDK's own handler and npm `fastmcp`. Numbers are good for comparing within one run. Exit status 1 only
 * if something was answered wrongly: how fast it is fails nothing.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { caseNames } from './lib/bench/cases.ts';
import type { Case } from './lib/bench/cases.ts';
import { CONNECTIONS } from './lib/bench/load.ts';
import { PROFILE_FOLDER, renderProfiles, takeProfiles } from './lib/bench/profiles.ts';
import { renderBench } from './lib/bench/report.ts';
import { takeSample } from './lib/bench/rounds.ts';
import type { Sample, Series } from './lib/bench/rounds.ts';
import { BenchStack } from './lib/bench/stack.ts';
import { StepFailed, Steps, untilInterrupted } from './lib/steps.ts';
import { faint, runScript, strong, wholeNumber, withUsage, wrongUsage } from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run bench')} ${faint('[-- options]')}   how many requests a second it answers

    --rounds N      how often each case is measured (9)
    --seconds S     for how long each time (1; a profile 3)
    --case NAME     only this case; may be given several times
    --profile       a CPU profile of each case instead
    --out FOLDER    where profiles are left (.bench)
`;

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly names: readonly string[];
  readonly profile: boolean;
  /** Where profiles are left. */
  readonly folder: string;
}

/** @throws Stop with the usage */
function readOptions(args: readonly string[]): Options | 'help' {
  const options = {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string' },
    case: { type: 'string', multiple: true },
    profile: { type: 'boolean', default: false },
    out: { type: 'string', default: PROFILE_FOLDER },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values } = withUsage(USAGE, () => parseArgs({ args: [...args], options }));
  if (values.help === true) return 'help';
  const rounds = wholeNumber('rounds', values.rounds, 100, USAGE);
  const known = caseNames();
  const names = values.case ?? [];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw wrongUsage(`There is no case ${unknown}. There are: ${known.join(', ')}.`, USAGE);
  const seconds = Number(values.seconds ?? (values.profile ? 3 : 1));
  if (!(seconds >= 0.1 && seconds <= 60)) throw wrongUsage('--seconds takes a number from 0.1 to 60.', USAGE);
  return { rounds, seconds, names, profile: values.profile, folder: resolve(values.out) };
}

/** Every case in each round, so that what else the machine does meets all alike. */
async function measureRounds(
  steps: Steps,
  stack: BenchStack,
  cases: readonly Case[],
  { rounds, seconds }: Options,
): Promise<Series[]> {
  const all = cases.map((measured) => ({ measured, load: stack.load(measured), samples: [] as Sample[] }));
  const run = (name: string, duration: number) =>
    steps.step({
      name,
      expected: 'right answers only',
      run: async () => {
        const taken = [];
        for (const { measured, load } of all) taken.push(await takeSample(measured, load, duration));
        return taken;
      },
      note: () => `${cases.length} cases`,
    });
  // What is compiled, cached and connected in the first requests is no part of the others.
  await run('Warm up', Math.min(seconds, 1));
  for (let round = 1; round <= rounds; round++) {
    const taken = await run(`Round ${round} of ${rounds}`, seconds);
    for (const [index, sample] of taken.entries()) all[index]?.samples.push(sample);
  }
  return all;
}

async function bench(steps: Steps, stack: BenchStack, options: Options): Promise<void> {
  await steps.step({
    name: 'Start and furnish it',
    expected: 'a server that answers, and people who have signed in',
    run: () => stack.startCarrel(),
    note: ({ tools }) => `${tools} tools`,
  });
  const { names } = options;
  const cases = stack.cases().filter(({ name }) => names.length === 0 || names.includes(name));
  await steps.step({
    name: 'Start what it is compared with',
    expected: 'servers with as many tools',
    run: () => stack.startPeers(cases),
  });
  if (options.profile) {
    const profiles = await takeProfiles(steps, stack, cases, options);
    process.stdout.write(`${renderProfiles(profiles, options.folder)}\n`);
    return;
  }
  const series = await measureRounds(steps, stack, cases, options);
  process.stdout.write(`${renderBench(series, options)}\n`);
}

await runScript(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') return void process.stdout.write(`${USAGE}\n`);
  const stack = new BenchStack({ inspect: options.profile });
  const steps = new Steps(
    'Benchmark',
    `${CONNECTIONS} connections, kept alive`,
    untilInterrupted(async () => stack.stop()),
  );
  try {
    await bench(steps, stack, options);
  } catch (thrown) {
    if (!(thrown instanceof StepFailed)) throw thrown;
    process.exitCode = 1;
  } finally {
    await stack.stop();
  }
});

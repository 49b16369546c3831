import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { bundleSize, describeBundle, ENTRY_GZIP_LIMIT, kilobytes } from './lib/bundle-size.ts';
import { ROOT } from './lib/paths.ts';
import { coloured, faint, heading, MARKS, pad, strong } from './lib/terminal.ts';
import { runWrangler } from './lib/wrangler.ts';

/**
 * `npm run check`: everything that can be said about the code without running it. One line a step,
 * and of a step that failed all that its tool said. Exit status 1 if any failed.
 */

interface Outcome {
  readonly passed: boolean;
  /** A few words for the step's line. */
  readonly note: string;
  /** What the tool said, shown if it failed. */
  readonly output: string;
}

interface Step {
  readonly name: string;
  /** How to mend most of its failures, where a command does it. */
  readonly remedy?: string;
  readonly run: () => Promise<Outcome>;
}

/** Runs a tool of node_modules/.bin. */
async function tool(command: string, ...args: string[]): Promise<Outcome> {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: {
      ...process.env,
      PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
      // Its output goes through a pipe, so it cannot see by itself whether colours arrive.
      ...(coloured() && { FORCE_COLOR: '1' }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const passed = await new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      output += `${error.message}. Are the dependencies installed? Run \`npm ci\`.`;
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
  // Some colour their output in CI whatever they are told.
  return { passed, note: [command, ...args].join(' '), output: coloured() ? output : stripVTControlCharacters(output) };
}

/** Bundles the Worker as a deployment would and weighs it. */
async function bundle(): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'carrel-bundle-'));
  try {
    const { code, output } = await runWrangler(['deploy', '--dry-run', '--outdir', folder], { cwd: ROOT });
    if (code !== 0) return { passed: false, note: 'wrangler deploy --dry-run', output };
    const size = await bundleSize(folder);
    return {
      passed: size.entryGzip <= ENTRY_GZIP_LIMIT,
      note: `${describeBundle(size)}; gzip may be ${kilobytes(ENTRY_GZIP_LIMIT)}`,
      output: `The entry has ${size.entryGzip} bytes when gzipped; ${ENTRY_GZIP_LIMIT} are allowed. Load what is not always needed with import().`,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const STEPS: readonly Step[] = [
  { name: 'Format', remedy: 'npm run format', run: () => tool('oxfmt', '--check') },
  // Before the lint: where a type is missing, that has much to say of what follows from it.
  { name: 'Types', run: () => tool('tsc', '--noEmit') },
  { name: 'Lint', remedy: 'npx oxlint --fix', run: () => tool('oxlint') },
  { name: 'Dead code', run: () => tool('knip') },
  { name: 'Bundle', run: bundle },
];

/** Two at a time: with more, two cores only change places. The slow ones begin. */
const LANES: readonly (readonly string[])[] = [
  ['Bundle', 'Format'],
  ['Dead code', 'Types', 'Lint'],
];

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

async function timed(step: Step): Promise<Outcome & { step: Step; time: number }> {
  const began = performance.now();
  const outcome = await step.run();
  return { ...outcome, step, time: performance.now() - began };
}

const began = performance.now();
const running = new Map<string, ReturnType<typeof timed>>();
for (const lane of LANES) {
  let before: Promise<unknown> = Promise.resolve();
  for (const name of lane) {
    const step = STEPS.find((candidate) => candidate.name === name);
    if (!step) throw new Error(`No step is called ${name}`);
    const result = before.then(() => timed(step));
    running.set(name, result);
    before = result;
  }
}

process.stdout.write(`${heading('Check')}\n`);
const results = [];
for (const step of STEPS) {
  const result = await running.get(step.name);
  if (!result) throw new Error(`${step.name} has no lane`);
  results.push(result);
  const mark = result.passed ? MARKS.done() : MARKS.fault();
  process.stdout.write(
    `  ${mark} ${pad(step.name, 11)}${pad(seconds(result.time).padStart(6), 9)}${faint(result.note)}\n`,
  );
}

const failed = results.filter(({ passed }) => !passed);
for (const { step, output } of failed) {
  process.stdout.write(
    `${heading(step.name, step.remedy && `often mended by \`${step.remedy}\``)}\n\n${output.trimEnd()}\n`,
  );
}
const total = faint(`in ${seconds(performance.now() - began)}`);
process.stdout.write(
  failed.length === 0
    ? `\n  ${strong(`All ${STEPS.length} passed`)} ${total}\n\n`
    : `\n  ${strong(`${failed.length} of ${STEPS.length} failed: ${failed.map(({ step }) => step.name).join(', ')}`)} ${total}\n\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

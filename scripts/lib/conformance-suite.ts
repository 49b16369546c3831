import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Stop } from './terminal.ts';
import { lastWords } from './wrangler.ts';

/** One thing that a scenario looked at. Only a FAILURE counts against it; a WARNING is a recommendation not followed. */
export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly description: string;
  readonly errorMessage?: string;
}

/** What a scenario found. */
export interface Scenario {
  readonly name: string;
  readonly checks: readonly Check[];
}

const PACKAGE = dirname(fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/package.json')));

export function suiteVersion(): string {
  return (JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string }).version;
}

/** The scenarios that a server must pass to conform to a revision, in the suite's own order. */
export function scoredScenarios(revision: string): readonly string[] {
  const text = readFileSync(join(PACKAGE, 'requirements', `${revision}.yaml`), 'utf8');
  // A list of bare names under a key at the margin: no more of YAML is in it.
  const list = /^server:\n((?: {2}- \S+\n)+)/m.exec(text)?.[1] ?? '';
  return [...list.matchAll(/- (\S+)/g)].map(([, name = '']) => name);
}

export interface SuiteRun {
  /** The command and its options, but for where the results go. */
  readonly args: readonly string[];
  /** An empty folder for the results. */
  readonly results: string;
  /** How long it may take, in milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Is given all that was written to stdout, whenever that becomes more. */
  readonly onOutput?: (output: string) => void;
}

/**
 * Runs the suite to its end and reads what it found. Its exit status says less than its results.
 *
 * @throws Stop when it found nothing
 */
export async function runSuite({ args, results, timeout, signal, onOutput }: SuiteRun): Promise<readonly Scenario[]> {
  const child = spawn(process.execPath, [join(PACKAGE, 'dist/index.js'), ...args, '--output-dir', results], {
    cwd: dirname(results),
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    onOutput?.(output);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    throw new Stop(`The conformance suite was stopped: ${String(error)}\n${lastWords(output + errors)}`);
  });
  const scenarios = readResults(results);
  if (scenarios.length === 0)
    throw new Stop(`The conformance suite left no results. It said:\n${lastWords(output + errors, 20)}`);
  return scenarios;
}

/** A folder for each scenario: what was tested, the scenario, and when. */
function readResults(folder: string): Scenario[] {
  return readdirSync(folder).flatMap((entry) => {
    const name = /^(?:authorization-server|server)-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(entry)?.[1];
    if (name === undefined) return [];
    try {
      return [{ name, checks: JSON.parse(readFileSync(join(folder, entry, 'checks.json'), 'utf8')) as Check[] }];
    } catch {
      // A scenario that broke leaves no checks, and is missed by whoever expects it.
      return [];
    }
  });
}

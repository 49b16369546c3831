/**
 * `npm run bench:search`: how long a search takes in a workspace of 1,000 sources and in one of 10,000, side by side in
 * one workerd, and whether it finds what it must. Exit status 1 if something is not found, or if the median search of the
 * large workspace takes more than twice that of the small one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { bundleWorker } from './lib/bundle.ts';
import { LANGUAGES, makeQueries, PLANTED } from './lib/bench/search-corpus.ts';
import { isFastEnough, renderSearches } from './lib/bench/search-report.ts';
import type { SearchRow } from './lib/bench/search-report.ts';
import { startWorker } from './lib/bench/worker-host.ts';
import type { WorkerHost } from './lib/bench/worker-host.ts';
import { ROOT } from './lib/paths.ts';
import { mustBe, StepFailed, Steps } from './lib/steps.ts';
import { faint, runScript, strong, withUsage, wrongUsage } from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run bench:search')} ${faint('[-- options]')}   what a search costs in a small workspace and in a large one

    --sources N   of the large workspace, of 20 KB each (10000); the small one has a tenth
`;

/** Searches of one request: the way there and back counts a tenth. */
const TIMES = 10;
/** Sources of one request. */
const BATCH = 50;

/** @throws Stop with the usage */
function readSources(args: readonly string[]): number | 'help' {
  const options = { sources: { type: 'string', default: '10000' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values } = withUsage(USAGE, () => parseArgs({ args: [...args], options }));
  if (values.help === true) return 'help';
  const sources = Number(values.sources);
  if (!Number.isInteger(sources) || sources < 5000 || sources > 100_000)
    throw wrongUsage('--sources takes a whole number from 5000 to 100000.', USAGE);
  return sources;
}

type Workspace = 'few' | 'many';

class Client {
  readonly #host: WorkerHost;

  constructor(host: WorkerHost) {
    this.#host = host;
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const answer = await fetch(`${this.#host.url}/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`the Worker answered with ${answer.status}`);
    return answer.json();
  }

  /** @returns what the workspace holds then, in words */
  async fill(workspace: Workspace, sources: number): Promise<string> {
    let characters = 0;
    for (let from = 0; from < sources; from += BATCH) {
      const count = Math.min(BATCH, sources - from);
      characters += Number(await this.#post('fill', { workspace, from, count }));
    }
    const size = Number(await this.#post('size', { workspace }));
    return `${(characters / 1e6).toFixed(0)} million characters, a database of ${(size / 1e6).toFixed(0)} MB`;
  }

  async find(workspace: Workspace, query: string, session?: string): Promise<string[]> {
    return (await this.#post('search', { workspace, query, times: 1, session })) as string[];
  }

  /** Milliseconds of one search. */
  async time(workspace: Workspace, query: string): Promise<number> {
    const began = performance.now();
    await this.#post('search', { workspace, query, times: TIMES });
    return (performance.now() - began) / TIMES;
  }
}

async function start(folder: string): Promise<WorkerHost> {
  const bundle = join(folder, 'bundle');
  await bundleWorker({ root: ROOT, entry: 'scripts/lib/bench/search-worker.ts', folder: bundle });
  return startWorker({
    name: 'search',
    bundle,
    persistTo: join(folder, 'state'),
    compatibility: { date: '2026-09-25', flags: ['nodejs_compat'] },
    env: { SEARCH: { type: 'durable-object', worker: 'search', exportName: 'SearchBench' } },
    exports: { SearchBench: { type: 'durable-object', storage: 'sqlite' } },
  });
}

async function findPlanted(client: Client): Promise<void> {
  for (const { language, source, word, phrase } of PLANTED)
    for (const workspace of ['few', 'many'] as const)
      for (const query of [word, `"${phrase}"`, `${word} AND "${phrase}"`])
        mustBe(`${language}, ${query}, in ${workspace}`, await client.find(workspace, query), [`src_${source}`]);
}

async function measure(client: Client): Promise<SearchRow[]> {
  const rows: SearchRow[] = [];
  for (const [index, { kind, query }] of makeQueries().entries()) {
    // Who is first changes; the first time of each, which reads from the disk, does not count.
    const order = index % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const);
    const taken = { few: 0, many: 0 };
    for (const workspace of order) {
      await client.find(workspace, query);
      taken[workspace] = await client.time(workspace, query);
    }
    rows.push({ kind, ...taken });
  }
  return rows;
}

async function bench(steps: Steps, folder: string, sources: number): Promise<void> {
  const host = await steps.step({
    name: 'Start the Worker',
    expected: 'a Worker that answers',
    run: async () => start(folder),
  });
  try {
    const client = new Client(host);
    const few = sources / 10;
    for (const [workspace, count] of [
      ['few', few],
      ['many', sources],
    ] as const)
      await steps.step({
        name: `Add ${count.toLocaleString('en')} sources`,
        expected: 'all of them',
        run: async () => client.fill(workspace, count),
        note: (size) => size,
      });
    await steps.step({
      name: `Find in ${LANGUAGES.length} languages`,
      expected: 'what was planted, and nothing else',
      run: async () => findPlanted(client),
      note: () => PLANTED.map(({ word }) => word).join(', '),
    });
    const rows = await steps.step({
      name: 'Search',
      expected: 'answers to 200 queries',
      run: async () => measure(client),
    });
    process.stdout.write(`${renderSearches(rows, few, sources)}\n`);
    if (!isFastEnough(rows)) process.exitCode = 1;
  } finally {
    await host.stop();
  }
}

await runScript(async () => {
  const sources = readSources(process.argv.slice(2));
  if (sources === 'help') return void process.stdout.write(`${USAGE}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'carrel-bench-search-'));
  // On a signal miniflare stops its servers and ends the process, whoever else would have something to do.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const steps = new Steps('Search benchmark', `${sources.toLocaleString('en')} sources of 20 KB`);
  try {
    await bench(steps, folder, sources);
  } catch (thrown) {
    if (!(thrown instanceof StepFailed)) throw thrown;
    process.exitCode = 1;
  }
});

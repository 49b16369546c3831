/**
 * `npm run bench:extract`: how well and at what cost the main content of real pages is found. Each page of the corpus
 * is posted to a Worker in workerd. Exit status 1 if the quality is less than wanted: what it costs fails nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { PageReading } from '../src/research/page/model.ts';
import { bundleWorker } from './lib/bundle.ts';
import { serverCpuSeconds } from './lib/bench/cpu-time.ts';
import { isAsWanted, renderExtraction } from './lib/bench/extract-report.ts';
import type { PageRow } from './lib/bench/extract-report.ts';
import { corpusPages, PAGES, scorePage } from './lib/bench/page-corpus.ts';
import type { CorpusPage } from './lib/bench/page-corpus.ts';
import { startWorker } from './lib/bench/worker-host.ts';
import { ROOT } from './lib/paths.ts';
import { StepFailed, Steps } from './lib/steps.ts';
import { faint, runScript, Stop, strong, wholeNumber, withUsage } from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run bench:extract')} ${faint('[-- options]')}   the main content of real pages, and what finding it costs

    --rounds N   how often each page is read (20)
`;

/** @throws Stop with the usage */
function readRounds(args: readonly string[]): number | 'help' {
  const options = { rounds: { type: 'string', default: '20' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values } = withUsage(USAGE, () => parseArgs({ args: [...args], options }));
  if (values.help === true) return 'help';
  return wholeNumber('rounds', values.rounds, 1000, USAGE);
}

async function post(url: string, { bytes }: CorpusPage): Promise<PageReading> {
  const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'text/html' }, body: bytes });
  if (!answer.ok) throw new Error(`the Worker answered with ${answer.status}`);
  return (await answer.json()) as PageReading;
}

/** Runs something, and tells the CPU time in ms that the servers took for it. */
async function withCpu<Result>(run: () => Promise<Result>): Promise<{ result: Result; cpu: number | undefined }> {
  const before = serverCpuSeconds();
  const result = await run();
  const after = serverCpuSeconds();
  return { result, cpu: before === undefined || after === undefined ? undefined : (after - before) * 1000 };
}

async function measurePage(url: string, page: CorpusPage, rounds: number): Promise<PageRow> {
  const began = performance.now();
  const { result, cpu } = await withCpu(async () => {
    let reading = await post(url, page);
    for (let round = 1; round < rounds; round++) reading = await post(url, page);
    return reading;
  });
  const time = (performance.now() - began) / rounds;
  const score = scorePage(page, result);
  return { name: page.name, bytes: page.bytes.length, score, time, cpu: cpu === undefined ? undefined : cpu / rounds };
}

async function measure(steps: Steps, folder: string, pages: readonly CorpusPage[], rounds: number): Promise<void> {
  const host = await steps.step({
    name: 'Start the Worker',
    expected: 'a Worker that answers',
    run: async () => {
      await bundleWorker({ root: ROOT, entry: 'scripts/lib/bench/page-worker.ts', folder });
      const compatibility = { date: '2026-09-25', flags: ['nodejs_compat'] };
      const started = await startWorker({ name: 'pages', bundle: folder, compatibility, env: {} });
      await (await fetch(started.url)).text();
      return started;
    },
  });
  try {
    const middle = pages.toSorted((left, right) => left.bytes.length - right.bytes.length)[pages.length >> 1];
    const first = await steps.step({
      name: 'Read the first page',
      expected: 'a reading',
      run: async () => withCpu(async () => (middle ? post(host.url, middle) : undefined)),
    });
    const warm = async () => {
      for (const page of pages) await post(host.url, page);
    };
    await steps.step({ name: 'Warm up', expected: 'a reading of each', run: warm });
    const rows = await steps.step({
      name: `Read ${pages.length} pages`,
      expected: 'a reading of each',
      run: async () => {
        const measured: PageRow[] = [];
        for (const page of pages) measured.push(await measurePage(host.url, page, rounds));
        return measured;
      },
    });
    process.stdout.write(`${renderExtraction(rows, first.cpu, rounds)}\n`);
    if (!isAsWanted(rows)) process.exitCode = 1;
  } finally {
    await host.stop();
  }
}

await runScript(async () => {
  const rounds = readRounds(process.argv.slice(2));
  if (rounds === 'help') return void process.stdout.write(`${USAGE}\n`);
  const pages = corpusPages();
  if (pages.length === 0) throw new Stop(`There are no pages at ${PAGES}. The tests have pages of their own.`);
  const folder = mkdtempSync(join(tmpdir(), 'carrel-bench-extract-'));
  // On a signal miniflare stops its servers and ends the process, whoever else would have something to do.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const steps = new Steps('Page benchmark', `${pages.length} pages of the corpus`);
  try {
    await measure(steps, folder, pages, rounds);
  } catch (thrown) {
    if (!(thrown instanceof StepFailed)) throw thrown;
    process.exitCode = 1;
  }
});

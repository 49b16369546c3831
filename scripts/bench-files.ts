/**
 * `npm run bench:files`: how fast one file goes up and comes down, beside a Worker that only pipes the same bytes
 * into the same local R2 and out of it. Both run in one workerd, by turns. Exit status 1 only if something was
 * answered wrongly: how fast it is fails nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Browser } from './client/browser.ts';
import { call, connect, PersonalAuth } from './client/mcp.ts';
import { bundleWorker } from './lib/bundle.ts';
import { renderTransfers } from './lib/bench/transfer-report.ts';
import type { TransferRound } from './lib/bench/transfer-report.ts';
import { applyMigrations, projectWorker } from './lib/bench/project-worker.ts';
import { fetchBytes, sendBytes } from './lib/bench/transfer.ts';
import { startWorker } from './lib/bench/worker-host.ts';
import { ROOT } from './lib/paths.ts';
import { StepFailed, Steps } from './lib/steps.ts';
import { faint, runScript, strong, wholeNumber, withUsage } from './lib/terminal.ts';

const USAGE = `
  ${strong('npm run bench:files')} ${faint('[-- options]')}   how fast a file goes up and comes down

    --rounds N   how often each is measured (9)
    --mb N       megabytes of the file (256)
`;

interface Options {
  readonly rounds: number;
  readonly megabytes: number;
}

/** @throws Stop with the usage */
function readOptions(args: readonly string[]): Options | 'help' {
  const options = {
    rounds: { type: 'string', default: '9' },
    mb: { type: 'string', default: '256' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  const { values } = withUsage(USAGE, () => parseArgs({ args: [...args], options }));
  if (values.help === true) return 'help';
  return {
    rounds: wholeNumber('rounds', values.rounds, 100, USAGE),
    megabytes: wholeNumber('mb', values.mb, 4000, USAGE),
  };
}

/** Both Workers over one bucket. */
async function startBoth(folder: string) {
  const { options, migrations, buckets } = await projectWorker(folder);
  const bundle = join(folder, 'pipe');
  await bundleWorker({ root: ROOT, entry: 'scripts/lib/bench/pipe-worker.ts', folder: bundle });
  const name = buckets.get('FILES') ?? '';
  const beside = { name: 'pipe', bundle, env: { FILES: { type: 'r2', name } } } as const;
  const host = await startWorker({ ...options, beside });
  await applyMigrations(host, migrations);
  return host;
}

/** Asks for an address of ours each time, outside of what is measured. */
async function makeTransfers(carrel: string, pipe: string, size: number) {
  const client = await connect(
    `${carrel}/mcp`,
    new PersonalAuth(new Browser(carrel), 'ada@example.com', { name: 'B' }),
  );
  const path = 'transfer.bin';
  const transfers = {
    async up() {
      const { upload } = await call<{ upload: { url: string } }>(client, 'file_upload', { path, size });
      return sendBytes(upload.url, size);
    },
    async down() {
      const { download } = await call<{ download: { url: string } }>(client, 'file_link', { file: path });
      return fetchBytes(download.url, size);
    },
    pipeUp: async () => sendBytes(`${pipe}/${path}`, size),
    pipeDown: async () => fetchBytes(`${pipe}/${path}`, size),
  };
  return { transfers, close: async () => client.close() };
}

async function measure(steps: Steps, folder: string, { rounds, megabytes }: Options): Promise<void> {
  const host = await steps.step({
    name: 'Start both',
    expected: 'two Workers over one bucket',
    run: async () => startBoth(folder),
  });
  try {
    const { transfers, close } = await makeTransfers(host.url, host.besideUrl, megabytes * 1_000_000);
    const measured: TransferRound[] = [];
    // The first is no part of the others: it compiles, connects and fills caches.
    for (let round = 0; round <= rounds; round++) {
      const taken = await steps.step({
        name: round === 0 ? 'Warm up' : `Round ${round} of ${rounds}`,
        expected: 'right answers only',
        run: async (): Promise<TransferRound> => {
          // Who is first changes, because what the disk still has to write is paid by the next.
          if (round % 2 === 0) {
            const [up, pipeUp] = [await transfers.up(), await transfers.pipeUp()];
            return { up, pipeUp, down: await transfers.down(), pipeDown: await transfers.pipeDown() };
          }
          const [pipeUp, up] = [await transfers.pipeUp(), await transfers.up()];
          return { up, pipeUp, pipeDown: await transfers.pipeDown(), down: await transfers.down() };
        },
        note: ({ up, pipeUp }) => `up ${up.toFixed(0)} MB/s beside ${pipeUp.toFixed(0)}`,
      });
      if (round > 0) measured.push(taken);
    }
    await close();
    process.stdout.write(`${renderTransfers(measured, megabytes)}\n`);
  } finally {
    await host.stop();
  }
}

await runScript(async () => {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') return void process.stdout.write(`${USAGE}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'carrel-bench-files-'));
  // On a signal miniflare stops its servers and ends the process, whoever else would have something to do.
  process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const steps = new Steps('File benchmark', `one stream of ${options.megabytes} MB`);
  try {
    await measure(steps, folder, options);
  } catch (thrown) {
    if (!(thrown instanceof StepFailed)) throw thrown;
    process.exitCode = 1;
  }
});

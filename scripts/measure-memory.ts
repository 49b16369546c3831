/**
 * `npm run measure:memory`: uploads and downloads a large file (1 GB, or `-- --megabytes 300`) and
 * shows what memory the local server takes meanwhile. Exit status 0 only if it stays flat.
 *
 * It does so twice. The heap of a fresh server grows up to a level at which it begins to collect its
 * garbage; a Worker that only throws the body away grows as much. From there on nothing may grow.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Browser } from './client/browser.ts';
import { expectNoise, moveLargeFile } from './client/large-file.ts';
import type { Transfer } from './client/large-file.ts';
import { call, connect, PersonalAuth } from './client/mcp.ts';
import { startDevServer } from './lib/dev-server.ts';
import type { DevServer } from './lib/dev-server.ts';
import { StepFailed, Steps, Unexpected } from './lib/steps.ts';
import { faint, runScript, strong, wholeNumber, withUsage } from './lib/terminal.ts';

/** What a fresh server may take until its garbage is collected, and what it may take after that, in bytes. */
const FRESH_BOUND = 450e6;
const FLAT_BOUND = 200e6;

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

const USAGE = `
  ${strong('npm run measure:memory')} ${faint('[-- options]')}   moves a large file, watches the memory

    --megabytes SIZE   its size, from 1 to 5000 (1000)
`;

/** @throws Stop with the usage */
function readSize(args: readonly string[]): number | 'help' {
  const options = { megabytes: { type: 'string', default: '1000' }, help: { type: 'boolean', short: 'h' } } as const;
  const { values } = withUsage(USAGE, () => parseArgs({ args: [...args], options }));
  if (values.help === true) return 'help';
  return wholeNumber('megabytes', values.megabytes, 5000, USAGE) * 1e6;
}

function figures(size: number, { before, peak, after, seconds }: Transfer): string {
  return `${[before, peak, after].map(megabytes).join(' → ')}, ${megabytes(size / seconds)}/s`;
}

async function measure(steps: Steps, server: DevServer, size: number): Promise<void> {
  const auth = new PersonalAuth(new Browser(server.url), 'ada@example.com');
  const client = await connect(`${server.url}/mcp`, auth);
  const rounds = [
    { name: 'fresh', bound: FRESH_BOUND },
    { name: 'again', bound: FLAT_BOUND },
  ];
  const files = [];
  for (const { name, bound } of rounds) {
    const known = await expectNoise(size, name);
    const ticket = await call<{ file: { id: string }; upload: { url: string } }>(client, 'file_upload', {
      path: name,
      size,
      sha256: known.sha256,
    });
    files.push({ name, bound, known, ticket });
  }
  await client.close();

  const target = { origin: server.url, token: auth.accessToken, group: server.pid };
  for (const { name, bound, known, ticket } of files) {
    const moved = await steps.step({
      name: `${megabytes(size)} up and down, ${name}`,
      expected: 'the same bytes back, and memory that stays flat',
      run: async () => {
        const both = await moveLargeFile(target, ticket, known);
        const growth = Math.max(both.upload.peak, both.download.peak) - both.upload.before;
        if (growth > bound)
          throw new Unexpected(`at most ${megabytes(bound)} more memory`, `${megabytes(growth)} more`);
        return { ...both, growth };
      },
      note: ({ growth }) => `at most ${megabytes(growth)} more`,
    });
    steps.say(`upload    ${figures(size, moved.upload)}`, `download  ${figures(size, moved.download)}`);
  }
}

await runScript(async () => {
  const size = readSize(process.argv.slice(2));
  if (size === 'help') return void process.stdout.write(`${USAGE}\n`);
  const state = mkdtempSync(join(tmpdir(), 'carrel-memory-'));
  const steps = new Steps('Memory of workerd', 'before → peak → after');
  let server: DevServer | undefined;
  try {
    server = await startDevServer({ persistTo: state, quiet: true });
    await measure(steps, server, size);
  } catch (thrown) {
    if (!(thrown instanceof StepFailed)) throw thrown;
  } finally {
    await server?.stop();
    rmSync(state, { recursive: true, force: true, maxRetries: 3 });
  }
  process.exitCode = steps.end();
});

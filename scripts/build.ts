import { resolve } from 'node:path';

import { bundleWorker } from './lib/bundle.ts';
import { ROOT } from './lib/paths.ts';

/**
 * `npm run build`: the Worker as it is uploaded, in `dist`. Wrangler runs it before `dev` and `deploy`
 * and again when a file of `src` changes.
 *
 * CARREL_ENTRY and CARREL_DIST build another Worker elsewhere: one with toolsets that only tests have.
 */
const entry = process.env['CARREL_ENTRY'] ?? 'src/index.ts';
const folder = resolve(ROOT, process.env['CARREL_DIST'] ?? 'dist');

try {
  await bundleWorker({ root: ROOT, entry, folder });
} catch (error) {
  // esbuild's message says all there is to say; a stack would hide it. Its headline goes last: whoever
  // waits for it, such as a quiet server that then ends, has the faults by then.
  const [headline = '', ...faults] = (error instanceof Error ? error.message : String(error)).split('\n');
  process.stderr.write(`${[...faults, headline.replace(/:$/, '')].join('\n')}\n`);
  process.exitCode = 1;
}

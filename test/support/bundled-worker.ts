import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll } from 'vitest';

import { startWorker } from '../../scripts/lib/bench/worker-host.ts';
import type { WorkerHost } from '../../scripts/lib/bench/worker-host.ts';
import { bundleWorker } from '../../scripts/lib/bundle.ts';
import { ROOT } from '../../scripts/lib/paths.ts';

/** A Worker that is bundled and minified as ours is, and runs for the tests of one `describe`. */
export interface BundledWorker {
  readonly url: string;
  /** The names of its modules. */
  readonly modules: () => string[];
  readonly source: (module: string) => string;
  /** Bytes of a module when gzipped. */
  readonly gzipped: (module: string) => number;
}

/** @param entry the module with its default export, seen from the checkout */
export function useBundledWorker(name: string, entry: string): BundledWorker {
  let folder = '';
  let worker: WorkerHost | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), `carrel-${name}-`));
    await bundleWorker({ root: ROOT, entry, folder });
    const compatibility = { date: '2026-09-25', flags: ['nodejs_compat'] };
    worker = await startWorker({ name, bundle: folder, compatibility, env: {} });
  }, 60_000);
  afterAll(async () => {
    await worker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const source = (module: string) => readFileSync(join(folder, module), 'utf8');
  return {
    get url() {
      if (!worker) throw new Error('the Worker has not started yet');
      return worker.url;
    },
    modules: () => readdirSync(folder).filter((module) => module.endsWith('.js')),
    source,
    gzipped: (module) => gzipSync(source(module)).length,
  };
}

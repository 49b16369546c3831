import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { build } from 'esbuild';

export interface BundleOptions {
  /** The checkout: where the entry, the packages and tsconfig.json are found. */
  readonly root: string;
  /** The module with the Worker's default export, seen from `root`. */
  readonly entry: string;
  /** Gets `index.js`, a chunk for each `import()` and what is WebAssembly; other modules in it are removed. */
  readonly folder: string;
}

/**
 * Bundles the Worker for workerd. Wrangler's own bundler puts everything into one module; here each
 * `import()` becomes a module of its own, which an isolate loads when it first needs it.
 *
 * Servers of one checkout share the folder: a file is replaced in one step, and only when it changes,
 * because each change reloads whoever watches it.
 *
 * @throws Error with esbuild's words, one fault a line
 */
export async function bundleWorker({ root, entry, folder }: BundleOptions): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { index: entry },
    outdir: folder,
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    // WebAssembly is a module of its own: a Worker may not compile it from bytes.
    loader: { '.wasm': 'copy' },
    alias: { debug: './src/lib/no-debug.ts' },
    define: { 'process.env.NODE_ENV': '"production"' },
    minify: true,
    // Each name that is kept is a call, on the way of every request that makes a function.
    keepNames: false,
    sourcemap: 'linked',
    logLevel: 'silent',
  });
  const wanted = new Set(outputFiles.map(({ path }) => relative(folder, path)));
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of outputFiles) {
    if (isSame(path, contents)) continue;
    // Beside the folder, where no other build looks for what is left over, and on the same disk.
    const temporary = `${folder}.${randomUUID()}.tmp`;
    writeFileSync(temporary, contents);
    renameSync(temporary, path);
  }
  // A chunk of an earlier build would be uploaded with this one. Another build may remove it at the same time.
  for (const name of readdirSync(folder))
    if (MODULE.test(name) && !wanted.has(name)) rmSync(join(folder, name), { force: true });
}

/** What a build writes, and so may remove. */
const MODULE = /^[\w-]+\.(?:js(?:\.map)?|wasm)$/;

function isSame(path: string, contents: Uint8Array): boolean {
  try {
    const there = new Uint8Array(readFileSync(path));
    return there.byteLength === contents.byteLength && there.every((byte, index) => byte === contents[index]);
  } catch {
    return false;
  }
}

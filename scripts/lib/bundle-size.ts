import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A Worker starts by parsing its entry; what is over this, gzipped, belongs into a module that is loaded when needed. */
export const ENTRY_GZIP_LIMIT = 200_000;

export interface BundleSize {
  /** The entry's bytes, as wrangler would upload them. */
  readonly entry: number;
  readonly entryGzip: number;
  /** What is uploaded beside the entry: modules that are loaded when needed, WebAssembly. */
  readonly others: number;
}

/** Weighs what `wrangler deploy --dry-run --outdir <folder>` wrote of `src/index.ts`. */
export async function bundleSize(folder: string): Promise<BundleSize> {
  const entry = 'index.js';
  const code = await readFile(join(folder, entry));
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  // Source maps and wrangler's README are not uploaded as modules.
  const others = files.filter((file) => file.isFile() && file.name !== entry && !/\.(?:map|md)$/.test(file.name));
  const sizes = await Promise.all(others.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return {
    entry: code.byteLength,
    entryGzip: gzipSync(code, { level: 9 }).byteLength,
    others: sizes.reduce((sum, size) => sum + size, 0),
  };
}

/** The sizes in a line, as each command that names them does. */
export function describeBundle({ entry, entryGzip, others }: BundleSize): string {
  const beside = others === 0 ? '' : `, ${kilobytes(others)} beside it`;
  return `entry ${kilobytes(entry)}, gzip ${kilobytes(entryGzip)}${beside}`;
}

/** 123456 as `123 KB`; a KB is 1,000 bytes. */
export function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1000).toLocaleString('en')} KB`;
}

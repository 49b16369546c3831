import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A Worker starts by parsing its entry; what is over this, gzipped, belongs into a module that is loaded when needed. */
export const ENTRY_GZIP_LIMIT = 200_000;

export interface BundleSize {
  /** Bytes of what an isolate parses before its first request: the entry and what it imports at once. */
  readonly entry: number;
  readonly entryGzip: number;
  /** What is uploaded beside the entry: modules that are loaded when needed, WebAssembly. */
  readonly others: number;
}

/** What a module imports at once; `import()` has a parenthesis. */
const STATIC_IMPORT = /(?:\bfrom|\bimport)\s*["']\.\/([^"']+)["']/g;

/** Weighs what `wrangler deploy --dry-run --outdir <folder>` wrote. */
export async function bundleSize(folder: string): Promise<BundleSize> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  // Source maps and wrangler's README are not uploaded as modules.
  const modules = files
    .filter((file) => file.isFile() && !/\.(?:map|md)$/.test(file.name))
    .map((file) => join(file.parentPath, file.name));
  const size = { entry: 0, entryGzip: 0, others: 0 };
  const atOnce = new Set([join(folder, 'index.js')]);
  for (const path of atOnce) {
    const code = await readFile(path);
    size.entry += code.byteLength;
    size.entryGzip += gzipSync(code, { level: 9 }).byteLength;
    for (const [, name = ''] of code.toString().matchAll(STATIC_IMPORT)) atOnce.add(join(folder, name));
  }
  for (const path of modules) if (!atOnce.has(path)) size.others += (await stat(path)).size;
  return size;
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

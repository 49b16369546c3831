import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The home of a program that keeps its tokens on the disk. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'carrel-client-'));

  /** Changes fields of the JSON of the one file, at any depth, whose name ends so. */
  edit(ending: string, changes: Record<string, unknown>): void {
    const files = readdirSync(this.path, { recursive: true, encoding: 'utf8' });
    const [file, ...others] = files.filter((name) => name.endsWith(ending));
    if (file === undefined || others.length > 0) throw new Error(`not one ${ending}: ${files.join(', ')}`);
    const path = join(this.path, file);
    const before = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...before, ...changes }));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

import { byteLength } from '../lib/encoding.ts';
import { nameFault } from './names.ts';

/** Bytes of a path in UTF-8, and folders above a file: deep enough for any tree, bounded for every reader. */
const MAX_PATH_BYTES = 1024;
const MAX_DEPTH = 20;

/**
 * What is wrong with the path of a file within its session, as a clause that follows the word `path`, or
 * undefined. It is relative, with `/` between names: `reports/2026/q3.pdf`.
 */
export function pathFault(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (byteLength(path) > MAX_PATH_BYTES) return `has more than ${MAX_PATH_BYTES} bytes in UTF-8`;
  if (path.startsWith('/')) return 'begins with a slash: it is relative to the session';
  if (path.endsWith('/')) return 'ends with a slash: give the path of a file, not of a folder';
  const names = path.split('/');
  if (names.length > MAX_DEPTH + 1) return `has more than ${MAX_DEPTH} folders`;
  for (const name of names) {
    const fault = name === '' ? 'has two slashes with nothing between' : nameFault(name);
    if (fault !== undefined) return names.length === 1 ? fault : `has a part that is wrong: it ${fault}`;
  }
  return undefined;
}

/** The last name of a path: `q3.pdf`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The folder of a path with the slash behind it, `reports/2026/`; empty for one in no folder. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

/** A path with a number before its extension, `q3 (2).pdf`: for a copy beside what is there. */
export function numbered(path: string, number: number): string {
  const name = baseName(path);
  const dot = name.lastIndexOf('.');
  const stem = dot > 0 ? name.slice(0, dot) : name;
  return `${folderOf(path)}${stem} (${number})${name.slice(stem.length)}`;
}

import { byteLength } from '../../lib/encoding.ts';
import { MAX_NAME_BYTES, nameFault } from '../names.ts';
import { baseName, numbered } from '../paths.ts';

/** What Windows takes in no name; a colon there leads to another drive, or to a stream that nobody sees. */
const NOT_ON_WINDOWS = /[<>:"|?*]/g;

/**
 * What files are called in an archive, in their order: all beneath one folder, so that unpacking one spills nothing
 * around. Paths of the shelf lead nowhere else; but two that differ here may be one where they are unpacked (`A.txt`
 * and `a.txt` on Windows and macOS, a file and a folder of one name anywhere), and one of them would be lost. The
 * later one gets a number.
 *
 * @param top the folder of all
 * @param paths of the shelf, beneath it
 */
export function entryNames(top: string, paths: readonly string[]): string[] {
  const portable = paths.map((path) => path.replaceAll(NOT_ON_WINDOWS, '_'));
  const folders = new Set(portable.flatMap(foldersOf));
  const taken = new Set<string>();
  return portable.map((path) => {
    let name = path;
    for (let number = 2; taken.has(folded(name)) || folders.has(folded(name)); number++)
      name = withNumber(path, number);
    taken.add(folded(name));
    return `${top}/${name}`;
  });
}

/** The last folder of a path such as `reports/2026/`, or else a name for all of a session. */
export function topFolder(folder: string, sessionSlug: string): string {
  const top = baseName(folder.slice(0, -1)).replaceAll(NOT_ON_WINDOWS, '_') || sessionSlug;
  // A slug may be a name that Windows keeps for a device.
  return nameFault(top) === undefined ? top : `session-${top}`;
}

/** Equal for names that some file system takes for one: without regard to case and to how a character is composed. */
const folded = (name: string) => name.normalize('NFC').toLowerCase().toUpperCase().normalize('NFC');

function foldersOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => folded(names.slice(0, index + 1).join('/')));
}

/** A path with a number, whose last name is still one that every file system takes. */
function withNumber(path: string, number: number): string {
  let stem = path;
  for (;;) {
    const name = numbered(stem, number);
    const last = baseName(name);
    if (byteLength(last) <= MAX_NAME_BYTES) return name;
    stem = shortened(stem);
  }
}

/** Without the last character before the extension, or without the last of all. */
function shortened(path: string): string {
  const name = baseName(path);
  const dot = name.lastIndexOf('.');
  const end = dot > 0 ? path.length - name.length + dot : path.length;
  return path.slice(0, end).replace(/.$/su, '') + path.slice(end);
}

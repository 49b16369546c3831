import { byteLength } from '../lib/encoding.ts';
import { hasHiddenText } from '../lib/hidden-text.ts';

/** What common file systems take, in bytes of UTF-8: a file must be storable where it is downloaded. */
const MAX_NAME_BYTES = 255;

/**
 * What is wrong with a file's name (trimmed and in NFC), as a clause that follows the word `name`,
 * or undefined. Every script is welcome; a path, an empty name and hidden characters are not.
 */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (byteLength(name) > MAX_NAME_BYTES) return `has more than ${MAX_NAME_BYTES} bytes in UTF-8`;
  if (/[/\\]/.test(name)) return 'has a slash: give the name of the file, not its path';
  if (name === '.' || name === '..') return 'is the name of a folder';
  if (hasHiddenText(name)) return 'has a control character or one that cannot be seen';
  return undefined;
}

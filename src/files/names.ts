import { byteLength } from '../lib/encoding.ts';
import { hasHiddenText } from '../lib/hidden-text.ts';

/** What common file systems take, in bytes of UTF-8: a file must be storable where it is downloaded. */
export const MAX_NAME_BYTES = 255;

/** Names that Windows keeps for devices, with any extension (learn.microsoft.com, "Naming Files, Paths, and Namespaces"). */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i;

/**
 * What is wrong with one name of a path (in NFC), as a clause that follows it, or undefined. Every script is
 * welcome; what some file system cannot hold is not, because a file must be storable where it is downloaded.
 */
export function nameFault(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (byteLength(name) > MAX_NAME_BYTES) return `has more than ${MAX_NAME_BYTES} bytes in UTF-8`;
  if (/[/\\]/.test(name)) return 'has a backslash: folders are separated by /';
  if (name === '.' || name === '..') return 'points to a folder: . and .. are no names';
  if (/[. ]$/.test(name)) return 'ends with a dot or a space';
  if (name.startsWith(' ')) return 'begins with a space';
  if (RESERVED.test(name)) return 'is a name that Windows keeps for a device';
  if (hasHiddenText(name)) return 'has a control character or one that cannot be seen';
  return undefined;
}

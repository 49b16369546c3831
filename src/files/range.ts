import type { ByteRange } from './bucket.ts';

/**
 * The part of a file that a `Range` header asks for (RFC 9110 §14.2).
 *
 * @param size of the file, in bytes
 * @returns undefined for the whole file: no header, one that is malformed or of another unit, or
 *   several ranges, all of which a server may ignore; `unsatisfiable` when the file has no such bytes (416)
 */
export function parseRange(header: string | null, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i.exec(header ?? '');
  if (!match) return undefined;
  const [, first, last = '', suffix] = match;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
  }
  const offset = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  // A last byte before the first makes the header invalid, wherever the file ends.
  if (last !== '' && Number(last) < offset) return undefined;
  return offset >= size ? 'unsatisfiable' : { offset, length: end - offset + 1 };
}

/**
 * Whether a list of entity tags has this one: `If-None-Match` compares weakly, `If-Match` strongly (RFC 9110 §13.1.1,
 * §13.1.2).
 */
export function matchesEntityTag(
  header: string | null,
  entityTag: string,
  comparison: 'weak' | 'strong' = 'weak',
): boolean {
  if (header === null) return false;
  if (header.trim() === '*') return true;
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => (comparison === 'weak' ? tag.replace(/^W\//, '') : tag) === entityTag);
}

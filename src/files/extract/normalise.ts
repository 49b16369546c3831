/**
 * Text as everybody downstream expects it: well-formed Unicode in NFC, lines ended by LF, at most two
 * blank lines in a row, no control characters but tab and line feed. A soft hyphen goes, with the end
 * of line that it stands before, which joins the halves of a word again; Latin ligatures become the
 * letters that they join, so that a search for `office` finds them.
 */
export function normaliseText(text: string): string {
  return (
    text
      .toWellFormed()
      .replaceAll(/\r\n?|[\v\f\u0085\u2028\u2029]/g, '\n')
      // oxlint-disable-next-line no-control-regex -- They are what is dropped.
      .replaceAll(/[\0-\x08\x0E-\x1F\x7F-\x9F\uFEFF]/g, '')
      .replaceAll(/\u00AD+(?:\n(?=\p{L}))?/gu, '')
      .replaceAll(/[\uFB00-\uFB06]/g, (ligature) => ligature.normalize('NFKC'))
      .normalize('NFC')
      .replaceAll(/\n(?:[ \t]*\n){3,}/g, '\n\n\n')
  );
}

/** A line of text, as a title or a label: without line breaks and runs of space, cut at `limit` code units. */
export function oneLine(text: string, limit: number): string {
  const line = normaliseText(text).replaceAll(/\s+/g, ' ').trim();
  return line.length <= limit ? line : `${cut(line, limit - 1).trimEnd()}…`;
}

/** The beginning of a text, at most `limit` code units, without half a surrogate pair at its end. */
export function cut(text: string, limit: number): string {
  return text.slice(0, boundary(text, limit));
}

/** The place at `index` or one before it, where no surrogate pair is broken. */
export function boundary(text: string, index: number): number {
  const inside = isLow(text.charCodeAt(index)) && isHigh(text.charCodeAt(index - 1));
  return inside ? index - 1 : index;
}

const isHigh = (unit: number) => unit >= 0xd8_00 && unit <= 0xdb_ff;
const isLow = (unit: number) => unit >= 0xdc_00 && unit <= 0xdf_ff;

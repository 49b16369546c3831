/** Ends a charstring (Adobe Technical Note 5177, §4.3). */
const ENDCHAR = 14;
/** The operator of a dictionary that says where the charstrings are (Adobe Technical Note 5176, §9). */
const CHAR_STRINGS = 17;
/** Such operators that are followed. One is right. */
const MAX_CHAR_STRINGS = 4;

/**
 * Puts `endchar` into the place of every outline of a CFF program, so that none calls a subroutine: ten
 * levels of them that each call the next a thousand times would be followed for ever. What the glyphs are
 * called and which characters they stand for stays.
 *
 * @param bytes from the header of the program on, are changed
 * @returns whether there are no outlines now; if not, the program must not be used
 */
export function blankOutlines(bytes: Uint8Array): boolean {
  for (const [from, to] of outlinesOf(bytes) ?? []) bytes.fill(ENDCHAR, from, to);
  // Places that overlap with what says where they are would have moved.
  const outlines = outlinesOf(bytes);
  return outlines?.every(([from, to]) => bytes.subarray(from, to).every((byte) => byte === ENDCHAR)) ?? false;
}

/** Where the data of the charstrings are, or undefined where the program cannot be understood. */
function outlinesOf(bytes: Uint8Array): [from: number, to: number][] | undefined {
  // pdf.js takes whatever comes before the first 1 for something else.
  const start = bytes.indexOf(1);
  if (start === -1) return undefined;
  const cff = bytes.subarray(start);
  const names = readIndex(cff, cff[2] ?? 0);
  const dictionaries = names && readIndex(cff, names.end);
  const [from, to] = dictionaries?.offsets ?? [];
  if (from === undefined || to === undefined) return undefined;
  const outlines: [number, number][] = [];
  const places = charStringOffsets(cff.subarray(from, to));
  if (places.length > MAX_CHAR_STRINGS) return undefined;
  for (const place of places) {
    const index = readIndex(cff, place);
    if (!index) return undefined;
    const ends = index.offsets.map((end) => Math.min(Math.max(0, end), cff.length));
    if (ends.length > 0) outlines.push([start + minimum(ends), start + maximum(ends)]);
  }
  return outlines.length > 0 ? outlines : undefined;
}

interface Index {
  /** Of each object and of the end of the last. */
  readonly offsets: readonly number[];
  readonly end: number;
}

/** An INDEX (Technical Note 5176, §5). */
function readIndex(cff: Uint8Array, at: number): Index | undefined {
  const count = ((cff[at] ?? 0) << 8) | (cff[at + 1] ?? 0);
  if (count === 0) return { offsets: [], end: at + 2 };
  const size = cff[at + 2] ?? 0;
  const first = at + 3;
  const base = first + (count + 1) * size - 1;
  if (size < 1 || size > 4 || base > cff.length) return undefined;
  const offsets = Array.from({ length: count + 1 }, (_, index) => {
    let offset = 0;
    for (let byte = 0; byte < size; byte++) offset = (offset << 8) + (cff[first + index * size + byte] ?? 0);
    return base + offset;
  });
  return { offsets, end: offsets[count] ?? 0 };
}

/** The operands of each `CharStrings` of a dictionary (Technical Note 5176, §4). */
function charStringOffsets(dictionary: Uint8Array): number[] {
  const view = new DataView(dictionary.buffer, dictionary.byteOffset, dictionary.byteLength);
  const found: number[] = [];
  let operands: number[] = [];
  for (let at = 0; at < dictionary.length;) {
    const byte = dictionary[at] ?? 0;
    if (byte <= 21) {
      if (byte === CHAR_STRINGS) found.push(...operands.slice(0, 1));
      operands = [];
      at += byte === 12 ? 2 : 1;
    } else if (byte === 28 && at + 3 <= dictionary.length) {
      operands.push(view.getInt16(at + 1));
      at += 3;
    } else if (byte === 29 && at + 5 <= dictionary.length) {
      operands.push(view.getInt32(at + 1));
      at += 5;
    } else if (byte === 30) {
      operands.push(NaN);
      at += 1;
      // A real number ends with a nibble of fifteen.
      while (at < dictionary.length && ((dictionary[at] ?? 0) & 0xf) !== 0xf && (dictionary[at] ?? 0) >> 4 !== 0xf)
        at += 1;
      at += 1;
    } else if (byte >= 247 && byte <= 254) {
      const next = dictionary[at + 1] ?? 0;
      operands.push(byte <= 250 ? (byte - 247) * 256 + next + 108 : -(byte - 251) * 256 - next - 108);
      at += 2;
    } else {
      operands.push(byte >= 32 ? byte - 139 : NaN);
      at += 1;
    }
  }
  return found;
}

const minimum = (numbers: readonly number[]) => numbers.reduce((least, each) => Math.min(least, each));
const maximum = (numbers: readonly number[]) => numbers.reduce((most, each) => Math.max(most, each));

/** A piece of a text file, cut between characters. */
export interface TextWindow {
  readonly text: string;
  /** Where it begins and ends in the bytes that it was cut from. */
  readonly start: number;
  readonly end: number;
  /** Some bytes are no UTF-8; U+FFFD stands in their place. */
  readonly lossy: boolean;
}

/** A byte that continues a character of UTF-8. */
const continues = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/**
 * Decodes a piece of a UTF-8 file without breaking a character at either end: one that began before
 * the piece is left to the piece before, one that goes on after it to the next.
 *
 * @param isFirst the piece begins where the file begins; a byte order mark there is left out
 * @param isLast the piece ends where the file ends
 * @param budget what the text may cost: as many characters as it takes in JSON, and for other than
 *   ASCII as many as it has bytes, because a token holds fewer of those
 */
export function decodeWindow(bytes: Uint8Array, isFirst: boolean, isLast: boolean, budget: number): TextWindow {
  let start = 0;
  // A character has at most three more bytes: beyond that the bytes are no UTF-8 at all, and are shown as such.
  if (!isFirst) while (start < 3 && continues(bytes[start])) start += 1;

  let end = start;
  for (let cost = 0; end < bytes.length; end += 1) {
    cost += costInJson(bytes[end] ?? 0);
    if (cost > budget) break;
  }
  if (end < bytes.length || !isLast) end = lastBoundary(bytes, start, end);

  const piece = bytes.subarray(start, end);
  const ignoreBOM = !isFirst;
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM }).decode(piece), start, end, lossy: false };
  } catch {
    return { text: new TextDecoder('utf-8', { fatal: false, ignoreBOM }).decode(piece), start, end, lossy: true };
  }
}

/** Where to cut at `end` or up to three bytes before it, so that no character is broken. */
function lastBoundary(bytes: Uint8Array, start: number, end: number): number {
  let lead = end - 1;
  while (lead > end - 4 && continues(bytes[lead])) lead -= 1;
  const length = characterLength(bytes[lead]);
  return lead > start && lead + length > end ? lead : end;
}

/** Bytes of the character that begins with this one. */
function characterLength(lead: number | undefined): number {
  if (lead === undefined || lead < 0xc0) return 1;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function costInJson(byte: number): number {
  if (byte === 0x22 || byte === 0x5c || (byte >= 0x08 && byte <= 0x0d && byte !== 0x0b)) return 2;
  return byte < 0x20 ? 6 : 1;
}

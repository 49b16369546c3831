/** Bytes, or code units of UTF-16. */
export type Units = Uint8Array | Uint16Array;

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** What {@link CsvScanner.next} says where the row goes on beyond what is here. */
export const INCOMPLETE = -1;

/**
 * Finds the rows and fields of CSV (RFC 4180) in units whose ASCII is ASCII, without copying or decoding any. A row is looked
 * at from its beginning each time, so reading can go on anywhere where a row begins.
 *
 * Fields in quotes may hold delimiters, line breaks and doubled quotes; a quote within a field that does not begin with one is
 * a character like others. Lines end by LF, CR LF or CR.
 */
export class CsvScanner {
  /** Of the row that was found: where each field's content begins and ends, without its quotes. */
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** Whether doubled quotes stand in the field. */
  readonly doubled: boolean[] = [];
  count = 0;
  /** A quote that ends a field is followed by something else, or is missing. */
  wellFormed = true;
  /** The last field has a quote that is never closed. */
  open = false;
  /** All of the row is ASCII. */
  ascii = true;
  /** Line breaks of the row, the one at its end among them. */
  lines = 0;

  readonly #delimiter: number;

  constructor(delimiter: string) {
    this.#delimiter = delimiter.charCodeAt(0);
  }

  /**
   * The row that begins at `from`.
   *
   * @param last whether nothing comes after `to`
   * @returns where the next row begins, or {@link INCOMPLETE}
   */
  next(units: Units, from: number, to: number, last: boolean): number {
    this.count = 0;
    this.wellFormed = true;
    this.open = false;
    this.lines = 0;
    let seen = 0;
    let at = from;
    for (;;) {
      let start = at;
      let end = -1;
      let doubled = false;
      if (at < to && units[at] === QUOTE) {
        start = at + 1;
        at = start;
        for (;;) {
          if (at >= to) {
            if (!last) return INCOMPLETE;
            this.wellFormed = false;
            this.open = true;
            end = to;
            break;
          }
          const unit = units[at] as number;
          seen |= unit;
          if (unit === QUOTE) {
            if (at + 1 >= to && !last) return INCOMPLETE;
            if (at + 1 < to && units[at + 1] === QUOTE) {
              doubled = true;
              at += 2;
              continue;
            }
            end = at;
            at += 1;
            break;
          }
          if (unit === LF || (unit === CR && units[at + 1] !== LF)) this.lines += 1;
          at += 1;
        }
      }
      const quoted = end >= 0;
      for (; at < to; at++) {
        const unit = units[at] as number;
        if (unit === this.#delimiter || unit === LF || unit === CR) break;
        seen |= unit;
        if (quoted) this.wellFormed = false;
      }
      if (at >= to && !last) return INCOMPLETE;
      this.starts[this.count] = start;
      this.ends[this.count] = quoted ? end : at;
      this.doubled[this.count] = doubled;
      this.count += 1;
      if (at < to && units[at] === this.#delimiter) {
        at += 1;
        continue;
      }
      this.ascii = seen < 0x80;
      if (at >= to) return to;
      this.lines += 1;
      if (units[at] === LF) return at + 1;
      // Whether an LF follows is not known yet.
      if (at + 1 >= to && !last) return INCOMPLETE;
      return at + 1 < to && units[at + 1] === LF ? at + 2 : at + 1;
    }
  }

  /** The row is an empty line, which is none. */
  get isEmpty(): boolean {
    return this.count === 1 && this.starts[0] === this.ends[0];
  }
}

/** Code units of a field that are kept. The rest of it is read past. */
const FIELD_CHARACTERS = 1000;
/** Rows by which a delimiter is judged. */
const SAMPLE_ROWS = 50;
const DELIMITERS = [',', ';', '\t', '|'] as const;

export interface CsvRow {
  /** The first `maxCells`, each cut at 1000 code units. */
  readonly cells: readonly string[];
  /** How many cells there are. */
  readonly width: number;
  /** Its quotes are as they should be. */
  readonly wellFormed: boolean;
}

/**
 * Reads CSV (RFC 4180) that comes in pieces, keeping no more than one row: fields in quotes may hold
 * delimiters, line breaks and doubled quotes; lines end by LF, CR LF or CR; empty lines are no rows.
 */
export class CsvReader {
  readonly #delimiter: number;
  readonly #maxCells: number;
  readonly #onRow: (row: CsvRow) => void;
  #cells: string[] = [];
  #width = 0;
  #field = '';
  #wellFormed = true;
  /** `closed` is behind a quote that ends the field, unless another one follows. */
  #state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';

  constructor(delimiter: string, maxCells: number, onRow: (row: CsvRow) => void) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#maxCells = maxCells;
    this.#onRow = onRow;
  }

  write(text: string): void {
    // Where what is not yet in the field begins.
    let from = 0;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (this.#state === 'quoted') {
        if (unit !== QUOTE) continue;
        this.#keep(text, from, at);
        this.#state = 'closed';
        from = at + 1;
      } else if (unit === QUOTE && this.#state === 'start') {
        this.#state = 'quoted';
        from = at + 1;
      } else if (unit === QUOTE && this.#state === 'closed' && from === at) {
        // The second of two quotes stands for one; `from` lets it in.
        this.#state = 'quoted';
      } else if (unit === this.#delimiter) {
        this.#endField(text, from, at);
        from = at + 1;
      } else if (unit === LF || unit === CR) {
        // The LF of a CR LF ends an empty line, which is no row.
        this.#endRow(text, from, at);
        from = at + 1;
      } else if (this.#state === 'closed') {
        this.#wellFormed = false;
        this.#state = 'plain';
      } else this.#state = 'plain';
    }
    this.#keep(text, from, text.length);
  }

  /** Ends the last row, which may have no line break. */
  end(): void {
    if (this.#state === 'quoted') this.#wellFormed = false;
    this.#endRow('', 0, 0);
  }

  #isEmpty(): boolean {
    return this.#state === 'start' && this.#width === 0;
  }

  #keep(text: string, from: number, to: number): void {
    const room = FIELD_CHARACTERS - this.#field.length;
    if (to > from && room > 0) this.#field += text.slice(from, Math.min(to, from + room));
  }

  #endField(text: string, from: number, to: number): void {
    this.#keep(text, from, to);
    if (this.#width < this.#maxCells) this.#cells.push(this.#field);
    this.#width += 1;
    this.#field = '';
    this.#state = 'start';
  }

  #endRow(text: string, from: number, to: number): void {
    if (this.#isEmpty()) return;
    this.#endField(text, from, to);
    this.#onRow({ cells: this.#cells, width: this.#width, wellFormed: this.#wellFormed });
    this.#cells = [];
    this.#width = 0;
    this.#wellFormed = true;
  }
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** The delimiter that cuts the beginning of a file into the most columns while nearly all rows have as many. */
export function sniffDelimiter(sample: string): string {
  let best: string = DELIMITERS[0];
  let bestScore = 0;
  for (const delimiter of DELIMITERS) {
    const widths: number[] = [];
    const reader = new CsvReader(delimiter, 0, ({ width }) => {
      if (widths.length < SAMPLE_ROWS) widths.push(width);
    });
    reader.write(sample);
    // The sample may end in the middle of a row; that is all there is of a file of one row.
    if (widths.length === 0) reader.end();
    const counts = Map.groupBy(widths, (width) => width);
    const [width = 1, rows = []] = [...counts].toSorted(([, a], [, b]) => b.length - a.length)[0] ?? [];
    // That the rows agree counts more than how many columns they have.
    const score = width === 1 ? 0 : rows.length / widths.length + Math.min(width, 100) / 1000;
    if (score > bestScore) [best, bestScore] = [delimiter, score];
  }
  return best;
}

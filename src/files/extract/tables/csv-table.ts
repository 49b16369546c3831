import { typeOfText } from './cell-types.ts';
import { ColumnCounts, MAX_COLUMNS, shortened } from './columns.ts';
import { CsvReader, sniffDelimiter } from './csv.ts';
import type { CsvRow } from './csv.ts';
import type { TableSummary } from './model.ts';

/** Code units by which the delimiter is judged. */
const SAMPLE_CHARACTERS = 64 * 1024;

/** Counts a table of CSV or TSV while it comes. */
export class CsvTable {
  readonly #format: 'csv' | 'tsv';
  readonly #headRows: number;
  #sample = '';
  #delimiter = '';
  #reader: CsvReader | undefined;
  #names: readonly string[] | undefined;
  #width = 0;
  #rows = 0;
  #badRows = 0;
  readonly #counts = new ColumnCounts();
  readonly #head: string[][] = [];

  /** @param headRows rows that are shown */
  constructor(format: 'csv' | 'tsv', headRows: number) {
    this.#format = format;
    this.#headRows = headRows;
  }

  write(text: string): void {
    if (this.#reader) {
      this.#reader.write(text);
      return;
    }
    this.#sample += text;
    if (this.#sample.length >= SAMPLE_CHARACTERS) this.#begin();
  }

  /** @param more the file goes on; then the row that was begun does not count */
  summary(more: boolean): TableSummary | undefined {
    if (!this.#reader) this.#begin();
    if (!more) this.#reader?.end();
    if (this.#names === undefined) return undefined;
    const columns = this.#counts.columns(this.#names, this.#rows);
    return {
      format: this.#format,
      columns,
      rows: this.#rows,
      more,
      head: this.#head.map((row) => columns.map((_, index) => row[index] ?? '')),
      badRows: this.#badRows,
      delimiter: this.#delimiter,
    };
  }

  #begin(): void {
    let text = this.#sample;
    this.#sample = '';
    // Excel writes and reads a first line that names the delimiter.
    const declared = /^sep=(.)(?:\r\n?|\n)/.exec(text);
    if (declared) text = text.slice(declared[0].length);
    this.#delimiter = declared?.[1] ?? (this.#format === 'tsv' ? '\t' : sniffDelimiter(text));
    this.#reader = new CsvReader(this.#delimiter, MAX_COLUMNS, (row) => this.#row(row));
    this.#reader.write(text);
  }

  #row({ cells, width, wellFormed }: CsvRow): void {
    if (this.#names === undefined) {
      this.#width = width;
      const named = cells.some((cell) => typeOfText(cell) === 'string');
      this.#names = named ? cells : [];
      if (named) return;
    }
    this.#rows += 1;
    if (!wellFormed || width !== this.#width) this.#badRows += 1;
    const count = Math.min(cells.length, this.#width);
    for (let index = 0; index < count; index++) this.#counts.add(index, typeOfText(cells[index] ?? ''));
    if (this.#head.length < this.#headRows) this.#head.push(cells.map((cell) => shortened(cell)));
  }
}

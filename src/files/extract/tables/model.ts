/** What a column's cells are. `mixed` are cells of several of these; `nested` are objects and lists, in JSON only. */
export type ColumnType = 'integer' | 'number' | 'boolean' | 'date' | 'string' | 'nested' | 'mixed' | 'empty';

export interface TableColumn {
  /** As the file has it; `column 3` where it has none. */
  readonly name: string;
  readonly type: ColumnType;
  /** Cells without a value, those of rows that are too short among them. */
  readonly empty: number;
}

export type Cell = string | number | boolean | null;

/** What a file of data holds, as far as it was read. All text in it is the file's own. */
export interface TableSummary {
  readonly format: 'csv' | 'tsv' | 'json' | 'jsonl';
  /** At most 1000. */
  readonly columns: readonly TableColumn[];
  /** Rows of data, bad ones among them; there are at least so many when there is `more`. */
  readonly rows: number;
  /** The file goes on beyond what was read. */
  readonly more: boolean;
  /** The first rows, a cell for each column: text as it stands for CSV and TSV, values for JSON. Long ones are cut. */
  readonly head: readonly (readonly Cell[])[];
  /** Rows with too few or too many cells or wrong quotes; in JSON those that are no object where others are, or no JSON. */
  readonly badRows: number;
  /** Between the cells of CSV and TSV. */
  readonly delimiter?: string;
  /** Of JSON: its keys and types, in the way that TypeScript writes types. */
  readonly schema?: string;
}

/** What one description may cost. */
export interface TableLimits {
  /** Bytes of CSV, TSV and JSON Lines that are read. */
  readonly bytes: number;
  /** Bytes of JSON, which is read as a whole. */
  readonly jsonBytes: number;
  /** Wall time in ms, that of waiting for the bytes included. */
  readonly milliseconds: number;
}

export const TABLE_LIMITS: TableLimits = { bytes: 32_000_000, jsonBytes: 8_000_000, milliseconds: 10_000 };

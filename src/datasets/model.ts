import * as z from 'zod';

import { CarrelError } from '../lib/errors.ts';
import { RESERVED } from './words.ts';

/** Of one table; what SQLite has room for. */
export const MAX_COLUMNS = 2000;
/** Of one table. */
export const MAX_ROWS = 20_000_000;
/** Tables of a workspace. */
export const MAX_TABLES = 100;
/** Bytes of all tables of a workspace, as they are stored. */
export const MAX_STORED_BYTES = 2_000_000_000;
/** Bytes of a file that becomes a table. */
export const MAX_SOURCE_BYTES = 5_000_000_000;
/** Bytes of a row, as the file has it. */
export const MAX_ROW_BYTES = 1_000_000;
/** Bad rows that are kept; all are counted. */
export const MAX_KEPT_BAD_ROWS = 10_000;
/** Bad rows may not fill the room: characters of one that are kept. */
export const BAD_ROW_CHARACTERS = 500;

/** Of one query: rows and bytes of its file, the time that it computes, and the tables that it names. */
export const MAX_RESULT_ROWS = 1_000_000;
export const MAX_RESULT_BYTES = 100_000_000;
export const QUERY_MILLISECONDS = 20_000;
export const MAX_QUERY_TABLES = 10;
export const MAX_SQL_CHARACTERS = 20_000;
/** What sorting and the like may put aside. */
export const MAX_SPILLED_BYTES = 500_000_000;

/** How long an import that does not go on, and a result that nobody fetches, are kept. */
export const KEPT_MILLISECONDS = 7 * 86_400_000;

export const COLUMN_TYPES = ['integer', 'real', 'boolean', 'date', 'timestamp', 'text', 'json'] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];

export interface Column {
  /** As SQL names it. */
  readonly name: string;
  readonly type: ColumnType;
  /** As the file has it, where that is another. */
  readonly header?: string | undefined;
}

export const FORMATS = ['csv', 'tsv', 'json', 'jsonl', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** The side table of a table's bad rows. */
export const BAD_ROWS_SUFFIX = '_bad_rows';

/** The name of a table: no word of SQL, and none that needs quotes. */
export const tableName = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z][a-z0-9_]{0,49}$/, 'is no name such as flights_2026: a letter, then letters, digits and _, 50 at most')
  .refine((name) => !RESERVED.has(name), 'is a word of SQL: take another')
  .refine((name) => !name.startsWith('sqlite_') && !name.endsWith(BAD_ROWS_SUFFIX), 'is taken: take another');

/** The file that a table was made of, as it was then. */
export interface SourceFile {
  readonly id: string;
  readonly path: string;
  readonly version: number;
  readonly session: string;
}

export interface Dataset {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly rows: number;
  readonly badRows: number;
  /** As it is stored. */
  readonly bytes: number;
  /** Bytes that the texts of one row have together at most. */
  readonly longest: number;
  readonly format: Format;
  readonly source: SourceFile;
  /** ms since the epoch. */
  readonly createdAt: number;
}

/** What is to become a table. */
export interface ImportPlan {
  readonly table: string;
  /** Whether a table of that name may be replaced. The old one stays until the new one is complete. */
  readonly replace: boolean;
  readonly format: Format;
  readonly source: SourceFile;
  /** Where its bytes are, and how many. */
  readonly objectKey: string;
  readonly size: number;
  /** Whether the first row names the columns; `auto` looks. CSV and TSV only. */
  readonly header: 'auto' | 'yes' | 'no';
  readonly delimiter?: string | undefined;
  /** A label of the Encoding Standard; left out, it is found out. */
  readonly encoding?: string | undefined;
}

/** How far an import is. */
export interface ImportProgress {
  /** Rows are looked at first, so that each column gets the type that fits all of its values. */
  readonly phase: 'look' | 'load' | 'done';
  /** Of the file, in both phases together. */
  readonly bytes: number;
  readonly totalBytes: number;
  readonly rows: number;
  readonly badRows: number;
}

export type Scalar = string | number | null;

export interface QueryPlan {
  readonly sql: string;
  readonly parameters: readonly (Scalar | boolean)[] | Readonly<Record<string, Scalar | boolean>>;
  readonly format: 'csv' | 'jsonl';
  /** Rows of the file at most. */
  readonly limit: number;
}

export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: number;
  /** There were more rows than are in the file. */
  readonly truncated: boolean;
  /** Of the file. */
  readonly bytes: number;
  /** In how many pieces the file is kept. */
  readonly parts: number;
  /** The first rows. */
  readonly preview: readonly (readonly Scalar[])[];
  readonly milliseconds: number;
}

/** The same for a table that was removed and for none. */
export function noSuchTable(name: string, nearest: readonly string[]): CarrelError {
  return new CarrelError('not_found', 'There is no such table. `dataset_list` shows those there are.', {
    details: { table: name.slice(0, 60), ...(nearest.length === 0 ? {} : { nearest: nearest.join(', ') }) },
  });
}

export function tooManyBytes(): CarrelError {
  return new CarrelError(
    'too_large',
    'The tables of this workspace have no more room. Remove some with `dataset_delete`.',
    {
      details: { limit: MAX_STORED_BYTES },
    },
  );
}

/** What a call of the object gives, as values: an exception that leaves an object counts as a failure of the object. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: Pick<CarrelError, 'code' | 'message' | 'details'> };

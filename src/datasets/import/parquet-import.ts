import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';

import { parquetMetadataAsync, parquetRead, parquetSchema } from 'hyparquet';
import type { AsyncBuffer, Compressors, FileMetaData, ParquetParsers, SchemaElement, SchemaTree } from 'hyparquet';

import type { FileBucket } from '../../files/bucket.ts';
import { CarrelError } from '../../lib/errors.ts';
import { MAX_ROWS } from '../model.ts';
import type { Column, ColumnType, ImportPlan } from '../model.ts';
import { columnsOf } from './column-names.ts';
import { checkColumns } from './look.ts';
import type { TableWriter } from './table-writer.ts';

/** Bytes that are fetched and held at once; of a row group without an index of its pages, all columns together. */
const FETCHED_BYTES = 32_000_000;
/** Rows and bytes (before compression) that are decoded at once, and rows of a step. */
const DECODED_ROWS = 50_000;
const DECODED_BYTES = 4_000_000;
const STEP_ROWS = 200_000;
/** Bytes of one page. Writers make pages of about 1 MB. */
const INFLATED_BYTES = 32_000_000;

/** An import of Parquet, between two steps. Its types are declared: nothing has to be looked at before. */
export interface ParquetState {
  readonly kind: 'parquet';
  readonly phase: 'load';
  /** Names of the columns as the file has them. */
  readonly names: readonly string[];
  readonly columns: readonly Column[];
  /** The row with which the next step begins, and how many there are. */
  next: number;
  readonly total: number;
  rows: number;
  badRows: number;
  /** See `longest` of a dataset. */
  longest: number;
}

/** @throws CarrelError `invalid_input` for what is no Parquet, `too_large`, `unsupported` */
export async function beginParquet(bucket: FileBucket, plan: ImportPlan): Promise<ParquetState> {
  const metadata = await readMetadata(bucket, plan);
  const leaves = parquetSchema(metadata).children;
  checkColumns(leaves.length);
  const names = leaves.map(({ element }) => element.name);
  const total = metadata.row_groups.reduce((sum, { num_rows: rows }) => sum + Number(rows), 0);
  if (total > MAX_ROWS)
    throw new CarrelError('too_large', 'The file has more rows than a table can have.', {
      details: { limit: MAX_ROWS },
    });
  if (new Set(names).size < names.length || names.length === 0) throw broken();
  return {
    kind: 'parquet',
    phase: 'load',
    names,
    columns: columnsOf(names, leaves.map(typeOf)),
    next: 0,
    total,
    rows: 0,
    badRows: 0,
    longest: 0,
  };
}

/** Stores the rows of one step. @returns whether they were the last */
export async function loadParquet(
  bucket: FileBucket,
  plan: ImportPlan,
  state: ParquetState,
  writer: TableWriter,
): Promise<boolean> {
  const metadata = await readMetadata(bucket, plan);
  const file = remembering(fileOf(bucket, plan));
  const isUtc = parquetSchema(metadata).children.map(({ element }) => isAdjusted(element));
  const until = Math.min(state.total, state.next + STEP_ROWS);
  while (state.next < until) {
    const rowEnd = Math.min(until, endOfRange(metadata, state.next));
    const rows = await readRange(file, metadata, state.next, rowEnd);
    if (rows.length !== rowEnd - state.next) throw broken();
    for (const row of rows) {
      for (const [index, { type }] of writer.columns.entries()) {
        const value = row[index];
        if (value === null || value === undefined) continue;
        if (type === 'timestamp' && typeof value === 'string')
          writer.text(index, isUtc[index] === true ? `${value}Z` : value);
        else writer.value(index, type, storable(value));
      }
      writer.insert();
    }
    state.next = rowEnd;
    await scheduler.wait(0);
  }
  return state.next >= state.total;
}

async function readRange(
  file: AsyncBuffer,
  metadata: FileMetaData,
  rowStart: number,
  rowEnd: number,
): Promise<unknown[][]> {
  try {
    let rows: unknown[][] = [];
    const onComplete = (read: unknown[][]) => (rows = read);
    const options = { file, metadata, rowStart, rowEnd, compressors, parsers, geoparquet: false, useOffsetIndex: true };
    await parquetRead({ ...options, onComplete });
    return rows;
  } catch (thrown) {
    if (thrown instanceof CarrelError) throw thrown;
    throw broken(thrown);
  }
}

/** As many rows as may be decoded at once, within one row group. @throws CarrelError `too_large`, `unsupported` */
function endOfRange({ row_groups: groups }: FileMetaData, from: number): number {
  let begin = 0;
  for (const { num_rows: count, columns, total_byte_size: bytes } of groups) {
    const end = begin + Number(count);
    if (from < end) {
      const fetched = columns.reduce((sum, { meta_data: chunk }) => sum + Number(chunk?.total_compressed_size ?? 0), 0);
      const hasIndex = columns.every(({ offset_index_offset: offset }) => offset !== undefined);
      if (fetched > FETCHED_BYTES && !hasIndex)
        throw new CarrelError(
          'too_large',
          'A row group of the file is too large. Write it with smaller row groups, such as of 100,000 rows.',
          { details: { bytes: fetched, limit: FETCHED_BYTES } },
        );
      for (const { meta_data: chunk } of columns)
        if (chunk && !(chunk.codec in compressors) && chunk.codec !== 'UNCOMPRESSED' && chunk.codec !== 'SNAPPY')
          throw new CarrelError(
            'unsupported',
            'The file is compressed in a way that is not read here: take zstd, gzip or snappy.',
            {
              details: { codec: chunk.codec },
            },
          );
      const perRow = Math.max(1, Number(bytes) / Math.max(1, Number(count)));
      return Math.min(end, from + Math.max(1, Math.min(DECODED_ROWS, Math.floor(DECODED_BYTES / perRow))));
    }
    begin = end;
  }
  return from;
}

async function readMetadata(bucket: FileBucket, plan: ImportPlan): Promise<FileMetaData> {
  try {
    return await parquetMetadataAsync(fileOf(bucket, plan));
  } catch (thrown) {
    if (thrown instanceof CarrelError) throw thrown;
    throw broken(thrown);
  }
}

function fileOf(bucket: FileBucket, { objectKey, size }: ImportPlan): AsyncBuffer {
  return {
    byteLength: size,
    async slice(start, end = size) {
      if (start < 0 || end > size || end < start || end - start > FETCHED_BYTES) throw broken();
      const stream = await bucket.get(objectKey, { offset: start, length: end - start });
      if (!stream) throw new CarrelError('not_found', 'The bytes of the file are no longer there.');
      return new Response(stream).arrayBuffer();
    },
  };
}

/** Parts of a row group are read from the same bytes, where it has no index of its pages. */
function remembering(file: AsyncBuffer): AsyncBuffer {
  const kept = new Map<string, ArrayBuffer>();
  let bytes = 0;
  return {
    byteLength: file.byteLength,
    async slice(start, end = file.byteLength) {
      const key = `${start}-${end}`;
      const there = kept.get(key);
      if (there) return there;
      const read = await file.slice(start, end);
      bytes += read.byteLength;
      if (bytes > FETCHED_BYTES) {
        kept.clear();
        bytes = read.byteLength;
      }
      kept.set(key, read);
      return read;
    },
  };
}

const zlib =
  (inflate: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array) =>
  (bytes: Uint8Array, length: number): Uint8Array => {
    if (length > INFLATED_BYTES) throw new RangeError('a page is too large');
    // What says that it is small and is not must not become large. workerd counts whole pieces of 16 KB.
    return inflate(bytes, { maxOutputLength: length + 65_536 });
  };

const compressors: Compressors = {
  GZIP: zlib(gunzipSync),
  BROTLI: zlib(brotliDecompressSync),
  ZSTD: zlib(zstdDecompressSync),
};

/** Time as text in ISO 8601; what no date can say is left out. */
const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (value) => instant(value, 3),
  timestampFromMicroseconds: (value) => instant(value, 6),
  timestampFromNanoseconds: (value) => instant(value, 9),
  dateFromDays: (days) => isoOf(days * 86_400_000)?.slice(0, 10),
};

function instant(value: bigint, digits: number): string | undefined {
  const unit = 10n ** BigInt(digits);
  const fraction = ((value % unit) + unit) % unit;
  const iso = isoOf(Number((value - fraction) / unit) * 1000);
  const rest = fraction.toString().padStart(digits, '0').replace(/0+$/, '');
  return iso && `${iso.slice(0, 19)}${rest === '' ? '' : `.${rest}`}`;
}

function isoOf(milliseconds: number): string | undefined {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** Bytes have no place in a table; they are shown in hexadecimal. */
function storable(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return value;
}

/** Of the older way to say it, all are UTC (Parquet, LogicalTypes.md). */
function isAdjusted({ logical_type: logical, converted_type: converted }: SchemaElement): boolean {
  return logical?.type === 'TIMESTAMP' ? logical.isAdjustedToUTC : converted?.startsWith('TIMESTAMP') === true;
}

function typeOf({ element, children }: SchemaTree): ColumnType {
  if (children.length > 0 || element.repetition_type === 'REPEATED') return 'json';
  const { type, converted_type: converted, logical_type: logical } = element;
  if (converted === 'DECIMAL' || logical?.type === 'FLOAT16') return 'real';
  if (converted === 'DATE' || logical?.type === 'DATE') return 'date';
  if (logical?.type === 'TIMESTAMP' || converted?.startsWith('TIMESTAMP') === true || type === 'INT96')
    return 'timestamp';
  if (converted === 'JSON' || logical?.type === 'JSON') return 'json';
  // An unsigned one of 64 bits is more than SQLite holds.
  if (converted === 'UINT_64' || (logical?.type === 'INTEGER' && logical.bitWidth === 64 && !logical.isSigned))
    return 'text';
  switch (type) {
    case 'BOOLEAN':
      return 'boolean';
    case 'INT32':
    case 'INT64':
      return 'integer';
    case 'FLOAT':
    case 'DOUBLE':
      return 'real';
    default:
      return 'text';
  }
}

function broken(cause?: unknown): CarrelError {
  return new CarrelError('invalid_input', 'The file is no Parquet, or is damaged.', { cause });
}

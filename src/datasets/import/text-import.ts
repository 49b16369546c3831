import { markedEncoding } from '../../lib/charset.ts';
import { CarrelError } from '../../lib/errors.ts';
import { sniffDelimiter } from '../../files/extract/tables/csv.ts';
import type { Column, Format, ImportPlan } from '../model.ts';
import { columnsOf } from './column-names.ts';
import { declaredEncoding, Piece } from './encodings.ts';
import { newPlace } from './json-scanner.ts';
import { typeOfKinds } from './kinds.ts';
import { checkColumns, CsvLook, fieldsOf, foundEncoding, JsonLook, namesColumns, newLooks } from './look.ts';
import type { Looks } from './look.ts';
import { CsvRows, ElementRows, LineRows } from './rows.ts';
import type { Place, RowReader, Visitor } from './rows.ts';

/** Bytes of the beginning by which a file is judged. */
export const HEAD_BYTES = 256 * 1024;

/** An import of CSV, TSV, JSON or JSON Lines, between two steps. */
export interface TextState {
  readonly kind: 'text';
  phase: 'look' | 'load';
  format: Exclude<Format, 'parquet'>;
  encoding: string;
  /** Nobody named the encoding, and no byte order mark does. */
  readonly findsEncoding: boolean;
  readonly delimiter: string;
  /** Where the rows begin, behind a byte order mark and a header. */
  readonly begin: Place;
  place: Place;
  readonly looks: Looks;
  columns: readonly Column[];
  rows: number;
  badRows: number;
  /** See `longest` of a dataset. */
  longest: number;
}

/**
 * Looks at the beginning of a file.
 *
 * @throws CarrelError `invalid_input` for a file without rows, `unsupported` for an encoding
 */
export function beginText(plan: ImportPlan, head: Uint8Array): TextState {
  const marked = markedEncoding(head);
  const encoding = marked ?? (plan.encoding === undefined ? 'utf-8' : declaredEncoding(plan.encoding));
  const mark = marked === undefined ? 0 : marked === 'utf-8' ? 3 : 2;
  const width = encoding.startsWith('utf-16') ? 2 : 1;
  const whole = head.length - mark - ((head.length - mark) % width);
  const piece = new Piece(head.subarray(mark, mark + whole), encoding);
  if (piece.units.length === 0) throw new CarrelError('invalid_input', 'The file is empty.');
  const looks = newLooks();
  const begun = {
    kind: 'text',
    phase: 'look',
    encoding,
    findsEncoding: marked === undefined && plan.encoding === undefined,
    looks,
    columns: [],
    rows: 0,
    badRows: 0,
    longest: 0,
  } as const;
  const format = formatOf(plan.format as TextState['format'], piece);
  if (format === 'json' || format === 'jsonl') {
    const place = { position: mark, line: 1, skipping: false, ...(format === 'json' ? { json: newPlace() } : {}) };
    return { ...begun, format, delimiter: '', begin: place, place };
  }
  // Excel writes and reads a first line that names the delimiter.
  const declared = /^sep=([^\r\n"])(?:\r\n?|\n)/.exec(piece.text.slice(0, 10));
  const skipped = declared?.[0].length ?? 0;
  const sample = piece.text.slice(skipped, skipped + 65_536);
  const delimiter = plan.delimiter ?? declared?.[1] ?? (format === 'tsv' ? '\t' : sniffDelimiter(sample));
  const { scanner } = new CsvRows(delimiter);
  const isAll = head.length >= plan.size;
  let from = skipped;
  let line = declared ? 2 : 1;
  let next = scanner.next(piece.units, from, piece.units.length, isAll);
  while (next > from && scanner.isEmpty && next < piece.units.length) {
    from = next;
    line += 1;
    next = scanner.next(piece.units, from, piece.units.length, isAll);
  }
  if (next < 0 || !scanner.wellFormed)
    throw new CarrelError('invalid_input', 'The first row of the file has no end, or quotes that do not match.');
  if (scanner.isEmpty) throw new CarrelError('invalid_input', 'The file has no rows.');
  checkColumns(scanner.count);
  const cells = fieldsOf(piece, scanner);
  const named = plan.header === 'yes' || (plan.header === 'auto' && namesColumns(cells));
  if (named) {
    looks.headers = cells;
    looks.headers1252 = width === 1 ? fieldsOf(piece, scanner, 'windows-1252') : cells;
    if (!scanner.ascii && begun.findsEncoding && piece.decode(from, next) === undefined) looks.notUtf8 += 1;
  }
  looks.kinds = cells.map(() => 0);
  const place = {
    position: mark + (named ? next : from) * width,
    line: line + (named ? scanner.lines : 0),
    skipping: false,
  };
  return { ...begun, format, delimiter, begin: place, place };
}

/** A file called `.json` may hold an object a line. */
function formatOf(format: TextState['format'], { text }: Piece): TextState['format'] {
  return format === 'json' && /^\s*\{/.test(text) ? 'jsonl' : format;
}

/** What goes through the rows of a format, and for CSV its scanner. */
export function readerOf(state: TextState): { readonly reader: RowReader; readonly csv: CsvRows | undefined } {
  if (state.format === 'json') return { reader: new ElementRows(), csv: undefined };
  if (state.format === 'jsonl') return { reader: new LineRows(), csv: undefined };
  const csv = new CsvRows(state.delimiter);
  return { reader: csv, csv };
}

export function lookerOf(state: TextState, csv: CsvRows | undefined): Visitor {
  return csv ? new CsvLook(csv.scanner, state.looks, state.findsEncoding) : new JsonLook(state.looks);
}

/** After the whole file was looked at: what its columns are, and from where its rows are stored. */
export function decide(state: TextState): TextState {
  const { looks, findsEncoding } = state;
  const isCsv = state.format === 'csv' || state.format === 'tsv';
  const encoding = findsEncoding && isCsv ? foundEncoding(looks) : state.encoding;
  const headers = encoding === 'windows-1252' && findsEncoding ? looks.headers1252 : looks.headers;
  const columns = columnsOf(
    headers,
    looks.kinds.map((kinds) => typeOfKinds(kinds)),
  );
  if (columns.length === 0 || (!isCsv && looks.rows === 0))
    throw new CarrelError('invalid_input', 'The file has no rows. Of JSON, each row is an object.');
  return { ...state, phase: 'load', encoding, columns, place: { ...state.begin } };
}

/**
 * Goes through bytes that come in pieces, keeping no more than one row of them.
 *
 * @param end where the file ends
 * @returns whether the file is at its end
 */
export async function readRows(
  pieces: AsyncIterable<Uint8Array>,
  state: TextState,
  reader: RowReader,
  visitor: Visitor,
  end: number,
): Promise<boolean> {
  const { place } = state;
  const width = state.encoding.startsWith('utf-16') ? 2 : 1;
  let carry: Uint8Array = new Uint8Array();
  let position = place.position;
  for await (const bytes of pieces) {
    position += bytes.length;
    const held = carry.length === 0 ? bytes : joinedBytes(carry, bytes);
    const last = position >= end;
    const whole = held.length - (held.length % width);
    const piece = new Piece(held.subarray(0, whole), state.encoding);
    const used = reader.read(piece, place, last, visitor) * width;
    place.position += used;
    // A copy: what was used of a piece must not be held with the rest.
    carry = held.slice(used);
  }
  return position >= end;
}

function joinedBytes(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

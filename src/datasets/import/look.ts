import { CarrelError } from '../../lib/errors.ts';
import { MAX_COLUMNS, MAX_ROWS } from '../model.ts';
import type { CsvScanner } from './csv-scanner.ts';
import type { Piece } from './encodings.ts';
import { isRecord, parseJson } from './json-value.ts';
import { KIND, kindOfField, kindOfValue } from './kinds.ts';
import type { Visitor } from './rows.ts';

/** What the first reading found out; plain, so that it can be kept. */
export interface Looks {
  /** As the file has them; of JSON, its keys in the order in which they came. */
  headers: string[];
  /** The same, should the file turn out to be in Windows-1252. */
  headers1252: string[];
  /** Of each column, the sum of {@link KIND}. */
  kinds: number[];
  rows: number;
  /** Rows that are not ASCII: in UTF-8, not in it, and of those the ones that are not in Windows-1252 either. */
  utf8: number;
  notUtf8: number;
  notWindows1252: number;
}

export const newLooks = (): Looks => ({
  headers: [],
  headers1252: [],
  kinds: [],
  rows: 0,
  utf8: 0,
  notUtf8: 0,
  notWindows1252: 0,
});

function tooManyColumns(): CarrelError {
  return new CarrelError('too_large', 'The file has more columns than a table can have.', {
    details: { limit: MAX_COLUMNS },
  });
}

function checkRows(rows: number): void {
  if (rows > MAX_ROWS)
    throw new CarrelError('too_large', 'The file has more rows than a table can have.', {
      details: { limit: MAX_ROWS },
    });
}

/** The fields of the row that a scanner found, lenient about what they hold. */
export function fieldsOf(piece: Piece, scanner: CsvScanner, encoding?: string): string[] {
  return Array.from({ length: scanner.count }, (_, index) => {
    const text = piece.show(scanner.starts[index] ?? 0, scanner.ends[index] ?? 0, encoding);
    return scanner.doubled[index] === true ? text.replaceAll('""', '"') : text;
  });
}

/** Whether a row names columns: a cell of it is text that is no value of another kind. */
export function namesColumns(cells: readonly string[]): boolean {
  return cells.some((cell) => kindOfField(cell) === KIND.text);
}

/** Learns of each column what all of its values are. */
export class CsvLook implements Visitor {
  readonly #scanner: CsvScanner;
  readonly #looks: Looks;
  /** Whether nobody said in which encoding the file is. */
  readonly #findsEncoding: boolean;

  constructor(scanner: CsvScanner, looks: Looks, findsEncoding: boolean) {
    this.#scanner = scanner;
    this.#looks = looks;
    this.#findsEncoding = findsEncoding;
  }

  row(piece: Piece, from: number, to: number): void {
    const { starts, ends, doubled, count, ascii } = this.#scanner;
    const { kinds } = this.#looks;
    if (!ascii && this.#findsEncoding) countEncoding(this.#looks, piece, from, to);
    if (count !== kinds.length) return;
    checkRows((this.#looks.rows += 1));
    for (let index = 0; index < count; index++) {
      const known = kinds[index] as number;
      // Nothing that comes can make text into something else.
      if ((known & KIND.text) !== 0) continue;
      const start = starts[index] as number;
      const end = ends[index] as number;
      if (start === end) continue;
      kinds[index] = known | (doubled[index] === true ? KIND.text : kindOfField(piece.text.slice(start, end)));
    }
  }

  fault(): void {
    // It is reported when the rows are stored.
  }
}

function countEncoding(looks: Looks, piece: Piece, from: number, to: number): void {
  if (piece.decode(from, to) !== undefined) looks.utf8 += 1;
  else {
    looks.notUtf8 += 1;
    if (!piece.isWindows1252(from, to)) looks.notWindows1252 += 1;
  }
}

/** Learns the keys of all objects and what their values are. */
export class JsonLook implements Visitor {
  readonly #looks: Looks;
  readonly #places: Map<string, number>;

  constructor(looks: Looks) {
    this.#looks = looks;
    this.#places = new Map(looks.headers.map((key, index) => [key, index]));
  }

  row(piece: Piece, from: number, to: number): void {
    const text = piece.decode(from, to);
    const value = text === undefined ? undefined : parseJson(text);
    if (!isRecord(value)) return;
    const { headers, kinds } = this.#looks;
    checkRows((this.#looks.rows += 1));
    for (const key in value) {
      let index = this.#places.get(key);
      if (index === undefined) {
        index = headers.length;
        if (index >= MAX_COLUMNS) throw tooManyColumns();
        this.#places.set(key, index);
        headers.push(key);
        kinds.push(0);
      }
      const known = kinds[index] as number;
      if ((known & KIND.text) === 0) kinds[index] = known | kindOfValue(value[key]);
    }
  }

  fault(): void {
    // It is reported when the rows are stored.
  }
}

/** @throws CarrelError `too_large` */
export function checkColumns(count: number): void {
  if (count > MAX_COLUMNS) throw tooManyColumns();
}

/** The encoding of a file that nobody named. */
export function foundEncoding({ utf8, notUtf8, notWindows1252 }: Looks): 'utf-8' | 'windows-1252' {
  return notUtf8 > 0 && utf8 === 0 && notWindows1252 === 0 ? 'windows-1252' : 'utf-8';
}

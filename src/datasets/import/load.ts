import type { Engine } from '../engine/engine.ts';
import { BAD_ROW_CHARACTERS } from '../model.ts';
import type { ColumnType } from '../model.ts';
import type { CsvScanner } from './csv-scanner.ts';
import type { Piece } from './encodings.ts';
import { isRecord, parseJson } from './json-value.ts';
import type { Fault, Visitor } from './rows.ts';
import type { TableWriter } from './table-writer.ts';

const isText = (type: ColumnType | undefined) => type === 'text' || type === 'date' || type === 'timestamp';

/** Stores the rows of CSV. */
export class CsvLoad implements Visitor {
  readonly #scanner: CsvScanner;
  readonly #writer: TableWriter;
  readonly #engine: Engine;
  readonly #types: readonly ColumnType[];
  readonly #place: { line: number };
  /** Where the piece lies in the engine's memory, and which. */
  readonly #copy: number;
  #copied: Piece | undefined;

  /** @param copy room in the engine's memory for a whole piece */
  constructor(scanner: CsvScanner, writer: TableWriter, engine: Engine, copy: number, place: { line: number }) {
    this.#scanner = scanner;
    this.#writer = writer;
    this.#engine = engine;
    this.#types = writer.columns.map(({ type }) => type);
    this.#copy = copy;
    this.#place = place;
  }

  row(piece: Piece, from: number, to: number): void {
    const { starts, ends, doubled, count, ascii } = this.#scanner;
    const { line } = this.#place;
    if (count !== this.#types.length) {
      this.fault(piece, from, to, line, 'fields');
      return;
    }
    if ((!ascii && piece.decode(from, to) === undefined) || hasNul(piece, from, to)) {
      this.fault(piece, from, to, line, 'encoding');
      return;
    }
    for (let index = 0; index < count; index++) {
      const start = starts[index] as number;
      const end = ends[index] as number;
      if (start === end) continue;
      const type = this.#types[index] as ColumnType;
      if (!isText(type)) this.#writer.field(index, type, piece.text.slice(start, end));
      else if (doubled[index] === true) this.#writer.text(index, piece.show(start, end).replaceAll('""', '"'));
      else if (piece.isUtf8) this.#writer.bytes(index, this.#placeOf(piece) + start, end - start);
      else this.#writer.text(index, piece.text.slice(start, end));
    }
    this.#writer.insert();
  }

  fault(piece: Piece, from: number, to: number, line: number, fault: Fault): void {
    this.#writer.bad(line, fault, beginning(piece, from, to));
  }

  #placeOf(piece: Piece): number {
    if (this.#copied !== piece) {
      this.#engine.bytes.set(piece.units, this.#copy);
      this.#copied = piece;
    }
    return this.#copy;
  }
}

/** Stores the objects of JSON. */
export class JsonLoad implements Visitor {
  readonly #writer: TableWriter;
  readonly #places: ReadonlyMap<string, number>;
  readonly #types: readonly ColumnType[];
  readonly #place: { line: number };

  /** @param keys of the columns, in their order */
  constructor(writer: TableWriter, keys: readonly string[], place: { line: number }) {
    this.#writer = writer;
    this.#places = new Map(keys.map((key, index) => [key, index]));
    this.#types = writer.columns.map(({ type }) => type);
    this.#place = place;
  }

  row(piece: Piece, from: number, to: number): void {
    const text = piece.decode(from, to);
    const value = text === undefined ? undefined : parseJson(text);
    if (!isRecord(value)) {
      const { line } = this.#place;
      this.fault(
        piece,
        from,
        to,
        line,
        text === undefined ? 'encoding' : value === undefined ? 'not_json' : 'not_an_object',
      );
      return;
    }
    for (const key in value) {
      const index = this.#places.get(key);
      if (index !== undefined) this.#writer.value(index, this.#types[index] as ColumnType, value[key]);
    }
    this.#writer.insert();
  }

  fault(piece: Piece, from: number, to: number, line: number, fault: Fault): void {
    this.#writer.bad(line, fault, beginning(piece, from, to));
  }
}

function beginning(piece: Piece, from: number, to: number): string {
  return piece.show(from, Math.min(to, from + 4 * BAD_ROW_CHARACTERS)).replace(/[\r\n]+$/, '');
}

/** In one that is not in the encoding that it seems to be. Where a piece has none at all, nothing is looked for in its rows. */
const withNul = new WeakMap<Piece, boolean>();

function hasNul(piece: Piece, from: number, to: number): boolean {
  let any = withNul.get(piece);
  if (any === undefined) withNul.set(piece, (any = piece.units.includes(0)));
  return any && piece.units.subarray(from, to).includes(0);
}

import { MAX_ROW_BYTES } from '../model.ts';
import { CsvScanner, INCOMPLETE } from './csv-scanner.ts';
import type { Units } from './csv-scanner.ts';
import type { Piece } from './encodings.ts';
import { JsonScanner, newPlace } from './json-scanner.ts';
import type { JsonPlace } from './json-scanner.ts';

/** Why a row is kept aside. */
export type Fault = 'too_long' | 'quotes' | 'fields' | 'encoding' | 'not_json' | 'not_an_object';

/** Where reading goes on: plain, so that it can be kept. */
export interface Place {
  /** In the file, in bytes. */
  position: number;
  /** Of what comes next: its line, or in an array of JSON its number; from 1. */
  line: number;
  /** In the rest of a row that is too long. */
  skipping: boolean;
  json?: JsonPlace;
}

/** What is found, in the order of the file. Indexes are into the units of the piece. */
export interface Visitor {
  row(piece: Piece, from: number, to: number): void;
  fault(piece: Piece, from: number, to: number, line: number, fault: Fault): void;
}

/**
 * Goes through the rows that begin in a piece.
 *
 * @param last whether the piece ends with the file
 * @returns how many units were used; what is left begins a row
 */
export interface RowReader {
  read(piece: Piece, place: Place, last: boolean, visitor: Visitor): number;
}

const LF = 0x0a;
const CR = 0x0d;

/** The index behind the next line break, or -1. */
function behindLine(units: Units, from: number): number {
  for (let at = from; at < units.length; at++) {
    if (units[at] === LF) return at + 1;
    if (units[at] === CR) return units[at + 1] === LF ? at + 2 : at + 1;
  }
  return -1;
}

export class CsvRows implements RowReader {
  /** Holds the fields of the row that is visited. */
  readonly scanner: CsvScanner;

  constructor(delimiter: string) {
    this.scanner = new CsvScanner(delimiter);
  }

  read(piece: Piece, place: Place, last: boolean, visitor: Visitor): number {
    const { units } = piece;
    const { scanner } = this;
    let at = 0;
    while (at < units.length) {
      if (place.skipping) {
        const behind = behindLine(units, at);
        if (behind < 0) return units.length;
        place.skipping = false;
        place.line += 1;
        at = behind;
        continue;
      }
      const next = scanner.next(units, at, units.length, last);
      const length = (next === INCOMPLETE ? units.length : next) - at;
      const tooLong = length * piece.width > MAX_ROW_BYTES;
      if (next === INCOMPLETE && !tooLong) return at;
      // A quote that nobody closes must not take the rest of the file with it: the next line is a row again.
      const runsOn = scanner.open && scanner.lines > 0;
      if (tooLong || runsOn) {
        const behind = behindLine(units, at);
        visitor.fault(piece, at, behind < 0 ? units.length : behind, place.line, tooLong ? 'too_long' : 'quotes');
        place.skipping = behind < 0;
        if (behind >= 0) place.line += 1;
        at = behind < 0 ? units.length : behind;
        continue;
      }
      if (!scanner.isEmpty) {
        if (scanner.wellFormed) visitor.row(piece, at, next);
        else visitor.fault(piece, at, next, place.line, 'quotes');
      }
      place.line += scanner.lines;
      at = next;
    }
    return at;
  }
}

export class LineRows implements RowReader {
  read(piece: Piece, place: Place, last: boolean, visitor: Visitor): number {
    const { units } = piece;
    let at = 0;
    while (at < units.length) {
      const behind = units.indexOf(LF, at) + 1;
      const to = behind > 0 ? behind : units.length;
      const tooLong = (to - at) * piece.width > MAX_ROW_BYTES;
      if (behind === 0 && !last && !tooLong && !place.skipping) return at;
      if (!place.skipping) {
        if (tooLong) visitor.fault(piece, at, to, place.line, 'too_long');
        else if (!isBlank(units, at, to)) visitor.row(piece, at, to);
      }
      place.skipping = behind === 0 && (place.skipping || tooLong);
      if (behind > 0) place.line += 1;
      at = to;
    }
    return at;
  }
}

function isBlank(units: Units, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((units[at] as number) > 0x20) return false;
  return true;
}

/** Thrown where an array of JSON is none. */
export class NoArray extends Error {
  readonly line: number;

  constructor(line: number) {
    super('no array of JSON');
    this.line = line;
  }
}

export class ElementRows implements RowReader {
  /** @throws NoArray */
  read(piece: Piece, place: Place, last: boolean, visitor: Visitor): number {
    const { units } = piece;
    let at = 0;
    for (;;) {
      const scanner = new JsonScanner(place.json as JsonPlace);
      const found = scanner.next(units, at, units.length);
      if (found.kind === 'broken') throw new NoArray(place.line);
      if (found.kind === 'more') {
        if (last && scanner.place.at !== 'end') throw new NoArray(place.line);
        const isOpen = scanner.place.at === 'element';
        const tooLong = isOpen && !place.skipping && (units.length - found.start) * piece.width > MAX_ROW_BYTES;
        if (isOpen && !place.skipping && !tooLong) {
          // The element is looked at again from its beginning when there is more of it.
          place.json = { ...newPlace(), at: 'begin', comma: true };
          return found.start;
        }
        if (tooLong) visitor.fault(piece, found.start, units.length, place.line, 'too_long');
        place.skipping = isOpen;
        place.json = scanner.place;
        return units.length;
      }
      if (!place.skipping) {
        if ((found.end - found.start) * piece.width > MAX_ROW_BYTES)
          visitor.fault(piece, found.start, found.end, place.line, 'too_long');
        else visitor.row(piece, found.start, found.end);
      }
      place.skipping = false;
      place.json = scanner.place;
      place.line += 1;
      at = found.end;
    }
  }
}

import type { Units } from './csv-scanner.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const isSpace = (unit: number) => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

/** Where the scanner stands between two pieces; plain, so that it can be kept. */
export interface JsonPlace {
  /** `before` the array, where an element may `begin`, in an `element`, `after` one, at the `end` of the array. */
  at: 'before' | 'begin' | 'element' | 'after' | 'end';
  /** Of the element: brackets and braces that are open. */
  depth: number;
  text: boolean;
  escaped: boolean;
  /** Whether elements have come: a comma must be followed by another. */
  comma: boolean;
}

export const newPlace = (): JsonPlace => ({ at: 'before', depth: 0, text: false, escaped: false, comma: false });

/** What comes next in an array. */
export type Found =
  /** An element from `start` to `end`, seen from the beginning of the units; `start` is -1 when it began before. */
  | { readonly kind: 'element'; readonly start: number; readonly end: number }
  /** All units are used; `start` is where an element began that is not over, or -1. */
  | { readonly kind: 'more'; readonly start: number }
  /** Something stands at `at` that no array of JSON has there. */
  | { readonly kind: 'broken'; readonly at: number };

/**
 * Cuts an array of JSON into its elements without parsing them: what stands in one is looked at only for strings and
 * brackets. It can stop after any unit and go on later with its place.
 */
export class JsonScanner {
  readonly place: JsonPlace;

  constructor(place: JsonPlace) {
    this.place = { ...place };
  }

  next(units: Units, from: number, to: number): Found {
    const { place } = this;
    let start = -1;
    for (let at = from; at < to; at++) {
      const unit = units[at] as number;
      if (place.at === 'element') {
        if (place.text) {
          if (place.escaped) place.escaped = false;
          else if (unit === BACKSLASH) place.escaped = true;
          else if (unit === QUOTE) place.text = false;
          continue;
        }
        if (unit === QUOTE) place.text = true;
        else if (unit === 0x7b || unit === 0x5b) place.depth += 1;
        else if (unit === 0x7d || unit === 0x5d) {
          // The bracket of the array itself ends a number or a word.
          if (place.depth === 0) {
            if (unit === 0x7d) return { kind: 'broken', at };
            place.at = 'after';
            return { kind: 'element', start, end: at };
          }
          place.depth -= 1;
          if (place.depth === 0) {
            place.at = 'after';
            return { kind: 'element', start, end: at + 1 };
          }
        } else if (unit === 0x2c && place.depth === 0) {
          place.at = 'after';
          return { kind: 'element', start, end: at };
        }
        continue;
      }
      if (isSpace(unit)) continue;
      if (place.at === 'before') {
        if (unit !== 0x5b) return { kind: 'broken', at };
        place.at = 'begin';
      } else if (place.at === 'begin') {
        if (unit === 0x5d && !place.comma) place.at = 'end';
        else if (unit === 0x5d || unit === 0x7d || unit === 0x2c || unit === 0x3a) return { kind: 'broken', at };
        else {
          start = at;
          place.at = 'element';
          place.depth = unit === 0x7b || unit === 0x5b ? 1 : 0;
          place.text = unit === QUOTE;
          place.escaped = false;
        }
      } else if (place.at === 'after') {
        if (unit === 0x2c) {
          place.at = 'begin';
          place.comma = true;
        } else if (unit === 0x5d) place.at = 'end';
        else return { kind: 'broken', at };
      } else return { kind: 'broken', at };
    }
    return { kind: 'more', start };
  }
}

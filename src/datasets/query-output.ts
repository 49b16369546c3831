import { MAX_RESULT_BYTES } from './model.ts';
import type { Scalar } from './model.ts';

/** What a cell of a result is. Integers beyond 2^53 are bigints. */
export type Cell = Scalar | bigint;

/** Characters that are put together before they are stored, and what the preview may have as JSON. */
const PART_CHARACTERS = 500_000;
const PREVIEW_ROWS = 50;
const PREVIEW_CHARACTERS = 12_000;
const PREVIEW_CELL_CHARACTERS = 300;

/** Names of which none is there twice: objects of JSON have each key once. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let number = 2; taken.has(free); number++) free = `${name}_${number}`;
    taken.add(free);
    return free;
  });
}

/**
 * A cell of CSV (RFC 4180). Text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV
 * injection): what stands in a file from outside must not compute in the spreadsheet of whoever opens the result. Numbers
 * are numbers and stay as they are.
 */
export function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  // An empty text is not NULL.
  return safe === '' || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** What cannot be a number of JSON without loss is text. */
const jsonCell = (cell: Cell) => (typeof cell === 'bigint' ? cell.toString() : cell);

/** Puts the rows of a result together: the file, part by part, and the first rows to show. */
export class ResultWriter {
  readonly columns: readonly string[];
  readonly preview: Scalar[][] = [];
  rows = 0;
  bytes = 0;
  parts = 0;
  readonly #format: 'csv' | 'jsonl';
  readonly #keys: readonly string[];
  readonly #store: (part: number, bytes: Uint8Array) => void;
  #pending = '';
  #shown = 0;

  constructor(columns: readonly string[], format: 'csv' | 'jsonl', store: (part: number, bytes: Uint8Array) => void) {
    this.columns = distinct(columns);
    this.#format = format;
    this.#keys = this.columns.map((name) => JSON.stringify(name));
    this.#store = store;
    if (format === 'csv') this.#pending = `${this.columns.map((name) => csvCell(name)).join(',')}\r\n`;
  }

  /** @returns whether there is room for more */
  add(row: readonly Cell[]): boolean {
    this.rows += 1;
    this.#pending +=
      this.#format === 'csv'
        ? `${row.map((cell) => csvCell(cell)).join(',')}\r\n`
        : `{${row.map((cell, index) => `${this.#keys[index]}:${JSON.stringify(jsonCell(cell))}`).join(',')}}\n`;
    this.#show(row);
    if (this.#pending.length >= PART_CHARACTERS) this.flush();
    return this.bytes < MAX_RESULT_BYTES;
  }

  /** Stores what is not stored yet. */
  flush(): void {
    for (let from = 0; from < this.#pending.length; from += PART_CHARACTERS) {
      const part = new TextEncoder().encode(cutWhole(this.#pending, from, PART_CHARACTERS));
      this.#store(this.parts, part);
      this.parts += 1;
      this.bytes += part.length;
    }
    this.#pending = '';
  }

  #show(row: readonly Cell[]): void {
    if (this.preview.length >= PREVIEW_ROWS || this.#shown > PREVIEW_CHARACTERS) return;
    const cells = row.map((cell) => {
      const shown = jsonCell(cell);
      return typeof shown === 'string' && shown.length > PREVIEW_CELL_CHARACTERS
        ? `${shown.slice(0, PREVIEW_CELL_CHARACTERS - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
        : shown;
    });
    this.#shown += JSON.stringify(cells).length;
    if (this.#shown <= PREVIEW_CHARACTERS || this.preview.length === 0) this.preview.push(cells);
  }
}

/** A part of a text that begins and ends between characters, so that each can be encoded by itself. */
function cutWhole(text: string, from: number, length: number): string {
  const inPair = (at: number) =>
    at > 0 && at < text.length && /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(at - 1, at + 1));
  const begin = inPair(from) ? from - 1 : from;
  const end = from + length;
  return text.slice(begin, inPair(end) ? end - 1 : end);
}

import type { Line } from '../lines.ts';
import { typeOfValue } from './cell-types.ts';
import { ColumnCounts, MAX_COLUMNS, shortened } from './columns.ts';
import { sketchJson } from './json-sketch.ts';
import type { Cell, TableSummary } from './model.ts';

/** Code units of a line of JSON Lines; longer ones are bad rows. */
export const LINE_CHARACTERS = 1_000_000;
/** Objects and lists of a JSON document, and how deep they lie: each takes far more memory than text. */
const MAX_NODES = 500_000;
const MAX_DEPTH = 500;
/** Code units of the lines that are kept for the sketch. */
const SKETCHED_CHARACTERS = 1_000_000;

type JsonObject = Readonly<Record<string, unknown>>;

/** What a JSON document holds. @returns undefined when it is malformed, or too much of it is nested */
export function describeJson(text: string, headRows: number): TableSummary | undefined {
  if (!isModest(text)) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  const rows = new JsonRows(headRows);
  for (const item of Array.isArray(document) ? (document as unknown[]) : [document]) rows.add(item);
  return { format: 'json', ...rows.summary(), more: false, schema: sketchJson(document) };
}

/** Counts JSON Lines while they come. */
export class JsonLinesTable {
  readonly #rows: JsonRows;
  readonly #sketched: unknown[] = [];
  #sketchedLeft = SKETCHED_CHARACTERS;
  #bad = 0;

  /** @param headRows rows that are shown */
  constructor(headRows: number) {
    this.#rows = new JsonRows(headRows);
  }

  line({ text, whole, ends }: Line): void {
    if (!ends || (whole && /^\s*$/.test(text))) return;
    const value = whole && text.length <= LINE_CHARACTERS && isModest(text) ? parsed(text) : undefined;
    if (value === undefined) {
      this.#bad += 1;
      return;
    }
    this.#rows.add(value);
    this.#sketchedLeft -= text.length;
    if (this.#sketchedLeft >= 0) this.#sketched.push(value);
  }

  /** @param more the file goes on */
  summary(more: boolean): TableSummary | undefined {
    const { rows, badRows, ...rest } = this.#rows.summary();
    if (rows + this.#bad === 0) return undefined;
    const counts = { rows: rows + this.#bad, badRows: badRows + this.#bad };
    return { format: 'jsonl', ...rest, ...counts, more, schema: sketchJson(this.#sketched) };
  }
}

/** Rows of JSON as a table: the keys of objects, the places of lists, or one column of values. */
class JsonRows {
  readonly #headRows: number;
  readonly #names = new Map<string, number>();
  readonly #counts = new ColumnCounts();
  /** As they are shown: a row itself may be large. */
  readonly #head: ReadonlyMap<string, Cell>[] = [];
  readonly #kinds = { object: 0, list: 0, scalar: 0 };
  #rows = 0;

  constructor(headRows: number) {
    this.#headRows = headRows;
  }

  add(row: unknown): void {
    this.#rows += 1;
    this.#kinds[kindOf(row)] += 1;
    for (const [name, value] of fieldsOf(row)) {
      const index = this.#names.get(name) ?? this.#names.size;
      if (index >= MAX_COLUMNS) continue;
      this.#names.set(name, index);
      this.#counts.add(index, typeOfValue(value));
    }
    if (this.#head.length < this.#headRows) {
      const cells = fieldsOf(row).slice(0, MAX_COLUMNS);
      this.#head.push(new Map(cells.map(([name, value]) => [name, shown(value)])));
    }
  }

  summary(): Pick<TableSummary, 'columns' | 'rows' | 'head' | 'badRows'> {
    const names = [...this.#names.keys()];
    return {
      columns: this.#counts.columns(names, this.#rows),
      rows: this.#rows,
      head: this.#head.map((row) => names.map((name) => row.get(name) ?? null)),
      badRows: this.#rows - Math.max(...Object.values(this.#kinds)),
    };
  }
}

function kindOf(row: unknown): 'object' | 'list' | 'scalar' {
  if (Array.isArray(row)) return 'list';
  return typeof row === 'object' && row !== null ? 'object' : 'scalar';
}

function fieldsOf(row: unknown): [string, unknown][] {
  if (Array.isArray(row)) return row.slice(0, MAX_COLUMNS).map((value, index) => [`column ${index + 1}`, value]);
  return kindOf(row) === 'object' ? Object.entries(row as JsonObject) : [['value', row]];
}

function shown(value: unknown): Cell {
  if (typeof value === 'string') return shortened(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'object' && value !== null ? shortened(JSON.stringify(value)) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether JSON has no more objects and lists, and none deeper, than may be. It may be anything else than JSON. */
function isModest(text: string): boolean {
  let nodes = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) {
      at = endOfString(text, at + 1);
    } else if (unit === 0x7b || unit === 0x5b) {
      nodes += 1;
      depth += 1;
      if (nodes > MAX_NODES || depth > MAX_DEPTH) return false;
    } else if (unit === 0x7d || unit === 0x5d) depth -= 1;
  }
  return true;
}

function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x5c) at += 1;
    else if (unit === 0x22) return at;
  }
  return text.length;
}

import { oneLine } from '../normalise.ts';
import { typeOfValue } from './cell-types.ts';

/** Objects and lists inside one another that a sketch shows. */
const SKETCH_DEPTH = 4;
/** Keys in one sketch, at all depths together. */
const SKETCH_KEYS = 50;
/** Values that are looked at. The first of each list tell most. */
const SKETCH_VALUES = 10_000;
const KEY_CHARACTERS = 60;

/** What was seen at one place of a document. */
interface Shape {
  readonly scalars: Set<string>;
  objects: number;
  readonly keys: Map<string, { readonly shape: Shape; count: number }>;
  leftOut: number;
  items: Shape | undefined;
  deeper: boolean;
}

/**
 * The schema of JSON, in the way that TypeScript writes types: `{ id: integer, tags?: string[] }[]`.
 * At most {@link SKETCH_DEPTH} deep and of {@link SKETCH_KEYS} keys; `…` stands for what is left out.
 */
export function sketchJson(value: unknown): string {
  const budget = { keys: SKETCH_KEYS, values: SKETCH_VALUES };
  const shape = newShape();
  look(value, shape, 0, budget);
  return written(shape);
}

const newShape = (): Shape => ({
  scalars: new Set(),
  objects: 0,
  keys: new Map(),
  leftOut: 0,
  items: undefined,
  deeper: false,
});

function look(value: unknown, shape: Shape, depth: number, budget: { keys: number; values: number }): void {
  budget.values -= 1;
  if (budget.values < 0) return;
  if (typeof value !== 'object' || value === null) {
    shape.scalars.add(value === null ? 'null' : value === '' ? 'string' : typeOfValue(value));
  } else if (depth === SKETCH_DEPTH) {
    shape.deeper = true;
  } else if (Array.isArray(value)) {
    shape.items ??= newShape();
    for (const item of value) {
      if (budget.values < 0) return;
      look(item, shape.items, depth + 1, budget);
    }
  } else {
    shape.objects += 1;
    const leftOut = lookIntoFields(value, shape, depth, budget);
    shape.leftOut = Math.max(shape.leftOut, leftOut);
  }
}

function lookIntoFields(object: object, shape: Shape, depth: number, budget: { keys: number; values: number }): number {
  let leftOut = 0;
  for (const [key, field] of Object.entries(object)) {
    let known = shape.keys.get(key);
    if (!known && budget.keys > 0) {
      budget.keys -= 1;
      known = { shape: newShape(), count: 0 };
      shape.keys.set(key, known);
    }
    if (known) {
      known.count += 1;
      look(field, known.shape, depth + 1, budget);
    } else leftOut += 1;
  }
  return leftOut;
}

function written(shape: Shape): string {
  return alternatives(shape).join(' | ');
}

function alternatives(shape: Shape): string[] {
  const scalars = new Set(shape.scalars);
  if (scalars.has('number')) scalars.delete('integer');
  if (scalars.has('string')) scalars.delete('date');
  const all = [...scalars].toSorted();
  if (shape.deeper) all.push('…');
  if (shape.objects > 0) {
    const fields = [...shape.keys].map(
      ([key, { shape: field, count }]) => `${writtenKey(key)}${count < shape.objects ? '?' : ''}: ${written(field)}`,
    );
    if (shape.leftOut > 0) fields.push(`… ${shape.leftOut} more`);
    all.push(fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`);
  }
  if (shape.items) {
    const items = alternatives(shape.items);
    all.push(items.length > 1 ? `(${items.join(' | ')})[]` : `${items.join('')}[]`);
  }
  return all;
}

const writtenKey = (key: string) =>
  /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) && key.length <= KEY_CHARACTERS
    ? key
    : JSON.stringify(oneLine(key.slice(0, 10 * KEY_CHARACTERS), KEY_CHARACTERS));

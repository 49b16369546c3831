import type { ColumnType } from './model.ts';

export type CellType = Exclude<ColumnType, 'mixed'>;

/** Code units of a cell that is more than a string. */
const LONGEST_TYPED = 40;

const INTEGER = /^[+-]?(?:0|[1-9]\d*)$/;
/** Without leading zeros: `007` is a name for something, and no number. */
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
/** ISO 8601, with slashes too, and with a blank for the `T`. */
const DATE =
  /^\d{4}([-/])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?:[T ](?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?$/;

/** What the text of a cell stands for. Spaces around it do not matter. */
export function typeOfText(text: string): CellType {
  const value = text.trim();
  if (value === '') return 'empty';
  if (value.length > LONGEST_TYPED) return 'string';
  if (INTEGER.test(value)) return 'integer';
  if (NUMBER.test(value)) return 'number';
  if (/^(?:true|false)$/i.test(value)) return 'boolean';
  return DATE.test(value) ? 'date' : 'string';
}

/** What a value of JSON is. */
export function typeOfValue(value: unknown): CellType {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number';
    case 'boolean':
      return 'boolean';
    case 'string':
      return value === '' ? 'empty' : value.length <= LONGEST_TYPED && DATE.test(value) ? 'date' : 'string';
    default:
      return typeof value === 'object' && value !== null ? 'nested' : 'empty';
  }
}

/** The one type of all cells. @param types of those that are not empty */
export function commonType(types: ReadonlySet<CellType>): ColumnType {
  const [first = 'empty', second] = types;
  if (second === undefined) return first;
  return types.size === 2 && types.has('integer') && types.has('number') ? 'number' : 'mixed';
}

import type { ColumnType } from '../model.ts';

/** What a value is, as a bit: what the values of a column are is the sum of theirs. Nothing is 0. */
export const KIND = {
  integer: 1,
  /** Beyond what a number of JavaScript holds exactly (2^53), within 64 bits. */
  long: 2,
  real: 4,
  boolean: 8,
  date: 16,
  timestamp: 32,
  text: 64,
  nested: 128,
} as const;

/** Characters of what is more than text. */
const LONGEST = 40;
/** Without leading zeros and without a plus: `007` and `+4930` name something, and are no numbers. */
const INTEGER = /^(?:0|-?[1-9]\d*)$/;
const NUMBER = /^-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
/** ISO 8601 as SQLite's own functions read it. */
const DATE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?$/;
const LONG_MOST = 2n ** 63n;

/** Of a field of CSV. Blanks around what is no text do not matter. */
export function kindOfField(field: string): number {
  if (field === '') return 0;
  if (field.length > LONGEST) return KIND.text;
  const first = field.charCodeAt(0);
  const value = first === 0x20 || field.charCodeAt(field.length - 1) === 0x20 ? field.trim() : field;
  if (value === '') return KIND.text;
  const letter = value.charCodeAt(0);
  if ((letter >= 0x30 && letter <= 0x39) || letter === 0x2d || letter === 0x2e) {
    const kind = kindOfDigits(value);
    // A date is stored as it stands, and with a blank it is none for SQLite.
    return value !== field && (kind === KIND.date || kind === KIND.timestamp) ? KIND.text : kind;
  }
  return letter < 0x80 && /^(?:true|false)$/i.test(value) ? KIND.boolean : KIND.text;
}

function kindOfDigits(value: string): number {
  if (INTEGER.test(value)) return kindOfInteger(value);
  // What overflows would be infinite.
  if (NUMBER.test(value)) return Number.isFinite(Number(value)) && !/^-?\d+$/.test(value) ? KIND.real : KIND.text;
  return kindOfDate(value);
}

function kindOfInteger(value: string): number {
  if (value.length <= 15 || Number.isSafeInteger(Number(value))) return KIND.integer;
  const long = BigInt(value);
  return long >= -LONG_MOST && long < LONG_MOST ? KIND.long : KIND.text;
}

function kindOfDate(value: string): number {
  if (DATE.test(value)) return KIND.date;
  return TIMESTAMP.test(value) ? KIND.timestamp : KIND.text;
}

/** Of a value of JSON, or of Parquet. */
export function kindOfValue(value: unknown): number {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) ? KIND.integer : KIND.real;
    case 'bigint':
      return kindOfInteger(value.toString());
    case 'boolean':
      return KIND.boolean;
    case 'string':
      return value.length >= 10 && value.length <= LONGEST ? kindOfDate(value) : KIND.text;
    default:
      return value === null || value === undefined ? 0 : KIND.nested;
  }
}

/** The type in which all values of a column can be stored without loss. */
export function typeOfKinds(kinds: number): ColumnType {
  switch (kinds) {
    case KIND.integer:
    case KIND.long:
    case KIND.integer | KIND.long:
      return 'integer';
    case KIND.real:
    case KIND.real | KIND.integer:
      return 'real';
    case KIND.boolean:
      return 'boolean';
    case KIND.date:
      return 'date';
    case KIND.timestamp:
    case KIND.timestamp | KIND.date:
      return 'timestamp';
    case KIND.nested:
      return 'json';
    default:
      return 'text';
  }
}

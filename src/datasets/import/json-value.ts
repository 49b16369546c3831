import { CarrelError } from '../../lib/errors.ts';

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parse = JSON.parse as (text: string, reviver?: Reviver) => unknown;
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** Digits that a number of JavaScript may not hold exactly. */
const MANY_DIGITS = /\d{16}/;

/** An object of JSON, with bigints where a number would not be exact; undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    if (!MANY_DIGITS.test(text)) return parse(text);
    return parse(text, (_key, value, { source }) =>
      typeof value === 'number' && source !== undefined && /^-?\d{16,}$/.test(source) && !Number.isSafeInteger(value)
        ? BigInt(source)
        : value,
    );
  } catch {
    return undefined;
  }
}

/** A value as text, such as stands in a column of text. */
export function textOfValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' ? rawJSON(inner.toString()) : inner,
  );
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function noArray(line: number): CarrelError {
  return new CarrelError(
    'invalid_input',
    'The file is no array of objects in JSON, or breaks off. One object a line is the format jsonl.',
    { details: { after: line - 1 } },
  );
}

import * as z from 'zod';

import { fromBase64Url, toBase64Url, utf8 } from './encoding.ts';
import { CarrelError } from './errors.ts';

/** A place in a list: the values of the last row's sort columns. */
export type Position = readonly (string | number)[];

const position = z
  .array(z.union([z.string().max(1100), z.number()]))
  .min(1)
  .max(4);

/**
 * An opaque cursor for a place in a list. It is not signed: it names a place, never a permission,
 * and is only ever looked up in the caller's own workspace.
 */
export function encodeCursor(place: Position): string {
  return toBase64Url(utf8(JSON.stringify(place)));
}

/** The place of a cursor, or undefined when it is none that {@link encodeCursor} made. */
export function decodeCursor(cursor: string): Position | undefined {
  const bytes = fromBase64Url(cursor);
  if (bytes === undefined) return undefined;
  try {
    return position.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)))
      .data;
  } catch {
    return undefined;
  }
}

/**
 * The place that a caller's cursor names.
 *
 * @param columns how many values a place of that list has
 * @throws CarrelError `invalid_input` for a cursor that the list never gave
 */
export function placeOf(cursor: string | undefined, columns: number): Position | undefined {
  const place = cursor === undefined ? undefined : decodeCursor(cursor);
  if (cursor !== undefined && place?.length !== columns)
    throw new CarrelError('invalid_input', 'The cursor is none that this list gave. Start again without one.');
  return place;
}

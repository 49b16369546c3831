import { decodeCursor } from '../lib/cursor.ts';
import type { Position } from '../lib/cursor.ts';
import { CarrelError } from '../lib/errors.ts';

/** The place of a cursor of a list that is ordered by a time and an id. @throws CarrelError `invalid_input` */
export function placeOf(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const place = decodeCursor(cursor);
  if (place?.length !== 2)
    throw new CarrelError('invalid_input', 'The cursor is none that this list gave. Start again without one.');
  return place;
}

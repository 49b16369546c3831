import { itemsWithinBudget } from '../lib/budget.ts';
import { encodeCursor } from '../lib/cursor.ts';
import type { Position } from '../lib/cursor.ts';

/**
 * As many items of a page as an answer holds, and where the next page begins.
 *
 * @param next where it begins if all of them fit
 * @param place of an item in its list
 * @param shown what of an item an answer says
 */
export function withinAnswer<Item>(
  items: readonly Item[],
  next: Position | undefined,
  place: (item: Item) => Position,
  shown: (item: Item) => unknown = (item) => item,
): { readonly items: readonly Item[]; readonly nextCursor: string | undefined } {
  const fitting = items.slice(0, itemsWithinBudget(items.map(shown)).length);
  const last = fitting.at(-1);
  const from = fitting.length < items.length && last ? place(last) : next;
  return { items: fitting, nextCursor: from && encodeCursor(from) };
}

import type { Position } from '../../lib/cursor.ts';

/** All items of a list that comes page by page. */
export async function allPages<Item>(
  page: (after: Position | undefined) => Promise<{ items: readonly Item[]; next: Position | undefined }>,
): Promise<Item[]> {
  const all: Item[] = [];
  for (let after: Position | undefined; ;) {
    const { items, next } = await page(after);
    all.push(...items);
    if (!next) return all;
    after = next;
  }
}

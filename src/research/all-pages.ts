import type { Position } from '../lib/cursor.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import type { StoredSource } from './model.ts';

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

/** All sources of a research, without their headings. */
export async function allSources(
  { sources }: Pick<OpenWorkspace, 'sources'>,
  session: string,
): Promise<StoredSource[]> {
  return allPages(async (after) => {
    const page = await sources.listStored(session, after);
    return { items: page.sources, next: page.next };
  });
}

import { Stopped } from '../model.ts';
import type { Heading } from '../model.ts';
import type { Pace } from '../pace.ts';
import type { OpenPdf } from './engine.ts';

type Document = Awaited<OpenPdf['document']>;

/** Headings that are kept, and levels of them. */
const MAX_HEADINGS = 1000;
const MAX_LEVELS = 8;

interface Item {
  readonly title: string;
  /** A name, or a place in the document. */
  readonly dest: unknown;
  readonly items: readonly Item[];
}

/**
 * The outline of a PDF (ISO 32000-2, 12.3.3). What leads nowhere in the document, or cannot be read, is left out.
 *
 * @throws Stopped `too_slow`
 */
export async function readOutline(document: Document, pace: Pace): Promise<Heading[]> {
  const headings: Heading[] = [];
  try {
    const roots = ((await pace.within(document.getOutline())) ?? []) as readonly Item[];
    const left = roots.map((item) => ({ item, level: 1 })).toReversed();
    for (let next = left.pop(); next && headings.length < MAX_HEADINGS; next = left.pop()) {
      const { item, level } = next;
      await pace.step();
      const part = await pace.within(pageOf(document, item.dest)).catch((thrown: unknown) => {
        if (thrown instanceof Stopped) throw thrown;
        return undefined;
      });
      if (part !== undefined) headings.push({ title: item.title, level, part });
      if (level < MAX_LEVELS)
        left.push(
          ...item.items
            .slice(0, MAX_HEADINGS)
            .map((each) => ({ item: each, level: level + 1 }))
            .toReversed(),
        );
    }
  } catch (thrown) {
    if (thrown instanceof Stopped) throw thrown;
  }
  return headings;
}

/** The page of a destination, from 1. */
async function pageOf(document: Document, dest: unknown): Promise<number | undefined> {
  const place: unknown = typeof dest === 'string' ? await document.getDestination(dest) : dest;
  const page: unknown = Array.isArray(place) ? place[0] : undefined;
  if (typeof page === 'number') return page + 1;
  if (typeof page !== 'object' || page === null) return undefined;
  return (await document.getPageIndex(page as Parameters<Document['getPageIndex']>[0])) + 1;
}

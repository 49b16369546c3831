/** How a text differs from an earlier one, paragraph by paragraph. */
export interface Changes {
  readonly added: number;
  readonly removed: number;
  /** The first of them, cut. */
  readonly addedPassages: readonly string[];
  readonly removedPassages: readonly string[];
}

const SHOWN = 5;
const MAX_PASSAGE = 300;

/** What of two texts is in one of them only. A paragraph that moved is no change. */
export function changesBetween(before: string, after: string): Changes {
  const old = paragraphsOf(before);
  const now = paragraphsOf(after);
  const added = [...now].filter((paragraph) => !old.has(paragraph));
  const removed = [...old].filter((paragraph) => !now.has(paragraph));
  const first = (passages: readonly string[]) => passages.slice(0, SHOWN).map((each) => each.slice(0, MAX_PASSAGE));
  return {
    added: added.length,
    removed: removed.length,
    addedPassages: first(added),
    removedPassages: first(removed),
  };
}

function paragraphsOf(text: string): Set<string> {
  return new Set(
    text
      .split(/\n{2,}/)
      .map((paragraph) => paragraph.replaceAll(/\s+/g, ' ').trim())
      .filter((paragraph) => paragraph !== ''),
  );
}

/** Tokens that one tool result may cost its reader. Claude Code cuts at 25,000. */
const OUTPUT_BUDGET_TOKENS = 25_000;

/**
 * The same in characters. Three a token is careful: English prose has about four, JSON and ids about
 * three, and what a client cuts is worse than what we cut.
 */
export const OUTPUT_BUDGET_CHARACTERS = OUTPUT_BUDGET_TOKENS * 3;

/**
 * The first items of a list whose JSON fits the budget, at least one.
 *
 * @param characters what the list may take: by default half, because a result says everything twice, as
 *   text and as structured content
 */
export function itemsWithinBudget<Item>(
  items: readonly Item[],
  characters: number = (OUTPUT_BUDGET_CHARACTERS - 2000) / 2,
): readonly Item[] {
  let used = 0;
  let count = 0;
  for (const item of items) {
    used += JSON.stringify(item).length + 1;
    if (used > characters && count > 0) break;
    count += 1;
  }
  return items.slice(0, count);
}

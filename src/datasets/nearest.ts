/** Names that somebody may have meant, the nearest first: at most three. */
export function nearestNames(name: string, names: readonly string[]): string[] {
  const wanted = name.toLowerCase().slice(0, 100);
  const most = Math.max(2, Math.floor(wanted.length / 3));
  return names
    .map((each) => ({ each, distance: distanceOf(wanted, each.toLowerCase().slice(0, 100)) }))
    .filter(({ distance }) => distance <= most)
    .toSorted((left, right) => left.distance - right.distance)
    .slice(0, 3)
    .map(({ each }) => each);
}

/** Levenshtein's: characters to insert, remove or replace. One that contains the other is near. */
function distanceOf(left: string, right: string): number {
  if (left.length > 2 && right.length > 2 && (left.includes(right) || right.includes(left))) return 1;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at++) {
    const next = [at];
    for (let to = 1; to <= right.length; to++)
      next.push(
        Math.min(
          (row[to] ?? 0) + 1,
          (next[to - 1] ?? 0) + 1,
          (row[to - 1] ?? 0) + (left[at - 1] === right[to - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}

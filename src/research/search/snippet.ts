import type { Term } from './query.ts';
import { wordsOf } from './words.ts';
import type { Word } from './words.ts';

/** UTF-16 code units of a snippet, about. */
const SNIPPET_CHARACTERS = 240;
const BEFORE = 60;

/** A place in a text: UTF-16 offsets. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

export interface Snippet extends Place {
  /** What was found within it, in its order, apart from each other. */
  readonly found: readonly Place[];
}

/** The part of a passage that has most of what was looked for; its beginning where it has nothing of it. */
export function snippetOf(passage: string, terms: readonly Term[]): Snippet {
  const words = wordsOf(passage);
  const places = placesOf(words, terms);
  const first = bestStart(places);
  const [at] = places.slice(first);
  const from =
    at === undefined || at.start <= BEFORE
      ? 0
      : (words.find(({ start }) => start >= at.start - BEFORE)?.start ?? at.start);
  const last = words.findLast(({ end }) => end <= from + SNIPPET_CHARACTERS)?.end ?? 0;
  const until =
    passage.length <= from + SNIPPET_CHARACTERS ? passage.length : Math.max(last, at?.end ?? 0) || SNIPPET_CHARACTERS;
  const found: Place[] = [];
  for (const { start, end } of places) {
    if (start < from || end > until) continue;
    const before = found.at(-1);
    if (before && start <= before.end)
      found[found.length - 1] = { start: before.start, end: Math.max(before.end, end) };
    else found.push({ start, end });
  }
  return { start: from, end: until, found };
}

interface FoundTerm extends Place {
  readonly term: number;
}

function placesOf(words: readonly Word[], terms: readonly Term[]): FoundTerm[] {
  const byFirst = new Map<string, number[]>();
  const beginnings: number[] = [];
  for (const [number, { words: wanted, prefix }] of terms.entries()) {
    const first = wanted[0] ?? '';
    if (prefix && wanted.length === 1) beginnings.push(number);
    else byFirst.set(first, [...(byFirst.get(first) ?? []), number]);
  }
  const places: FoundTerm[] = [];
  for (const [index, word] of words.entries())
    for (const number of [...(byFirst.get(word.text) ?? []), ...beginnings]) {
      const term = terms[number];
      if (!term || !standsAt(words, index, term)) continue;
      const last = words[index + term.words.length - 1] ?? word;
      // Of a pair of which only the first character was looked for, only that was found.
      const isHalf =
        term.prefix && term.words.length === 1 && words[index + 1]?.start === word.start + (term.words[0]?.length ?? 0);
      places.push({ term: number, start: word.start, end: isHalf ? (words[index + 1]?.start ?? last.end) : last.end });
    }
  return places;
}

function standsAt(words: readonly Word[], index: number, { words: wanted, prefix }: Term): boolean {
  return wanted.every((text, offset) => {
    const there = words[index + offset]?.text;
    return prefix && offset === wanted.length - 1 ? there?.startsWith(text) === true : there === text;
  });
}

/** Which of the places begins the window with the most different terms. */
function bestStart(places: readonly FoundTerm[]): number {
  let [best, most] = [0, 0];
  for (const [index, { start }] of places.entries()) {
    const terms = new Set<number>();
    for (let next = index; next < Math.min(places.length, index + 100); next++) {
      const place = places[next];
      if (!place || place.end > start + SNIPPET_CHARACTERS - BEFORE) break;
      terms.add(place.term);
    }
    if (terms.size > most) [best, most] = [index, terms.size];
  }
  return best;
}

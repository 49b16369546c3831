import { CarrelError } from '../lib/errors.ts';
import type { Part, Snapshot } from './model.ts';

/** A piece of a snapshot's text. */
export interface TextWindow {
  readonly text: string;
  /** In UTF-16 code units of the whole; `end` is behind it. */
  readonly start: number;
  readonly end: number;
  /** The page or section in which it begins, from 1. */
  readonly part: number;
  readonly label: string;
  /** Where to go on; undefined at the end of the text, or of the part that was asked for. */
  readonly next: number | undefined;
}

/**
 * A window over a snapshot's text: from an offset, or from the beginning of a part, and then no further than its end.
 * It ends between paragraphs if it can.
 *
 * @param characters UTF-16 code units at most
 * @throws CarrelError `not_found` for a part or a place that is not there
 */
export function windowOf(
  text: string,
  { parts }: Pick<Snapshot, 'parts'>,
  input: { readonly part: number | undefined; readonly offset: number | undefined; readonly characters: number },
): TextWindow {
  const asked = input.part === undefined ? undefined : parts[input.part - 1];
  if (input.part !== undefined && !asked)
    throw new CarrelError('not_found', `The source has ${parts.length} parts. Ask for one of them, from 1.`, {
      details: { parts: parts.length },
    });
  const begin = asked?.start ?? 0;
  const limit = input.part === undefined ? text.length : (parts[input.part]?.start ?? text.length);
  const start = input.offset ?? begin;
  if (start < begin || (start >= limit && start !== begin))
    throw new CarrelError('not_found', 'There is nothing at this offset: the text ends before it.', {
      details: { begin, end: limit },
    });
  const end = start + input.characters >= limit ? limit : cutBefore(text, start, start + input.characters);
  return {
    text: text.slice(start, end),
    start,
    end,
    ...partAt(parts, start),
    next: end < limit ? end : undefined,
  };
}

/** The last place before `end` where a paragraph, a line or a word ends, if it is not far; never within a character. */
function cutBefore(text: string, start: number, end: number): number {
  const least = start + Math.floor((end - start) * 0.7);
  for (const mark of ['\n\n', '\n', ' ']) {
    const at = text.lastIndexOf(mark, end - mark.length);
    if (at >= least) return at + mark.length;
  }
  return /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) && end - 1 > start ? end - 1 : end;
}

/** The page or section at a place. */
export function partAt(parts: readonly Part[], start: number): { part: number; label: string } {
  const index = Math.max(
    0,
    parts.findLastIndex((part) => part.start <= start),
  );
  return { part: index + 1, label: parts[index]?.label ?? '' };
}

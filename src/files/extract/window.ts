import type { ExtractedText } from './model.ts';
import { boundary } from './normalise.ts';

/** Between parts, where their texts are taken as one. */
const SEPARATOR = '\n\n';

export interface WindowRequest {
  /** The number of a part, from 1: the window stays within it. */
  readonly part?: number | undefined;
  /** Where it begins in the whole text, in UTF-16 code units; by default where the part or the text begins. */
  readonly offset?: number | undefined;
  /** UTF-16 code units; one more where that would cut the only character of the window in two. */
  readonly limit: number;
}

/** A piece of an extracted text. */
export interface SectionWindow {
  readonly text: string;
  /** The number of the part in which it begins, from 1, and of how many. */
  readonly part: number;
  readonly parts: number;
  /** Of that part. */
  readonly label: string;
  /** Where it lies in the whole text, in UTF-16 code units; `end` is behind it. */
  readonly start: number;
  readonly end: number;
  /** UTF-16 code units of the whole text. */
  readonly length: number;
  /** What to ask for next: together with a limit, another request. Undefined at the end of the text. */
  readonly next: { readonly part?: number; readonly offset: number } | undefined;
}

/**
 * A window over a text that is taken as one, its parts with a blank line between them: by the number of a
 * part, by an offset, or both. Going on with `next` until there is none gives the whole text. With a number,
 * each window ends with its part at the latest, and the blank line after it belongs to it.
 *
 * @returns undefined when there is no such part, or the offset lies outside of the text or the part
 */
export function sectionsOf({ parts }: ExtractedText, request: WindowRequest): SectionWindow | undefined {
  const starts: number[] = [];
  let length = 0;
  for (const [index, { text }] of parts.entries()) {
    starts.push(length);
    length += text.length + (index < parts.length - 1 ? SEPARATOR.length : 0);
  }
  const first = request.part === undefined ? 0 : request.part - 1;
  const from = starts[first];
  if (from === undefined) return undefined;
  const to = request.part === undefined ? length : (starts[first + 1] ?? length);
  const offset = request.offset ?? from;
  // The end of the text is a place of it only where there is nothing else.
  if (!Number.isInteger(offset) || offset < from || (offset >= to && offset !== from)) return undefined;

  const place = starts.findLastIndex((start) => start <= offset);
  const piece = (index: number) => (parts[index]?.text ?? '') + (index < parts.length - 1 ? SEPARATOR : '');
  const start = (starts[place] ?? 0) + boundary(piece(place), offset - (starts[place] ?? 0));
  // A window without a character would be followed by itself.
  const wanted = Math.min(to, start + Math.max(1, Math.floor(request.limit) || 1));
  const pieces: string[] = [];
  let end = start;
  for (let index = place; index < parts.length && end < wanted; index++) {
    const begin = starts[index] ?? 0;
    const text = piece(index);
    const cut = Math.min(text.length, wanted - begin);
    const until = boundary(text, cut);
    // A window of half a character would end where it begins.
    const stop = begin + until > start ? until : cut + 1;
    pieces.push(text.slice(end - begin, stop));
    end = begin + stop;
    if (stop < text.length) break;
  }
  return {
    text: pieces.join(''),
    part: place + 1,
    parts: parts.length,
    label: parts[place]?.label ?? '',
    start,
    end,
    length,
    next: next(request.part, end, to, length),
  };
}

function next(part: number | undefined, end: number, to: number, length: number): SectionWindow['next'] {
  if (end >= length) return undefined;
  if (part === undefined) return { offset: end };
  return { part: end >= to ? part + 1 : part, offset: end };
}

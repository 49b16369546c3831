/** UTF-16 code units of a passage: what is found is shown within one, and words of one search must stand in one. */
const MOST = 3000;
const LEAST = 1500;

/** Where a text may be cut, the best first. */
const BORDERS = [/\n\s*\n/g, /\n/g, /[.!?…]["”’)]?\s|[。！？]/g, /\s/g];

/** A part of a text. */
export interface Cut {
  /** UTF-16 offset in the text. */
  readonly start: number;
  readonly text: string;
}

/** A text in pieces of 1,500 to 3,000 characters, cut between paragraphs where there are such, and else lines, sentences, words. */
export function cutPassages(text: string): Cut[] {
  const cuts: Cut[] = [];
  for (let start = 0; start < text.length;) {
    const end = text.length - start <= MOST ? text.length : border(text, start);
    const piece = text.slice(start, end);
    if (piece.trim() !== '') cuts.push({ start, text: piece });
    start = end;
  }
  return cuts;
}

function border(text: string, start: number): number {
  const window = text.slice(start + LEAST, start + MOST);
  for (const pattern of BORDERS) {
    let last: number | undefined;
    for (const found of window.matchAll(pattern)) last = found.index + found[0].length;
    if (last !== undefined) return start + LEAST + last;
  }
  const end = start + MOST;
  return (text.charCodeAt(end) & 0xfc_00) === 0xdc_00 ? end - 1 : end;
}

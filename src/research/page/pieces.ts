import { boundary } from '../../files/extract/normalise.ts';

/** UTF-16 code units that are changed at once. */
const PIECE = 50_000;

/**
 * Changes a text of any length in pieces, which end between words or, where a word is too long, between
 * characters. What V8 makes of `replaceAll` is a chain of all that was replaced and all between, which takes thirty
 * times the text, until somebody looks into it: here that is done piece by piece.
 */
export function changed(text: string, change: (piece: string) => string): string {
  if (text.length <= PIECE) return change(text);
  const pieces: string[] = [];
  for (let from = 0; from < text.length;) {
    const space = text.lastIndexOf(' ', from + PIECE);
    const end = from + PIECE >= text.length ? text.length : space > from ? space : boundary(text, from + PIECE);
    const piece = change(text.slice(from, end));
    if (!Number.isNaN(piece.charCodeAt(0))) pieces.push(piece);
    from = end;
  }
  return pieces.join('');
}

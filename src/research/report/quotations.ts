/** Marks that open a quotation, and those that close it: English, German, French, Swedish, Chinese and Japanese. */
const PAIRS: Readonly<Record<string, string>> = {
  '“': '”',
  '„': '“”',
  '”': '”',
  '"': '"',
  '«': '»',
  '»': '«',
  '「': '」',
  '『': '』',
};

export interface Quotation {
  /** Of the opening mark, and behind the closing one. */
  readonly begin: number;
  readonly end: number;
  readonly text: string;
}

/** UTF-16 code units within which a quotation is closed; a mark without its like is none. */
const QUOTATION_CHARACTERS = 5000;

/** What stands between quotation marks, the outermost. */
export function quotationsIn(text: string): Quotation[] {
  const found: Quotation[] = [];
  // Where each mark is next: a text of opening ones must not be searched to its end for each of them.
  const next = new Map<string, number>();
  const nextOf = (mark: string, from: number): number => {
    const known = next.get(mark);
    if (known !== undefined && (known === -1 || known >= from)) return known;
    const at = text.indexOf(mark, from);
    next.set(mark, at);
    return at;
  };
  for (let at = 0; at < text.length; at += 1) {
    const closers = PAIRS[text[at] ?? ''];
    if (closers === undefined || (text[at] === '"' && /[\p{L}\p{N}]$/u.test(text.slice(Math.max(0, at - 1), at))))
      continue;
    const ends = Array.from(closers, (closer) => nextOf(closer, at + 1)).filter((end) => end !== -1);
    const end = Math.min(...ends);
    if (ends.length === 0 || end - at > QUOTATION_CHARACTERS) continue;
    found.push({ begin: at, end: end + 1, text: text.slice(at + 1, end) });
    at = end;
  }
  return found;
}

/**
 * The passages of a quotation that must stand verbatim in the source: what lies between `…`, `[…]` and `[...]`, without the
 * comma or the full stop that some put inside the marks.
 */
export function passagesOf(quotation: string): string[] {
  return quotation
    .split(/\[\s*(?:…|\.{3})\s*\]|\(\s*(?:…|\.{3})\s*\)|…|\.{3,4}/)
    .map((passage) =>
      passage
        .trim()
        .replace(/[.,;。，]+$/, '')
        .trim(),
    )
    .filter((passage) => /[\p{L}\p{N}]/u.test(passage));
}

/** What of a text belongs to how Markdown is written down. */
export const KEPT = 0;
const LEFT_OUT = 1;
/** Left out, and parts words. */
export const AS_SPACE = 2;

/** Links and images inside one another that are followed. */
const NESTED = 32;
const MARKS_OF_LINE = 30;

const LINE_MARK = /[ \t]*(?:\\?>|\\?[-+*](?=[ \t])|[•‣◦▪●·](?=[ \t])|\\?#{1,6}(?=[ \t]|$)|\[\^[^\]\s]{1,100}\]:)/y;
const FENCE = /^[\s>]*(?:`{3,}|~{3,})[^`]*$/;
const NOTE = /\[\^[^\]\s]{1,100}\]/y;
const DESTINATION = /\((?:[^\s()]|\([^\s()]{0,500}\)){0,2000}(?:\s{1,5}(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'))?\s{0,5}\)/y;
const BREAK = /<br\s{0,5}\/?>/iy;
const PUNCTUATION = /^[!-/:-@[-`{-~]$/;

/**
 * For each UTF-16 code unit of a text whether a reader of the Markdown would see it: {@link KEPT}, {@link LEFT_OUT} or
 * {@link AS_SPACE}. Marks that were escaped count as marks as well: a reader sees `*` where `\*` is written, and what
 * they quote has no backslash by which to tell it from emphasis.
 */
export function markdownMarks(text: string): Uint8Array {
  const marker = new Marker(text);
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    marker.line(start, end);
    start = end + 1;
  }
  return marker.marks;
}

class Marker {
  readonly marks: Uint8Array;
  readonly #text: string;
  /** Where brackets were opened that are not closed yet. */
  #open: number[] = [];

  constructor(text: string) {
    this.#text = text;
    this.marks = new Uint8Array(text.length);
  }

  line(start: number, end: number): void {
    const kind = wholeLine(this.#text, start, end);
    if (kind === 'blank') this.#open = [];
    if (kind !== 'text') this.marks.fill(AS_SPACE, start, end);
    else this.#inline(this.#lineMarks(start, end), end);
  }

  /** @returns where the text of the line begins */
  #lineMarks(start: number, end: number): number {
    let from = start;
    for (let count = 0; count < MARKS_OF_LINE; count++) {
      const to = matchEnd(LINE_MARK, this.#text, from);
      if (to === undefined || to > end) break;
      this.marks.fill(AS_SPACE, from, to);
      from = to;
    }
    return from;
  }

  #inline(start: number, end: number): void {
    for (let index = start; index < end;) index = this.#at(index, start);
  }

  /** @returns what is to be looked at next */
  #at(index: number, lineStart: number): number {
    switch (this.#text.charCodeAt(index)) {
      case 0x5c: // \
        return this.#escape(index);
      case 0x60: // `
        return this.#leaveOut(index, index + 1);
      case 0x2a: // *
      case 0x5f: // _
      case 0x7e: // ~
        return this.#run(index, lineStart);
      case 0x7c: // |
        return this.#leaveOut(index, index + 1, AS_SPACE);
      case 0x26: // &
        if (this.#text.startsWith('&amp;', index)) this.#leaveOut(index + 1, index + 5);
        return index + 1;
      case 0x3c: // <
        return this.#leaveOut(index, matchEnd(BREAK, this.#text, index) ?? index, AS_SPACE, index + 1);
      case 0x5b: // [
        return this.#bracket(index);
      case 0x5d: // ]
        return this.#closing(index);
      default:
        return index + 1;
    }
  }

  #escape(index: number): number {
    const next = this.#text.charAt(index + 1);
    if (!PUNCTUATION.test(next)) return index + 1;
    this.marks[index] = LEFT_OUT;
    const isNote = next === '[' && this.#text.charAt(index + 2) === '^';
    return index + (!isNote && '\\[]'.includes(next) ? 2 : 1);
  }

  /** A run of one of `*_~`. What stands free, or in an expression such as 2*3 or snake_case, is no emphasis. */
  #run(start: number, lineStart: number): number {
    const mark = this.#text.charAt(start);
    let end = start + 1;
    while (this.#text.charAt(end) === mark) end += 1;
    const before =
      start === lineStart ? ' ' : this.#text.charAt(start - (this.#text.charAt(start - 1) === '\\' ? 2 : 1));
    const after = this.#text.charAt(end);
    const isText =
      mark === '~'
        ? end - start === 1
        : mark === '_'
          ? /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after)
          : (/\d/.test(before) && /\d/.test(after)) || (/^\s$/.test(before) && /^\s?$/.test(after));
    return isText ? end : this.#leaveOut(start, end);
  }

  #bracket(index: number): number {
    const note = matchEnd(NOTE, this.#text, index);
    if (note !== undefined) return this.#leaveOut(index, note);
    if (this.#open.length === NESTED) this.#open.shift();
    this.#open.push(index);
    return index + 1;
  }

  #closing(index: number): number {
    const open = this.#open.pop();
    const end = matchEnd(DESTINATION, this.#text, index + 1);
    // Of a passage that begins within a link, the beginning of the link is not here: its end is no text all the same.
    if (end === undefined) return index + 1;
    if (open !== undefined && this.#text.charAt(open - 1) === '!') return this.#leaveOut(open - 1, end, AS_SPACE);
    if (open !== undefined) this.marks[open] = LEFT_OUT;
    return this.#leaveOut(index, end);
  }

  #leaveOut(start: number, end: number, as = LEFT_OUT, next = end): number {
    this.marks.fill(as, start, end);
    return Math.max(next, end);
  }
}

function matchEnd(pattern: RegExp, text: string, index: number): number | undefined {
  pattern.lastIndex = index;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** Lines of which nothing is text: fences of code, rules, what underlines a heading or parts the head of a table. */
function wholeLine(text: string, start: number, end: number): 'blank' | 'marks' | 'text' {
  let strokes = 0;
  let blank = true;
  for (let index = start; index < end; index++) {
    const character = text.charAt(index);
    if ('-=*_'.includes(character)) strokes += 1;
    else if (character === '`' || character === '~') return FENCE.test(text.slice(start, end)) ? 'marks' : 'text';
    else if (!' \t\r>|:+'.includes(character)) return 'text';
    if (!' \t\r'.includes(character)) blank = false;
  }
  if (blank) return 'blank';
  return strokes >= 3 ? 'marks' : 'text';
}

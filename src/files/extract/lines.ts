/** A line, or a piece of one that is too long to be kept whole. */
export interface Line {
  readonly text: string;
  /** This is all of the line. */
  readonly whole: boolean;
  /** The line ends here. */
  readonly ends: boolean;
}

/** Lines of text that comes in pieces, ended by LF, CR LF or CR. What is longer than `limit` code units comes in pieces. */
export async function* linesOf(pieces: AsyncIterable<string>, limit: number): AsyncGenerator<Line> {
  let rest = '';
  let whole = true;
  for await (const piece of pieces) {
    const text = rest + piece;
    // A CR at the end may be the first half of CR LF.
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n?|\n/);
    rest = (lines.pop() ?? '') + text.slice(end);
    for (const line of lines) {
      yield { text: line, whole, ends: true };
      whole = true;
    }
    if (rest.length > limit) {
      yield { text: rest, whole: false, ends: false };
      rest = '';
      whole = false;
    }
  }
  yield { text: rest.replace(/\r$/, ''), whole, ends: true };
}

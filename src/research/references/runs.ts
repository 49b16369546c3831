/** A piece of a line. Whoever shows it escapes it. */
export interface Run {
  readonly text: string;
  readonly italic?: true;
  /** http or https. */
  readonly link?: string;
}

/** What a line is made of; nothing of what is undefined or empty. */
export type Piece = string | Run | readonly Run[] | undefined;

export function runs(...pieces: readonly Piece[]): Run[] {
  const all: Run[] = [];
  for (const piece of pieces) {
    if (piece === undefined) continue;
    const added: readonly Run[] = typeof piece === 'string' ? [{ text: piece }] : 'text' in piece ? [piece] : piece;
    for (const run of added) {
      const last = all.at(-1);
      if (run.text === '') continue;
      if (last && last.italic === run.italic && last.link === run.link)
        all[all.length - 1] = { ...last, text: last.text + run.text };
      else all.push(run);
    }
  }
  return all;
}

/** Scripts that know no italics. */
const UPRIGHT = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{P}\p{N}\s]*$/u;

export function italic(text: string): Run {
  return UPRIGHT.test(text) ? { text } : { text, italic: true };
}

export function link(address: string, text: string = address): Run {
  return { text, link: address };
}

function plainText(line: readonly Run[]): string {
  return line.map(({ text }) => text).join('');
}

/** Pieces that are there, with something between them; a full stop there is left out after one that ends a sentence. */
export function joined(separator: string, pieces: readonly Piece[]): Run[] {
  const lines = pieces.map((piece) => runs(piece)).filter((line) => line.length > 0);
  return lines.reduce<Run[]>((all, line) => (all.length === 0 ? line : runs(all, afterEnd(all, separator), line)), []);
}

/** A line with a full stop at its end, unless it has one, or another sign that ends a sentence. */
export function stopped(line: readonly Run[]): Run[] {
  return line.length === 0 ? [] : runs(line, afterEnd(line, '.'));
}

function afterEnd(line: readonly Run[], sign: string): string {
  return sign.startsWith('.') && /[.?!…。？！]["'”’»]*$/u.test(plainText(line)) ? sign.slice(1) : sign;
}

/** A title between quotation marks. Those within it become single ones, and a sign behind it goes inside. */
export function quoted(title: string, sign: '' | '.' | ',' = ''): string {
  let open = false;
  const inner = title.replaceAll(/["“”„]/g, (mark) => {
    if (mark === '"') open = !open;
    return mark === '“' || mark === '„' || (mark === '"' && open) ? '‘' : '’';
  });
  const ending = sign === '.' && /[.?!…]’*$/u.test(inner) ? '' : sign;
  const end = inner.endsWith('’') && !/\w’\w*’$/.test(inner) ? inner.length - 1 : inner.length;
  return `“${inner.slice(0, end)}${ending}${inner.slice(end)}”`;
}

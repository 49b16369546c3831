import { DIGIT, IDEOGRAPH, isUnspaced, isWordy, LETTER, MARK, OTHER, visit } from './characters.ts';
import type { Visitor } from './characters.ts';
import { AS_SPACE, KEPT, markdownMarks } from './markdown-marks.ts';

/** A text as it is compared. */
export interface Normalised {
  readonly text: string;
  /** For each UTF-16 code unit of it, where the character begins from which it comes, in the text as it was given. */
  readonly origins: Uint32Array;
  /** Where dashes between letters were, ascending: they are not in the text, so that a word parted at the end of a line is one. */
  readonly joints: readonly Joint[];
  /** Addresses, notes' numbers and the like, which Markdown has beside the text, in their order. */
  readonly asides: readonly Aside[];
}

export interface Joint {
  /** In the normalised text: before this code unit. */
  readonly at: number;
  /** At the end of a line, where nobody can tell whether the word has a hyphen. */
  readonly endsLine: boolean;
}

export interface Aside {
  /** In the normalised text: the end of what stands before it, and the beginning of what stands behind. */
  readonly after: number;
  readonly before: number;
  /** Where it stands in the text as it was given. */
  readonly start: number;
  readonly end: number;
}

/**
 * A text as quotes are compared with it. What this does and does not level is said at {@link prepareText}.
 *
 * @param reading `plain`: as a reader of the Markdown sees it; `written`: as it stands there
 */
export function normalise(text: string, reading: 'plain' | 'written'): Normalised {
  const marks = reading === 'plain' ? markdownMarks(text) : undefined;
  const builder = new Builder(text.length);
  for (let index = 0; index < text.length;) {
    const mark = marks?.[index] ?? KEPT;
    if (mark === KEPT) {
      index = visit(text, index, builder);
      continue;
    }
    const start = index;
    while (index < text.length && (marks?.[index] ?? KEPT) !== KEPT) {
      if (marks?.[index] === AS_SPACE) builder.space(false, index);
      index += 1;
    }
    if (HAS_WORDS.test(text.slice(start, index))) builder.aside(start, index);
  }
  return builder.end();
}

const HAS_WORDS = /[\p{L}\p{N}]/u;

interface PendingDash {
  hyphen: boolean;
  endsLine: boolean;
  readonly origin: number;
}

class Builder implements Visitor {
  #units: Uint16Array;
  #origins: Uint32Array;
  #length = 0;
  readonly #joints: Joint[] = [];
  readonly #asides: { after: number; before: number; start: number; end: number }[] = [];
  /** Asides behind which nothing came yet. */
  #open = 0;
  #last = 0;
  /** Where the white space before what comes next began. */
  #space: number | undefined;
  #dash: PendingDash | undefined;

  constructor(capacity: number) {
    this.#units = new Uint16Array(capacity + 16);
    this.#origins = new Uint32Array(capacity + 16);
  }

  space(endsLine: boolean, origin: number): void {
    this.#space ??= origin;
    if (this.#dash?.hyphen === true && endsLine) this.#dash.endsLine = true;
  }

  dash(hyphen: boolean, origin: number): void {
    // Several beside one another are one dash, and no hyphen.
    if (this.#dash) this.#dash.hyphen = this.#dash.endsLine = false;
    else this.#dash = { hyphen: hyphen && this.#space === undefined, endsLine: false, origin };
  }

  aside(start: number, end: number): void {
    this.#asides.push({ after: this.#length, before: this.#length, start, end });
    this.#open += 1;
  }

  character(point: number, kind: number, origin: number): void {
    if (this.#dash) this.#endDash(this.#dash, kind);
    else if (this.#space !== undefined && parts(this.#last) && parts(kind)) this.#push(0x20, this.#space);
    this.#space = undefined;
    for (; this.#open > 0; this.#open -= 1) {
      const aside = this.#asides.at(-this.#open);
      if (aside) aside.before = this.#length;
    }
    this.#last = kind;
    if (point < 0x1_00_00) return this.#push(point, origin);
    this.#push(0xd8_00 + ((point - 0x1_00_00) >> 10), origin);
    this.#push(0xdc_00 + ((point - 0x1_00_00) & 0x3_ff), origin);
  }

  /** A dash at the very beginning is left out, unless it makes a number negative; one at the end always. */
  #endDash({ origin, endsLine }: PendingDash, next: number): void {
    this.#dash = undefined;
    if (isLetter(this.#last) && isLetter(next)) this.#joints.push({ at: this.#length, endsLine });
    else if (this.#last !== 0 || next === DIGIT) {
      this.#push(0x2d, origin);
      this.#last = OTHER;
    }
  }

  #push(unit: number, origin: number): void {
    if (this.#length === this.#units.length) {
      const capacity = this.#length * 2;
      const [units, origins] = [new Uint16Array(capacity), new Uint32Array(capacity)];
      units.set(this.#units);
      origins.set(this.#origins);
      [this.#units, this.#origins] = [units, origins];
    }
    this.#units[this.#length] = unit;
    this.#origins[this.#length] = origin;
    this.#length += 1;
  }

  end(): Normalised {
    const text: string[] = [];
    for (let from = 0; from < this.#length; from += 8192)
      text.push(String.fromCharCode(...this.#units.subarray(from, Math.min(from + 8192, this.#length))));
    const origins = this.#origins.subarray(0, this.#length);
    return { text: text.join(''), origins, joints: this.#joints, asides: this.#asides };
  }
}

const isLetter = (kind: number) => kind === LETTER || kind === MARK || isUnspaced(kind);
/** Whether a space beside such a character means something. */
const parts = (kind: number) => isWordy(kind) && kind !== IDEOGRAPH;

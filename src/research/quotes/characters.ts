/** What a character is to whoever compares texts word by word. */
const SPACE = 1;
const DASH = 2;
/** Not seen: zero width, direction, variation, controls. */
const IGNORED = 3;
export const LETTER = 4;
export const DIGIT = 5;
/** Of a script whose characters stand without spaces, where a space is an accident of how lines were broken. */
export const IDEOGRAPH = 6;
/** Of a script whose words stand without spaces, but whose sentences do not. */
const UNSPACED = 7;
/** Belongs to what stands before it. */
export const MARK = 8;
export const OTHER = 9;
/** Becomes something else in NFKC, is a quotation mark, or is half of a pair. */
const COMPLEX = 10;
/** UTF-16 code units by which a character may become longer. */
const MOST_ADDED = 8;
const SOFT_HYPHEN = 0xad;

/** Quotation marks as ASCII has them; accents and primes that are used for them too. */
const QUOTATION_MARKS: ReadonlyMap<string, string> = new Map([
  ...Array.from('‘’‚‛‹›ʼ′`´＇', (mark) => [mark, "'"] as const),
  ...Array.from('“”„‟«»″〝〞〟＂', (mark) => [mark, '"'] as const),
]);

const HYPHENS = /^[-\u2010\u2011\uFE63\uFF0D]$/;
const DASHES = /^[-\u2010-\u2015\u2043\u2212\u2E3A\u2E3B\uFE31\uFE32\uFE58\uFE63\uFF0D]$/;
/** Vowels and finals of Hangul, and the halfwidth signs of voice, are no marks to Unicode but join all the same. */
const JOINS = /^[\p{M}\u1160-\u11FF\uD7B0-\uD7FF\uFF9E\uFF9F]$/u;
const IDEOGRAPHS = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\u30FC]$/u;
const UNSPACED_SCRIPTS = /^[\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]$/u;

/** By UTF-16 code unit; 0 where nobody has asked yet. */
const classes = new Uint8Array(0x1_00_00);
const astral = new Map<number, number>();

function isComplex(character: string): boolean {
  return QUOTATION_MARKS.has(character) || character.normalize('NFKC') !== character;
}

function classify(character: string): number {
  if (/^[\s\u0085]$/u.test(character) && character !== '\uFEFF') return SPACE;
  if (/^[\p{Default_Ignorable_Code_Point}\p{Cc}]$/u.test(character)) return IGNORED;
  if (DASHES.test(character)) return DASH;
  if (JOINS.test(character)) return MARK;
  if (IDEOGRAPHS.test(character)) return IDEOGRAPH;
  if (UNSPACED_SCRIPTS.test(character)) return /^\p{P}$/u.test(character) ? OTHER : UNSPACED;
  if (/^\p{L}$/u.test(character)) return LETTER;
  return /^[\p{N}_]$/u.test(character) ? DIGIT : OTHER;
}

function classOfUnit(unit: number): number {
  let known = classes[unit] ?? 0;
  if (known === 0) {
    const character = String.fromCharCode(unit);
    const simple = classify(character);
    const changes = simple !== SPACE && simple !== DASH && simple !== IGNORED && simple !== MARK;
    known = (unit & 0xf8_00) === 0xd8_00 || (changes && isComplex(character)) ? COMPLEX : simple;
    classes[unit] = known;
  }
  return known;
}

/** Of a code point that went through {@link folded}. */
function classOfPoint(point: number): number {
  if (point < 0x1_00_00) {
    const known = classOfUnit(point);
    return known === COMPLEX ? classify(String.fromCodePoint(point)) : known;
  }
  let known = astral.get(point);
  if (known === undefined) {
    known = classify(String.fromCodePoint(point));
    // Bounded by what Unicode has, but nobody needs all of it.
    if (astral.size > 10_000) astral.clear();
    astral.set(point, known);
  }
  return known;
}

/** The class of the character that begins, or for `before` ends, at a place of a text that was normalised. */
export function classAt(text: string, index: number, before = false): number {
  const isPair = before && index > 1 && (text.charCodeAt(index - 1) & 0xfc_00) === 0xdc_00;
  return classOfPoint(text.codePointAt(before ? index - (isPair ? 2 : 1) : index) ?? 0);
}

/** Whether such characters beside one another are one word. */
export function isWordy(kind: number): boolean {
  return kind >= LETTER && kind <= MARK;
}

/** Whether words of such characters begin and end anywhere. */
export function isUnspaced(kind: number): boolean {
  return kind === IDEOGRAPH || kind === UNSPACED;
}

/** Where a character ends, with the marks that belong to it. */
export function characterEnd(text: string, start: number): number {
  let end = start + ((text.codePointAt(start) ?? 0) > 0xff_ff ? 2 : 1);
  while (end < text.length && text.charCodeAt(end) >= 0x3_00 && classOfUnit(text.charCodeAt(end)) === MARK) end += 1;
  return end;
}

/** Is told of the characters of a text, one by one. */
export interface Visitor {
  character(point: number, kind: number, origin: number): void;
  space(endsLine: boolean, origin: number): void;
  /** @param hyphen and no other dash: only they part words at the end of a line */
  dash(hyphen: boolean, origin: number): void;
}

/**
 * Visits the character at a place, in NFKC and with quotation marks as ASCII has them.
 *
 * @returns where the next one begins
 */
export function visit(text: string, start: number, visitor: Visitor): number {
  const unit = text.charCodeAt(start);
  const kind = classOfUnit(unit);
  if (kind === SPACE) {
    visitor.space(unit === 10 || unit === 13 || unit === 0x20_28 || unit === 0x20_29 || unit === 12, start);
    return start + 1;
  }
  if (kind === DASH) {
    visitor.dash(HYPHENS.test(String.fromCharCode(unit)), start);
    return start + 1;
  }
  if (unit === SOFT_HYPHEN && /^[ \t\r]{0,8}\n/.test(text.slice(start + 1, start + 10))) visitor.dash(true, start);
  if (kind === IGNORED) return start + 1;
  const next = text.charCodeAt(start + 1);
  if (kind !== COMPLEX && !(next >= 0x3_00 && classOfUnit(next) === MARK)) {
    visitor.character(unit, kind, start);
    return start + 1;
  }
  const end = characterEnd(text, start);
  visitFolded(folded(text.slice(start, end)), start, visitor);
  return end;
}

function folded(character: string): string {
  const mark = QUOTATION_MARKS.get(character);
  if (mark !== undefined) return mark;
  const wellFormed = character.toWellFormed();
  const expanded = wellFormed.normalize('NFKC');
  // One Arabic sign is a sentence of eighteen letters: a text of them would be eighteen times as long.
  return expanded.length <= wellFormed.length + MOST_ADDED ? expanded : wellFormed.normalize('NFC');
}

function visitFolded(characters: string, origin: number, visitor: Visitor): void {
  for (const character of characters) {
    const point = (QUOTATION_MARKS.get(character) ?? character).codePointAt(0) ?? 0;
    const kind = classOfPoint(point);
    if (kind === SPACE) visitor.space(false, origin);
    else if (kind === DASH) visitor.dash(false, origin);
    else if (kind !== IGNORED) visitor.character(point, kind, origin);
  }
}

/** A word of a text, as it is looked for. */
export interface Word {
  /** In lower case, without accents. */
  readonly text: string;
  /** UTF-16 offsets in the text. */
  readonly start: number;
  readonly end: number;
  /** The last character of a row without spaces, alone: what a search for a word does not end with. */
  readonly last: boolean;
}

/** Of a word; what is beyond cannot be told apart. */
const WORD_CHARACTERS = 64;

const SCRIPTS = ['Han', 'Hiragana', 'Katakana', 'Hangul', 'Bopomofo', 'Thai', 'Lao', 'Khmer', 'Myanmar'];
const UNSPACED = new RegExp(`^[${SCRIPTS.map((script) => String.raw`\p{scx=${script}}`).join('')}]$`, 'u');
const IN_WORDS = /^[\p{L}\p{N}\p{Co}]$/u;
/** Marks, and what is not seen (soft hyphen, zero width): they belong to what they follow, and no word ends there. */
const ATTACHED = /^[\p{M}\u00AD\u200B-\u200D\u2060\uFEFF\uFF9E\uFF9F]$/u;

const NONE = 1;
const LETTER = 2;
/** A letter that needs more than lower case. */
const FOLDED = 3;
const PAIRED = 4;
const MARK = 5;
/** By UTF-16 code unit; 0 where nobody has asked yet. */
const kinds = new Uint8Array(0x1_00_00);

/** What is left out of words. Vowels of Indic scripts, which are marks as well, stay. */
const ACCENTS = new RegExp(
  `[${[
    // Latin, Greek, Cyrillic
    String.raw`\u0300-\u036F\u0483-\u0487\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20F0\uFE20-\uFE2F`,
    // Hebrew
    String.raw`\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7`,
    // Arabic, its lengthening too, and Syriac
    String.raw`\u0610-\u061A\u0640\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E4\u06E7\u06E8\u06EA-\u06ED\u0711\u0730-\u074A`,
    // What is not seen
    String.raw`\u00AD\u200B-\u200D\u2060\uFEFF`,
  ].join('')}]`,
  'g',
);
/** Of ASCII only letters and digits stay: the index parts words at the rest. */
const NO_WORD = /[\0-\x2F\x3A-\x40\x5B-\x60\x7B-\x7F]/g;
const LETTERS: ReadonlyMap<string, string> = new Map([
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ø', 'o'],
  ['ł', 'l'],
  ['đ', 'd'],
  ['ð', 'd'],
  ['þ', 'th'],
  ['ı', 'i'],
  ['ς', 'σ'],
]);

/**
 * The words of a text in their order. Where words stand without spaces (Chinese, Japanese, Thai; Korean too, whose
 * particles hang on the words) each two characters beside one another are a word, and the last one of a row also by
 * itself: every character begins one word.
 */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (let index = 0; index < text.length;) {
    const kind = kindAt(text, index);
    if (kind === NONE) index += sizeAt(text, index);
    else index = kind === PAIRED ? addPairs(words, text, index) : addWord(words, text, index, kind);
  }
  return words;
}

/** The words of a text as one that the index parts at spaces alone. */
export function indexedText(text: string): string {
  return wordsOf(text)
    .map((word) => word.text)
    .join(' ');
}

/** @returns where the word ends */
function addWord(words: Word[], text: string, start: number, first: number): number {
  let end = start;
  let isPlain = true;
  for (let kind = first; kind === LETTER || kind === FOLDED || kind === MARK; kind = kindAt(text, end)) {
    isPlain &&= kind === LETTER;
    end += sizeAt(text, end);
    if (end >= text.length) break;
  }
  add(words, text, start, end, isPlain, false);
  return end;
}

/** @returns where the row ends */
function addPairs(words: Word[], text: string, from: number): number {
  const starts: number[] = [];
  let isPlain = true;
  let end = from;
  for (let kind = PAIRED; kind === PAIRED || kind === MARK; kind = end < text.length ? kindAt(text, end) : NONE) {
    if (kind === PAIRED) starts.push(end);
    isPlain &&= kind === PAIRED && isInert(text, end);
    end += sizeAt(text, end);
  }
  for (const [index, start] of starts.entries()) {
    const last = index === starts.length - 1;
    add(words, text, start, last ? end : (starts[index + 2] ?? end), isPlain, last);
  }
  return end;
}

function add(words: Word[], text: string, start: number, end: number, isPlain: boolean, last: boolean): void {
  const written = text.slice(start, end);
  const folded = isPlain ? written.slice(0, WORD_CHARACTERS).toLowerCase() : fold(written);
  if (folded !== '') words.push({ text: folded, start, end, last });
}

function sizeAt(text: string, index: number): number {
  return (text.codePointAt(index) ?? 0) > 0xff_ff ? 2 : 1;
}

function kindAt(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  const known = kinds[unit] ?? 0;
  if (known !== 0) return known;
  const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
  const kind = kindOf(character);
  // Of pairs of surrogates there are too many to remember.
  if (character.length === 1) kinds[unit] = kind;
  return kind;
}

function kindOf(character: string): number {
  if (ATTACHED.test(character)) return MARK;
  if (!IN_WORDS.test(character)) return NONE;
  if (UNSPACED.test(character)) return PAIRED;
  // What becomes of a capital sigma depends on what stands behind it.
  return character !== 'Σ' && foldAnew(character) === character.toLowerCase() ? LETTER : FOLDED;
}

function isInert(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit < 0xa0_00 ? unit >= 0x30_00 : unit >= 0xac_00 && unit <= 0xd7_a3;
}

/** Most words of a text come again. */
const remembered = new Map<string, string>();
const REMEMBERED = 5000;

function fold(word: string): string {
  let folded = remembered.get(word);
  if (folded === undefined) {
    folded = foldAnew(word);
    if (remembered.size === REMEMBERED) remembered.clear();
    if (word.length <= WORD_CHARACTERS) remembered.set(word, folded);
  }
  return folded;
}

function foldAnew(word: string): string {
  // Longer ones are no words: an accent more or less of them does not matter.
  const letters = word
    .slice(0, 4 * WORD_CHARACTERS)
    .toWellFormed()
    .normalize('NFKD');
  const plain = letters.replaceAll(ACCENTS, '').normalize('NFC').toLowerCase().replaceAll(NO_WORD, '');
  return Array.from(plain, (letter) => LETTERS.get(letter) ?? letter)
    .slice(0, WORD_CHARACTERS)
    .join('');
}

/**
 * Characters that are not seen, or that change how others are seen: controls, bidi overrides, zero
 * width, fillers. With them `gpj.exe` reads as `exe.jpg`.
 */
const HIDDEN_CLASS = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]`;
const HIDDEN = new RegExp(HIDDEN_CLASS, 'u');

/**
 * The places where a character of {@link HIDDEN} is part of correct writing: joiners in scripts that
 * join letters and in emoji, variation selectors after what they select, the tags of a flag.
 */
const WELL_PLACED_SOURCE = [
  String.raw`(?<=[\p{scx=Arabic}\p{scx=Syriac}\p{scx=Mongolian}\p{scx=Devanagari}\p{scx=Bengali}` +
    String.raw`\p{scx=Gurmukhi}\p{scx=Gujarati}\p{scx=Oriya}\p{scx=Tamil}\p{scx=Telugu}\p{scx=Kannada}` +
    String.raw`\p{scx=Malayalam}\p{scx=Sinhala}\p{scx=Khmer}\p{scx=Myanmar}])[\u200C\u200D](?=\p{L})`,
  String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F])\u200D(?=\p{Extended_Pictographic})`,
  String.raw`(?<=\p{Emoji})[\uFE0E\uFE0F]`,
  String.raw`(?<=\p{Ideographic})[\u{E0100}-\u{E01EF}]`,
  String.raw`(?<=\p{scx=Mongolian})[\u180B-\u180D]`,
  String.raw`(?<=\u{1F3F4})[\u{E0020}-\u{E007E}]{1,30}\u{E007F}`,
].join('|');
const WELL_PLACED = new RegExp(WELL_PLACED_SOURCE, 'gu');
const EITHER = new RegExp(`(?:${WELL_PLACED_SOURCE})|(${HIDDEN_CLASS})`, 'gu');

/** Whether text holds a character that is not seen or changes how others are seen, outside of where writing needs it. */
export function hasHiddenText(text: string): boolean {
  return HIDDEN.test(text.replaceAll(WELL_PLACED, ''));
}

/** The text with others in place of each such character. */
export function replaceHidden(text: string, replacement: (character: string) => string): string {
  return text.replaceAll(EITHER, (all, hidden: string | undefined) =>
    hidden === undefined ? all : replacement(hidden),
  );
}

/** Whether anything of the text can be seen. */
export function hasVisibleText(text: string): boolean {
  return /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u.test(text);
}

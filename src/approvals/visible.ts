/** What is not seen, or changes how the rest is seen; wider than what names refuse, because nothing here needs it. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\u00A0\u2000-\u200F\u202F\u205F\u3000]/gu;

/**
 * Text that shows all that it has, in one line: what cannot be seen stands as JSON would have it. A person must not
 * approve what they are not shown.
 */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

/**
 * One spelling of each percent-encoded text (RFC 3986, section 6.2.2): hexadecimal digits in upper case, letters and
 * digits as themselves, a `%` that encodes nothing as `%25`. What it stands for is not changed, so bytes that are no
 * UTF-8 (an old query in Latin-1) stay what they are.
 */
export function normaliseEncoding(text: string): string {
  return text.replaceAll(/%(?:([\dA-Fa-f]{2}))?/g, (_whole, digits: string | undefined) => {
    if (digits === undefined) return '%25';
    const character = String.fromCodePoint(Number.parseInt(digits, 16));
    return /[\w.~-]/.test(character) ? character : `%${digits.toUpperCase()}`;
  });
}

/** What a percent-encoded text stands for, or the text itself where it stands for no UTF-8. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

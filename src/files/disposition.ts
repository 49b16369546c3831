/**
 * `Content-Disposition: attachment` with the file's name (RFC 6266). `filename*` carries it in UTF-8
 * (RFC 8187 §3.2); `filename` is what a client that does not know it can make of it, in ASCII.
 *
 * @param name well-formed Unicode
 */
export function attachment(name: string): string {
  // encodeURIComponent leaves four characters that are not of RFC 8187's attr-char.
  const extended = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  // A `%` goes too: some clients decode it in the plain form, though none should (RFC 6266 appendix D).
  const plain = name.replaceAll(/[^\x20-\x7E]+|["\\%]/gu, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${extended}`;
}

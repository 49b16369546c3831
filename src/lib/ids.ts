/** Crockford's alphabet in lower case: no letter that reads like a digit, safe in URLs and paths. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Base32 in Crockford's alphabet, without padding; the rest of an incomplete group is filled with zeros. */
export function toBase32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(buffer >>> bits) & 31];
    }
    buffer &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(buffer << (5 - bits)) & 31] : text;
}

export type IdPrefix =
  | 'per'
  | 'ses'
  | 'fil'
  | 'upl'
  | 'att'
  | 'inv'
  | 'shr'
  | 'src'
  | 'snp'
  | 'quo'
  | 'not'
  | 'sec'
  | 'job'
  | 'apr';

/** A new id: what it names, an underscore and 100 random bits, such as `ses_8k2m…`. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomName()}`;
}

/** 20 characters that nobody can guess. */
export function randomName(): string {
  return toBase32(crypto.getRandomValues(new Uint8Array(13))).slice(0, 20);
}

/** Whether text has the form of an id that {@link newId} makes; says nothing of whether it exists. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return text.startsWith(`${prefix}_`) && /^[0-9a-hjkmnp-tv-z]{20}$/.test(text.slice(prefix.length + 1));
}

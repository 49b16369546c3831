import { sha256Hex, toBase64Url } from '../../lib/encoding.ts';
import type { Keyring } from '../../lib/keyring.ts';

/** Letters of a code that people read to each other: no vowels, so no words (RFC 8628 §6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const LENGTH = 8;
const CODE = new RegExp(`^[${LETTERS}]{${LENGTH}}$`);

/** A code for people, such as `WDJB-MJHT`: 34 bits, which the limit of guesses makes enough. */
export function newUserCode(): string {
  let code = '';
  while (code.length < LENGTH) {
    const [byte = 0] = crypto.getRandomValues(new Uint8Array(1));
    // A remainder of a byte would make the first letters likelier than the last.
    if (byte < 240) code += LETTERS.charAt(byte % LETTERS.length);
  }
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
}

/**
 * A code as somebody typed it, in the one form that it has: of either case, with or without dashes and
 * spaces. Undefined for what is none.
 */
export function parseUserCode(typed: string): string | undefined {
  const letters = typed.toUpperCase().replaceAll(/[\s-]/g, '');
  if (!CODE.test(letters)) return undefined;
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}`;
}

/** A code for the device. It is signed, so that an invented one is refused before any storage is read. */
export async function newDeviceCode(keyring: Keyring): Promise<string> {
  const secret = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  return `${secret}.${await keyring.sign('device-code', secret)}`;
}

/** What a device's code is kept as, or undefined for one that no key of ours made. */
export async function hashOfDeviceCode(keyring: Keyring, code: string): Promise<string | undefined> {
  const [secret = '', mac = '', ...rest] = code.length > 200 ? [] : code.split('.');
  if (rest.length > 0 || !(await keyring.verify('device-code', secret, mac))) return undefined;
  return sha256Hex(secret);
}

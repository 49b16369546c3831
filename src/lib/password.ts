import { fromBase64Url, toBase64Url, utf8 } from './encoding.ts';

/** As many as workerd derives with. Guesses at a running server are limited where they are counted. */
const ITERATIONS = 100_000;
const SCHEME = 'pbkdf2-sha256';

/** What is kept of a password: its salt and what PBKDF2 (RFC 8018) makes of both. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return [SCHEME, ITERATIONS, toBase64Url(salt), toBase64Url(await derive(password, salt, ITERATIONS))].join('$');
}

/** @param kept as {@link hashPassword} made it */
export async function isPassword(password: string, kept: string): Promise<boolean> {
  const [scheme, iterations, salt = '', hash = ''] = kept.split('$');
  const [saltBytes, expected] = [fromBase64Url(salt), fromBase64Url(hash)];
  if (scheme !== SCHEME || !saltBytes || !expected) return false;
  const derived = await derive(password, saltBytes, Number(iterations));
  let difference = derived.length ^ expected.length;
  for (const [index, byte] of derived.entries()) difference |= byte ^ (expected[index] ?? 0);
  return difference === 0;
}

async function derive(
  password: string,
  salt: Uint8Array<ArrayBuffer>,
  iterations: number,
): Promise<Uint8Array<ArrayBuffer>> {
  // Keyboards compose the same character in several ways.
  const key = await crypto.subtle.importKey('raw', utf8(password.normalize('NFC')), 'PBKDF2', false, ['deriveBits']);
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, key, 256),
  );
}

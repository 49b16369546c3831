import { fromBase64Url, toBase64Url, utf8 } from '../lib/encoding.ts';

async function sealingKey(token: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', utf8(token), 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: utf8('carrel'), info: utf8('refresh-replay') },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

/** Seals an answer so that only whoever holds the token can open it. */
export async function seal(text: string, token: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await sealingKey(token), utf8(text));
  return `${toBase64Url(iv)}.${toBase64Url(new Uint8Array(sealed))}`;
}

/** Opens what {@link seal} closed. @throws when it was another token */
export async function unseal(sealed: string, token: string): Promise<string> {
  const [iv, body] = sealed.split('.').map((part) => fromBase64Url(part));
  if (!iv || !body) throw new TypeError('not a sealed text');
  return new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, await sealingKey(token), body));
}

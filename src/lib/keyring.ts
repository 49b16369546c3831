import { fromBase64Url, toBase64Url, utf8 } from './encoding.ts';

/** What a key is for. Each purpose has a key of its own, so that a value signed for one means nothing to another. */
export type KeyPurpose =
  | 'upload-address'
  | 'tus-address'
  | 'download-address'
  | 'drop-address'
  | 'share-address'
  | 'form-token'
  | 'consent'
  | 'remember'
  | 'probe'
  | 'round-state'
  | 'owner-code'
  | 'operator'
  | 'client-address'
  | 'link-identity'
  | 'device-code'
  | 'user-code'
  | 'device-consent';

/**
 * Signs and checks with keys that are derived per purpose (HKDF-SHA-256, RFC 5869) from one secret.
 * It signs with the first secret and accepts the signatures of all, so that a secret can be rotated
 * while what the previous one signed is still in use.
 */
export class Keyring {
  readonly #secrets: readonly [string, ...string[]];
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  constructor(secrets: readonly [string, ...string[]]) {
    this.#secrets = secrets;
  }

  /** HMAC-SHA-256 as unpadded base64url. */
  async sign(purpose: KeyPurpose, message: string): Promise<string> {
    const key = await this.#key(purpose, this.#secrets[0]);
    return toBase64Url(new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(message))));
  }

  /**
   * Whether one of the secrets made this signature of this message for this purpose. Constant time a key. One
   * signature, one text: the last character of 32 bytes in base64url has two bits that mean nothing.
   */
  async verify(purpose: KeyPurpose, message: string, signature: string): Promise<boolean> {
    const mac = fromBase64Url(signature);
    if (mac === undefined || mac.byteLength !== 32 || toBase64Url(mac) !== signature) return false;
    for (const secret of this.#secrets)
      if (await crypto.subtle.verify('HMAC', await this.#key(purpose, secret), mac, utf8(message))) return true;
    return false;
  }

  /** A secret of 43 characters for a library that wants text, derived from the current secret. */
  async derivedSecret(purpose: KeyPurpose): Promise<string> {
    return this.sign(purpose, 'derived secret');
  }

  #key(purpose: KeyPurpose, secret: string): Promise<CryptoKey> {
    const name = `${purpose}\n${secret}`;
    let key = this.#keys.get(name);
    if (!key) {
      key = deriveKey(secret, purpose);
      this.#keys.set(name, key);
    }
    return key;
  }
}

async function deriveKey(secret: string, purpose: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', utf8(secret), 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: utf8('carrel'), info: utf8(purpose) },
    material,
    { name: 'HMAC', hash: 'SHA-256', length: 256 },
    false,
    ['sign', 'verify'],
  );
}

import { BoundedMap } from '../lib/bounded-map.ts';
import { utf8 } from '../lib/encoding.ts';
import { isId, toBase32 } from '../lib/ids.ts';

/** Bytes of the mark: 80 bits, so that guessing one takes as many requests as guessing a token is worth. */
const MARK_BYTES = 10;
const MARK = /^[0-9a-hjkmnp-tv-z]{16}$/;

/**
 * The outward form of a person's id, `<id>.<mark>`, as it stands at the head of codes and tokens.
 * The mark is a truncated HMAC: whoever invents a token is refused by arithmetic alone, before any
 * storage is read. It authorises nothing; the token behind it is still checked where it is stored.
 */
export class PersonIds {
  readonly #keys: readonly Promise<CryptoKey>[];
  readonly #known = new BoundedMap<string, string>(1000);

  /** @param keys the current key first, then the retired ones, whose marks stay valid */
  constructor(keys: readonly [string, ...string[]]) {
    this.#keys = keys.map((key) =>
      crypto.subtle.importKey('raw', utf8(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']),
    );
  }

  /** The id with a mark of the current key. */
  async outward(personId: string): Promise<string> {
    const key = this.#keys[0];
    if (key === undefined) throw new TypeError('PersonIds needs a key');
    return `${personId}.${await mark(await key, personId)}`;
  }

  /** The person's id, or undefined when no key of ours made the mark. */
  async parse(outward: string): Promise<string | undefined> {
    const known = this.#known.get(outward);
    if (known !== undefined) return known;
    const [personId = '', presented = '', ...rest] = outward.split('.');
    if (rest.length > 0 || !isId('per', personId) || !MARK.test(presented)) return undefined;
    for (const key of this.#keys) {
      if (!sameText(await mark(await key, personId), presented)) continue;
      this.#known.set(outward, personId);
      return personId;
    }
    return undefined;
  }
}

async function mark(key: CryptoKey, personId: string): Promise<string> {
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(`person-id:${personId}`)));
  return toBase32(mac.subarray(0, MARK_BYTES));
}

/** Compares without an early end, so that the time tells nothing of where two marks differ. */
function sameText(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}

/** The parts of a code, access token or refresh token of the OAuth library: `<outward person>:<grant>:<secret>`. */
export function tokenParts(token: string): { outwardPerson: string; grantId: string } | undefined {
  const match = /^([^:\s]{1,80}):([A-Za-z0-9_-]{1,64}):[A-Za-z0-9_-]{1,128}$/.exec(token);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { outwardPerson: match[1], grantId: match[2] };
}

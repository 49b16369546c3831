import { fromBase64Url, toBase64Url, utf8 } from '../../src/lib/encoding.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** What a page asks an authenticator, as far as this one reads it. */
interface Asked {
  readonly challenge: string;
  readonly rpId?: string;
  readonly rp?: { readonly id?: string };
}

/** Lies that an authenticator or its browser may tell. */
export interface Lies {
  readonly origin?: string;
  readonly type?: string;
  readonly challenge?: string;
  readonly rpId?: string;
  readonly counter?: number;
  readonly credentialId?: Bytes;
  readonly crossOrigin?: boolean;
  /** Nobody touched it. */
  readonly absent?: boolean;
  /** An attestation statement that nobody asked for. */
  readonly attestation?: { readonly fmt: string; readonly statement: ReadonlyMap<string, unknown> };
  /** The new key vouches for itself, which a browser may pass on though nobody asked. */
  readonly selfAttested?: boolean;
}

/** The COSE algorithms that devices have: of most, of some security keys, of Windows Hello. */
export const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

const MADE_WITH = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
  RS256: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
} as const;

const COSE = { ES256: -7, EdDSA: -8, RS256: -257 } as const;

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

/**
 * An authenticator in software with one key: what a browser and a device answer together, so
 * that tests can also answer what no browser would.
 */
export class Authenticator {
  readonly credentialId: Bytes = crypto.getRandomValues(new Uint8Array(32));
  counter = 0;
  readonly #algorithm: Algorithm;
  readonly #keys: CryptoKeyPair;
  readonly #origin: string;

  private constructor(origin: string, algorithm: Algorithm, keys: CryptoKeyPair) {
    this.#origin = origin;
    this.#algorithm = algorithm;
    this.#keys = keys;
  }

  static async make(origin: string, algorithm: Algorithm = 'ES256'): Promise<Authenticator> {
    const keys = await crypto.subtle.generateKey(MADE_WITH[algorithm], true, ['sign', 'verify']);
    return new Authenticator(origin, algorithm, keys as CryptoKeyPair);
  }

  get id(): string {
    return toBase64Url(this.credentialId);
  }

  /** Answers `navigator.credentials.create`, as JSON. */
  async create(asked: Asked, lies: Lies = {}): Promise<Record<string, unknown>> {
    const id = lies.credentialId ?? this.credentialId;
    const attested = join(
      new Uint8Array(16),
      new Uint8Array([id.length >> 8, id.length & 255]),
      id,
      await this.#cose(),
    );
    const data = join(await this.#data(asked, lies, HAS_CREDENTIAL), attested);
    const client = this.#client(asked, lies, 'webauthn.create');
    const own = new Map<string, unknown>([
      ['alg', COSE[this.#algorithm]],
      ['sig', await this.#sign(data, client)],
    ]);
    const { fmt, statement } =
      lies.attestation ??
      (lies.selfAttested === true ? { fmt: 'packed', statement: own } : { fmt: 'none', statement: new Map() });
    const object = new Map<string, unknown>([
      ['fmt', fmt],
      ['attStmt', statement],
      ['authData', data],
    ]);
    return answer(id, {
      clientDataJSON: toBase64Url(client),
      attestationObject: toBase64Url(cbor(object)),
      transports: ['internal'],
    });
  }

  /** Answers `navigator.credentials.get`, as JSON. */
  async get(asked: Asked, lies: Lies = {}): Promise<Record<string, unknown>> {
    this.counter = lies.counter ?? this.counter;
    const client = this.#client(asked, lies, 'webauthn.get');
    const data = await this.#data(asked, lies, 0);
    return answer(lies.credentialId ?? this.credentialId, {
      clientDataJSON: toBase64Url(client),
      authenticatorData: toBase64Url(data),
      signature: toBase64Url(await this.#sign(data, client)),
    });
  }

  async #sign(data: Bytes, client: Bytes): Promise<Bytes> {
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', client));
    const algorithm = { name: MADE_WITH[this.#algorithm].name, hash: 'SHA-256' };
    const signature = await crypto.subtle.sign(algorithm, this.#keys.privateKey, join(data, hash));
    return this.#algorithm === 'ES256' ? der(new Uint8Array(signature)) : new Uint8Array(signature);
  }

  /** The public key as RFC 9053 §7 and RFC 8230 §4 write it. */
  async #cose(): Promise<Bytes> {
    const jwk = (await crypto.subtle.exportKey('jwk', this.#keys.publicKey)) as JsonWebKey;
    const part = (name: 'x' | 'y' | 'n' | 'e') => fromBase64Url(jwk[name] ?? '');
    const parts: Record<Algorithm, [number, unknown][]> = {
      ES256: [
        [1, 2],
        [-1, 1],
        [-2, part('x')],
        [-3, part('y')],
      ],
      EdDSA: [
        [1, 1],
        [-1, 6],
        [-2, part('x')],
      ],
      RS256: [
        [1, 3],
        [-1, part('n')],
        [-2, part('e')],
      ],
    };
    return cbor(new Map<number, unknown>([[3, COSE[this.#algorithm]], ...parts[this.#algorithm]]));
  }

  #client({ challenge }: Asked, lies: Lies, type: string): Bytes {
    const { origin = this.#origin, crossOrigin = false } = lies;
    return utf8(
      JSON.stringify({ type: lies.type ?? type, challenge: lies.challenge ?? challenge, origin, crossOrigin }),
    );
  }

  async #data({ rpId, rp }: Asked, lies: Lies, flags: number): Promise<Bytes> {
    const host = utf8(lies.rpId ?? rpId ?? rp?.id ?? '');
    const counter = new DataView(new ArrayBuffer(4));
    counter.setUint32(0, lies.counter ?? this.counter);
    const all = flags | (lies.absent === true ? 0 : USER_PRESENT | USER_VERIFIED);
    return join(
      new Uint8Array(await crypto.subtle.digest('SHA-256', host)),
      new Uint8Array([all]),
      new Uint8Array(counter.buffer),
    );
  }
}

function answer(id: Bytes, response: object): Record<string, unknown> {
  const text = toBase64Url(id);
  return { id: text, rawId: text, type: 'public-key', response, clientExtensionResults: {} };
}

function join(...parts: readonly Bytes[]): Bytes {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Numbers, texts, bytes, lists and maps in CBOR (RFC 8949). */
function cbor(value: unknown): Bytes {
  const head = (major: number, count: number) => {
    if (count < 24) return new Uint8Array([(major << 5) | count]);
    if (count < 256) return new Uint8Array([(major << 5) | 24, count]);
    return new Uint8Array([(major << 5) | 25, count >> 8, count & 255]);
  };
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return join(head(3, utf8(value).length), utf8(value));
  if (value instanceof Uint8Array) return join(head(2, value.length), new Uint8Array(value));
  if (Array.isArray(value)) return join(head(4, value.length), ...value.map(cbor));
  if (value instanceof Map) return join(head(5, value.size), ...[...value].flat().map(cbor));
  throw new TypeError('no CBOR for this');
}

/** The two numbers of a signature as ASN.1: WebCrypto gives them side by side, authenticators do not. */
function der(signature: Bytes): Bytes {
  const integer = (bytes: Bytes) => {
    const start = bytes.findIndex((byte) => byte !== 0);
    const plain = bytes.slice(start);
    const positive = (plain[0] ?? 0) > 127 ? join(new Uint8Array(1), plain) : plain;
    return join(new Uint8Array([2, positive.length]), positive);
  };
  const both = join(integer(signature.slice(0, 32)), integer(signature.slice(32)));
  return join(new Uint8Array([0x30, both.length]), both);
}

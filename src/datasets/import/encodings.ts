import { encodingNamed } from '../../lib/charset.ts';
import { CarrelError } from '../../lib/errors.ts';
import type { Units } from './csv-scanner.ts';

/** Encodings of the Encoding Standard with one byte a character, whose ASCII is ASCII. */
const SINGLE_BYTE =
  /^(?:ibm866|iso-8859-(?:[2-8]|8-i|1[03456])|koi8-[ru]|macintosh|windows-(?:874|125[0-8])|x-mac-cyrillic)$/;

/** @throws CarrelError `unsupported` for an encoding in which rows cannot be told apart by their bytes */
export function declaredEncoding(label: string): string {
  const name = encodingNamed(label);
  if (name === undefined || !(name === 'utf-8' || /^utf-16[lb]e$/.test(name) || SINGLE_BYTE.test(name)))
    throw new CarrelError(
      'unsupported',
      'Files can be in UTF-8, UTF-16 or an encoding with one byte a character, such as windows-1252.',
    );
  return name;
}

/** The characters of Windows-1252 that are none: where its bytes stand, a file is not Windows-1252. */
const C1 = /[\u0080-\u009F]/;

/** A piece of a file, seen so that its ASCII can be found, and decoded where it is more than that. */
export class Piece {
  readonly units: Units;
  /** As long as the units, and the same where they are ASCII; decoded if the encoding has one unit a character. */
  readonly text: string;
  readonly #bytes: Uint8Array;
  readonly #encoding: string;

  /** @param bytes whole units of the encoding */
  constructor(bytes: Uint8Array, encoding: string) {
    this.#bytes = bytes;
    this.#encoding = encoding;
    if (encoding.startsWith('utf-16')) {
      const units = new Uint16Array(bytes.length / 2);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < units.length; at++) units[at] = view.getUint16(2 * at, encoding === 'utf-16le');
      this.units = units;
      this.text = lenient(encoding).decode(bytes);
    } else {
      this.units = bytes;
      const text = lenient(encoding).decode(bytes);
      // In UTF-8 only what is all ASCII has as many characters as bytes, or has bytes that are none at their place.
      this.text = text.length === bytes.length ? text : lenient('windows-1252').decode(bytes);
    }
  }

  get isUtf8(): boolean {
    return this.#encoding === 'utf-8';
  }

  /** How many bytes a unit has. */
  get width(): number {
    return this.units instanceof Uint16Array ? 2 : 1;
  }

  /** @returns undefined for what is no text of the encoding */
  decode(from: number, to: number): string | undefined {
    try {
      const text = strict(this.#encoding).decode(this.#part(from, to));
      return text.includes('\0') || (SINGLE_BYTE.test(this.#encoding) && C1.test(text)) ? undefined : text;
    } catch {
      return undefined;
    }
  }

  /** Whatever it is, with U+FFFD for what is not. */
  show(from: number, to: number, encoding = this.#encoding): string {
    return lenient(encoding).decode(this.#part(from, to));
  }

  /** Whether these bytes are a line of Windows-1252. */
  isWindows1252(from: number, to: number): boolean {
    return this.width === 1 && !C1.test(lenient('windows-1252').decode(this.#part(from, to)));
  }

  #part(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from * this.width, to * this.width);
  }
}

const decoders = new Map<string, TextDecoder>();

function decoder(encoding: string, fatal: boolean): TextDecoder {
  const key = `${encoding} ${fatal}`;
  let made = decoders.get(key);
  if (!made) decoders.set(key, (made = new TextDecoder(encoding, { fatal, ignoreBOM: true })));
  return made;
}

const lenient = (encoding: string) => decoder(encoding, false);
const strict = (encoding: string) => decoder(encoding, true);

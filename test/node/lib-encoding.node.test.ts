import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  byteLength,
  fromBase64,
  fromBase64Url,
  fromHex,
  sha256Hex,
  toBase64Url,
  toHex,
} from '../../src/lib/encoding.ts';
import { isId, newId, randomName, toBase32 } from '../../src/lib/ids.ts';

const bytes = fc.uint8Array({ maxLength: 200 });
const text = fc.string({ unit: 'binary', maxLength: 60 });

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const BASE32 = '0123456789abcdefghjkmnpqrstvwxyz';
const HEX = '0123456789abcdef';

/** What RFC 4648 says, slowly: the bits from the front, so many a letter, the last group filled with zeros. */
function encoded(value: Uint8Array, alphabet: string): string {
  const perLetter = Math.log2(alphabet.length);
  const bits = Array.from(value, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(new RegExp(`.{1,${perLetter}}`, 'g')) ?? [];
  return groups.map((group) => alphabet[Number.parseInt(group.padEnd(perLetter, '0'), 2)]).join('');
}

function decoded(value: string, alphabet: string): Uint8Array {
  const perLetter = Math.log2(alphabet.length);
  const bits = Array.from(value, (letter) => alphabet.indexOf(letter).toString(2).padStart(perLetter, '0')).join('');
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

describe('base64url', () => {
  it('brings any bytes back, in letters that are safe anywhere', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toBase64Url(value)).toBe(encoded(value, BASE64URL));
        expect(fromBase64Url(toBase64Url(value))).toEqual(value);
      }),
    );
  });

  it('takes nothing else for itself', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.stringMatching(/^[\w-]{0,30}$/)), (value) => {
        const valid = Array.from(value).every((letter) => BASE64URL.includes(letter)) && value.length % 4 !== 1;
        expect(fromBase64Url(value)).toEqual(valid ? decoded(value, BASE64URL) : undefined);
      }),
    );
    for (const garbage of ['=', 'AA==', 'A', 'AAAAA', 'A+', 'A/', 'A A', 'AA\n', 'ä', '\u{0}'])
      expect(fromBase64Url(garbage)).toBeUndefined();
  });
});

describe('base64, as programs write it', () => {
  const programs: ((value: Uint8Array) => string)[] = [
    (value) => btoa(String.fromCharCode(...value)),
    (value) => btoa(String.fromCharCode(...value)).replaceAll('=', ''),
    (value) => btoa(String.fromCharCode(...value)).replaceAll(/.{76}/g, '$&\r\n'),
    toBase64Url,
  ];

  it('brings any bytes back', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom(...programs), (value, write) => {
        expect(fromBase64(write(value))).toEqual(value);
      }),
    );
  });

  it('is nothing else', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.stringMatching(/^[\w+/=\n-]{0,30}$/)), (value) => {
        const whole = value.replaceAll(/[\r\n]/g, '');
        const isBase64 =
          /^[\w+/-]*={0,2}$/.test(whole) && (whole.endsWith('=') ? whole.length % 4 === 0 : whole.length % 4 !== 1);
        expect(fromBase64(value) !== undefined).toBe(isBase64);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('hexadecimal', () => {
  it('brings any bytes back, in either case', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toHex(value)).toBe(encoded(value, HEX));
        expect(fromHex(toHex(value))).toEqual(value);
        expect(fromHex(toHex(value).toUpperCase())).toEqual(value);
      }),
    );
  });

  it('takes nothing else for itself', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(fromHex(value) !== undefined).toBe(/^(?:[0-9a-fA-F]{2})*$/.test(value) && !value.endsWith('\n'));
      }),
    );
    for (const garbage of ['0', 'gg', '0x00', ' 00', '00 ', '-1', '00\n']) expect(fromHex(garbage)).toBeUndefined();
  });
});

describe('base32', () => {
  it('holds the bits from the front, so that no two values of one length look the same', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(toBase32(value)).toBe(encoded(value, BASE32));
        expect(decoded(toBase32(value), BASE32)).toEqual(value);
      }),
    );
  });
});

describe('ids', () => {
  const prefixes = ['per', 'ses', 'fil', 'att'] as const;

  it('are known by their form, each under its own prefix only', () => {
    for (const prefix of prefixes)
      for (const id of Array.from({ length: 200 }, () => newId(prefix)))
        expect(prefixes.filter((other) => isId(other, id))).toEqual([prefix]);
  });

  it('never come twice', () => {
    expect(new Set(Array.from({ length: 10_000 }, randomName)).size).toBe(10_000);
  });

  it('are not what only looks like one', () => {
    fc.assert(
      fc.property(fc.constantFrom(...prefixes), text, (prefix, rest) => {
        expect(isId(prefix, `${prefix}_${rest}`)).toBe(/^[0-9a-hjkmnp-tv-z]{20}$/.test(rest) && rest.length === 20);
      }),
    );
    const id = newId('per');
    for (const other of [`${id}\n`, ` ${id}`, id.toUpperCase(), id.slice(0, -1), `${id}0`, id.replace('_', '-'), ''])
      expect(isId('per', other)).toBe(false);
    for (const letter of 'ilou') expect(isId('per', `per_${letter.repeat(20)}`)).toBe(false);
  });
});

describe('text', () => {
  it('is counted as UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(byteLength(value)).toBe(encodeURIComponent(value).replaceAll(/%../g, '%').length);
      }),
    );
  });

  it('is hashed as UTF-8', async () => {
    expect(await sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(await sha256Hex('é')).toBe(await sha256Hex(Uint8Array.of(0xc3, 0xa9)));
    expect(await sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

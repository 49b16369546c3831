import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { describeFile, parseBytes, parseChecksum, parseMetadata } from '../../src/files/tus/headers.ts';
import { utf8 } from '../../src/lib/encoding.ts';
import { CarrelError } from '../../src/lib/errors.ts';

const base64 = (bytes: Uint8Array | string) =>
  btoa(String.fromCharCode(...(typeof bytes === 'string' ? utf8(bytes) : bytes)));

/** What a parser gives, or that it refuses; anything else that it throws is a fault. */
function given<Result>(parse: () => Result): Result | 'refused' {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'invalid_input') return 'refused';
    throw error;
  }
}

const key = fc.stringMatching(/^[!-+\--~]{1,20}$/);

describe('Upload-Metadata', () => {
  it('is read as it was written, whatever bytes the values are', () => {
    fc.assert(
      fc.property(fc.dictionary(key, fc.uint8Array({ maxLength: 60 }), { noNullPrototype: false }), (entries) => {
        const pairs = Object.entries(entries);
        // An empty value may lack its space (tus, Creation).
        const header = pairs.map(([name, value]) => `${name} ${base64(value)}`.trimEnd()).join(',');
        const read = [...parseMetadata(header)].map(([name, value]) => [name, base64(value)]);
        expect(read).toEqual(pairs.map(([name, value]) => [name, base64(value)]));
      }),
    );
  });

  it('of any text is read or refused, and what is read can be sent back in a header', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z ,=+/A-Z]{0,40}$/)), (header) => {
        const isRead = given(() => parseMetadata(header)) !== 'refused';
        expect(isRead && !/^[ -~]*$/.test(header)).toBe(false);
      }),
    );
  });

  it('names a file that fits, or none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (name) => {
        const file = given(() => describeFile(parseMetadata(`filename ${base64(name)}`)));
        expect(['refused', name.trim().normalize('NFC')]).toContain(file === 'refused' ? file : file.path);
      }),
    );
  });

  it.each([
    [
      { filename: 'a.txt', filetype: 'text/plain; charset=utf-8' },
      { path: 'a.txt', type: 'text/plain' },
    ],
    [
      { name: 'b.txt', type: 'text/csv' },
      { path: 'b.txt', type: 'text/csv' },
    ],
    [{ name: 'c.txt', relativePath: 'trip/c.txt' }, { path: 'trip/c.txt' }],
    [{ name: 'd.txt', relativePath: 'null' }, { path: 'd.txt' }],
    [{ name: 'e.txt', path: 'own/e.txt', relativePath: 'trip/e.txt' }, { path: 'own/e.txt' }],
    [
      { name: 'f.txt', if_exists: 'keep_both', session: 'study' },
      { if_exists: 'keep_both', session: 'study' },
    ],
  ])('%j is %j', (metadata, file) => {
    const header = Object.entries(metadata).map(([name, value]) => `${name} ${base64(value)}`);
    expect(describeFile(parseMetadata(header.join(', ')))).toMatchObject(file);
  });
});

describe('Upload-Checksum', () => {
  it.each([
    ['sha1', 'SHA-1', 20],
    ['sha256', 'SHA-256', 32],
    ['md5', 'MD5', 16],
  ])('of %s is read, and of no other length', (name, algorithm, length) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (digest) => {
        const read = given(() => parseChecksum(`${name} ${base64(digest)}`));
        const expected = digest.byteLength === length ? { algorithm, digest: Uint8Array.from(digest) } : 'refused';
        expect(read).toEqual(expected);
      }),
    );
  });

  it('of any text is refused', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(given(() => parseChecksum(header))).toBe('refused');
      }),
    );
    expect(parseChecksum(null)).toBeUndefined();
  });
});

describe('a number of bytes', () => {
  it('is a whole one that numbers hold, or is refused', () => {
    const parse = (value: string) => given(() => parseBytes(new Headers({ 'Upload-Offset': value }), 'Upload-Offset'));
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        expect(parse(String(bytes))).toBe(bytes < 1e15 ? bytes : 'refused');
      }),
    );
    for (const value of ['', '-1', '1.5', '1e3', '0x10', ' ', '1 2', '9'.repeat(16), '٣']) {
      // Headers would mend some of these, and take others not at all.
      const header = new Map([['Upload-Offset', value]]) as unknown as Headers;
      expect(given(() => parseBytes(header, 'Upload-Offset'))).toBe('refused');
    }
  });
});

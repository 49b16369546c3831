import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isTextType, recogniseType } from '../../src/files/media-types.ts';
import { servedType } from '../../src/files/served-type.ts';
import { matchesEntityTag, parseRange } from '../../src/files/range.ts';
import { decodeWindow } from '../../src/files/text-window.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

describe('ranges', () => {
  it.each([
    ['bytes=0-0', { offset: 0, length: 1 }],
    ['bytes=2-4', { offset: 2, length: 3 }],
    ['bytes=5-', { offset: 5, length: 5 }],
    ['bytes=5-999', { offset: 5, length: 5 }],
    ['bytes=-3', { offset: 7, length: 3 }],
    ['bytes=-99', { offset: 0, length: 10 }],
    ['Bytes=9-9', { offset: 9, length: 1 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-12', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
    [null, undefined],
    ['', undefined],
    ['bytes=', undefined],
    ['bytes=-', undefined],
    ['bytes=4-2', undefined],
    ['bytes=12-11', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=a-b', undefined],
    ['bytes=1.5-2', undefined],
    ['items=0-1', undefined],
    ['bytes 0-1', undefined],
  ] as const)('reads %j of ten bytes', (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected);
  });

  it('stay inside the file, whatever the header says', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.tuple(fc.option(fc.nat()), fc.option(fc.nat())).map(([from, to]) => `bytes=${from ?? ''}-${to ?? ''}`),
        ),
        fc.nat({ max: 5000 }),
        (header, size) => {
          const range = parseRange(header, size);
          if (range === undefined || range === 'unsatisfiable') return;
          expect(range.length).toBeGreaterThan(0);
          expect(range.offset).toBeGreaterThanOrEqual(0);
          expect(range.offset + range.length).toBeLessThanOrEqual(size);
        },
      ),
    );
  });

  it('of an empty file are never satisfiable', () => {
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=-5', 0)).toBe('unsatisfiable');
  });
});

it('an entity tag is found in a list, weak or not, and nowhere else', () => {
  const tag = '"abc"';
  for (const header of ['"abc"', 'W/"abc"', '"x", "abc"', '"x",W/"abc" , "y"', '*', ' * '])
    expect(matchesEntityTag(header, tag), header).toBe(true);
  for (const header of [null, '', 'abc', '"abcd"', '"x"', '"x, abc"'])
    expect(matchesEntityTag(header, tag), String(header)).toBe(false);
});

describe('parts of a text', () => {
  /** Reads a file as a client does, part by part. */
  function readAll(bytes: Uint8Array, limit: number, budget: number): { text: string; parts: number } {
    let text = '';
    let parts = 0;
    for (let offset = 0; offset < bytes.length; parts += 1) {
      const piece = bytes.subarray(offset, offset + limit);
      const window = decodeWindow(piece, offset === 0, offset + piece.length === bytes.length, budget);
      expect(window.end, 'every part brings the reader on').toBeGreaterThan(0);
      text += window.text;
      offset += window.end;
    }
    return { text, parts };
  }

  it('put together are the whole, wherever they were cut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.integer({ min: 4, max: 60 }),
        fc.integer({ min: 24, max: 200 }),
        (text, limit, budget) => {
          const { text: read } = readAll(utf8(text), limit, budget);
          expect(read).toBe(text.toWellFormed().replace(/^\uFEFF/, ''));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('end, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 4, max: 40 }), (bytes, limit) => {
        expect(readAll(bytes, limit, 1000).parts).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('cost no more in JSON than their budget', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary-ascii', maxLength: 500 }),
        fc.integer({ min: 10, max: 300 }),
        (text, budget) => {
          const { text: part } = decodeWindow(utf8(text), true, true, budget);
          expect(JSON.stringify(part).length - 2).toBeLessThanOrEqual(budget);
        },
      ),
    );
  });

  it('begin after the rest of a character that the offset broke', () => {
    const bytes = utf8('a🦊b').subarray(2);
    expect(decodeWindow(bytes, false, true, 100)).toEqual({ text: 'b', start: 3, end: 4, lossy: false });
  });

  it('say when bytes are no UTF-8', () => {
    expect(decodeWindow(new Uint8Array([0x61, 0xe4, 0x62]), true, true, 100)).toEqual({
      text: 'a\uFFFDb',
      start: 0,
      end: 3,
      lossy: true,
    });
  });

  it('leave out a byte order mark at the beginning of the file', () => {
    expect(decodeWindow(utf8('\uFEFFhi'), true, true, 100).text).toBe('hi');
  });
});

describe('media types', () => {
  const png = new Uint8Array([
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 6,
    0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0, 0x49, 0x44, 0x41, 0x54,
  ]);
  const zip = new Uint8Array([
    0x50,
    0x4b,
    3,
    4,
    20,
    0,
    0,
    0,
    0,
    0,
    ...Array.from({ length: 16 }, () => 0),
    1,
    0,
    0,
    0,
    0x61,
  ]);

  it.each([
    ['bytes win over what was declared', png, 'text/html', 'page.html', 'image/png'],
    ['what was declared holds where the bytes say nothing', utf8('a,b\n1,2'), 'text/csv', 'data', 'text/csv'],
    [
      'a declaration that says nothing is none',
      utf8('# Title'),
      'application/octet-stream',
      'notes.md',
      'text/markdown',
    ],
    ['the name tells what text it is', utf8('{"a":1}'), undefined, 'Data.JSON', 'application/json'],
    ['text is text without any hint', utf8('hello'), undefined, 'README', 'text/plain'],
    ['an empty file is text', new Uint8Array(), undefined, 'empty', 'text/plain'],
    [
      'bytes without a sign are bytes',
      new Uint8Array([0, 1, 2, 3]),
      undefined,
      'data.json',
      'application/octet-stream',
    ],
    ['a text may begin like a bitmap', utf8('BMW is a maker of cars'), undefined, 'cars.txt', 'text/plain'],
    ['and like a program', utf8('MZ is how they begin'), 'text/markdown', 'x', 'text/markdown'],
    [
      'a container may be said more precisely',
      zip,
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'a.docx',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ],
    ['but not as something else', zip, 'image/png', 'a.png', 'application/zip'],
    ['SVG is XML, more precisely', utf8('<?xml version="1.0"?><svg/>'), undefined, 'a.svg', 'image/svg+xml'],
  ])('%s', async (_why, head, declared, name, expected) => {
    expect(await recogniseType(head, declared, name)).toBe(expected);
  });

  it('what a browser would run is served as bytes', () => {
    for (const type of [
      'text/html',
      'application/xhtml+xml',
      'image/svg+xml',
      'text/xml',
      'application/xml',
      'text/javascript',
      'application/javascript',
      'text/ecmascript',
      'text/css',
    ])
      expect(servedType(type), type).toBe('application/octet-stream');
    for (const type of [
      'text/plain',
      'text/csv',
      'application/json',
      'image/png',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ])
      expect(servedType(type), type).toBe(type);
  });

  it('text is what can be read as text', () => {
    for (const type of [
      'text/plain',
      'text/x-python',
      'application/json',
      'application/geo+json',
      'application/yaml',
      'image/svg+xml',
      'application/x-ndjson',
      'application/javascript',
    ])
      expect(isTextType(type), type).toBe(true);
    for (const type of [
      'application/pdf',
      'image/png',
      'application/octet-stream',
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
      'application/zip',
    ])
      expect(isTextType(type), type).toBe(false);
  });
});

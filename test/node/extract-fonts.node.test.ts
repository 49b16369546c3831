import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { blankOutlines } from '../../src/files/extract/pdf/cff.ts';
import { countMappedCharacters, textualProgram } from '../../src/files/extract/pdf/fonts.ts';
import { joined, utf8 } from '../../src/lib/encoding.ts';
import { latin1 } from '../fixtures/files/bytes.ts';
import { onlyPart, PDF } from '../fixtures/files/extracting.ts';
import { cffProgram, pageInFont, typeOneProgram } from '../fixtures/files/fonts.ts';

const u16 = (...values: readonly number[]) =>
  latin1(String.fromCharCode(...values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff])));

/** A program with one table. */
const sfnt = (version: string, tag: string, table: Uint8Array) =>
  joined([latin1(version), u16(1, 16, 0, 0), latin1(tag), u16(0, 0, 0, 28, 0, table.length), table]);

const cmap = (subtable: Uint8Array) => sfnt('\0\u0001\0\0', 'cmap', joined([u16(0, 1, 3, 1, 0, 12), subtable]));

describe('a font program, for text', () => {
  it.each([
    ['StandardEncoding', 'StandardEncoding'],
    [
      '256 array 0 1 255 {1 index exch /.notdef put} for\ndup 97 /alpha put\ndup 12/fi put\nreadonly',
      new Map([
        [97, 'alpha'],
        [12, 'fi'],
      ]),
    ],
  ])('of Type 1 is its encoding, here %j', (definition, encoding) => {
    expect(textualProgram(typeOneProgram(1, definition))).toEqual({ kind: 'encoding', encoding });
  });

  it('of Type 1 is nothing more where it has no encoding', () => {
    expect(textualProgram(latin1('%!FontType1 eexec /Encoding StandardEncoding def'))).toEqual({
      kind: 'encoding',
      encoding: undefined,
    });
  });

  it('of CFF has no outlines', () => {
    const program = cffProgram(9, 1000);
    const before = program.slice();
    const textual = textualProgram(program);
    expect(program).toEqual(before);
    // `.notdef`, and the glyph with its call of a subroutine.
    const bytes = textual.kind === 'program' ? textual.bytes : new Uint8Array();
    expect(Array.from(before.subarray(-4))).toEqual([14, 32, 29, 14]);
    expect(Array.from(bytes.subarray(-4))).toEqual([14, 14, 14, 14]);
    expect(bytes.subarray(0, -4)).toEqual(before.subarray(0, -4));
  });

  it('of OpenType has no outlines either', () => {
    const textual = textualProgram(sfnt('OTTO', 'CFF ', cffProgram(1, 1)));
    expect(textual.kind === 'program' && Array.from(textual.bytes.subarray(-4))).toEqual([14, 14, 14, 14]);
    expect(textualProgram(sfnt('OTTO', 'CFF ', utf8('no CFF')))).toEqual({ kind: 'none' });
  });

  it('is none where it cannot be told what it is', () => {
    for (const bytes of [utf8(''), utf8('hello'), Uint8Array.of(1, 0, 4, 3), cffProgram(1, 1).subarray(0, 20)])
      expect(textualProgram(bytes), String(bytes)).toEqual({ kind: 'none' });
  });

  it('that was made of anything has no outlines, or is none', () => {
    const change = fc.record({ at: fc.nat(200), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 6 }), (changes) => {
        const program = cffProgram(2, 2);
        for (const { at, byte } of changes) program[at % program.length] = byte;
        const textual = textualProgram(program);
        // To do it again finds nothing to do.
        const again = textual.kind === 'program' ? textual.bytes.slice() : cffProgram(1, 0);
        expect(blankOutlines(again)).toBe(true);
        expect(textual.kind !== 'program' || String(again) === String(textual.bytes)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('that claims to map more than there is is none', () => {
    const format12 = cmap(u16(12, 0, 0, 28, 0, 0, 0, 1, 0, 0, 0xff_ff, 0xff_f0, 0, 0));
    expect(countMappedCharacters(format12)).toBe(0xff_ff_ff_f1);
    expect(textualProgram(format12)).toEqual({ kind: 'none' });
    // Two segments: 0x20 to 0x7e, and the last one.
    const format4 = cmap(u16(4, 32, 0, 4, 4, 1, 0, 0x7e, 0xff_ff, 0, 0x20, 0xff_ff, 0, 1, 0, 0));
    expect(countMappedCharacters(format4)).toBe(0x7e - 0x20 + 1 + 1);
    expect(textualProgram(format4)).toEqual({ kind: 'program', bytes: format4 });
    expect(countMappedCharacters(cmap(u16(6, 0, 0, 0, 0, 0, 0, 0)))).toBe(0);
    // Tables in such numbers that to look at all of them would take too long.
    const many = joined(Array.from({ length: 1000 }, (_, index) => joined([latin1('cmap'), u16(0, 0, 0, index)])));
    expect(countMappedCharacters(many)).toBe(Infinity);
    expect(textualProgram(joined([latin1('OTTO'), many]))).toEqual({ kind: 'none' });
  });
});

describe('text in a font', () => {
  it('with an encoding of its own is read as that says', async () => {
    const greek = '256 array dup 97 /alpha put readonly';
    expect(await onlyPart(pageInFont('FontFile', typeOneProgram(1, greek)), PDF)).toBe('α');
    expect(await onlyPart(pageInFont('FontFile', typeOneProgram(1)), PDF)).toBe('a');
    expect(await onlyPart(pageInFont('FontFile3', cffProgram(1, 1)), PDF)).toBe('B');
  });

  it('is read as the document says, where it says something', async () => {
    const greek = typeOneProgram(1, '256 array dup 97 /alpha put readonly');
    expect(await onlyPart(pageInFont('FontFile', greek, '/Encoding/WinAnsiEncoding'), PDF)).toBe('a');
    expect(await onlyPart(pageInFont('FontFile', greek, '/Encoding<</Differences[97/beta]>>'), PDF)).toBe('β');
    expect(await onlyPart(pageInFont('FontFile', greek, '/Encoding<</Differences[98/beta]>>'), PDF)).toBe('α');
    expect(await onlyPart(pageInFont('FontFile', greek, '/Encoding/Nonsense'), PDF)).toBe('α');
  });
});

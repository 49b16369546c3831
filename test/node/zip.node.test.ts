import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { filePath } from '../../src/files/model.ts';
import { nameFault } from '../../src/files/names.ts';
import { entryNames, topFolder } from '../../src/files/zip/entry-names.ts';
import { zipLength, zipPieces } from '../../src/files/zip/writer.ts';
import type { ZipEntry } from '../../src/files/zip/writer.ts';
import { joined } from '../../src/lib/encoding.ts';
import { SparseReader, unzip } from '../support/unzip.ts';

interface Packed extends ZipEntry {
  readonly pieces: readonly Uint8Array[];
}

const text = (name: string, ...words: readonly string[]): Packed => {
  const pieces = words.map((word) => new TextEncoder().encode(word));
  return { name, size: pieces.reduce((sum, { byteLength }) => sum + byteLength, 0), modifiedAt: 0, pieces };
};

async function* piecesOf({ pieces }: Packed) {
  yield* pieces;
}

async function packed(entries: readonly Packed[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of zipPieces(entries, piecesOf)) parts.push(part);
  return joined(parts);
}

const latin1 = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes);

/** Of every script that people name files in, and what a careless reader trips over. */
const NAMES = [
  'report.pdf',
  'Ünïcödé résumé.txt',
  '市場調査 第2版.csv',
  'отчёт/за год.xlsx',
  'סיכום.docx',
  'تقرير/٢٠٢٦.pdf',
  'सारांश.txt',
  'สรุป.txt',
  '보고서.hwp',
  '👩🏽‍🚀/👨‍👩‍👧‍👦.png',
  '.gitignore',
  `${'long '.repeat(40)}name.txt`,
];

describe('an archive', () => {
  it('unpacks to the very files, in every script, with their times', async () => {
    const moment = Date.UTC(2026, 10, 20, 7, 25, 18);
    const entries = NAMES.map((name, index) => ({ ...text(name, `file ${index}`, ' in pieces'), modifiedAt: moment }));
    const files = await unzip(await packed(entries));
    expect(files.map(({ name }) => name)).toEqual(NAMES);
    for (const [index, { bytes, modifiedAt }] of files.entries()) {
      expect(new TextDecoder().decode(bytes)).toBe(`file ${index} in pieces`);
      expect(modifiedAt.getTime()).toBe(moment);
    }
  });

  it('unpacks to what was packed, whatever that was, and is as long as was said', async () => {
    const entry = fc.record({
      name: fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }),
      pieces: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
      modifiedAt: fc.integer({ min: -1e13, max: 1e13 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 6 }), async (drawn) => {
        const entries = drawn.map(({ name, pieces, modifiedAt }, index) => ({
          name: `${index}/${name.replaceAll(/[/\\]/g, '_')}`,
          size: pieces.reduce((sum, { byteLength }) => sum + byteLength, 0),
          modifiedAt,
          pieces,
        }));
        const archive = await packed(entries);
        expect(archive.byteLength).toBe(zipLength(entries));
        const files = await unzip(archive);
        expect(files.map(({ name }) => name)).toEqual(entries.map(({ name }) => name));
        for (const [index, { bytes }] of files.entries()) expect(bytes).toEqual(joined(entries[index]?.pieces ?? []));
      }),
    );
  });

  it('fails its reader when one bit of a file is changed: the checksums are real', async () => {
    const archive = await packed([text('a.txt', 'the very bytes')]);
    const at = latin1(archive).indexOf('very');
    archive[at]! ^= 1;
    await expect(unzip(archive)).rejects.toThrow('Invalid CRC32');
  });

  it('breaks off where a file has other than its bytes', async () => {
    for (const words of [['short'], ['much ', 'too long'], []]) {
      const entry = { ...text('a.txt', ...words), size: 8 };
      await expect(packed([text('first.txt', 'first'), entry])).rejects.toThrow(RangeError);
    }
  });

  it('has more than 65,535 files, which only ZIP64 can say', { timeout: 60_000 }, async () => {
    const entries = Array.from({ length: 65_537 }, (_, index) => text(`f${index}`, `${index}`));
    const archive = await packed(entries);
    expect(archive.byteLength).toBe(zipLength(entries));
    const found = await new ZipReader(new Uint8ArrayReader(archive), { checkCrc32: true }).getEntries();
    expect(found.map(({ filename }) => filename)).toEqual(entries.map(({ name }) => name));
    const last = found.at(-1);
    if (!last || last.directory) throw new Error('no last file');
    expect(new TextDecoder().decode(await last.getData(new Uint8ArrayWriter()))).toBe('65536');
  });

  it('has no ZIP64 where it needs none, so that old readers can read it', { timeout: 60_000 }, async () => {
    const ends = async (count: number) => {
      const archive = await packed(Array.from({ length: count }, (_, index) => text(`f${index}`)));
      return latin1(archive.subarray(-42, -38));
    };
    expect(await ends(65_534)).not.toBe('PK\u0006\u0007');
    expect(await ends(65_535)).toBe('PK\u0006\u0007');
  });

  it('has a file of more than 4 GB, and others behind it', { timeout: 120_000 }, async () => {
    const zeros = new Uint8Array(32 * 1024 * 1024);
    const times = 130;
    const large = { name: 'large.bin', size: zeros.byteLength * times, modifiedAt: 0, pieces: [] };
    const entries = [text('first.txt', 'first'), large, text('last.txt', 'last')];
    const kept: { at: number; bytes: Uint8Array }[] = [];
    let at = 0;
    async function* bytesOf(entry: Packed) {
      if (entry !== large) yield* piecesOf(entry);
      else for (let index = 0; index < times; index += 1) yield zeros;
    }
    for await (const bytes of zipPieces(entries, bytesOf)) {
      if (bytes !== zeros) kept.push({ at, bytes });
      at += bytes.byteLength;
    }
    expect(at).toBe(zipLength(entries));
    expect(at).toBeGreaterThan(2 ** 32);

    const reader = new ZipReader(new SparseReader(at, kept), { checkCrc32: true });
    const found = await reader.getEntries();
    expect(found.map(({ filename, uncompressedSize, zip64 }) => [filename, uncompressedSize, zip64])).toEqual([
      ['first.txt', 5, false],
      ['large.bin', large.size, true],
      ['last.txt', 4, true],
    ]);
    const last = found[2];
    if (!last || last.directory) throw new Error('no last file');
    expect(new TextDecoder().decode(await last.getData(new Uint8ArrayWriter()))).toBe('last');
  });
});

describe('names in an archive', () => {
  it('are those of the shelf, beneath one folder', () => {
    expect(entryNames('2026', ['q3.pdf', 'drafts/q4.pdf'])).toEqual(['2026/q3.pdf', '2026/drafts/q4.pdf']);
  });

  it.each([
    ['in case', ['A.txt', 'a.txt', 'É.txt', 'é.txt'], ['A.txt', 'a (2).txt', 'É.txt', 'é (2).txt']],
    ['in case, within folders', ['Docs/a', 'docs/A', 'docs/b'], ['Docs/a', 'docs/A (2)', 'docs/b']],
    [
      'as a file and a folder',
      ['docs', 'docs/a', 'x/Docs', 'x/docs/b'],
      ['docs (2)', 'docs/a', 'x/Docs (2)', 'x/docs/b'],
    ],
    ['once they are mended', ['a:b', 'a?b', 'a_b'], ['a_b', 'a_b (2)', 'a_b (3)']],
    ['with one that has the number', ['a', 'A', 'a (2)'], ['a', 'A (2)', 'a (2) (2)']],
  ])('never meet %s', (_what, paths, names) => {
    expect(entryNames('t', paths)).toEqual(names.map((name) => `t/${name}`));
  });

  it('stay short enough where a number is put into them', () => {
    const long = `${'é'.repeat(125)}.txt`;
    const [first = '', second = ''] = entryNames('t', [long, long.toUpperCase()]);
    expect(first).toBe(`t/${long}`);
    expect(second).toMatch(/^t\/É+ \(2\)\.TXT$/);
    expect(nameFault(second.slice(2))).toBeUndefined();
  });

  it('unpack everywhere to as many files as there are, whatever the shelf took', () => {
    const segment = fc.oneof(
      fc.constantFrom('a', 'A', 'b', 'B.txt', 'b.TXT', 'ß', 'SS', 'K', 'k', 'a (2)', 'a:', 'a?', 'c:evil'),
      fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
    );
    const paths = fc.array(fc.array(segment, { minLength: 1, maxLength: 3 }), { maxLength: 12 });
    fc.assert(
      fc.property(paths, (drawn) => {
        const taken = [...new Set(drawn.map((each) => filePath.safeParse(each.join('/')).data))];
        const names = entryNames('top', taken.filter((path) => path !== undefined).toSorted());
        const seen = new Set<string>();
        for (const name of names) {
          expect(name.startsWith('top/')).toBe(true);
          for (const each of name.split('/')) expect([each, nameFault(each)]).toEqual([each, undefined]);
          expect(name).not.toMatch(/[<>:"|?*\\]/);
          seen.add(name.toLowerCase());
        }
        // As file systems without case see them: no two are one, and none is a folder of another.
        expect(seen.size).toBe(names.length);
        for (const name of seen) for (const other of seen) expect(other.startsWith(`${name}/`)).toBe(false);
      }),
    );
  });

  it.each([
    ['reports/2026/', 'study', '2026'],
    ['reports/', 'study', 'reports'],
    ['a: b/', 'study', 'a_ b'],
    ['', 'study', 'study'],
    ['', 'con', 'session-con'],
  ])('have the folder of %j in %s at their top: %s', (folder, slug, top) => {
    expect(topFolder(folder, slug)).toBe(top);
  });
});

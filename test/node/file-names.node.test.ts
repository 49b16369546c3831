import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { attachment } from '../../src/files/disposition.ts';
import { filePath } from '../../src/files/model.ts';
import { nameFault } from '../../src/files/names.ts';

describe('names of files', () => {
  it.each([
    'report.pdf',
    'Ünïcödé résumé.txt',
    '市場調査 第2版.csv',
    'отчёт за год.xlsx',
    'سند می‌خواهم.docx', // with a zero-width non-joiner, as Persian is written
    'क्‍ष.txt', // with a zero-width joiner after a virama
    '👩🏽‍🚀 and 👨‍👩‍👧‍👦 ❤️‍🔥.png',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿 flag.svg',
    '葛󠄀城.txt', // with an ideographic variation selector
    'it\'s "quoted" $(rm -rf ~) `id` %2F ; & | * ? <>.sh',
    '.gitignore',
    'ñ'.repeat(127),
  ])('takes %s', (name) => {
    expect(nameFault(name.normalize('NFC'))).toBeUndefined();
  });

  it.each([
    ['', 'is empty'],
    ['.', 'folder'],
    ['..', 'folder'],
    ['a/b', 'slash'],
    ['a.', 'dot'],
    ['...', 'dot'],
    ['a ', 'space'],
    ['nul.txt', 'Windows'],
    ['COM1', 'Windows'],
    ['a\\b', 'slash'],
    ['a\0b', 'control'],
    ['a\nb', 'control'],
    ['a\u0085b', 'control'],
    ['invoice\u202Efdp.exe', 'control'],
    ['a\u2066b', 'control'],
    ['a\u200Bb', 'control'],
    ['a\u200Db', 'control'],
    ['\uFEFFa', 'control'],
    ['a\u2028b', 'control'],
    ['soft\u00ADhyphen', 'control'],
    ['a\u3164b', 'control'],
    ['a\u2800b', 'control'],
    ['a\u{E0041}b', 'control'],
    ['a\u{E0100}b', 'control'],
    ['a\uFE0Fb', 'control'],
    ['lone \uD800 surrogate', 'control'],
    ['x'.repeat(256), '255 bytes'],
    ['ñ'.repeat(128), '255 bytes'],
  ])('refuses %j', (name, why) => {
    expect(nameFault(name)).toContain(why);
  });

  it('says plainly that 300 emoji are too many', () => {
    const { error } = filePath.safeParse('🦊'.repeat(600));
    expect(error?.issues.map(({ message }) => message)).toEqual(['has more than 1024 bytes in UTF-8']);
    expect(filePath.safeParse('🦊'.repeat(100)).error?.issues[0]?.message).toBe('has more than 255 bytes in UTF-8');
  });

  it('trims and normalises, so that one name has one form', () => {
    expect(filePath.parse('  re\u0301sume\u0301.txt ')).toBe('résumé.txt');
  });

  it('takes nothing that leads elsewhere or hides something, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const { data } = filePath.safeParse(text);
        if (data === undefined) return;
        expect(data).toBe(data.normalize('NFC').trim());
        expect(data).not.toMatch(/[\\\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u);
        expect(data.isWellFormed()).toBe(true);
        for (const name of data.split('/')) {
          expect(['', '.', '..']).not.toContain(name);
          expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(255);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** A header value as RFC 6266 and RFC 8187 have it, read back. */
function read(header: string): { plain: string; extended: string } {
  const match =
    /^attachment; filename="((?:[\x20-\x21\x23-\x5B\x5D-\x7E])*)"; filename\*=UTF-8''((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-F]{2})*)$/.exec(
      header,
    );
  if (!match) throw new Error(`not of the grammar: ${header}`);
  return { plain: match[1] ?? '', extended: decodeURIComponent(match[2] ?? '') };
}

describe('Content-Disposition', () => {
  it('carries every name a file can have, and is a header in ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), (text) => {
        const { data: name } = filePath.safeParse(text);
        if (name === undefined) return;
        const { plain, extended } = read(attachment(name));
        expect(extended).toBe(name);
        expect(plain).not.toContain('%');
        expect(new Headers({ 'Content-Disposition': attachment(name) }).get('Content-Disposition')).toBe(
          attachment(name),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves a plain name as it is', () => {
    expect(attachment('annual report 2026.pdf')).toBe(
      `attachment; filename="annual report 2026.pdf"; filename*=UTF-8''annual%20report%202026.pdf`,
    );
  });

  it('quotes what would end the value', () => {
    expect(attachment(`a"; filename="b'(1)*%41.txt`)).toBe(
      `attachment; filename="a_; filename=_b'(1)*_41.txt"; filename*=UTF-8''a%22%3B%20filename%3D%22b%27%281%29%2A%2541.txt`,
    );
  });
});

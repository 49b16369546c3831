import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { nameOfAnswer } from '../../src/files/answer-name.ts';
import { nameFault } from '../../src/files/names.ts';

const named = (disposition: string | null, address = 'https://example.com/', type?: string) =>
  nameOfAnswer(disposition, new URL(address), type);

describe('the name of what an answer brought', () => {
  it.each([
    ['attachment; filename="report.pdf"', 'report.pdf'],
    ['attachment; filename=report.pdf', 'report.pdf'],
    ['attachment; filename=my report.pdf; size=3', 'my report.pdf'],
    ['inline;FILENAME = "a; b.pdf" ; x=y', 'a; b.pdf'],
    [String.raw`attachment; filename="say \"hi\".txt"`, 'say "hi".txt'],
    [`attachment; filename="o.txt"; filename*=UTF-8''%D0%BE.txt`, 'о.txt'],
    [`attachment; filename*=UTF-8'en'a%20b.txt; filename="o.txt"`, 'a b.txt'],
    [`attachment; filename*=UTF-8''100%.txt`, '100%.txt'],
    ['attachment; filename="отчёт 🦊.txt"', 'отчёт 🦊.txt'],
    ['attachment; filename="../../etc/passwd"', 'passwd'],
    [String.raw`attachment; filename="C:\\Users\\x.doc"`, 'x.doc'],
    ['attachment; filename="gpj.\u202Eexe.txt"', 'gpj.exe.txt'],
    ['attachment; filename="a\u0000b.txt. . "', 'ab.txt'],
  ])('%s', (disposition, name) => {
    expect(named(disposition)).toBe(name);
  });

  it.each([
    ['https://example.com/a/b/q3%20report.pdf?x=y.txt#z.md', 'q3 report.pdf'],
    ['https://example.com/a/b/', 'b'],
    ['https://example.com/100%.txt', '100%.txt'],
    ['https://example.com/%2e%2e%2f%2e%2e%2fpasswd', 'passwd'],
    ['https://example.com/', 'download'],
    ['https://example.com/con', 'download'],
    ['https://example.com/%00', 'download'],
  ])('is the end of %s where nothing else says it', (address, name) => {
    for (const disposition of [null, '', 'inline', 'attachment; filename=""', 'attachment; filename=".."'])
      expect(named(disposition, address)).toBe(name);
  });

  it.each([
    ['https://example.com/', 'text/html', 'download.html'],
    ['https://arxiv.org/pdf/2401.00001v2', 'application/pdf', '2401.00001v2.pdf'],
    ['https://example.com/report', 'application/pdf', 'report.pdf'],
    ['https://example.com/page.php', 'text/html', 'page.php'],
    ['https://example.com/x', 'application/unknown', 'x'],
  ])('of %s with the type %s', (address, type, name) => {
    expect(named(null, address, type)).toBe(name);
  });

  it('is one that every file system takes, whatever a stranger writes', () => {
    const pieces = fc.constantFrom(
      ..."filename filename* = ; \" \\ / .. . UTF-8'' %00 %2F %E0 con nul.txt 🦊 x".split(' '),
      ' ',
      '\u202E',
      '\u0000',
      '\uD800',
      'x'.repeat(300),
      '市'.repeat(200),
    );
    const header = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map((all) => `attachment; filename="${all.join('')}"`),
      fc.array(pieces).map((all) => `attachment; ${all.join('')}`),
    );
    fc.assert(
      fc.property(header, fc.webUrl(), fc.constantFrom(undefined, 'text/html', 'x/y'), (disposition, address, type) => {
        const name = named(disposition, address, type);
        expect(nameFault(name), JSON.stringify(name)).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});

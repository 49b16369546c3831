import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { AUTHORS, LINE_CHARACTERS } from '../../src/research/references/model.ts';
import { nameOf } from '../../src/research/references/names.ts';
import { reference } from '../support/references.ts';

/** `family/given/particle/suffix`, or the whole name. */
function read(line: string): string {
  const name = nameOf(line);
  if (name === undefined) return 'nothing';
  return 'literal' in name ? name.literal : [name.family, name.given, name.particle, name.suffix].join('/');
}

describe('an author', () => {
  it.each([
    ['Jane Doe', 'Doe/Jane//'],
    ['Doe, Jane', 'Doe/Jane//'],
    ['  Jane   M.  Doe ', 'Doe/Jane M.//'],
    ['A. M. Turing', 'Turing/A. M.//'],
    ['Vincent van der Berg', 'Berg/Vincent/van der/'],
    ['van der Berg, Vincent', 'Berg/Vincent/van der/'],
    ['Beauvoir, Simone de', 'Beauvoir/Simone/de/'],
    ['Ludwig van Beethoven', 'Beethoven/Ludwig/van/'],
    ['Gabriel García Márquez', 'Márquez/Gabriel García//'],
    ['García Márquez, Gabriel', 'García Márquez/Gabriel//'],
    ['Martin Luther King Jr.', 'King/Martin Luther//Jr.'],
    ['King, Martin Luther, Jr.', 'King/Martin Luther//Jr.'],
    ['Sammy Davis, Jr.', 'Davis/Sammy//Jr.'],
    ['Leonardo da Vinci', 'Vinci/Leonardo/da/'],
    ['Иван Петров', 'Петров/Иван//'],
    ['نجيب محفوظ', 'محفوظ/نجيب//'],
    ['山田 太郎', '山田/太郎//'],
    ['山田　太郎', '山田/太郎//'],
    ['王小明', '王小明'],
    ['김철수', '김철수'],
    ['Plato', 'Plato'],
    ['World Health Organization', 'World Health Organization'],
    ['Department of Energy', 'Department of Energy'],
    ['Acme, Inc.', 'Acme, Inc.'],
    ['The New York Times', 'The New York Times'],
    ['Smith & Sons', 'Smith & Sons'],
    ['Universität Wien', 'Universität Wien'],
    ['Reuters Staff', 'Reuters Staff'],
    ['Agence France-Presse', 'Agence France-Presse'],
    [',', ','],
    [', Jane', ', Jane'],
    ['', 'nothing'],
    [' \n ', 'nothing'],
  ])('%j is %s', (line, expected) => {
    expect(read(line)).toBe(expected);
  });

  it('loses none of its letters, whatever it is', () => {
    const letters = (text: string): string[] =>
      text
        .normalize('NFC')
        .match(/[\p{L}\p{N}]/gu)
        ?.toSorted() ?? [];
    const lines = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc
        .array(fc.constantFrom('van', 'der', 'Doe', ',', 'Jr.', 'III', 'Jane', 'de', '山田', 'of'))
        .map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(lines, (line) => {
        const name = nameOf(line);
        const text = name === undefined ? '' : Object.values(name).filter(Boolean).join(' ');
        expect(letters(text)).toEqual(letters(line));
      }),
    );
  });
});

describe('a reference', () => {
  it('without a title has the name of its host, or none', () => {
    expect(reference({ key: 'a', url: 'https://www.host.example/x' }).title).toBe('host.example');
    expect(reference({ key: 'a', title: ' \n ', url: 'https://host.example:8443/' }).title).toBe('host.example');
    expect(reference({ key: 'a' }).title).toBe('Untitled');
  });

  it.each([
    ['2024', [2024]],
    ['2024-03', [2024, 3]],
    ['2024-03-01', [2024, 3, 1]],
    ['2024-03-01T23:59:59+12:00', [2024, 3, 1]],
    ['2024-13-01', [2024]],
    ['2024-00-10', [2024]],
    ['0000', undefined],
    ['yesterday', undefined],
    ['20240301', undefined],
  ])('of %s', (published, expected) => {
    const { issued } = reference({ key: 'a', published });
    expect(issued && [issued.year, issued.month, issued.day].filter((part) => part !== undefined)).toEqual(expected);
  });

  it('leaves out addresses that are none and DOIs that are none', () => {
    const parts = (url: string, doi?: string) => {
      const made = reference({ key: 'a', url, ...(doi !== undefined && { doi }) });
      return [made.url, made.doi];
    };
    expect(parts('javascript:alert(1)')).toEqual([undefined, undefined]);
    expect(parts('https://')).toEqual([undefined, undefined]);
    expect(parts(`https://a.example/${'x'.repeat(3000)}`)).toEqual([undefined, undefined]);
    expect(parts('https://a.example/é b', '10.1000/182')).toEqual(['https://a.example/%C3%A9%20b', '10.1000/182']);
    expect(parts('ftp://a.example/', 'doi:10.1000/182')).toEqual([undefined, undefined]);
  });

  it('has one line of each text, no longer than it may be, without signs that turn others around', () => {
    const made = reference({
      key: 'a',
      title: `a\u202Eb\nTY  - \u0000${'x'.repeat(2000)}`,
      site: '\uD800 lone',
      authors: Array.from({ length: 300 }, (_, index) => `Doe${index}, Jane`),
    });
    expect(made.title).toMatch(/^ab TY - x+$/);
    expect(made.title.length).toBe(LINE_CHARACTERS);
    expect(made.container).toBe('\uFFFD lone');
    expect(made.authors).toHaveLength(AUTHORS);
  });

  it('has its site as what fits its type', () => {
    const of = (type: 'webpage' | 'article-journal' | 'report' | 'article' | 'book' | 'document') => {
      const { container, publisher } = reference({ key: 'a', type, site: 'S' });
      return [container, publisher];
    };
    for (const type of ['webpage', 'article-journal'] as const) expect(of(type)).toEqual(['S', undefined]);
    for (const type of ['report', 'article', 'book', 'document'] as const) expect(of(type)).toEqual([undefined, 'S']);
  });
});

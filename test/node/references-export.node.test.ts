import { Cite } from '@citation-js/core';
import '@citation-js/plugin-bibtex';
import '@citation-js/plugin-ris';
import { parse } from '@retorquere/bibtex-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { toBibtex } from '../../src/research/references/bibtex.ts';
import { toCslJson } from '../../src/research/references/csl-json.ts';
import type { Name, Reference } from '../../src/research/references/model.ts';
import { toRis } from '../../src/research/references/ris.ts';
import { reference, SAMPLES } from '../support/references.ts';
import { citeproc } from '../support/citeproc.ts';

/** Entries as two libraries read them that are not ours, and that read BibTeX each in its own way. */
function readBibtex(text: string): { key: string; title: string; authors: string[]; year: number | undefined }[][] {
  const { entries, errors } = parse(text, { sentenceCase: false, caseProtection: false });
  expect(errors).toEqual([]);
  const theirs = entries.map(({ key, fields }) => ({
    key,
    title: fields['title'] ?? '',
    authors: (fields.author ?? []).map(({ name, prefix, lastName, firstName, suffix }) =>
      [name, prefix, lastName, firstName, suffix].filter(Boolean).join(' '),
    ),
    year: fields['date'] === undefined ? undefined : Number(fields['date'].slice(0, 4)),
  }));
  return [theirs, readWithCitationJs(text, '@biblatex/text')];
}

function readWithCitationJs(text: string, forceType: string) {
  return new Cite(text, { forceType }).data.map(({ id, title = '', author = [], issued }) => ({
    key: id,
    title,
    authors: author.map((name) =>
      [name.literal, name['non-dropping-particle'], name.family, name.given, name.suffix].filter(Boolean).join(' '),
    ),
    year: issued?.['date-parts'][0]?.[0],
  }));
}

/** What should come back. */
function expected({ key, title, authors, issued }: Reference) {
  return { key, title, authors: authors.map(nameText), year: issued?.year };
}

function nameText(name: Name): string {
  if ('literal' in name) return name.literal;
  return [name.particle, name.family, name.given, name.suffix].filter(Boolean).join(' ');
}

const HOSTILE_TITLES = [
  'Braces { that } do } not { match }}} {{{',
  String.raw`Commands \textbf{x} \input{/etc/passwd} \\ \ and \"u`,
  'Signs % & # _ ~ ^ $ " | < > @ = , ;',
  'Formulas $x^2_i$ and $$',
  "Ligatures -- --- `` '' ?` !` << >> ,,",
  'An entry }\n\n@book{evil, title = {Gotcha}}',
  'A record\r\nTY  - BOOK\r\nER  - \r\nTI  - Gotcha',
  'ER  - ',
  '<script>alert(1)</script> <i>not italic</i> &amp; &lt;',
  '漢字 العربية עברית Ünïcödé 🐝 e\u0301',
  '  spaces   and\ttabs\u2028lines\u0000 ',
  '%',
  '\\',
  '{',
];

/** Titles of signs that mean something to somebody. */
const titles = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...Array.from('{}\\%&#_~^$"\'`-<>|@=,;:()[]!?*+/.\n\r\t 漢é🐝'),
        '\nTY  - ',
        '\nER  - ',
        '\\"u',
        ' and ',
        '{\\',
        '--',
      ),
      fc.stringMatching(/^[A-Za-z0-9]{1,8}$/),
    ),
    { minLength: 1, maxLength: 20 },
  )
  .map((pieces) => pieces.join(''));

const names = fc.constantFrom(
  'Jane Doe',
  'Doe, Jane',
  'Vincent van der Berg',
  'King, Martin Luther, Jr.',
  'World Health Organization',
  'Acme and Sons GmbH',
  '王小明',
  '山田 太郎',
  'Иван Петров',
  'Müller & Söhne',
  'Ann O’Neil-Smith',
  'R. & D. {Team} 100%',
  'others',
);

const references = fc
  .array(
    fc.record({
      title: titles,
      authors: fc.array(names, { maxLength: 4 }),
      published: fc.constantFrom(undefined, '2024', '2023-05', '1999-12-31T23:59:59+01:00'),
      type: fc.constantFrom('webpage', 'article', 'article-journal', 'report', 'book', 'document'),
      site: titles,
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((sources) => sources.map((source, index) => reference({ ...source, key: `key-${index}` })));

const HOSTILE = HOSTILE_TITLES.map((title, index) =>
  reference({
    key: `hostile-${index}`,
    title,
    authors: ['Jane Doe', 'Acme, Inc. {100%}'],
    published: '2024-03-01',
    site: title,
  }),
);

describe('BibTeX', () => {
  it('of the samples is read back by two libraries', () => {
    for (const read of readBibtex(toBibtex(SAMPLES))) expect(read).toEqual(SAMPLES.map(expected));
  });

  it('of hostile titles is read back', () => {
    for (const read of readBibtex(toBibtex(HOSTILE))) expect(read).toEqual(HOSTILE.map(expected));
  });

  it('of anything is read back', () => {
    fc.assert(
      fc.property(references, (list) => {
        for (const read of readBibtex(toBibtex(list))) expect(read).toEqual(list.map(expected));
      }),
      { numRuns: 300 },
    );
  });

  it('has braces that match, whoever counts them, and addresses as they are', () => {
    const list = [
      ...HOSTILE,
      reference({ key: 'address', url: 'https://a.example/%20_~?q={x}&y=\\#z', doi: '10.1000/a_b{c}<d>' }),
    ];
    const text = toBibtex(list);
    expect(text.split('{').length).toBe(text.split('}').length);
    const fields = parse(toBibtex(list.slice(-1))).entries[0]?.fields ?? {};
    expect(fields['url']).toBe('https://a.example/%20_~?q=%7Bx%7D&y=%5C#z');
    expect(fields['doi']).toBe('10.1000/a_b%7Bc%7D<d>');
  });
});

describe('RIS', () => {
  /** RIS has one line for a name and nothing to protect a comma with. */
  const withoutCommas = (list: readonly Reference[]) =>
    list.map((one) => ({
      ...expected(one),
      authors: expected(one).authors.map((name) => name.replaceAll(/\s*,\s*/g, ' ')),
    }));

  it('of the samples and of hostile titles is read back', () => {
    for (const list of [SAMPLES, HOSTILE])
      expect(readWithCitationJs(toRis(list), '@ris/file')).toEqual(withoutCommas(list));
  });

  it('of anything is read back', () => {
    fc.assert(
      fc.property(references, (list) => {
        expect(readWithCitationJs(toRis(list), '@ris/file')).toEqual(withoutCommas(list));
      }),
      { numRuns: 300 },
    );
  });

  it('has one record a reference and one line a field', () => {
    fc.assert(
      fc.property(references, (list) => {
        const lines = toRis(list).split('\r\n');
        expect(lines.filter((line) => line.startsWith('TY  - '))).toHaveLength(list.length);
        for (const line of lines.filter(Boolean)) expect(line).toMatch(/^[A-Z][A-Z0-9] {2}- [^\r\n\u2028]*$/);
      }),
    );
  });
});

describe('a reference whose texts have several lines', () => {
  const title = 'A\r\nTY  - BOOK\nER  - \u2028}\n@book{evil,';
  const list = [
    { ...reference({ key: 'a', authors: ['Jane Doe'], published: '2024' }), title, container: title, publisher: title },
  ];
  const oneLine = 'A TY - BOOK ER - }';

  it('stays one, in BibTeX and in RIS', () => {
    const ris = readWithCitationJs(toRis(list), '@ris/file');
    for (const read of [...readBibtex(toBibtex(list)), ris]) {
      expect(read).toHaveLength(1);
      expect(read[0]?.title).toBe(`${oneLine} @book{evil,`);
    }
    expect(toRis(list).split('\r\n').filter(Boolean).join('\n')).toMatch(/^(?:[A-Z][A-Z0-9] {2}- .*(?:\n|$))+$/);
    expect(
      toBibtex(list)
        .trimEnd()
        .split('\n')
        .slice(1, -1)
        .filter((line) => !/^ {2}\w+ = \{.*\},$/.test(line)),
    ).toEqual([]);
  });
});

describe('CSL-JSON', () => {
  it('of anything is read back', () => {
    fc.assert(
      fc.property(references, (list) => {
        expect(readWithCitationJs(toCslJson(list), '@else/json')).toEqual(list.map(expected));
      }),
    );
  });

  it('is what a citation processor takes', () => {
    const { order } = citeproc('apa', JSON.parse(toCslJson(SAMPLES)));
    expect(order.toSorted()).toEqual(SAMPLES.map(({ key }) => key).toSorted());
  });
});

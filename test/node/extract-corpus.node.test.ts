import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { extractText } from '../../src/files/extract/extract-text.ts';

/** Files of others, beside the checkout where there is one. The other tests cover the same with files of our own. */
const CORPUS = fileURLToPath(new URL('../../../shared/corpus', import.meta.url).href);
const isThere = existsSync(CORPUS);
if (!isThere) console.log(`Skipped: there is no corpus at ${CORPUS}`);

const read = (path: string) => new Uint8Array(readFileSync(join(CORPUS, path)));
const folded = (text: string) => text.replaceAll(/\s+/g, ' ').toLowerCase();

/** The number of a page, and words that stand on it. */
const PAGES: Readonly<Record<string, readonly [page: number, words: string]>> = {
  '002-trivial-libre-office-writer.pdf': [1, 'Stet clita kasd gubergren, no sea takimata sanctus est Lorem ipsum'],
  'GeoTopo-komprimiert.pdf': [6, 'Ein topologischer Raum ist ein Paar (X, T) bestehend aus einer Menge X und T ⊆ P(X)'],
  'crazyones-pdfa.pdf': [1, 'The round pegs in the square holes.'],
  'google-doc-document.pdf': [1, 'Although practicality beats purity.'],
  'habibi.pdf': [1, 'habibi'],
  'minimal-document.pdf': [1, 'eos et accusam et justo duo dolores et ea rebum.'],
  'mistitled_outlines_example.pdf': [2, 'you information about the selected font, how the letters are written'],
  'multicolumn.pdf': [3, 'Finland 5.5 338,424 Helsinki Finnish, Swedish'],
  'pdfkit.pdf': [1, 'ABC: DEF'],
  'pdflatex-4-pages.pdf': [4, 'some nonsense like “Huardest gefburn”? Kjift – not at all!'],
  'pdflatex-outline.pdf': [1, 'Contents 1 Foo 2 2 Bar 2'],
};

const WITHOUT_TEXT: Readonly<Record<string, string>> = {
  'imagemagick-images.pdf': 'no_text',
  'libreoffice-writer-password.pdf': 'encrypted',
};

/** Pages whose expected title stands in `meta` elements only, which show nothing. */
const TITLED_UNSEEN: ReadonlySet<string> = new Set([
  '004-metadata-space-separated-properties',
  'ehow-1',
  'metadata-content-missing',
  'parsely-metadata',
]);

describe.runIf(isThere)('the PDFs of the corpus', () => {
  it('are all known here', () => {
    const known = [...Object.keys(PAGES), ...Object.keys(WITHOUT_TEXT)];
    expect(readdirSync(join(CORPUS, 'pdf')).toSorted()).toEqual(known.toSorted());
  });

  it.each(Object.entries(PAGES))('%s', async (name, [page, words]) => {
    const extraction = await extractText(read(`pdf/${name}`), 'application/pdf');
    expect(extraction).toMatchObject({ kind: 'text', unit: 'page', truncated: false });
    const text = extraction.kind === 'text' ? extraction.parts[page - 1]?.text : undefined;
    expect(folded(text ?? '')).toContain(folded(words));
  });

  it.each(Object.entries(WITHOUT_TEXT))('%s', async (name, reason) => {
    expect(await extractText(read(`pdf/${name}`), 'application/pdf')).toEqual({ kind: 'none', reason });
  });

  it('have the titles that they say they have', async () => {
    const book = await extractText(read('pdf/GeoTopo-komprimiert.pdf'), 'application/pdf');
    expect(book).toMatchObject({
      title: 'Geometrie und Topologie',
      author: 'Martin Thoma',
      created: '2016-12-31',
      parts: { length: 117 },
    });
  });

  it('have the outlines that they bring, each heading with its page', async () => {
    const outlineOf = async (name: string) => {
      const extraction = await extractText(read(`pdf/${name}`), 'application/pdf');
      return extraction.kind === 'text' ? extraction.outline : undefined;
    };
    const book = await outlineOf('GeoTopo-komprimiert.pdf');
    expect(book).toHaveLength(35);
    expect(book?.slice(0, 2)).toEqual([
      { title: '1 Topologische Grundbegriffe', level: 1, part: 6 },
      { title: '1.1 Topologische Räume', level: 2, part: 6 },
    ]);
    expect((await outlineOf('pdflatex-outline.pdf'))?.map(({ title }) => title)).toContain('Foo');
    expect(await outlineOf('multicolumn.pdf')).toBeUndefined();
  });
});

describe.runIf(isThere)('the web pages of the corpus', () => {
  it.each(isThere ? readdirSync(join(CORPUS, 'web-pages')) : [])('%s', async (name) => {
    const extraction = await extractText(read(`web-pages/${name}/source.html`), 'text/html');
    const { title } = JSON.parse(new TextDecoder().decode(read(`web-pages/${name}/expected-metadata.json`))) as {
      readonly title: string;
    };
    const text = extraction.kind === 'text' ? extraction.parts.map((part) => part.text).join('\n\n') : '';
    const shown = folded(`${extraction.kind === 'text' ? (extraction.title ?? '') : ''}\n${text}`);
    // What is expected of it must not be more than what there is.
    expect(shown.includes(folded(title))).toBe(!TITLED_UNSEEN.has(name));
    expect(extraction).toMatchObject({ kind: 'text', unit: 'section', truncated: false });
  });
});

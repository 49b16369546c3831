import { describe, expect, it } from 'vitest';

import { corpusPages, mean, PAGES, scorePage, share } from '../../scripts/lib/bench/page-corpus.ts';
import { readPage } from '../../src/research/page/read-page.ts';

/** Pages of others, beside the checkout where there is one. The other tests cover the same with pages of our own. */
const pages = corpusPages();
if (pages.length === 0) console.log(`Skipped: there are no pages at ${PAGES}`);

describe.runIf(pages.length > 0)('the web pages of the corpus', async () => {
  const scores = await Promise.all(
    pages.map(async (page) => {
      const reading = await readPage({ bytes: page.bytes, type: 'text/html', url: 'http://fakehost/test/page.html' });
      return { name: page.name, reading, score: scorePage(page, reading) };
    }),
  );

  it('have the words that a person would keep, and few besides', () => {
    expect(mean(scores.map(({ score }) => score.f1))).toBeGreaterThan(0.98);
    expect(mean(scores.map(({ score }) => score.recall))).toBeGreaterThan(0.98);
    for (const { name, score } of scores) expect(score.recall, name).toBeGreaterThan(0.9);
  });

  it('have their titles, authors and dates', () => {
    expect(share(scores.map(({ score }) => score.title))).toBeGreaterThanOrEqual(0.95);
    expect(share(scores.map(({ score }) => score.authors))).toBeGreaterThanOrEqual(0.9);
    expect(share(scores.map(({ score }) => score.date))).toBeGreaterThanOrEqual(0.95);
  });

  it('are read whole, and as articles', () => {
    for (const { name, reading } of scores) expect(reading, name).toMatchObject({ kind: 'page', truncated: false });
  });

  it('keep their code, lists, notes and formulas', () => {
    const markdown = (wanted: string) => {
      const reading = scores.find(({ name }) => name === wanted)?.reading;
      return reading?.kind === 'page' ? reading.markdown : '';
    };
    expect(markdown('v8-blog')).toContain(
      '```c\n// add.c\n#include <emscripten.h>\n\nEMSCRIPTEN_KEEPALIVE\nint add(int x, int y) {\n  return x + y;\n}\n```',
    );
    expect(markdown('toc-missing')).toContain('- Improving Accuracy\n  - Use Weighted Mean\n  - Use Median\n');
    expect(markdown('wikipedia')).toMatch(/\[\^2\] *[\s\S]+\n\n\[\^2\]: .*About the Mozilla Corporation/);
    expect(markdown('wikipedia-4')).toContain('| Film | Year | Description |\n| --- | --- | --- |\n');
    expect(markdown('mathjax')).toContain('$$\nx = \\frac{- b \\pm \\sqrt{b^{2} - 4 a c}}{2 a}');
  });
});

it('counts what is missing, what is too much, and what is wrong', () => {
  const page = {
    name: 'made',
    bytes: new Uint8Array(),
    expected: '<p>one two <b>thr</b>ee</p><p>four</p>',
    metadata: { title: 'A  title', byline: 'By Jane Doe, Editor', publishedTime: '2024-03-01 10:00:00' },
  };
  const metadata = {
    title: 'A title',
    authors: ['Jane Doe'],
    published: '2024-03-01T10:00:00',
    site: undefined,
    language: undefined,
    canonicalUrl: undefined,
    doi: undefined,
    description: undefined,
  };
  const reading = (markdown: string) =>
    ({ kind: 'page', markdown, extent: 'main', truncated: false, metadata }) as const;
  expect(scorePage(page, reading('one *two* [three](http://address.example) four'))).toEqual({
    f1: 1,
    recall: 1,
    title: true,
    authors: true,
    date: true,
  });
  expect(scorePage(page, reading('one two five six'))).toMatchObject({ f1: 0.5, recall: 0.5 });
  expect(scorePage(page, { kind: 'none', reason: 'no_text', metadata: undefined })).toEqual({
    f1: 0,
    recall: 0,
    title: false,
    authors: false,
    date: false,
  });
});

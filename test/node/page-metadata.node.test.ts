import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isoDate } from '../../src/research/page/metadata/dates.ts';
import { doiInAddress, readDoi } from '../../src/research/page/metadata/doi.ts';
import { namesIn } from '../../src/research/page/metadata/names.ts';
import { metadataOf, readingOf } from '../fixtures/pages/reading.ts';

const meta = (name: string, content: string) => `<meta name="${name}" content="${content}">`;
const property = (name: string, content: string) => `<meta property="${name}" content="${content}">`;
const linked = (data: unknown) => `<script type="application/ld+json">${JSON.stringify(data)}</script>`;

describe('what a page says about itself', () => {
  it('in Highwire Press tags, as journals do', async () => {
    const head = [
      meta('citation_title', 'On &lt;Bees&gt;'),
      meta('citation_author', 'Doe, Jane'),
      meta('citation_author', 'Роу, Ричард'),
      meta('citation_publication_date', '2023/11/5'),
      meta('citation_journal_title', 'Journal of Bees'),
      meta('citation_doi', 'doi:10.1234/BEE.5'),
      meta('citation_language', 'de'),
    ].join('');
    expect(await metadataOf(head)).toMatchObject({
      title: 'On <Bees>',
      authors: ['Doe, Jane', 'Роу, Ричард'],
      published: '2023-11-05',
      site: 'Journal of Bees',
      doi: '10.1234/bee.5',
    });
  });

  it('in JSON-LD, also in a graph whose things name each other', async () => {
    const head = linked({
      '@graph': [
        { '@type': 'WebSite', name: 'The Hive' },
        {
          '@type': ['NewsArticle'],
          headline: 'Bees dance',
          author: [{ '@id': '#jane' }, { name: 'Rob Roe' }],
          datePublished: '2024-02-29T08:00:00+0100',
          publisher: { '@id': '#org' },
          sameAs: 'https://doi.org/10.5555/12345678',
        },
        { '@type': 'Person', '@id': '#jane', givenName: 'Jane', familyName: 'Doe' },
        { '@type': 'Organization', '@id': '#org', name: 'Hive Media' },
      ],
    });
    expect(await metadataOf(head)).toMatchObject({
      title: 'Bees dance',
      authors: ['Jane Doe', 'Rob Roe'],
      published: '2024-02-29T08:00:00+01:00',
      site: 'Hive Media',
      doi: '10.5555/12345678',
    });
  });

  it('in OpenGraph and links', async () => {
    const head = [
      property('og:title', 'Bees &amp; wasps'),
      property('og:site_name', 'The News'),
      property('article:published_time', '2024-03-01 10:30:00Z'),
      property('article:author', 'https://social.example/jane'),
      meta('author', 'By Jane Doe and Rob Roe'),
      property('og:description', 'What they share'),
      '<link rel="canonical" href="/bees?id=1">',
    ].join('');
    expect(await metadataOf(head)).toMatchObject({
      title: 'Bees & wasps',
      authors: ['Jane Doe', 'Rob Roe'],
      published: '2024-03-01T10:30:00Z',
      site: 'The News',
      language: 'en',
      canonicalUrl: 'https://news.example/bees?id=1',
      description: 'What they share',
    });
  });

  it('in Dublin Core', async () => {
    const head = [
      meta('DC.Title', 'Bees'),
      meta('DC.Creator', 'Jane Doe'),
      meta('DC.Creator', 'Rob Roe'),
      meta('DCTERMS.issued', '2022-07'),
      meta('DC.Identifier', 'https://doi.org/10.1000/182'),
      meta('DC.Publisher', 'Hive Press'),
    ].join('');
    expect(await metadataOf(head)).toMatchObject({
      authors: ['Jane Doe', 'Rob Roe'],
      published: '2022-07',
      site: 'Hive Press',
      doi: '10.1000/182',
    });
  });

  it('in the text alone, or in the address', async () => {
    const article = '<p class="byline">By Jane Doe</p><time datetime="2024-02-28">yesterday</time>';
    expect(await metadataOf('', { article })).toMatchObject({
      title: 'Bees',
      authors: ['Jane Doe'],
      published: '2024-02-28',
    });
    expect(await metadataOf('')).toMatchObject({
      authors: [],
      published: '2024-03-01',
      site: undefined,
      doi: undefined,
    });
    expect((await metadataOf('', { url: 'https://journal.example/doi/full/10.1000/Xyz.1' })).doi).toBe('10.1000/xyz.1');
  });

  it('wrongly does no harm', async () => {
    const head = [
      '<script type="application/ld+json">{"@type":"Article","headline":"Broken\n lines",}</script>',
      '<script type="application/ld+json">{"@type":"Article", nothing</script>',
      `<script type="application/ld+json">${'['.repeat(10_000)}</script>`,
      linked({ '@type': 'Article', headline: { a: [[[]]] }, author: [null, 7, { name: [{}] }], datePublished: {} }),
      property('og:url', 'javascript:alert(1)'),
      '<link rel="canonical" href="http://user:secret@[">',
      meta('citation_doi', 'none'),
      meta('date', '31.02.2024'),
      property('og:locale', 'not a language at all'),
    ].join('');
    expect(await metadataOf(head)).toMatchObject({
      title: 'Broken lines',
      authors: [],
      published: '2024-03-01',
      canonicalUrl: undefined,
      doi: undefined,
      language: 'en',
    });
  });

  it('is there even where the text is not', async () => {
    expect(
      await readingOf(
        `<title>An app</title>${property('og:site_name', 'App')}<div id=root></div><script src=app.js></script>`,
      ),
    ).toMatchObject({
      kind: 'none',
      reason: 'needs_script',
      metadata: { title: 'An app', site: 'App' },
    });
  });
});

describe('dates', () => {
  it.each([
    ['2024', '2024'],
    ['2024-03', '2024-03'],
    ['2024/3/1', '2024-03-01'],
    ['20240301', '2024-03-01'],
    ['2024-03-01T10:00', '2024-03-01T10:00'],
    ['2024-03-01T10:00:05.123456Z', '2024-03-01T10:00:05Z'],
    ['2024-03-01 10:00:05 +0530', '2024-03-01T10:00:05+05:30'],
    ['March 1st, 2024', '2024-03-01'],
    ['Sept. 21, 2020', '2020-09-21'],
    ['June 2019', '2019-06'],
    ['1 March 2024', '2024-03-01'],
    ['Fri, 01 Mar 2024 10:00:00 GMT', '2024-03-01T10:00:00Z'],
  ])('%s', (text, date) => expect(isoDate(text)).toBe(date));

  it.each(['3/4/2024', '2024-13-01', '2023-02-29', '9999', 'yesterday', '', '2024031', 'May the 4th'])(
    '%s is none',
    (text) => expect(isoDate(text)).toBeUndefined(),
  );

  it('come out of whatever is written as dates that are', () => {
    const parts = fc.constantFrom(
      '2024',
      '02',
      '30',
      '-',
      '/',
      ' ',
      'T',
      ':',
      'Mar',
      'day',
      ',',
      '+01',
      'Z',
      '1',
      '99',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (pieces) => {
        expect(Date.parse(isoDate(pieces.join('')) ?? '2024')).not.toBeNaN();
      }),
    );
  });
});

it('DOIs are read in every form, and nothing else is', () => {
  for (const text of [
    '10.1000/182',
    'doi:10.1000/182',
    'https://doi.org/10.1000/182',
    'http://dx.doi.org/10.1000%2F182',
    'info:doi/10.1000/182',
  ])
    expect(readDoi(text), text).toBe('10.1000/182');
  for (const text of ['11.1000/182', '10.1/x', 'ISBN 10.1000', '10.1000/', 'see 10.1000/182'])
    expect(readDoi(text), text).toBeUndefined();
  expect(doiInAddress('https://x.example/doi/abs/10.1002/(SICI)1097?a=b')).toBe('10.1002/(sici)1097');
});

it('names are told apart where that is safe', () => {
  expect(namesIn(['Jane Doe, Rob Roe and Ann Poe'])).toEqual(['Jane Doe', 'Rob Roe', 'Ann Poe']);
  expect(namesIn(['Doe, Jane', 'doe, jane'])).toEqual(['Doe, Jane']);
  expect(namesIn(['Doe, J.; Roe, R.'])).toEqual(['Doe, J.', 'Roe, R.']);
  expect(namesIn(['By Ann Poe', 'https://x.example/jane', 'Updated May 1, 2024', '@jane', ''])).toEqual(['Ann Poe']);
});

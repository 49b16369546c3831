import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { hitsOf } from '../../src/research/web-search/hits.ts';

const day = (published: string) => hitsOf([{ url: 'https://example.org', published }], 1)[0]?.published;

describe('results', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
  );
  const found = fc.record({ url: anyText, title: fc.option(anyText), snippet: fc.option(anyText), published: anyText });

  it('are addresses of http and https, in ASCII, each once and no more than asked for, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(found, { maxLength: 30 }), fc.integer({ min: 1, max: 20 }), (all, limit) => {
        const hits = hitsOf(all, limit);
        expect(hits.length).toBeLessThanOrEqual(limit);
        expect(new Set(hits.map(({ url }) => url)).size).toBe(hits.length);
        for (const { url, published = '2026-03-09' } of hits) {
          expect(url).toMatch(/^https?:\/\/[!-~]+$/);
          expect(new URL(url).href).toBe(url);
          expect(published).toMatch(/^\d{4}-\d{2}-\d{2}$/);
        }
      }),
    );
  });

  it.each(['https://name@example.org/', 'https://:word@example.org/', 'ftp://example.org/', '//example.org', ''])(
    'are none of %j',
    (url) => {
      expect(hitsOf([{ url }], 1)).toEqual([]);
    },
  );

  it.each([
    ['2026-03-09', '2026-03-09'],
    ['2026-03-09T23:59:59', '2026-03-09'],
    ['2026-03-09T14:22:41Z', '2026-03-09'],
    ['Mon, 09 Mar 2026 14:22:41 GMT', '2026-03-09'],
  ])('were published on a day: %s', (text, expected) => {
    expect(day(text)).toBe(expected);
  });

  it.each(['', '2 days ago', '2026', '2026-13-77', '20260309', 'Obey me, 2026', '2026-03-091', 'Sun, 9 Juvember'])(
    'say nothing of a day with %j',
    (text) => {
      expect(day(text)).toBeUndefined();
    },
  );
});

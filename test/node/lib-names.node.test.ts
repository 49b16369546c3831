import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { itemsWithinBudget } from '../../src/lib/budget.ts';
import { decodeCursor, encodeCursor } from '../../src/lib/cursor.ts';
import { toBase64Url, utf8 } from '../../src/lib/encoding.ts';
import { isSlug, MAX_SLUG_LENGTH, slugify } from '../../src/lib/slug.ts';

const anything = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 200 }),
);

describe('a slug', () => {
  it('made of a title is a slug or nothing', () => {
    fc.assert(
      fc.property(anything, (title) => {
        const slug = slugify(title);
        // Nothing only where there is no letter or digit to make it of.
        expect(slug === undefined ? !/[A-Za-z0-9]/.test(title) : isSlug(slug)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('stays what it is', () => {
    const slug = fc
      .array(fc.stringMatching(/^[a-z0-9]{1,12}$/), { minLength: 1, maxLength: 5 })
      .map((words) => words.join('-'));
    fc.assert(
      fc.property(slug, (each) => {
        fc.pre(each.length <= MAX_SLUG_LENGTH);
        expect(slugify(each)).toBe(each);
      }),
    );
  });

  it.each([
    ['Market study', 'market-study'],
    ['  Ünïcödé & Söhne!  ', 'unicode-sohne'],
    ['ﬁne ① Ⅳ', 'fine-1-iv'],
    ['研究', undefined],
    ['\u{1F600}', undefined],
    ['--', undefined],
    ['', undefined],
    ['a'.repeat(100), 'a'.repeat(64)],
    [`${'a'.repeat(63)} b`, 'a'.repeat(63)],
  ])('of %j is %j', (title, slug) => {
    expect(slugify(title)).toBe(slug);
  });

  it('is nothing else', () => {
    for (const text of ['', '-a', 'a-', 'a--b', 'A', 'a b', 'ä', 'a\n', 'a_b', 'a'.repeat(65)])
      expect(isSlug(text)).toBe(false);
  });
});

describe('a cursor', () => {
  const place = fc.array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 100 }),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  );

  it('leads back to the place it was made for', () => {
    fc.assert(
      fc.property(place, (position) => {
        expect(JSON.stringify(decodeCursor(encodeCursor(position)))).toBe(JSON.stringify(position));
        expect(encodeCursor(position)).toMatch(/^[\w-]+$/);
      }),
    );
  });

  it('leads nowhere when it is garbage, and never breaks', () => {
    fc.assert(
      fc.property(anything, (garbage) => {
        const decoded = decodeCursor(garbage);
        expect((decoded ?? []).every((value) => ['string', 'number'].includes(typeof value))).toBe(true);
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const decoded = decodeCursor(toBase64Url(utf8(JSON.stringify(value))));
        const fits =
          Array.isArray(value) &&
          value.length >= 1 &&
          value.length <= 4 &&
          value.every((each) => typeof each === 'string' || typeof each === 'number');
        expect(decoded !== undefined).toBe(fits);
      }),
    );
  });

  it.each([
    '',
    '!',
    'e30',
    'W10',
    'WzEsMiwzLDQsNV0',
    'W251bGxd',
    '_____w',
    'W3t9XQ',
    `${encodeCursor(['a'])}=`,
    ` ${encodeCursor(['a'])}`,
  ])('%j is none', (cursor) => {
    expect(decodeCursor(cursor)).toBeUndefined();
  });
});

describe('the items that fit a budget', () => {
  it('are the first ones, as many as fit, and at least one', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.integer({ min: 0, max: 500 }), (items, characters) => {
        const fitting = itemsWithinBudget(items, characters);
        const cost = (list: readonly unknown[]) =>
          list.reduce<number>((sum, item) => sum + JSON.stringify(item).length + 1, 0);
        expect(fitting).toEqual(items.slice(0, fitting.length));
        expect(fitting.length).toBeGreaterThanOrEqual(Math.min(1, items.length));
        expect(fitting.length <= 1 || cost(fitting) <= characters).toBe(true);
        expect(fitting.length === items.length || cost(items.slice(0, fitting.length + 1)) > characters).toBe(true);
      }),
    );
  });

  it('are all of a list that is small', () => {
    const items = Array.from({ length: 200 }, (_, index) => ({ index, text: 'x'.repeat(100) }));
    expect(itemsWithinBudget(items)).toHaveLength(200);
    expect(itemsWithinBudget([])).toEqual([]);
  });
});

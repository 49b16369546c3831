import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';
import { expect, it } from 'vitest';

import { canonicalJson } from '../../src/lib/json.ts';
import { plainText } from '../../src/lib/plain-text.ts';

it('shows fields a line each, what is inside them below, and nothing that is empty', () => {
  expect(
    plainText({
      session: { slug: 'party', title: '' },
      items: [
        { item: 'tea', quantity: 2 },
        { item: 'cake', tags: ['sweet', 'round'] },
      ],
      next_cursor: undefined,
      none: [],
      paid: false,
      total: 0,
    }),
  ).toBe(
    [
      'session:',
      '  slug: party',
      'items:',
      '  - item: tea',
      '    quantity: 2',
      '  - item: cake',
      '    tags:',
      '      - sweet',
      '      - round',
      'none: none',
      'paid: false',
      'total: 0',
    ].join('\n'),
  );
});

it('has every text and number that the value has', () => {
  const leaf = fc.oneof(fc.stringMatching(/^[a-z]{1,9}$/), fc.integer());
  const value = fc.object({ key: fc.stringMatching(/^[a-z]{1,9}$/), values: [leaf], maxDepth: 3 });
  fc.assert(
    fc.property(value, (given) => {
      const leaves: string[] = [];
      JSON.stringify(given, (_name, field: unknown) => {
        if (typeof field === 'string' || typeof field === 'number') leaves.push(String(field));
        return field;
      });
      const shown = plainText(given);
      for (const each of leaves) expect(shown).toContain(each);
    }),
  );
});

it('writes equal JSON alike, in whatever order its fields came, and other JSON otherwise', () => {
  const reversed = (value: unknown): unknown =>
    typeof value !== 'object' || value === null
      ? value
      : Array.isArray(value)
        ? value.map(reversed)
        : Object.fromEntries(
            Object.entries(value)
              .toReversed()
              .map(([name, field]) => [name, reversed(field)]),
          );
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      expect(canonicalJson(reversed(one))).toBe(canonicalJson(one));
      expect(JSON.parse(canonicalJson(one))).toEqual(JSON.parse(JSON.stringify(one)));
      const alike = canonicalJson(one) === canonicalJson(other);
      expect(isDeepStrictEqual(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other)))).toBe(alike);
    }),
  );
});

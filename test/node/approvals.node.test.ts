import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { approvalHash, sha256Of } from '../../src/approvals/base.ts';
import { asksFor, NO_RULES } from '../../src/approvals/model.ts';
import { visible } from '../../src/approvals/visible.ts';
import { canonicalJson } from '../../src/lib/json.ts';

/** The same value with the fields of each object in another order. */
function shuffled(value: unknown, swap: (count: number) => number): unknown {
  if (Array.isArray(value)) return value.map((each) => shuffled(each, swap));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, field]) => [name, shuffled(field, swap)] as const);
  for (let at = entries.length - 1; at > 0; at--) {
    const other = swap(at + 1);
    [entries[at], entries[other]] = [entries[other]!, entries[at]!];
  }
  // Not an assignment: `__proto__` is a name like any other in JSON.
  return Object.fromEntries(entries);
}

/** As a client may send it. */
const json = fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text) as unknown);

describe('canonical arguments', () => {
  it('are the same for the same arguments in whatever order', () => {
    fc.assert(
      fc.property(json, fc.infiniteStream(fc.nat()), (value, numbers) => {
        const swap = (count: number) => Number(numbers.next().value) % count;
        expect(canonicalJson(shuffled(value, swap))).toBe(canonicalJson(value));
      }),
    );
  });

  it('say all of the arguments: what is read back is what was sent', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
        expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value));
      }),
    );
  });

  it('are others for other arguments', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        expect(canonicalJson(one) === canonicalJson(other)).toBe(isDeepStrictEqual(one, other));
      }),
    );
    for (const [one, other] of [
      [{ a: 1 }, { a: '1' }],
      [{ a: [1, 2] }, { a: [2, 1] }],
      [{ a: null }, {}],
      [{ a: { b: 1 } }, { 'a.b': 1 }],
      [JSON.parse('{"__proto__": 1}'), {}],
      ['a', ['a']],
    ] as const)
      expect(canonicalJson(one)).not.toBe(canonicalJson(other));
  });
});

const file = fc.record({
  id: fc.stringMatching(/^fil_[0-9a-z]{4}$/),
  version: fc.integer({ min: 1, max: 5 }),
  session: fc.constantFrom('default', 'other'),
  path: fc.string({ maxLength: 8 }),
  inTrash: fc.boolean(),
});
const subject = fc.record({
  tool: fc.string({ maxLength: 12 }),
  text: fc.string(),
  files: fc.array(file, { maxLength: 4 }),
});

describe('what an approval is for', () => {
  it('is another thing with another tool, another argument, or any other state of a file', () => {
    fc.assert(
      fc.property(subject, subject, (one, other) => {
        const hash = ({ tool, text, files }: typeof one) => approvalHash(tool, sha256Of(text), files);
        expect(hash(one) === hash(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it('changes with each field of each file, with their order and their number', () => {
    const first = { id: 'fil_a', version: 1, session: 'default', path: 'a', inTrash: false };
    const second = { ...first, id: 'fil_b', path: 'b' };
    const hashes = [
      [first, second],
      [second, first],
      [first],
      [],
      [{ ...first, version: 2 }, second],
      [{ ...first, path: 'c' }, second],
      [{ ...first, session: 'other' }, second],
      [{ ...first, inTrash: true }, second],
    ].map((files) => approvalHash('file_delete', sha256Of('{}'), files));
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('is SHA-256, as anybody can compute it', () => {
    const text = '{"file":"a"}';
    const ofArguments = createHash('sha256').update(text).digest('hex');
    const state = ['fil_a', 3, 'default', 'a.txt', false];
    const whole = JSON.stringify(['file_delete', ofArguments, [state]]);
    const files = [{ id: 'fil_a', version: 3, session: 'default', path: 'a.txt', inTrash: false }];
    expect(approvalHash('file_delete', sha256Of(text), files)).toBe(createHash('sha256').update(whole).digest('hex'));
  });
});

describe('what a person is shown', () => {
  it('has nothing that cannot be seen or turns the rest around', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = visible(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
        expect(visible(shown)).toBe(shown);
      }),
    );
    expect(visible('exe.\u202egpj')).toBe('exe.\\u202egpj');
    expect(visible('a\u200bb\u00a0c')).toBe('a\\u200bb\\u00a0c');
    expect(visible('Große Zahlen, 市場, ١٢٣ and 🦊')).toBe('Große Zahlen, 市場, ١٢٣ and 🦊');
  });
});

describe('a rule', () => {
  const call = { tool: 'file_delete', destructive: true };
  it.each([
    [{}, 0, false],
    [{ always: true }, 0, true],
    [{ destructive: true }, 0, true],
    [{ tools: ['file_delete'] }, 0, true],
    [{ tools: ['file_write'] }, 0, false],
    [{ bytes: 10 }, 10, false],
    [{ bytes: 10 }, 11, true],
    [{ bytes: 0 }, 1, true],
  ])('%j with %i bytes asks: %s', (rules, bytes, asks) => {
    expect(asksFor({ ...NO_RULES, ...rules }, call, () => bytes)).toBe(asks);
  });

  it('about destroying does not ask for what destroys nothing', () => {
    expect(asksFor({ ...NO_RULES, destructive: true }, { ...call, destructive: false }, () => 0)).toBe(false);
  });
});

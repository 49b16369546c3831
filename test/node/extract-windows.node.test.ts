import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ExtractedText } from '../../src/files/extract/model.ts';
import { sectionsOf } from '../../src/files/extract/window.ts';
import type { WindowRequest } from '../../src/files/extract/window.ts';

function extracted(...texts: readonly string[]): ExtractedText {
  const parts = texts.map((text, index) => ({ label: `part ${index + 1}`, text }));
  return { kind: 'text', unit: 'page', parts, title: undefined, truncated: false };
}

/** Texts of characters that a cut could break, in parts that may be empty. */
const anyText = fc
  .array(fc.string({ unit: fc.constantFrom('a', '\n', 'é', '😀', '𝒳', '👩‍👩‍👧') }), { minLength: 1, maxLength: 6 })
  .map((texts) => extracted(...texts));

/** All windows from a request on, one after the other. */
function read(text: ExtractedText, request: WindowRequest) {
  const windows = [];
  for (let next: WindowRequest | undefined = request; next;) {
    const window = sectionsOf(text, next);
    if (!window) throw new Error('A window that another one announced is not there');
    windows.push(window);
    if (windows.length > 1000) throw new Error('The windows have no end');
    next = window.next && { ...window.next, limit: request.limit };
  }
  return windows;
}

describe('windows over a text', () => {
  it('give a part by its number, and what comes next', () => {
    const text = extracted('one', 'two', 'three');
    expect(sectionsOf(text, { part: 2, limit: 100 })).toEqual({
      text: 'two\n\n',
      part: 2,
      parts: 3,
      label: 'part 2',
      start: 5,
      end: 10,
      length: 15,
      next: { part: 3, offset: 10 },
    });
    expect(sectionsOf(text, { part: 3, offset: 12, limit: 2 })).toMatchObject({
      text: 're',
      next: { part: 3, offset: 14 },
    });
    expect(sectionsOf(text, { part: 3, limit: 100 })).toMatchObject({ text: 'three', next: undefined });
  });

  it('go over parts by an offset', () => {
    const text = extracted('one', '', 'three');
    expect(sectionsOf(text, { limit: 6 })).toMatchObject({
      text: 'one\n\n\n',
      part: 1,
      start: 0,
      end: 6,
      next: { offset: 6 },
    });
    expect(sectionsOf(text, { offset: 6, limit: 99 })).toMatchObject({ text: '\nthree', part: 2, next: undefined });
  });

  it('are none where nothing is', () => {
    const text = extracted('one', 'two');
    for (const request of [
      { part: 0 },
      { part: 3 },
      { part: 1.5 },
      { offset: -1 },
      { offset: 8 },
      { offset: 0.5 },
      { offset: NaN },
      { part: 1, offset: 5 },
      { part: 2, offset: 4 },
    ])
      expect(sectionsOf(text, { ...request, limit: 10 }), JSON.stringify(request)).toBeUndefined();
  });

  it('begin and end between characters', () => {
    const text = extracted('a😀b');
    expect(sectionsOf(text, { limit: 2 })).toMatchObject({ text: 'a', end: 1 });
    expect(sectionsOf(text, { offset: 1, limit: 1 })).toMatchObject({ text: '😀', end: 3 });
    expect(sectionsOf(text, { offset: 2, limit: 1 })).toMatchObject({ text: '😀', start: 1, end: 3 });
  });

  it('give the whole text, one after the other, whatever their size', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.oneof(fc.integer({ min: -1, max: 30 }), fc.constantFrom(NaN, 1.5, Infinity)),
        fc.boolean(),
        (text, limit, byPart) => {
          const windows = read(text, byPart ? { part: 1, limit } : { limit });
          expect(windows.map((window) => window.text).join('')).toBe(text.parts.map((part) => part.text).join('\n\n'));
          for (const [index, window] of windows.entries()) {
            expect(window.text.isWellFormed()).toBe(true);
            expect(window.start).toBe(index === 0 ? 0 : windows[index - 1]!.end);
            expect(window.end - window.start).toBe(window.text.length);
            // A character of two code units may be one more than was asked for.
            expect(window.text.length).toBeLessThanOrEqual(Math.max(2, limit || 1));
            expect(window.label).toBe(`part ${window.part}`);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('are where they are asked for, from any place', () => {
    fc.assert(
      fc.property(anyText, fc.nat(60), fc.integer({ min: 1, max: 30 }), (text, offset, limit) => {
        const whole = text.parts.map((part) => part.text).join('\n\n');
        fc.pre(offset < whole.length);
        const window = sectionsOf(text, { offset, limit })!;
        expect(window.text).toBe(whole.slice(window.start, window.end));
        expect([offset, offset - 1]).toContain(window.start);
        expect(window.length).toBe(whole.length);
      }),
      { numRuns: 1000 },
    );
  });
});

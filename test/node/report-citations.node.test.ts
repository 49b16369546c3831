import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { citationsIn, readReport } from '../../src/research/report/read-report.ts';

const KEYS = new Set(['doe2024', 'a', 'b']);

/** The citations of a text: `key@page 4<see|suffix>`. */
function read(markdown: string): string[] {
  const [section] = readReport([{ heading: 'One', level: 1, markdown }], KEYS).sections;
  return citationsIn(section?.tokens ?? []).map(({ way, cites }) => {
    const shown = cites.map(({ key, locator, prefix, suffix, withoutAuthor }) =>
      [
        prefix && `${prefix} `,
        withoutAuthor ? '-' : '',
        key,
        locator ? ` ${locator.label} ${locator.value}` : '',
        suffix && `, ${suffix}`,
      ].join(''),
    );
    return `${way === 'text' ? 'text ' : ''}${shown.join(' + ')}`;
  });
}

describe('a citation', () => {
  it.each([
    ['[@a]', ['a']],
    ['It is so [@doe2024].', ['doe2024']],
    ['[@a, p. 4]', ['a page 4']],
    ['[@a p. 4]', ['a page 4']],
    ['[@a, pp. 3-5]', ['a page 3-5']],
    ['[@a, pp. iv, 7 and elsewhere]', ['a page iv, 7, and elsewhere']],
    ['[@a, 12]', ['a page 12']],
    ['[@a, sec. 2.1]', ['a section 2.1']],
    ['[@a, sec. Results and discussion]', ['a section Results and discussion']],
    ['[@a, § 3]', ['a section 3']],
    ['[@a, chap. 3; @b, fig. 2]', ['a chapter 3 + b figure 2']],
    ['[see @a, pp. 3-5; @b]', ['see a page 3-5 + b']],
    ['[see also @a; but not @b, sec. 2]', ['see also a + but not b section 2']],
    ['[-@a, p. 4]', ['-a page 4']],
    ['[@a; and others]', ['a, ; and others']],
    ['[@a][@b]', ['a', 'b']],
    ['[@{a b}] [@{a}]', ['a']],
    ['[@a,\np. 4]', ['a page 4']],
    ['> [@a,\n> p. 4]', ['a page 4']],
    ['- [@a]\n\n| x |\n|---|\n| [@b] |', ['a', 'b']],
    ['*so [@a]* and **[@b]**', ['a', 'b']],
    ['[see [@a]](https://x.example)', ['a']],
    ['text[^1]\n\n[^1]: Note [@a].', ['a']],
    ['[@Smith2024]', ['Smith2024']],
    ['[@nobody]', ['nobody']],
    ['[@a, p. 4; see [x]]', []],
    ['@doe2024 says so', ['text doe2024']],
    ['@doe2024 [p. 4] says so', ['text doe2024 page 4']],
    ['As @a, and (@b).', ['text a', 'text b']],
    ['@a [not a place]', ['text a']],
  ])('in %j', (markdown, expected) => {
    expect(read(markdown)).toEqual(expected);
  });

  it.each([
    ['code', 'as `[@a]` is'],
    ['code that begins before', '`[@a` and `]`'],
    ['a block of code', '```\n[@a]\n```'],
    ['an indented block of code', 'x\n\n    [@a]'],
    ['a block that is not closed', '~~~\n[@a]'],
    ['what is escaped', String.raw`\[@a] and \[@a\] and [\@a] and \@a`],
    ['an address of e-mail', 'jane@a.example, jane@a, <jane@a.example>, [jane@a.example]'],
    ['the text of a link', '[@a](https://x.example) and [@a](<https://x.example> "t")'],
    ['an image', '![@a](https://x.example/a.png)'],
    ['a link by reference', '[@a]\n\n[@a]: https://x.example'],
    ['a footnote', '[^@a] [^a]\n\n[^a]: x'],
    ['somebody who is mentioned', '@jane and @everyone, @Doe2024, thanks'],
    ['an address', 'https://x.example/@a <https://x.example/[@a]>'],
    ['brackets without a key', '[a] [ ] [@] [ @ ] [@-] [@!]'],
    ['what is not closed', '[@nobody, p. 4'],
    ['what ends in another paragraph', '[@nobody\n\n]'],
    ['a decorator', '@nobody(1)'],
  ])('is not %s', (_, markdown) => {
    expect(read(markdown)).toEqual([]);
  });

  it('is found whatever stands around it', () => {
    const around = fc.string({ unit: fc.constantFrom(...Array.from('ab .,;:()!?-é漢\n')) });
    fc.assert(
      fc.property(around, around, (before, after) => {
        expect(read(`x${before} [@a, p. 4] ${after}`)).toContain('a page 4');
      }),
    );
  });

  it('makes no text fail', () => {
    const text = fc
      .array(
        fc.constantFrom(...Array.from('[]@;,`*_~!<>()\\\n #-|^:{}a1.&"'), '[@a', '; @b', 'p. 4', '```', '\n\n', '> '),
      )
      .map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (markdown) => {
        expect(() => read(markdown)).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });
});

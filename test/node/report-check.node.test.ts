import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkReport, EXCERPT_CHARACTERS, FINDINGS } from '../../src/research/report/check-report.ts';
import type { CheckedSource, Finding } from '../../src/research/report/check-report.ts';

const TEXTS: Record<string, string> = {
  bees: 'Bees find home by the sun. Honey is sweet, and bees make it of nectar.',
  ants: 'Ants follow a trail of scent to the nest.',
  zh: '蜜蜂靠太阳找到回家的路。',
  scan: '',
};
const SOURCES = new Map<string, CheckedSource>([
  ['bees', { title: 'Bees', state: 'kept', hasPassage: true }],
  ['ants', { title: 'Ants', state: 'kept', hasPassage: true }],
  ['zh', { title: '蜜蜂', state: 'kept', hasPassage: true }],
  ['scan', { title: 'A scan', state: 'kept', hasPassage: false }],
  ['old', { title: 'Old', state: 'dropped', hasPassage: true }],
]);
const standsIn = async (key: string, text: string) => TEXTS[key]?.includes(text) === true;

async function check(markdown: string): Promise<readonly Finding[]> {
  const section = { heading: 'One', level: 1, markdown };
  return (await checkReport({ outline: [section], sections: [section], sources: SOURCES, standsIn })).findings;
}

/** `kind: excerpt` */
async function found(markdown: string): Promise<string[]> {
  return (await check(markdown)).map(({ kind, excerpt }) => `${kind}: ${excerpt}`);
}

const claim = (text: string) => `claim_without_citation: ${text}`;

describe('a claim', () => {
  it.each([
    ['with a citation in it', 'Bees find their home by the sun [@bees].'],
    [
      'with a citation right behind it',
      'Bees find their home by the sun. [@bees] And so do others [@ants] of their kind.',
    ],
    [
      'with a citation at the end of its paragraph',
      'Bees find their home by the sun. Ants do it by scent alone. [@bees; @ants]',
    ],
    ['with a citation in a footnote', 'Bees find their home by the sun.[^1]\n\n[^1]: See [@bees].'],
    ['whose author is named in the text', 'As @bees says, they find their home.'],
    ['that is the author’s own', 'All this points to the sun alone. [@own]'],
    [
      'in a list that a citation introduces',
      'Three things are known [@bees]:\n\n- Bees find their home by the sun.\n- Honey is sweet for everybody else.',
    ],
    ['of a few words', 'So it is.'],
    ['that is a question', 'How do bees find their home again? And is it “really so”?'],
    ['that introduces', 'These are the three of them:'],
    ['that is a heading', '# Bees find their home by the sun\n\nBees find home [@bees].'],
    ['in a table', 'See below.\n\n| Bees find home by the sun | x |\n|---|---|\n| Ants follow a trail of scent | y |'],
    ['in code', '```\nBees find their home by the sun.\n```'],
    [
      'behind an abbreviation',
      'Bees, e.g. those of Prof. Doe, vs. those of Dr. Roe et al. in St. Gallen, differ [@bees].',
    ],
    ['in Chinese with its citation', '蜜蜂靠太阳找到回家的路[@zh]。'],
    ['in Chinese with its citation behind', '蜜蜂靠太阳找到回家的路。[@zh]'],
  ])('%s is in order', async (_, markdown) => {
    expect(await found(markdown)).toEqual([]);
  });

  it.each([
    ['without a citation', 'Bees find their home by the sun.', ['Bees find their home by the sun.']],
    [
      'beside one that has one',
      'Bees find their home by the sun [@bees]. Ants do it by scent alone.',
      ['Ants do it by scent alone.'],
    ],
    [
      'before one that has a footnote',
      'Ants do it by scent alone. Bees find their home by the sun.[^1]\n\n[^1]: See [@bees].',
      ['Ants do it by scent alone.'],
    ],
    [
      'in a list',
      'Three things are known:\n\n- Bees find their home by the sun.\n- Short.',
      ['Bees find their home by the sun.'],
    ],
    [
      'behind a list that had one',
      'Known [@bees]:\n\n- Bees find their home by the sun.\n\nAnts do it by scent alone.',
      ['Ants do it by scent alone.'],
    ],
    [
      'in emphasis and a link',
      '*Bees* find [their home](https://x.example) by the **sun** alone.',
      ['Bees find their home by the sun alone.'],
    ],
    [
      'with what looks like a citation',
      String.raw`Bees find their home by the sun \[@bees].`,
      ['Bees find their home by the sun [@bees].'],
    ],
    [
      'in German',
      'Bienen finden z.B. nach 3.5 km nach Hause. Das ist so [@bees].',
      ['Bienen finden z.B. nach 3.5 km nach Hause.'],
    ],
    ['in Arabic', 'النحل يجد طريقه إلى البيت بالشمس.', ['النحل يجد طريقه إلى البيت بالشمس.']],
    ['in Chinese', '蜜蜂靠太阳找到回家的路。蚂蚁不是[@ants]。', ['蜜蜂靠太阳找到回家的路。']],
    ['in Japanese', '蜂は太陽を使って家に帰る。', ['蜂は太陽を使って家に帰る。']],
    ['over two lines', 'Bees find their home\nby the sun.', ['Bees find their home by the sun.']],
  ])('%s is found', async (_, markdown, expected) => {
    expect(await found(markdown)).toEqual(expected.map(claim));
  });

  it('is told with its place', async () => {
    const markdown = 'Short.\n\n- One.\n- Bees find their home by the sun.';
    const [finding] = await check(markdown);
    expect(finding).toMatchObject({ section: 0, heading: 'One', offset: markdown.indexOf('Bees') });
    expect(finding?.todo).toContain('[@own]');
  });
});

describe('a quotation', () => {
  it.each([
    ['in English', 'It is so: “Bees find home by the sun” [@bees].'],
    ['between straight marks', 'Doe writes "Bees find home by the sun" [@bees].'],
    ['in German', 'Doe schreibt: „Bees find home by the sun“ [@bees].'],
    ['in French', 'Doe écrit «Bees find home by the sun» [@bees].'],
    ['in Danish', 'Doe skriver »Bees find home by the sun« [@bees].'],
    ['in Chinese', '他写道「蜜蜂靠太阳找到回家的路」[@zh]。'],
    ['with a comma inside', '“Bees find home by the sun,” as Doe has it [@bees].'],
    ['of two sentences', 'Doe: “Bees find home by the sun. Honey is sweet, and bees make it of nectar.” [@bees]'],
    ['with an omission', '“Bees find home […] Honey is sweet … bees make it” [@bees].'],
    ['of one of two works', '“Ants follow a trail of scent” is known [@bees; @ants].'],
    ['of a few words, whatever they are', 'The “so called sun” is what they find it by [@bees].'],
    ['in a block', '> Bees find home by the sun. [@bees]'],
    ['in a block, with its work below', '> Bees find home by the sun.\n>\n> — Jane Doe, 2024 [@bees]'],
    ['in a block that is introduced', 'As Doe has it [@bees]:\n\n> Bees find home by the sun.'],
    ['that is the author’s own', 'I call it “the sun that leads them home” for short [@own].'],
  ])('%s is in order', async (_, markdown) => {
    expect(await found(markdown)).toEqual([]);
  });

  it.each([
    [
      'with one word changed',
      'Doe: “Bees find home by the moon” [@bees].',
      ['quote_not_found: Bees find home by the moon'],
    ],
    [
      'of another work',
      'Doe: “Ants follow a trail of scent” [@bees].',
      ['quote_not_found: Ants follow a trail of scent'],
    ],
    [
      'with passages of two works',
      '“Bees find home … Ants follow a trail” [@bees; @ants].',
      ['quote_not_found: Bees find home … Ants follow a trail'],
    ],
    ['without a citation', 'As “Bees find home by the sun” has it?', [claim('As “Bees find home by the sun” has it?')]],
    ['in a block without a citation', '> Bees find home by the sun.', [claim('Bees find home by the sun.')]],
    [
      'in a block that is not so',
      '> Bees find home by the moon. [@bees]',
      ['quote_not_found: Bees find home by the moon.'],
    ],
    [
      'of a source without text',
      '“Bees find home by the sun” is written there [@scan].',
      ['quote_not_found: Bees find home by the sun'],
    ],
  ])('%s is found', async (_, markdown, expected) => {
    expect(await found(markdown)).toEqual(expected);
  });
});

describe('a source', () => {
  it('that is unknown or was dropped is told, wherever it is cited', async () => {
    expect(await found('# So [@none]\n\nIt is so [@bees; @gone; @old].\n\n| a [@lost] |\n|---|\n\n[^1]: x\n')).toEqual([
      'unknown_source: [@none]',
      'unknown_source: [@bees; @gone; @old]',
      'dropped_source: [@bees; @gone; @old]',
      'unknown_source: [@lost]',
    ]);
  });
});

describe('the outline', () => {
  it('tells what is missing and what is empty', async () => {
    const outline = ['Introduction', 'Method', 'Results', 'Detail', 'End'].map((heading, index) => ({
      heading,
      level: index === 3 ? 2 : 1,
    }));
    const sections = [
      { heading: ' introduction ', level: 1, markdown: 'So it is.' },
      { heading: 'Method', level: 1, markdown: '\n\n  \n' },
      { heading: 'Results', level: 1, markdown: '' },
      { heading: 'Detail', level: 2, markdown: '## Only a heading' },
    ];
    const { findings } = await checkReport({ outline, sections, sources: SOURCES, standsIn });
    expect(findings.map(({ kind, heading, section }) => [kind, heading, section])).toEqual([
      ['missing_section', 'End', undefined],
      ['empty_section', 'Method', 1],
      ['empty_section', 'Detail', 3],
    ]);
  });
});

describe('a check', () => {
  it('stops telling where nobody would read on, and counts', async () => {
    const section = { heading: 'One', level: 1, markdown: 'Bees find their home by the sun.\n\n'.repeat(FINDINGS + 1) };
    const result = await checkReport({ outline: [], sections: [section], sources: SOURCES, standsIn });
    expect(result).toMatchObject({ more: true, claims: FINDINGS + 1 });
    expect(result.findings).toHaveLength(FINDINGS);
  });

  it('gives a short excerpt, whatever the text, and a place within it', async () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from('ab. “”"«»„!?:\n>-*[]@é漢𝒳\uFFFC'), 'word ', '[@bees]', '. [@own]', '\n\n'),
      maxLength: 600,
    });
    await fc.assert(
      fc.asyncProperty(text, async (markdown) => {
        for (const { excerpt, offset } of await check(markdown)) {
          expect(excerpt.length).toBeLessThanOrEqual(EXCERPT_CHARACTERS);
          expect(excerpt.isWellFormed()).toBe(true);
          expect(offset).toBeLessThanOrEqual(markdown.length);
        }
      }),
    );
  });
});

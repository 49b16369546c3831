import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { findPassage, prepareText, QUOTE_CHARACTERS } from '../../src/research/quotes/passages.ts';

/** The passage of the text where a quote stands. */
function found(text: string, quote: string): string | undefined {
  const passage = findPassage(text, quote);
  return passage && text.slice(passage.start, passage.end);
}

describe('a quote stands in a text', () => {
  it('at the first of its places, with offsets into the text as it was given', () => {
    const text = 'One bee dances. Another bee dances. One bee dances.';
    expect(findPassage(text, 'bee dances')).toEqual({ start: 4, end: 14 });
    expect(findPassage(text, 'Another bee dances.')).toEqual({ start: 16, end: 35 });
    expect(findPassage(text, text)).toEqual({ start: 0, end: text.length });
  });

  it.each([
    ['spaces and lines', 'the bees\n   dance\u00A0in the\u2003hive', 'bees dance in the hive'],
    ['what cannot be seen', 'the be\u00ADes da\u200Bnce\uFEFF in\u2060 the \u202Ehive', 'bees dance in the hive'],
    ['quotation marks', 'they said “it’s «here»” aloud', `said "it's "here"" aloud`],
    ['German ones', 'er sagte: „Die Biene tanzt.“ Dann', '"Die Biene tanzt." Dann'],
    ['dashes', 'pages 10–20 — the best—of all', 'pages 10-20 - the best - of all'],
    ['two for one', 'the dance -- of the bees', 'dance — of the'],
    ['a minus', 'at −5 degrees', '-5 degrees'],
    ['composed and decomposed letters', 'a cafe\u0301 in Zu\u0308rich', 'caf\u00E9 in Z\u00FCrich'],
    ['decomposed and composed letters', 'a caf\u00E9 in Z\u00FCrich', 'cafe\u0301 in Zu\u0308rich'],
    ['ligatures', 'the ﬁrst oﬃce of all', 'first office of'],
    ['full width', 'ＡＢＣ １２３ ｶﾞｷﾞ', 'ABC 123 ガギ'],
    ['Hangul, composed and not', '\u1112\u1161\u11AB\u1100\u1173\u11AF 학교', '한글 학교'],
    ['surrogate pairs', 'a 𝒻ine 𠜎𠜱 word 🐝🐝 here', 'fine 𠜎𠜱 word 🐝🐝 here'],
    ['Chinese over lines', '人工智能的\n发展 趋势，\n很快', '的发展趋势，很快'],
    ['Chinese beside Latin', '使用 AI 芯片 的公司', '使用AI芯片的公司'],
    ['Japanese', '蜜蜂は踊り\nながら飛ぶ。', '踊りながら飛ぶ'],
    ['Arabic', 'يرقص النحل في الخلية، كل صباح', 'النحل في الخلية، كل'],
    ['Arabic letters of a PDF', 'ﻳﺮﻗﺺ ﺍﻟﻨﺤﻞ', 'يرقص النحل'],
    ['Thai, within a row of letters', 'ผึ้งเต้นรำในรัง', 'เต้นรำใน'],
    ['marks of Devanagari', 'मधुमक्खी नाचती है', 'मधुमक्खी नाचती'],
  ])('whatever way it has of %s', (_, text, quote) => {
    expect(found(text, quote)).toBeDefined();
    expect(found(quote, text.slice(text.indexOf(found(text, quote)!)).slice(0, found(text, quote)!.length))).toBe(
      quote,
    );
  });

  it.each([
    ['emphasis', 'the **bees** *dance* in __the__ ~~big~~ hive', 'bees dance in the big hive'],
    ['emphasis within a word', 'un*believ*able bees here', 'unbelievable bees'],
    ['links', 'see [the *bees*](https://e.example/a_(b) "title"), they dance', 'see the bees, they dance'],
    ['pictures', 'they dance ![a bee](https://e.example/b.png) at noon', 'dance at noon'],
    ['a picture that is a link', 'they [![a bee](b.png) dance](https://e.example/) at noon', 'they dance at noon'],
    ['what a picture shows', 'they dance ![a busy bee](https://e.example/b.png) at noon', 'a busy bee'],
    ['headings', 'before\n\n## The dance\n\nafter it', 'before The dance after'],
    ['lists', '- one bee\n  - two bees\n* three bees\n+ four', 'one bee two bees three bees four'],
    ['bullets of a PDF', '• one bee\n• two bees', 'one bee two bees'],
    ['quotations', 'he said:\n\n> the bees\n> dance\n> > at noon', 'the bees dance at noon'],
    ['escapes', String.raw`the \*bees\* \[all\] of \_them\_ 1\. dance`, '*bees* [all] of _them_ 1. dance'],
    ['an escaped beginning', 'so\n\\# bees dance\n\\- well', 'so\n# bees dance\n- well'],
    ['tables', '| bees | hives |\n| --- | :-: |\n| two | one |', 'bees hives two one'],
    ['code', 'call `bee.dance()` at noon', 'call bee.dance() at'],
    ['blocks of code', 'so:\n\n```js\nconst bees = 2;\n```\n\nthen', 'so: const bees = 2; then'],
    ['notes', 'the bees[^1] dance.\n\n[^1]: Or so they say.', 'bees dance. Or so they'],
    ['breaks', '| a bee<br>dances | x |', 'bee dances'],
    ['ampersands', 'bees &amp;lt; hives here', 'bees &lt; hives'],
    ['snake case', 'the bee_dance_here and __it__', 'bee_dance_here and it'],
  ])('without and with the marks of %s', (_, text, quote) => {
    expect(found(text, quote)).toBeDefined();
    expect(found(text, text)).toBeDefined();
  });

  it('where a passage begins or ends within marks', () => {
    const text = 'They say [the bees dance](https://e.example/a-long/address?of=bees) at **noon and later** today.';
    for (const quote of [
      'bees dance](https://e.example/a-long/address?of=bees) at **noon',
      'address?of=bees) at **noon',
    ])
      expect(found(text, quote)).toBe(quote);
    expect(found(text, 'dance](https://e.example/a-long/address?of=bees) at noon')).toBeDefined();
    expect(found(text, 'say [the bees')).toBe('say [the bees');
  });

  it('with and without the hyphen of a word at the end of a line, and not otherwise', () => {
    const parted = 'this exam-\nple of a well-\nknown and long-lived bee';
    for (const quote of [
      'this example of a well-known and long-lived bee',
      'this exam-ple of a wellknown and long-lived bee',
      parted,
    ])
      expect(found(parted, quote)).toBe(parted);
    expect(found(parted, 'this example of a well-known and longlived bee')).toBeUndefined();
    expect(found('the longlived bee', 'the long-lived bee')).toBeUndefined();
    expect(found('the long-lived bee', 'the long-\nlived bee')).toBe('the long-lived bee');
    expect(found('the long\u00AD\nlived bee', 'the longlived bee')).toBe('the long\u00AD\nlived bee');
    expect(found('a well-known bee', 'known bee')).toBe('known bee');
    expect(found('COVID-\n19 and bees', 'COVID-19 and')).toBe('COVID-\n19 and');
  });
});

describe('a quote does not stand in a text', () => {
  it.each([
    ['letters of another case', 'The bees dance', 'the bees dance'],
    ['another accent', 'le café noir', 'le cafe noir'],
    ['an accent that does not join', 'the x\u0323 value', 'the x value'],
    ['other punctuation', 'bees, they dance', 'bees they dance'],
    ['a word less', 'the old bees dance', 'the bees dance'],
    ['words left out', 'the old and wise bees dance', 'the old … bees dance'],
    ['words left out in brackets', 'the old and wise bees dance', 'the old […] bees dance'],
    ['another order', 'bees and hives', 'hives and bees'],
    ['half a word before', 'the bees dance', 'he bees'],
    ['half a word behind', 'the bees dance', 'the bee'],
    ['words written as one', 'now here they are', 'nowhere they are'],
    ['one word written as two', 'nowhere they are', 'now here they are'],
    ['half a number', 'about 13.5 percent of', '3.5 percent of'],
    ['the end of a number', 'about 13.5 percent of', '5 percent of'],
    ['no sign of a number', 'at 5 degrees', '-5 degrees'],
    ['half a ligature', 'the oﬃce door', 'ce door'],
    ['a letter without its vowel', 'ผึ้งเต้นรำในรัง', 'เต้นรำในร'],
  ])('with %s', (_, text, quote) => {
    expect(found(text, quote)).toBeUndefined();
  });

  it('that is empty', () => {
    expect(found('', 'the bees')).toBeUndefined();
    expect(prepareText('').nearest('the bees', 3)).toEqual([]);
  });
});

describe('what Markdown has beside the text', () => {
  const text = 'See [the bees](https://e.example/a) dance[^2] and ![a busy bee](b.png) fly &amp; hum';

  it.each([
    'See the bees dance and fly & hum',
    'See [the bees](https://e.example/a) dance',
    'the bees](https://e.example/a) dance',
    'the bees dance[^2] and fly',
    'dance and ![a busy\nbee](b.png) fly &amp; hum',
  ])('may be in a quote as it is there, or not: %j', (quote) => expect(findPassage(text, quote)).toBeDefined());

  it.each([
    'See [the bees](https://e.example/b) dance',
    'the bees](https://evil.example/a) dance',
    'the bees dance[^3] and fly',
    'dance and ![a lazy bee](b.png) fly',
    'See the [bees](https://e.example/a) dance and [fly](https://e.example/a)',
  ])('may not be in a quote as it is not there: %j', (quote) => expect(findPassage(text, quote)).toBeUndefined());
});

describe('a text made to be slow', () => {
  const SIZE = 2_000_000;
  it.each([
    'a',
    'a ',
    'a-',
    'a-\n',
    '[',
    '[a](',
    '](a',
    '](a)',
    '![',
    '* ',
    '**a',
    '> ',
    '\\',
    '\n',
    '`',
    '- ',
    '$',
    '蜜',
    '\u0301',
    '𠜎 ',
    'ﷺ',
  ])(
    'of %j alone takes little time',
    (piece) => {
      const prepared = prepareText(piece.repeat(SIZE / piece.length));
      const quote = `${piece.repeat(Math.floor(4900 / piece.length))} bee b`;
      const began = performance.now();
      expect(prepared.find(quote)).toBeUndefined();
      expect(prepared.nearest(quote, 3).length).toBeLessThanOrEqual(3);
      expect(prepared.find(`a bee ${piece.repeat(9)}`)).toBeUndefined();
      // Two seconds at most where nothing else runs; what would be quadratic takes hours.
      expect(performance.now() - began).toBeLessThan(20_000);
    },
    60_000,
  );
});

describe('a quote has a size', () => {
  it.each(['', ' ', 'a', 'bee', 'seventy', '*', '************', '!!! ???', '蜜蜂', '蜜蜂舞'])(
    '%j is too short',
    (quote) => {
      for (const look of [findPassage, (text: string, short: string) => prepareText(text).nearest(short, 3)])
        expect(() => look(`the ${quote} bees`, quote)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    },
  );

  it.each(['a bee', 'honeybee', 'beehives', '蜜蜂跳舞', 'AI 蜜'])('%j is enough', (quote) => {
    expect(found(`so ${quote} there`, quote)).toBe(quote);
  });

  it('of 5,000 characters at most', () => {
    const long = 'bee '.repeat(QUOTE_CHARACTERS / 4).trim();
    expect(found(`${long} ${long}`, long)).toBe(long);
    for (const look of [findPassage, (text: string, quote: string) => prepareText(text).nearest(quote, 3)])
      expect(() => look(long, `${long} bees`)).toThrow(expect.objectContaining({ code: 'too_large' }));
  });
});

describe('the nearest passages', () => {
  const text = [
    'Bees navigate by the sun, by landmarks, and by what others have told them with a dance.',
    'Whoever watches the hive for a morning sees the same foragers leave, return, and leave again.',
    'The distance is told by how long the dance lasts, the direction by its angle.',
    'Nobody watches the hive for a whole morning without seeing a dance.',
  ].join('\n\n');
  const passages = (quote: string, count = 3) =>
    prepareText(text)
      .nearest(quote, count)
      .map(({ start, end, score }) => [text.slice(start, end), Math.round(score * 100)]);

  it('are the most alike first, apart from each other, cut between words', () => {
    expect(passages('Whoever watches the nest for a morning')).toEqual([
      ['Whoever watches the hive for a morning', 86],
      ['Nobody watches the hive for a whole', 57],
      expect.anything(),
    ]);
    expect(passages('Whoever watches the nest for a morning', 1)).toHaveLength(1);
  });

  it('say when only case, accents or punctuation differ', () => {
    expect(passages('the distánce is told, by HOW long', 1)).toEqual([['The distance is told by how long', 100]]);
  });

  it('hold the word that was replaced, also the first or the last one', () => {
    expect(passages('Ants navigate by the sun', 1)).toEqual([['Bees navigate by the sun', 80]]);
    expect(passages('navigate by the moon', 1)).toEqual([['navigate by the sun', 75]]);
    expect(passages('direction by no angle', 1)).toEqual([['direction by its angle', 75]]);
  });

  it('are none where no word is in common', () => {
    expect(passages('quantum chromodynamics lattices')).toEqual([]);
  });

  it('are found in Chinese, Japanese and Arabic', () => {
    for (const [there, quote, nearest] of [
      ['人工智能的发展趋势很快，很多公司使用芯片。', '发展趋势太快', '发展趋势很快'],
      ['蜜蜂は踊りながら飛ぶ。', '踊りながら泳ぐ', '踊りながら飛ぶ'],
      ['يرقص النحل في الخلية كل صباح', 'النحل في الحديقة كل', 'النحل في الخلية كل'],
    ] as const) {
      const [first] = prepareText(there).nearest(quote, 3);
      expect(there.slice(first?.start, first?.end)).toBe(nearest);
    }
  });
});

describe('any text', () => {
  const piece = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom('bee', 'Biene', 'نحل', '蜜蜂', 'はち', '꿀벌', 'cafe\u0301', 'ﬁn', '𠜎', '🐝', '3.5'),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(' ', '\n', '\n\n', '-', '-\n', '\u00AD', '—', '.', ', ', '“', "'", '\u00A0'),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        '*',
        '**',
        '_',
        '[',
        '](x)',
        '![',
        '`',
        '```\n',
        '|',
        '> ',
        '# ',
        '\\',
        '&amp;',
        '[^1]',
      ),
    },
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  const texts = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));

  it('holds itself, and what is found is a piece of it that holds the quote again', () => {
    fc.assert(
      fc.property(texts, texts, (text, other) => {
        const whole = `${other} two words ${text}`;
        const passage = findPassage(whole, `two words ${text}`.slice(0, QUOTE_CHARACTERS));
        expect(passage).toBeDefined();
        const { start, end } = passage!;
        expect(0 <= start && start < end && end <= whole.length).toBe(true);
        // Of what stands beside the text nothing is in the passage, and half a link is no link any more.
        const isWhole = /[[\]`]/.test(whole) || findPassage(whole.slice(start, end), `two words ${text}`) !== undefined;
        expect(isWhole).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('has its nearest passages within it, apart from each other', () => {
    fc.assert(
      fc.property(texts, texts, (text, other) => {
        const near = prepareText(text).nearest(`two words ${other}`, 3);
        for (const [index, { start, end, score }] of near.entries()) {
          expect(0 <= start && start < end && end <= text.length && score > 0 && score <= 1).toBe(true);
          for (const before of near.slice(0, index)) expect(before.end <= start || end <= before.start).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

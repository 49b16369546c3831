import { DatabaseSync } from 'node:sqlite';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { cutPassages } from '../../src/research/search/cut.ts';
import { matchOf } from '../../src/research/search/query.ts';
import { snippetOf } from '../../src/research/search/snippet.ts';
import { indexedText, wordsOf } from '../../src/research/search/words.ts';

/** FTS5 as the workspace has it, with these texts. */
function indexOf(...texts: readonly string[]): (query: string) => number[] {
  const database = new DatabaseSync(':memory:');
  database.exec(`CREATE VIRTUAL TABLE texts USING fts5(text, content = '', tokenize = 'ascii')`);
  for (const [index, text] of texts.entries())
    database.prepare('INSERT INTO texts (rowid, text) VALUES (?, ?)').run(index, indexedText(text));
  const search = database.prepare('SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rowid');
  return (query) => {
    const match = matchOf(query);
    return match ? search.all(match.expression).map(({ rowid }) => Number(rowid)) : [];
  };
}

const finds = (text: string, query: string) => indexOf(text)(query).length === 1;

describe('a text is found', () => {
  it.each([
    ['a word in any case', 'The Bees dance', 'bEES'],
    ['without its accents', 'le Café à Zürich', 'cafe zurich'],
    ['with accents that it does not have', 'le cafe', 'café'],
    ['accents of their own', 'le cafe\u0301', 'café'],
    ['letters that stand for two', 'die Straße, das Œuvre, smørrebrød', 'strasse oeuvre smorrebrod'],
    ['Greek at the end of a word', 'ΟΔΟΣ', 'οδός'],
    ['ligatures', 'the ﬁrst oﬃce', 'first office'],
    ['full width', 'ＡＢＣ １２３', 'abc 123'],
    ['soft hyphens', 'hon\u00ADey', 'honey'],
    ['Arabic without its vowels', 'مُحَمَّد في البيت', 'محمد'],
    ['Arabic with another alif', 'أحمد', 'احمد'],
    ['Hebrew without its points', 'שָׁלוֹם', 'שלום'],
    ['Hindi', 'मधुमक्खी नाचती है', 'नाचती'],
    ['two characters of Chinese', '蜜蜂依靠太阳导航', '太阳'],
    ['one character of Chinese', '蜜蜂依靠太阳导航', '蜂'],
    ['the last character of Chinese', '蜜蜂依靠太阳导航', '航'],
    ['a sentence of Chinese', '蜜蜂依靠太阳导航', '依靠太阳导'],
    ['Chinese with Latin', '使用AI芯片的公司', 'AI芯片'],
    ['Chinese before Latin', '使用手机iPhone的人', '手机iphone'],
    ['a year of Chinese', '2024年的研究', '2024年'],
    ['Japanese', 'ミツバチは踊りながら飛ぶ', '踊り'],
    ['Japanese in half width', 'ミツバチガ飛ぶ', 'ﾐﾂﾊﾞﾁｶﾞ'],
    ['Korean within a word', '학교에서 배운다', '학교'],
    ['Thai', 'ผึ้งเต้นรำในรัง', 'เต้นรำ'],
    ['beyond the basic plane', '𠜎𠜱𠝹', '𠜱𠝹'],
    ['a phrase', 'bees dance in the hive', '"dance in the"'],
    ['a phrase in Chinese', '蜜蜂依靠太阳导航', '"靠太阳"'],
    ['a beginning', 'beekeepers dance', 'beek*'],
    ['a phrase with a beginning', 'the beekeepers dance', '"the beek"*'],
    ['one of two', 'bees dance', 'ants OR bees'],
    ['without another', 'bees dance', 'bees -ants NOT "bees sing"'],
    ['in parentheses', 'bees dance', '(ants OR bees) AND (dance OR sing)'],
    ['with signs in it', 'state-of-the-art C++ e.g. AT&T', 'state-of-the-art at&t e.g.'],
    ['a phrase that is not closed', 'bees dance here', '"bees dance'],
    ['parentheses that are not closed', 'bees dance', '((bees) dance'],
    ['parentheses that were not opened', 'bees dance', 'bees) dance)'],
    ['operators for nothing', 'bees dance', 'AND bees OR'],
    ['operators in small letters', 'this and that or not', 'and or not'],
    ['a column that there is not', 'title bees', 'title:bees'],
  ])('by %s', (_, text, query) => expect(finds(text, query)).toBe(true));

  it.each([
    ['half a word', 'bees dance', 'bee'],
    ['half a word of another accent', 'cafeteria', 'café'],
    ['words in another order', 'dance bees', '"bees dance"'],
    ['a word that must not be there', 'bees dance', 'bees -dance'],
    ['a phrase that must not be there', 'bees dance', 'bees -"bees dance"'],
    ['a group that must not be there', 'bees dance', 'bees -(dance OR sing)'],
    ['one of two words', 'bees dance', 'bees sing'],
    ['characters apart', '太平洋的阳光', '太阳'],
    ['no word at all', 'bees dance', '!!! -- ()'],
    ['nothing that must be there', 'bees dance', '-ants'],
  ])('not by %s', (_, text, query) => expect(finds(text, query)).toBe(false));
});

describe('a query', () => {
  const search = indexOf('one text');

  it('never is one that the index does not take', () => {
    const signs = Array.from('"()*-+^:{},\'\0 a;%');
    const words = 'AND OR NOT NEAR NEAR( bee text: 蜜 蜜蜂 𠜎 \u0301 \uD800 \uFF9E -- /*'.split(' ');
    const piece = fc.constantFrom(...signs, ...words);
    const queries = fc.oneof(
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(' ')),
      fc.string({ unit: 'binary', maxLength: 100 }),
    );
    fc.assert(
      fc.property(queries, (query) => {
        expect(() => search(query)).not.toThrow();
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['('.repeat(5000)],
    ['(a '.repeat(500)],
    ['-('.repeat(900)],
    ['a '.repeat(1000)],
    ['"a b '.repeat(400)],
    ['a OR '.repeat(400)],
    ['蜜'.repeat(2000)],
    ['NOT '.repeat(500)],
  ])('is bounded, whatever it is', (query) => {
    expect(() => search(query)).not.toThrow();
    const terms = matchOf(query)?.terms ?? [];
    expect(terms.length).toBeLessThanOrEqual(20);
    expect(Math.max(0, ...terms.map(({ words }) => words.length))).toBeLessThanOrEqual(20);
  });

  it('looks for beginnings only where it must', () => {
    const prefixes = (query: string) => matchOf(query)?.terms.map(({ prefix }) => prefix);
    expect(prefixes('bees 太阳 "依靠太阳" ミツバチ a*')).toEqual([false, false, false, false, false]);
    expect(prefixes('bee* 太 2024年')).toEqual([true, true, true]);
  });

  it('finds each text by each of its words and by what stands beside one another in it', () => {
    const texts = fc.array(
      fc.constantFrom(
        'bee',
        'Straße',
        'cafe\u0301',
        'نحل',
        '蜜蜂',
        '太',
        'ミツ',
        '학교',
        'ไทย',
        'AI',
        '7',
        '.',
        ' ',
        ', ',
        '-',
        '\n',
      ),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(
        texts.map((pieces) => pieces.join('')),
        fc.nat(),
        fc.nat(),
        (text, from, size) => {
          const characters = Array.from(text);
          const start = from % characters.length;
          const words = wordsOf(text);
          const find = indexOf(text);
          for (const word of words) expect(find(`"${text.slice(word.start, word.end)}"`)).toEqual([0]);
          // From a border of words to another, whatever stands between.
          const [first, last] = [
            words[start % Math.max(1, words.length)],
            words[(start + (size % 5)) % Math.max(1, words.length)],
          ];
          const part = first && last && first.start < last.end ? text.slice(first.start, last.end) : text;
          expect(find(`"${part}"`)).toEqual(words.length === 0 ? [] : [0]);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('a snippet', () => {
  const shown = (text: string, query: string) => {
    const { start, end, found } = snippetOf(text, matchOf(query)!.terms);
    return { text: text.slice(start, end), found: found.map((place) => text.slice(place.start, place.end)) };
  };

  it('shows what was found as it stands there', () => {
    expect(shown('Le Café “Zürich” ist schön.', 'cafe zurich').found).toEqual(['Café', 'Zürich']);
    expect(shown('The bees dance in the hive', '"bees DANCE" hiv*').found).toEqual(['bees dance', 'hive']);
    expect(shown('蜜蜂依靠太阳导航', '太阳导航').found).toEqual(['太阳导航']);
    expect(shown('蜜蜂依靠太阳导航', '蜂').found).toEqual(['蜂']);
    expect(shown('مُحَمَّد في البيت', 'محمد').found).toEqual(['مُحَمَّد']);
  });

  it('is where most of what was looked for stands, cut between words', () => {
    const filler = 'nothing to be seen here at all '.repeat(20);
    const { text, found } = shown(`${filler}bees alone ${filler}bees really dance ${filler}`, 'bees dance');
    expect(found).toEqual(['bees', 'dance']);
    expect(text.length).toBeLessThanOrEqual(240);
    expect(text).toMatch(/^\w+ .*bees really dance.* \w+$/);
  });

  it('is the beginning where only the title has it', () => {
    expect(shown('word '.repeat(100), 'bees')).toEqual({ text: 'word '.repeat(48).trim(), found: [] });
    expect(shown('short text.', 'bees').text).toBe('short text.');
  });

  it('shows nothing of what must not be there', () => {
    expect(shown('bees dance', 'bees -sing').found).toEqual(['bees']);
  });

  it('lies within its text, whatever that is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 600 }),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }),
        (text, query) => {
          const whole = `${text} ${query} bee`;
          const { start, end, found } = snippetOf(whole, matchOf(`${query} bee`)!.terms);
          expect(0 <= start && start <= end && end <= whole.length).toBe(true);
          let before = start;
          for (const place of found) {
            expect(before <= place.start && place.start < place.end && place.end <= end).toBe(true);
            before = place.end;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('passages of a long text', () => {
  it('are all of it, of 1,500 to 3,000 characters, cut between paragraphs', () => {
    const paragraph = `${'Some bees dance. '.repeat(40).trim()}\n\n`;
    const text = paragraph.repeat(30);
    const cuts = cutPassages(text);
    expect(cuts.map((cut) => cut.text).join('')).toBe(text);
    for (const { start, text: piece } of cuts) {
      expect(text.startsWith(piece, start)).toBe(true);
      expect(piece.endsWith('\n\n')).toBe(true);
      expect(piece.length).toBeLessThanOrEqual(3000);
    }
    expect(cuts.slice(0, -1).every((cut) => cut.text.length >= 1500)).toBe(true);
  });

  it('are cut between sentences or words where there are no paragraphs, and never within a character', () => {
    expect(cutPassages('蜜蜂依靠太阳导航。'.repeat(1000)).every((cut) => cut.text.endsWith('。'))).toBe(true);
    expect(cutPassages('word '.repeat(2000)).every((cut) => cut.text.endsWith('word '))).toBe(true);
    const pairs = cutPassages(`a${'𠜎'.repeat(5000)}`);
    expect(pairs.every((cut) => cut.text.isWellFormed())).toBe(true);
    expect(pairs.map((cut) => cut.text).join('')).toHaveLength(10_001);
    expect(cutPassages(' \n ')).toEqual([]);
  });
});

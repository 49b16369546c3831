import { describe, expect, it } from 'vitest';

import { citedWorks } from '../../src/research/references/cited-works.ts';
import type { Style } from '../../src/research/references/cited-works.ts';
import { cslItem } from '../../src/research/references/csl-json.ts';
import type { CslItem } from '../../src/research/references/csl-json.ts';
import { formatCitation, formatReferences } from '../../src/research/references/format.ts';
import type { CitationPart, Cite } from '../../src/research/references/format.ts';
import { readLocator } from '../../src/research/references/locators.ts';
import type { Run } from '../../src/research/references/runs.ts';
import { reference, SAMPLES } from '../support/references.ts';
import { citeproc } from '../support/citeproc.ts';
import type { CiteprocCite } from '../support/citeproc.ts';

const OFFICIAL: Record<Style, string> = {
  apa: 'apa',
  chicago: 'chicago-author-date',
  ieee: 'ieee',
  numeric: 'vancouver-brackets',
};

/** What we do on purpose unlike citeproc, said of its input or of its output, which is then compared to the letter. */
const ON_PURPOSE = {
  'titles keep their capitals, in Chicago and IEEE too': (item: CslItem): CslItem =>
    /\p{Script=Latin}/u.test(item.title) ? { ...item, title: `<span class="nocase">${item.title}</span>` } : item,
  'numeric gives a DOI, which Vancouver leaves out': (item: CslItem, style: Style): CslItem =>
    style === 'numeric' && item.DOI !== undefined ? { ...item, URL: `https://doi.org/${item.DOI}` } : item,
};

/** Where their entry is changed to be ours. */
const CHANGED: readonly { why: string; styles: readonly Style[]; change: (entry: string) => string }[] = [
  {
    why: 'each entry names its authors',
    styles: ['chicago'],
    change: (entry) => entry.replace('———', 'Twin, Carl'),
  },
  {
    why: 'quotation marks of a title stay as they are written where the title has none around it',
    styles: ['apa', 'numeric'],
    change: (entry) => entry.replace('“yes.”_ Sayings', '"yes"_. Sayings').replace('“yes” [', '"yes" ['),
  },
  {
    why: 'Chinese titles are never in italics, which citeproc has so in its other styles',
    styles: ['apa'],
    change: (entry) => entry.replace('_红楼梦研究_', '红楼梦研究'),
  },
  {
    why: 'a year behind which no volume stands ends with a full stop',
    styles: ['numeric'],
    change: (entry) => entry.replace(/(\d{4}(?: \[.*?\])?);(?= Available|$)/, '$1.'),
  },
];

function shown(line: readonly Run[]): string {
  return line.map(({ text, italic }) => (italic ? `_${text}_` : text)).join('');
}

function shownParts(parts: readonly CitationPart[]): string {
  return parts.map((part) => shown(part.runs)).join('');
}

function changed(style: Style, entry: string): string {
  return CHANGED.reduce((text, { styles, change }) => (styles.includes(style) ? change(text) : text), entry);
}

function itemsFor(style: Style): CslItem[] {
  return SAMPLES.map((sample) =>
    Object.values(ON_PURPOSE).reduce((item, change) => change(item, style), cslItem(sample)),
  );
}

interface Written {
  readonly id: string;
  readonly at?: string;
  readonly see?: string;
  readonly and?: string;
  readonly bare?: true;
}

const CITATIONS: readonly (readonly Written[])[] = [
  ...SAMPLES.map(({ key }) => [{ id: key }]),
  [{ id: 'plain', at: 'p. 4' }],
  [{ id: 'plain', at: 'pp. 3-5' }],
  [{ id: 'plain', at: 'sec. 2' }],
  [{ id: 'plain', at: 'sec. Methods' }],
  [{ id: 'plain', at: 'chap. 3' }],
  [{ id: 'plain', at: 'para. 3' }],
  [{ id: 'plain', at: 'fig. 3' }],
  [{ id: 'undated', at: 'p. 4' }],
  [{ id: 'plain', bare: true }],
  [{ id: 'plain', see: 'see' }],
  [{ id: 'plain', at: 'p. 4', and: 'and others' }],
  [{ id: 'same-a' }, { id: 'same-b' }],
  [{ id: 'same-c' }, { id: 'same-a' }],
  [{ id: 'two' }, { id: 'plain' }],
  [{ id: 'plain' }, { id: 'two' }, { id: 'three' }, { id: 'many' }],
  [{ id: 'plain', at: 'p. 1' }, { id: 'two' }],
  [{ id: 'two', see: 'see' }, { id: 'plain' }],
];

interface Difference {
  readonly why: string;
  readonly styles: readonly Style[];
  readonly isMeant: (cites: readonly Written[]) => boolean;
  /** What citeproc would write if it meant the same; undefined where nothing like it can be had of it. */
  readonly theirs: (text: string) => string | undefined;
}

const DIFFERENCES: readonly Difference[] = [
  {
    why: 'what an author said before a work stays before it, and so the works are not sorted',
    styles: ['apa', 'ieee'],
    isMeant: (cites) => cites.length > 1 && cites.some(({ see }) => see !== undefined),
    theirs: (text) => text.replace(/^(\(?)(.*?)(, |; )(see [^)]*)/, '$1$4$3$2'),
  },
  {
    why: 'years of one author have a comma between them, as the manual has it in 15.30',
    styles: ['chicago'],
    isMeant: (cites) => cites.length > 1 && cites.every(({ id }) => id.startsWith('same-')),
    theirs: (text) => text.replace('; ', ', '),
  },
  {
    why: 'Vancouver has no locators, which are half of what a citation is for',
    styles: ['numeric'],
    isMeant: (cites) => cites.some(({ at, see }) => at !== undefined || see !== undefined),
    theirs: () => undefined,
  },
];

function ourCite({ id, at, see, and, bare }: Written): Cite {
  const { locator } = readLocator(at === undefined ? '' : `, ${at}`);
  return { key: id, locator, prefix: see ?? '', suffix: and ?? '', withoutAuthor: bare === true };
}

function citeprocCite(written: Written): CiteprocCite {
  const { key, locator, prefix, suffix, withoutAuthor } = ourCite(written);
  return {
    id: key,
    ...(locator && { locator: locator.value, label: locator.label }),
    ...(prefix !== '' && { prefix: `${prefix} ` }),
    ...(suffix !== '' && { suffix: ` ${suffix}` }),
    ...(withoutAuthor && { 'suppress-author': true }),
  };
}

describe.each(Object.keys(OFFICIAL) as Style[])('%s', (style) => {
  const works = citedWorks(SAMPLES, style);

  it('writes entries as citeproc does with the official style', () => {
    const theirs = citeproc(OFFICIAL[style], itemsFor(style));
    const ours = formatReferences(works).map(({ key, line }) => [key, shown(line)]);
    expect(ours).toEqual(theirs.order.map((key) => [key, changed(style, theirs.entries.get(key) ?? '')]));
  });

  it('cites as citeproc does', () => {
    const theirs = citeproc(
      OFFICIAL[style],
      itemsFor(style),
      CITATIONS.map((cites) => cites.map(citeprocCite)),
    );
    const pairs = CITATIONS.map((cites, index) => {
      const difference = DIFFERENCES.find(({ styles, isMeant }) => styles.includes(style) && isMeant(cites));
      const text = theirs.citations[index] ?? '';
      const ours = shownParts(formatCitation(cites.map(ourCite), works));
      return { ours, theirs: difference ? (difference.theirs(text) ?? ours) : text };
    });
    expect(pairs.map(({ ours }) => ours)).toEqual(pairs.map((pair) => pair.theirs));
  });
});

describe('numeric', () => {
  const works = citedWorks(SAMPLES, 'numeric');
  const cited = (...cites: Written[]): string => shownParts(formatCitation(cites.map(ourCite), works));

  it('has locators, and joins numbers that follow one another', () => {
    expect(cited({ id: 'plain', at: 'pp. 3-5' })).toBe('[1, pp. 3–5]');
    expect(cited({ id: 'plain', at: 'p. 4' }, { id: 'two' })).toBe('[1, p. 4; 2]');
    expect(cited({ id: 'two', see: 'see' }, { id: 'plain' })).toBe('[see 2; 1]');
    expect(cited({ id: 'three' }, { id: 'plain' }, { id: 'two' }, { id: 'many' })).toBe('[1–3,5]');
  });
});

describe('works that could be taken for one another', () => {
  const of = (key: string, published: string, ...authors: string[]) =>
    reference({ key, title: `The work ${key}`, type: 'book', authors, published });
  const ALIKE = [
    of('k', '2020', 'Ann Smith', 'Bo Jones', 'Cy Kane', 'Di Lowe'),
    of('l', '2020', 'Ann Smith', 'Bo Jones', 'Ed Moss', 'Flo Nash'),
    of('m', '2020', 'Ann Smith', 'Gus Orr', 'Hal Park', 'Ida Quinn'),
    of('n', '2019', 'Jo Smith'),
    of('o', '2019', 'Jo Smith'),
    of('p', '2019', 'Jim Smith'),
    of('q', '2018', 'Kit Reed', 'Lou Sand', 'Max Todd', 'Ned Udall'),
    of('r', '2018', 'Kit Reed', 'Lou Sand', 'Max Todd', 'Ned Udall'),
    reference({ key: 's', title: 'Without a date', authors: ['Ola Vane'] }),
    reference({ key: 't', title: 'Without a date too', authors: ['Ola Vane'] }),
  ];

  it.each(['apa', 'chicago'] as const)('are told apart in %s as citeproc tells them apart', (style) => {
    const works = citedWorks(ALIKE, style);
    const theirs = citeproc(
      OFFICIAL[style],
      ALIKE.map(cslItem),
      ALIKE.map(({ key }) => [{ id: key }]),
    );
    const ours = ALIKE.map(({ key }) => shownParts(formatCitation([ourCite({ id: key })], works)));
    expect(ours).toEqual(theirs.citations);
  });

  it('are cited in the text by the author', () => {
    const works = citedWorks(SAMPLES, 'apa');
    const inText = (id: string, style: Style = 'apa') =>
      shownParts(
        formatCitation([ourCite({ id, at: 'p. 4' })], style === 'apa' ? works : citedWorks(SAMPLES, style), 'text'),
      );
    expect(inText('two')).toBe('Smith and Lee (2023, p. 4)');
    expect(inText('nobody')).toBe('_A page that nobody signed_ (2022, p. 4)');
    expect(inText('three', 'ieee')).toBe('Roe, Jones, and King [3, p. 4]');
  });

  it('and a key of none is shown as it was written', () => {
    const works = citedWorks(SAMPLES, 'apa');
    expect(shownParts(formatCitation([ourCite({ id: 'gone' })], works))).toBe('[@gone]');
    expect(shownParts(formatCitation([ourCite({ id: 'plain' }), ourCite({ id: 'gone' })], works))).toBe(
      '(Doe, 2024) [@gone]',
    );
  });
});

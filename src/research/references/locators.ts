import type { Style } from './cited-works.ts';

export type LocatorLabel = 'page' | 'section' | 'chapter' | 'paragraph' | 'figure';

/** Where in a work. */
export interface Locator {
  readonly label: LocatorLabel;
  /** `4`, `3-5`, `iv, 7`, and of a section also its heading. */
  readonly value: string;
}

/** How each is written before a number, and before several. */
type Terms = Readonly<Record<LocatorLabel, readonly [one: string, several: string]>>;

const TERMS: Readonly<Record<Style, Terms>> = {
  apa: {
    page: ['p.', 'pp.'],
    section: ['Section', 'Sections'],
    chapter: ['Chapter', 'Chapters'],
    paragraph: ['para.', 'paras.'],
    figure: ['Figure', 'Figures'],
  },
  chicago: {
    page: ['', ''],
    section: ['sec.', 'secs.'],
    chapter: ['chap.', 'chaps.'],
    paragraph: ['para.', 'paras.'],
    figure: ['fig.', 'figs.'],
  },
  ieee: {
    page: ['p.', 'pp.'],
    section: ['Sec.', 'Secs.'],
    chapter: ['Ch.', 'Chs.'],
    paragraph: ['Para.', 'Paras.'],
    figure: ['Fig.', 'Figs.'],
  },
  numeric: {
    page: ['p.', 'pp.'],
    section: ['sec.', 'secs.'],
    chapter: ['chap.', 'chaps.'],
    paragraph: ['para.', 'paras.'],
    figure: ['fig.', 'figs.'],
  },
};

/** `pp. 3–5`. */
export function locatorText({ label, value }: Locator, style: Style): string {
  const [one, several] = TERMS[style][label];
  const isSeveral = /^[\divxlc]+(?:\.\d+)*\s*[-–,&]/i.test(value);
  const text = value.replaceAll(/(?<=[\divxlc])\s*-{1,2}\s*(?=[\divxlc])/gi, '–');
  return `${isSeveral ? several : one} ${text}`.trim();
}

const LABELS: readonly (readonly [RegExp, LocatorLabel])[] = [
  [/^(?:pp?\.|pages?\b|pgs?\.)/i, 'page'],
  [/^(?:secs?\.|sections?\b|§§?)/i, 'section'],
  [/^(?:chaps?\.|chs?\.|chapters?\b)/i, 'chapter'],
  [/^(?:paras?\.|paragraphs?\b|¶¶?)/i, 'paragraph'],
  [/^(?:figs?\.|figures?\b)/i, 'figure'],
];
const NUMBERS =
  /^(?:\d+(?:\.\d+)*[a-z]?|[ivxlc]+)(?:\s*(?:-{1,2}|–|,|&)\s*(?:\d+(?:\.\d+)*[a-z]?|[ivxlc]+))*(?![\p{L}\p{N}])/iu;

/**
 * Where in a work, of what stands behind its key: `, p. 4`, `, pp. 3-5`, `, sec. Methods`, `, 12` for a page. A section
 * may be named, all others have numbers. What is none of these is the suffix.
 */
export function readLocator(text: string): { locator: Locator | undefined; suffix: string } {
  const said = text.replace(/^\s*,?\s*/, '');
  const isApart = /^\s*,/.test(text);
  for (const [pattern, label] of LABELS) {
    const word = pattern.exec(said)?.[0];
    if (word === undefined) continue;
    const rest = said.slice(word.length).trim();
    const value = NUMBERS.exec(rest)?.[0] ?? (label === 'section' ? /^[^,]+/.exec(rest)?.[0].trim() : undefined);
    if (value !== undefined) return { locator: { label, value }, suffix: rest.slice(value.length).trim() };
  }
  const bare = isApart && /^\d/.test(said) ? NUMBERS.exec(said)?.[0] : undefined;
  if (bare !== undefined) return { locator: { label: 'page', value: bare }, suffix: said.slice(bare.length).trim() };
  return { locator: undefined, suffix: text.trim() };
}

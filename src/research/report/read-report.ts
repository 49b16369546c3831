import MarkdownIt from 'markdown-it';
import type { Token } from 'markdown-it';
import footnotes from 'markdown-it-footnote';

import { CarrelError } from '../../lib/errors.ts';
import { citationOf, citations, KNOWN_KEYS } from './citations.ts';
import {
  ALL_LINK_CHARACTERS,
  CELLS,
  CITATIONS,
  FOOTNOTE_REFERENCES,
  FOOTNOTES,
  LINES,
  LINK_CHARACTERS,
  MARKS,
  NESTING,
  OWN_KEY,
  REPORT_CHARACTERS,
  SECTION_CHARACTERS,
  SECTIONS,
} from './model.ts';
import type { Citation, ReportSection } from './model.ts';

export interface ReadSection extends ReportSection {
  /** markdown-it's: blocks in one flat list, each `inline` with its children. Notes stand at the end. */
  readonly tokens: readonly Token[];
}

export interface ReadReport {
  readonly sections: readonly ReadSection[];
  /** Each key that is cited, once, in the order of the text; {@link OWN_KEY} is none. */
  readonly keys: readonly string[];
}

/** http, https and mailto, of a length that an address has. Everything else stays text. */
const LINK = /^(?:https?:\/\/|mailto:)/i;

export const parser = new MarkdownIt({ html: false, linkify: true, maxNesting: NESTING + 2 })
  .use(footnotes)
  .use(citations);
// `^[a note]` is not of GitHub's Markdown, and takes time by the square of their number.
parser.inline.ruler.disable('footnote_inline');
// What was escaped stays apart from other text, so that it can be written as it was.
parser.core.ruler.disable('text_join');
// A word with a full stop in it is no address.
parser.linkify.set({ fuzzyLink: false });
parser.validateLink = (url) => url.length <= LINK_CHARACTERS && LINK.test(url.trim());

/**
 * Reads a report: GitHub's Markdown with Pandoc's citations. HTML in it is text.
 *
 * @param keys those of the session's sources: without brackets, only they are cited
 * @throws CarrelError `too_large` or `invalid_input`, of what no writer writes; its `details` say which section, from 1
 */
export function readReport(sections: readonly ReportSection[], keys: ReadonlySet<string> = new Set()): ReadReport {
  if (sections.length > SECTIONS) throw new CarrelError('too_large', `A report has at most ${SECTIONS} sections.`);
  const total = sections.reduce((sum, { markdown }) => sum + markdown.length, 0);
  if (total > REPORT_CHARACTERS)
    throw new CarrelError('too_large', `A report has at most ${REPORT_CHARACTERS} characters.`);
  if (counted(sections, /\S.*/g) > LINES)
    throw new CarrelError('too_large', `A report has at most ${LINES} lines that are not empty.`);
  if (counted(sections, /[*_~[\]`<&\\@]/g) > MARKS)
    throw new CarrelError('too_large', `A report has at most ${MARKS} signs of formatting.`);
  const read = sections.map((section, index) => ({ ...section, tokens: tokensOf(section, index, keys) }));
  checkTotals(read);
  const cited = new Set(
    read
      .flatMap(({ tokens }) => citationsIn(tokens))
      .flatMap(({ cites }) => cites.map(({ key }) => key))
      .filter((key) => key !== OWN_KEY),
  );
  return { sections: read, keys: [...cited] };
}

/** How often a pattern is met, before anything is parsed: what a parser makes of each is held in memory. */
function counted(sections: readonly ReportSection[], pattern: RegExp): number {
  return sections.reduce((sum, { markdown }) => sum + (markdown.match(pattern)?.length ?? 0), 0);
}

function tokensOf({ markdown }: ReportSection, index: number, keys: ReadonlySet<string>): Token[] {
  const fault = (what: string): CarrelError =>
    new CarrelError('too_large', `Section ${index + 1} has ${what}. Write it in several, or more simply.`, {
      details: { section: index + 1 },
    });
  if (markdown.length > SECTION_CHARACTERS) throw fault(`more than ${SECTION_CHARACTERS} characters`);
  const marks = markdown.match(/\[\^[^\]\s]*\]:?/g) ?? [];
  if (marks.filter((mark) => mark.endsWith(':')).length > FOOTNOTES) throw fault(`more than ${FOOTNOTES} footnotes`);
  if (marks.length > FOOTNOTE_REFERENCES) throw fault(`more than ${FOOTNOTE_REFERENCES} references to footnotes`);
  const tokens = parser.parse(markdown, { [KNOWN_KEYS]: keys });
  // The parser leaves out what is deeper than it goes.
  if (tokens.some(isTooDeep)) throw fault(`something more than ${NESTING} levels deep`);
  return tokens;
}

function isTooDeep({ level, children }: Token): boolean {
  return level > NESTING || children?.some((child) => child.level > NESTING) === true;
}

/** What of all sections together would grow when it is written. */
function checkTotals(sections: readonly ReadSection[]): void {
  let links = 0;
  let cells = 0;
  let cited = 0;
  for (const { tokens } of sections)
    for (const { type, children } of tokens) {
      if (type === 'td_open' || type === 'th_open') cells += 1;
      for (const child of children ?? []) {
        links += String(child.attrGet('href') ?? child.attrGet('src') ?? '').length;
        if (citationOf(child)) cited += 1;
      }
    }
  if (links > ALL_LINK_CHARACTERS)
    throw new CarrelError('too_large', 'The addresses of the report are too long together.');
  if (cells > CELLS) throw new CarrelError('too_large', `The tables of a report have at most ${CELLS} cells.`);
  if (cited > CITATIONS) throw new CarrelError('too_large', `A report has at most ${CITATIONS} citations.`);
}

/** In the order of the text. */
export function citationsIn(tokens: readonly Token[]): Citation[] {
  return tokens
    .flatMap(({ children }) => children ?? [])
    .map(citationOf)
    .filter((citation) => citation !== undefined);
}

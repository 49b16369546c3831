import type { Token } from 'markdown-it';

import { citedWorks } from '../references/cited-works.ts';
import { formatCitation, formatReferences } from '../references/format.ts';
import type { CitationPart, FormattedReference } from '../references/format.ts';
import { citationOf } from './citations.ts';
import { OWN_KEY } from './model.ts';
import type { ReportDocument } from './model.ts';
import { readReport } from './read-report.ts';

/** Over the bibliography. */
export const BIBLIOGRAPHY = 'References';

export interface ComposedSection {
  readonly heading: string;
  /** Of its heading, where that of the report is 1. */
  readonly depth: number;
  readonly tokens: readonly Token[];
}

export interface Entry extends FormattedReference {
  readonly provenance: string | undefined;
}

/** A report whose citations are worded, before it is written in any format. */
export interface Composed {
  readonly title: string;
  readonly sections: readonly ComposedSection[];
  /** What is shown of a citation; of tokens that are none, undefined. */
  readonly parts: (token: Token) => readonly CitationPart[] | undefined;
  readonly entries: readonly Entry[];
}

/** @throws CarrelError as {@link readReport} does */
export function compose(document: ReportDocument): Composed {
  const known = new Map(document.references.map((reference) => [reference.key, reference]));
  const read = readReport(document.sections, new Set(known.keys()));
  const cited = read.keys.map((key) => known.get(key)).filter((reference) => reference !== undefined);
  const works = citedWorks(cited, document.style);
  const worded = new Map<Token, readonly CitationPart[]>();
  const sections = read.sections.map(({ heading, level, tokens }) => {
    for (const { children } of tokens) if (children) wordCitations(children, worded, works);
    const depth = Math.min(6, Math.max(1, Math.trunc(level)) + 1);
    lowerHeadings(tokens, depth);
    return { heading: oneLine(heading), depth, tokens };
  });
  const entries = formatReferences(works).map((entry) => ({
    ...entry,
    provenance: document.provenance.get(entry.key),
  }));
  return { title: oneLine(document.title), sections, parts: (token) => worded.get(token), entries };
}

function wordCitations(
  children: readonly Token[],
  worded: Map<Token, readonly CitationPart[]>,
  works: Parameters<typeof formatCitation>[1],
): void {
  for (const [index, child] of children.entries()) {
    const citation = citationOf(child);
    if (!citation) continue;
    const cites = citation.cites.filter(({ key }) => key !== OWN_KEY);
    worded.set(child, cites.length === 0 ? [] : formatCitation(cites, works, citation.way));
    const before = children[index - 1];
    if (cites.length === 0 && before?.type === 'text') before.content = before.content.trimEnd();
  }
}

/** Headings within a section stand below its own. */
function lowerHeadings(tokens: readonly Token[], depth: number): void {
  const headings = tokens.filter(({ type }) => type === 'heading_open' || type === 'heading_close');
  const highest = headings.reduce((least, { tag }) => Math.min(least, Number(tag.slice(1))), 6);
  const lower = Math.max(0, depth + 1 - highest);
  for (const heading of headings) heading.tag = `h${Math.min(6, Number(heading.tag.slice(1)) + lower)}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}

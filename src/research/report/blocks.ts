import type { Token } from 'markdown-it';

import { citationOf } from './citations.ts';
import type { Citation } from './model.ts';

/** Stands in a block's text where a citation does. */
export const MARK = '\uFFFC';

/** A paragraph or a heading, also one of a list or a quotation, as a reader sees it. */
export interface Block {
  /** `note` of a footnote, `cell` of a table. */
  readonly kind: 'text' | 'quotation' | 'cell' | 'note' | 'heading';
  /** Each citation is a {@link MARK}. */
  readonly text: string;
  /** In the order of the marks. */
  readonly citations: readonly Citation[];
  /** Which of the marks stand for a footnote's citations. */
  readonly noted: ReadonlySet<number>;
  /** The first line in the section's Markdown, from 0. */
  readonly line: number;
  /** Whether it stands in a list. */
  readonly inList: boolean;
  /** It begins the list, quotation or table that stands directly behind the block before it. */
  readonly first: boolean;
}

/** The paragraphs and headings of a section. A mark of a footnote counts as the citations of the note. */
export function blocksOf(tokens: readonly Token[]): Block[] {
  const notes = citationsOfNotes(tokens);
  const blocks: Block[] = [];
  const open: string[] = [];
  let isFirst = false;
  for (const [index, token] of tokens.entries()) {
    if (token.type === 'inline') {
      const kind = tokens[index - 1]?.type === 'heading_open' ? 'heading' : kindOf(open);
      const line = token.map?.[0] ?? 0;
      blocks.push({ kind, ...textOf(token, notes), line, inList: open.includes('list_item'), first: isFirst });
      isFirst = false;
    } else if (token.nesting === 1) {
      open.push(token.type.replace(/_open$/, ''));
      if (/^(?:bullet_list|ordered_list|blockquote|table)_open$/.test(token.type) && open.length === 1) isFirst = true;
    } else if (token.nesting === -1) open.pop();
    else if (/^(?:fence|code_block|hr|heading_open)$/.test(token.type)) isFirst = false;
  }
  return blocks;
}

function kindOf(open: readonly string[]): Block['kind'] {
  if (open.includes('footnote')) return 'note';
  if (open.includes('blockquote')) return 'quotation';
  return open.includes('table') ? 'cell' : 'text';
}

function textOf(
  { children }: Token,
  notes: ReadonlyMap<number, readonly Citation[]>,
): Pick<Block, 'text' | 'citations' | 'noted'> {
  let text = '';
  const citations: Citation[] = [];
  const inNotes = new Set<number>();
  for (const child of children ?? []) {
    const citation = citationOf(child);
    const noted = child.type === 'footnote_ref' ? notes.get(Number(child.meta?.['id'])) : undefined;
    const found = citation ? [citation] : (noted ?? []);
    for (const one of found) {
      if (!citation) inNotes.add(citations.length);
      citations.push(one);
    }
    text += found.length > 0 ? MARK.repeat(found.length) : shownText(child);
  }
  return { text, citations, noted: inNotes };
}

function shownText({ type, content }: Token): string {
  if (type === 'softbreak' || type === 'hardbreak') return ' ';
  // A mark that somebody wrote is none.
  return type === 'text' || type === 'text_special' || type === 'code_inline' || type === 'image'
    ? content.replaceAll(MARK, ' ')
    : '';
}

function citationsOfNotes(tokens: readonly Token[]): Map<number, Citation[]> {
  const notes = new Map<number, Citation[]>();
  let current: Citation[] = [];
  for (const { type, meta, children } of tokens) {
    if (type === 'footnote_open') notes.set(Number(meta?.['id']), (current = []));
    else if (type === 'inline')
      current.push(...(children ?? []).map(citationOf).filter((citation) => citation !== undefined));
  }
  return notes;
}

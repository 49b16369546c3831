import { cut } from '../../../files/extract/normalise.ts';
import { isElement } from '../dom.ts';
import type { PageElement, PageNode } from '../dom.ts';
import { BLOCKS, HEADINGS, PREFORMATTED } from '../elements.ts';
import { formulaKind } from '../formulas.ts';
import type { Footnotes } from '../footnotes.ts';
import { codeBlock, escapeLineStart, formula } from './escape.ts';
import { IN_HEADING, inline, LINE_BREAK } from './inline.ts';
import type { InlineContext } from './inline.ts';
import { isLayout, rowsOf, writeTable } from './tables.ts';

/** Lists and quotations inside one another that are indented; deeper ones stand where these do. */
const INDENTED = 12;
const ADDRESS_CHARACTERS = 2000;
const RULE = '---';

export interface Written {
  readonly markdown: string;
  /** There was more than `characters`. */
  readonly truncated: boolean;
}

/**
 * The Markdown of an element and of the notes to which it refers.
 *
 * @param base against which addresses are resolved
 * @param characters UTF-16 code units of Markdown at most
 */
export function writeMarkdown(root: PageElement, notes: Footnotes, base: string, characters: number): Written {
  const writer = new Writer(notes, base, characters);
  const blocks = writer.blocks(root, 0).filter((block, index, all) => block !== RULE || all[index - 1] !== RULE);
  // What they parted from the text is not here.
  if (blocks[0] === RULE) blocks.shift();
  if (blocks.at(-1) === RULE) blocks.pop();
  const markdown = [...blocks, ...writer.footnotes()].join('\n\n');
  return { markdown, truncated: writer.full };
}

class Writer implements InlineContext {
  readonly #notes: Footnotes;
  readonly #base: string;
  readonly #addresses = new Map<string, string | undefined>();
  readonly #withBlocks = new Map<PageElement, boolean>();
  /** Labels of notes, in the order in which they are first referred to. */
  readonly #referred = new Set<string>();
  #left: number;
  /** The address of a link around blocks, until the first of them has it. */
  #around: string | undefined;

  constructor(notes: Footnotes, base: string, characters: number) {
    this.#notes = notes;
    this.#base = base;
    this.#left = characters;
  }

  get full(): boolean {
    return this.#left < 0;
  }

  address(href: string | undefined): string | undefined {
    if (href === undefined || href.startsWith('#') || href.length > ADDRESS_CHARACTERS) return undefined;
    if (!this.#addresses.has(href)) this.#addresses.set(href, absolute(href, this.#base));
    return this.#addresses.get(href);
  }

  refer(label: string): boolean {
    if (!this.#notes.has(label)) return false;
    this.#referred.add(label);
    return true;
  }

  /** What the notes say; a note may refer to another one. */
  footnotes(): string[] {
    const written: string[] = [];
    // A set grows while it is walked.
    for (const label of this.#referred) {
      const note = this.#notes.get(label);
      const blocks = note ? this.blocks(note, 1) : [];
      if (blocks.length > 0) written.push(`[^${label}]: ${indent(blocks.join('\n\n').trimStart(), '    ')}`);
    }
    return written;
  }

  /** Blocks of Markdown, between which stand blank lines. @param level how many lists and quotations are around it */
  blocks(parent: PageElement, level: number): string[] {
    const blocks: string[] = [];
    let line: PageNode[] = [];
    const endLine = () => {
      if (line.length > 0) this.#add(blocks, this.#paragraph(line));
      line = [];
    };
    for (const node of parent.childNodes) {
      if (this.full) break;
      if (!isElement(node) || !this.#isBlock(node)) line.push(node);
      else {
        endLine();
        for (const block of this.#block(node, level)) this.#add(blocks, block);
      }
    }
    endLine();
    return blocks;
  }

  #add(blocks: string[], block: string): void {
    if (block !== '') blocks.push(block);
  }

  /** Text that is new, and not one that another block holds already. */
  #spend(block: string): string {
    const written = cut(block, Math.max(0, this.#left));
    this.#left -= block.length;
    return written;
  }

  /** A block itself, or around one. */
  #isBlock(element: PageElement): boolean {
    const known = this.#withBlocks.get(element);
    if (known !== undefined) return known;
    const kind = formulaKind(element);
    const isBlock =
      kind === undefined
        ? BLOCKS.has(element.localName) || element.children.some((child) => this.#isBlock(child))
        : kind === 'block';
    this.#withBlocks.set(element, isBlock);
    return isBlock;
  }

  #block(element: PageElement, level: number): string[] {
    const name = element.localName;
    if (formulaKind(element) === 'block') return [this.#spend(formula(element.textContent ?? '', 'block'))];
    if (HEADINGS.has(name)) return this.#heading(element, level);
    if (PREFORMATTED.has(name))
      return [this.#spend(codeBlock(element.textContent ?? '', element.getAttribute('data-code') ?? ''))];
    switch (name) {
      case 'hr':
        return [RULE];
      case 'blockquote':
        return level < INDENTED ? quoted(this.blocks(element, level + 1)) : this.blocks(element, level);
      case 'dir':
      case 'menu':
      case 'ol':
      case 'ul':
        return this.#list(element, level);
      case 'dl':
        return this.#definitions(element, level);
      case 'table':
        return this.#table(element, level);
      case 'summary':
      case 'legend': {
        const title = this.#paragraph(element.childNodes, true);
        return title === '' ? [] : [`**${title}**`];
      }
      case 'a':
        this.#around = this.address(element.getAttribute('href'));
        return this.blocks(element, level);
      default:
        return this.blocks(element, level);
    }
  }

  #paragraph(nodes: readonly PageNode[], title = false): string {
    const written = inline(nodes, this, title ? IN_HEADING : undefined)
      .split(/ *\n/)
      .map((line) => (title ? line.trim() : escapeLineStart(line.trim())))
      .join(title ? ' ' : LINE_BREAK)
      .trim();
    // Lines that are empty would end the paragraph.
    const paragraph = written.replaceAll(/(?:[ \t]*\n){2,}/g, title ? ' ' : '\n\n');
    const address = this.#around;
    if (address === undefined || paragraph === '') return this.#spend(paragraph);
    this.#around = undefined;
    return this.#spend(/[[\n]/.test(paragraph) ? paragraph : `[${paragraph}](${address})`);
  }

  #heading(element: PageElement, level: number): string[] {
    // A heading around blocks, such as a list, is one only for whoever wrote it.
    const blocks = element.children.some(
      (child) => this.#isBlock(child) && !/^(?:div|p|h[1-6]|header|hgroup)$/.test(child.localName),
    );
    if (blocks) return this.blocks(element, level);
    const title = this.#paragraph(element.childNodes, true);
    return title === '' ? [] : [`${'#'.repeat(Number(element.localName.slice(1)))} ${title}`];
  }

  #list(list: PageElement, level: number): string[] {
    // Lists without items are how pages were indented once.
    if (level >= INDENTED || !list.children.some(({ localName }) => localName === 'li'))
      return this.blocks(list, level);
    const start = Number.parseInt(list.getAttribute('start') ?? '1', 10);
    let number = Number.isSafeInteger(start) && start >= 0 && start < 1_000_000 ? start : 1;
    const items: string[] = [];
    let isLoose = false;
    for (const child of list.children) {
      if (this.full) break;
      const blocks = child.localName === 'li' ? this.blocks(child, level + 1) : this.#stray(child, level + 1);
      if (blocks.length === 0) continue;
      const last = items.length - 1;
      // What is no item belongs to the one before it, as a list right in a list.
      if (child.localName !== 'li' && last >= 0) {
        items[last] += `\n${indent(`  ${blocks.join('\n\n')}`, '  ')}`;
        continue;
      }
      const marker = list.localName === 'ol' ? `${number}. ` : '- ';
      number += 1;
      const tight = blocks.slice(1).every((block) => /^(?:[-*]|\d{1,9}\.) /.test(block));
      isLoose ||= !tight;
      items.push(marker + indent(blocks.join(tight ? '\n' : '\n\n'), ' '.repeat(marker.length)));
    }
    return items.length === 0 ? [] : [items.join(isLoose ? '\n\n' : '\n')];
  }

  #stray(child: PageElement, level: number): string[] {
    if (this.#isBlock(child)) return this.#block(child, level);
    const paragraph = this.#paragraph([child]);
    return paragraph === '' ? [] : [paragraph];
  }

  /** A term and what it means as an item of a list, which Markdown has not for itself. */
  #definitions(list: PageElement, level: number): string[] {
    if (level >= INDENTED) return this.blocks(list, level);
    const items: string[] = [];
    let term = '';
    const entries = list.children.flatMap((child) => (child.localName === 'div' ? child.children : [child]));
    for (const entry of entries) {
      if (this.full) break;
      if (entry.localName === 'dt') {
        if (term !== '') items.push(`- **${term}**`);
        term = this.#paragraph(entry.childNodes, true).replaceAll('**', '');
        continue;
      }
      const [first = '', ...others] = this.blocks(entry, level + 1);
      if (first === '') continue;
      const isText = !/^(?:[-*>|#]|\d+\. |```|\$\$)/.test(first);
      const head = term === '' ? '' : `**${term}**`;
      const parts = isText ? [head === '' ? first : `${head}: ${first}`, ...others] : [head, first, ...others];
      items.push(`- ${indent(parts.filter((part) => part !== '').join('\n\n'), '  ')}`);
      term = '';
    }
    if (term !== '') items.push(`- **${term}**`);
    return items.length === 0 ? [] : [items.join('\n')];
  }

  #table(table: PageElement, level: number): string[] {
    const rows = rowsOf(table);
    const caption = table.children.find(({ localName }) => localName === 'caption');
    const title = caption ? this.#paragraph(caption.childNodes, true) : '';
    const written = isLayout(table, rows)
      ? rows.flatMap((row) => row.children.flatMap((cell) => this.blocks(cell, level)))
      : [writeTable(rows, (cell) => this.#cell(cell))];
    return title === '' ? written : [`**${title}**`, ...written];
  }

  #cell(cell: PageElement): string {
    return this.blocks(cell, INDENTED)
      .map((block) => block.replaceAll(/^\$\$\n([\s\S]*)\n\$\$$/g, (_, tex: string) => formula(tex, 'inline')))
      .map((block) => block.replaceAll(/\$[^$\n]+\$/g, (math) => math.replaceAll('|', String.raw`\vert `)))
      .join('\n')
      .replaceAll('|', String.raw`\|`)
      .replaceAll(/\s*\n\s*/g, '<br>');
  }
}

/** All lines but the first behind some space; lines that are empty stay so. */
function indent(text: string, space: string): string {
  return text.replaceAll(/\n(?=[^\n])/g, `\n${space}`);
}

function quoted(blocks: readonly string[]): string[] {
  if (blocks.length === 0) return [];
  return [blocks.join('\n\n').replaceAll(/^/gm, '> ').replaceAll(/^> $/gm, '>')];
}

/** Of what a reader could follow. */
function absolute(href: string, base: string): string | undefined {
  if (/^https?:\/\/[^\s]+$/i.test(href)) return href;
  const url = URL.parse(href, base);
  return url && (url.protocol === 'https:' || url.protocol === 'http:' || url.protocol === 'mailto:')
    ? url.href
    : undefined;
}

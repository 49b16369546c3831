import {
  AlignmentType,
  Bookmark,
  BorderStyle,
  Document,
  ExternalHyperlink,
  FootnoteReferenceRun,
  HeadingLevel,
  InternalHyperlink,
  LevelFormat,
  Packer,
  Paragraph,
  Table,
  TableCell,
  TableRow,
  TextRun,
  WidthType,
} from 'docx';
import type { IParagraphOptions, IRunOptions, ParagraphChild } from 'docx';
import type { Token } from 'markdown-it';

import { CarrelError } from '../../lib/errors.ts';
import type { CitationPart } from '../references/format.ts';
import type { Run } from '../references/runs.ts';
import { BIBLIOGRAPHY, compose } from './compose.ts';
import type { Composed, Entry } from './compose.ts';
import type { ReportDocument } from './model.ts';

const HEADINGS = [
  HeadingLevel.HEADING_1,
  HeadingLevel.HEADING_2,
  HeadingLevel.HEADING_3,
  HeadingLevel.HEADING_4,
  HeadingLevel.HEADING_5,
  HeadingLevel.HEADING_6,
] as const;
/** Word has nine levels of lists. */
const LEVELS = 9;
/** Twentieths of a point. */
const INDENT = 360;
const CODE_FONT = 'Consolas';
/**
 * What a document may be made of, where a run of text is 1 and a paragraph, a cell or a link 2 more. What makes the file
 * holds all of it several times over: twice as much does not fit in the memory of a Worker.
 */
const WEIGHT = 25_000;

/**
 * A report as a Word document: headings as Word's, so that its table of contents can be made of them, footnotes as its
 * footnotes, citations that lead to their entries.
 *
 * @throws CarrelError as `readReport` does, and `too_large` of a report that makes too large a document: some 200 pages
 */
export async function renderDocx(document: ReportDocument): Promise<Uint8Array<ArrayBuffer>> {
  const report = compose(document);
  const writer = new DocxWriter(report);
  for (const { heading, depth, tokens } of report.sections) {
    writer.heading(heading, depth - 1);
    writer.write(tokens);
  }
  writer.bibliography(report.entries);
  const file = new Document({
    title: shown(report.title),
    creator: 'Carrel',
    description: `Sources are cited in the style ${document.style}.`,
    lastModifiedBy: 'Carrel',
    styles: {
      default: { document: { run: { font: 'Calibri', size: 22, language: { value: document.language ?? 'en-US' } } } },
      paragraphStyles: [
        {
          id: 'Code',
          name: 'Code',
          basedOn: 'Normal',
          run: { font: CODE_FONT, size: 19 },
          paragraph: { spacing: { after: 0 } },
        },
        {
          id: 'Quote',
          name: 'Quote',
          basedOn: 'Normal',
          run: { italics: true },
          paragraph: { indent: { left: INDENT * 2 } },
        },
        { id: 'Provenance', name: 'Provenance', basedOn: 'Normal', run: { size: 17, color: '595959' } },
      ],
    },
    numbering: { config: [{ reference: 'bullets', levels: levelsOf(() => '•') }, ...writer.numberings()] },
    footnotes: writer.footnotes(),
    sections: [
      {
        children: [
          new Paragraph({ heading: HeadingLevel.TITLE, children: [text(report.title)] }),
          ...writer.children(),
        ],
      },
    ],
  });
  return new Uint8Array(await Packer.toArrayBuffer(file));
}

function levelsOf(mark: (level: number) => string, start = 1, format: 'bullet' | 'decimal' = 'bullet') {
  return Array.from({ length: LEVELS }, (_, level) => ({
    level,
    format: LevelFormat[format === 'bullet' ? 'BULLET' : 'DECIMAL'],
    text: mark(level),
    start,
    alignment: AlignmentType.LEFT,
    style: { paragraph: { indent: { left: INDENT * (level + 1), hanging: INDENT } } },
  }));
}

/** XML has no control characters, and no halves of a character. */
function shown(words: string): string {
  return words.toWellFormed().replaceAll(/(?![\t\n\r])\p{Cc}|[\uFFFE\uFFFF]/gu, '');
}

function text(words: string, options: IRunOptions = {}): TextRun {
  return new TextRun({ ...options, text: shown(words) });
}

/** A bookmark's name has at most 40 characters, of letters, digits and `_`. */
function bookmarkOf(index: number): string {
  return `source_${index + 1}`;
}

interface List {
  readonly reference: string;
  readonly instance: number;
}

type Block = Paragraph | Table;

interface Formats {
  bold: number;
  italics: number;
  strike: number;
}

class DocxWriter {
  readonly #report: Composed;
  readonly #bookmarks: ReadonlyMap<string, string>;
  readonly #children: Block[] = [];
  readonly #starts = new Set<number>();
  readonly #lists: List[] = [];
  readonly #footnotes: Record<string, { children: Paragraph[] }> = {};
  #instances = 0;
  #weight = 0;
  #quotations = 0;
  /** An item's number stands before its first paragraph alone. */
  #isItemBegun = true;
  /** Those of a section begin behind those of the sections before it. */
  #notesBefore = 0;
  #note: Paragraph[] | undefined;
  readonly #referred = new Set<number>();
  #isInNotes = false;
  #rows: TableRow[] = [];
  #cells: TableCell[] = [];

  constructor(report: Composed) {
    this.#report = report;
    this.#bookmarks = new Map(report.entries.map(({ key }, index) => [key, bookmarkOf(index)]));
  }

  children(): Block[] {
    return this.#children;
  }

  footnotes(): Record<string, { children: Paragraph[] }> {
    return this.#footnotes;
  }

  /** One for each number with which a list begins. */
  numberings() {
    return [...this.#starts].map((start) => ({
      reference: `numbers-${start}`,
      levels: levelsOf((level) => `%${level + 1}.`, start, 'decimal'),
    }));
  }

  heading(words: string, level: number): void {
    this.#children.push(new Paragraph({ heading: headingOf(level), children: [text(words)] }));
  }

  bibliography(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.heading(BIBLIOGRAPHY, 1);
    for (const [index, { label, line, provenance }] of entries.entries()) {
      const words = [...(label === undefined ? [] : [text(`${label} `)]), ...line.map(runOf)];
      const indent = { left: INDENT * 2, hanging: INDENT * 2 };
      this.#children.push(
        new Paragraph({ indent, children: [new Bookmark({ id: bookmarkOf(index), children: words })] }),
      );
      if (provenance !== undefined)
        this.#children.push(
          new Paragraph({ style: 'Provenance', indent: { left: INDENT * 2 }, children: [text(provenance)] }),
        );
    }
  }

  write(tokens: readonly Token[]): void {
    for (const [index, token] of tokens.entries()) this.#token(token, tokens[index - 1]);
    this.#isInNotes = false;
    const notes = tokens.filter(({ type }) => type === 'footnote_open');
    this.#notesBefore += notes.length;
  }

  #token(token: Token, before: Token | undefined): void {
    switch (token.type) {
      case 'bullet_list_open':
        this.#lists.push({ reference: 'bullets', instance: 0 });
        break;
      case 'ordered_list_open':
        this.#lists.push(this.#ordered(Number(token.attrGet('start') ?? 1)));
        break;
      case 'bullet_list_close':
      case 'ordered_list_close':
        this.#lists.pop();
        break;
      case 'list_item_open':
        this.#isItemBegun = false;
        break;
      case 'blockquote_open':
        this.#quotations += 1;
        break;
      case 'blockquote_close':
        this.#quotations -= 1;
        break;
      case 'footnote_open':
        this.#openNote(this.#noteNumber(token));
        break;
      case 'footnote_block_open':
        this.#isInNotes = true;
        break;
      case 'footnote_close':
        this.#note = undefined;
        break;
      case 'fence':
      case 'code_block':
        for (const line of token.content.replace(/\n$/, '').split('\n')) this.#codeLine(line);
        break;
      case 'hr':
        this.#paragraph({ border: { bottom: { style: BorderStyle.SINGLE, size: 6, color: '999999' } } });
        break;
      case 'inline':
        this.#inline(token, before);
        break;
      case 'tr_close':
        this.#rows.push(new TableRow({ children: this.#cells, tableHeader: this.#rows.length === 0 }));
        this.#cells = [];
        break;
      case 'table_close':
        this.#children.push(new Table({ rows: this.#rows, width: { size: 100, type: WidthType.PERCENTAGE } }));
        this.#rows = [];
        break;
      default:
    }
  }

  #codeLine(line: string): void {
    this.#weigh(1);
    this.#paragraph({ style: 'Code', children: [text(line, { font: CODE_FONT })] });
  }

  #weigh(weight: number): void {
    this.#weight += weight;
    if (this.#weight > WEIGHT)
      throw new CarrelError(
        'too_large',
        'The report is too long for a Word document. Take HTML or Markdown, or fewer sections.',
      );
  }

  #ordered(start: number): List {
    this.#starts.add(start);
    this.#instances += 1;
    return { reference: `numbers-${start}`, instance: this.#instances };
  }

  /** What only another note refers to stands at the end of its section: Word has no notes of notes. */
  #openNote(number: number): void {
    if (!this.#referred.has(number)) return;
    this.#note = [];
    this.#footnotes[String(number)] = { children: this.#note };
  }

  #noteNumber({ meta }: Token): number {
    return this.#notesBefore + Number(meta?.['id']) + 1;
  }

  #paragraph(options: IParagraphOptions): void {
    this.#weigh(2);
    if (this.#note) {
      this.#note.push(new Paragraph(options));
      return;
    }
    const list = this.#lists.at(-1);
    const level = Math.min(this.#lists.length, LEVELS) - 1;
    const where: IParagraphOptions = !list
      ? {}
      : this.#isItemBegun
        ? { indent: { left: INDENT * (level + 1) } }
        : { numbering: { reference: list.reference, level, instance: list.instance } };
    this.#isItemBegun = true;
    this.#children.push(new Paragraph({ ...(this.#quotations > 0 && { style: 'Quote' }), ...where, ...options }));
  }

  #inline(token: Token, before: Token | undefined): void {
    this.#weigh(2);
    const isHeader = before?.type === 'th_open';
    const children = this.#runs(token.children ?? [], isHeader);
    if (isHeader || before?.type === 'td_open') {
      const alignment = /right|center/.exec(String(before.attrGet('style') ?? ''))?.[0] as
        | 'right'
        | 'center'
        | undefined;
      const paragraph = new Paragraph({ children, ...(alignment !== undefined && { alignment }) });
      this.#cells.push(new TableCell({ children: [paragraph] }));
    } else if (before?.type === 'heading_open')
      this.#children.push(new Paragraph({ heading: headingOf(Number(before.tag.slice(1)) - 1), children }));
    else this.#paragraph({ children });
  }

  #runs(children: readonly Token[], bold: boolean): ParagraphChild[] {
    const runs: ParagraphChild[] = [];
    const formats: Formats = { bold: bold ? 1 : 0, italics: 0, strike: 0 };
    let link: { readonly href: string; readonly runs: ParagraphChild[] } | undefined;
    for (const child of children) {
      const parts = this.#report.parts(child);
      this.#weigh(parts ? 3 * parts.length : child.type === 'link_open' ? 2 : 1);
      if (child.type === 'link_open') link = { href: String(child.attrGet('href') ?? ''), runs: [] };
      else if (child.type === 'link_close') {
        if (link) runs.push(new ExternalHyperlink({ link: link.href, children: link.runs }));
        link = undefined;
      } else if (!changed(formats, child)) (link?.runs ?? runs).push(...this.#run(child, formats, link !== undefined));
    }
    return runs;
  }

  #run(child: Token, formats: Formats, isInLink: boolean): ParagraphChild[] {
    const options: IRunOptions = {
      ...(formats.bold > 0 && { bold: true }),
      ...(formats.italics > 0 && { italics: true }),
      ...(formats.strike > 0 && { strike: true }),
      ...(isInLink && { style: 'Hyperlink' }),
    };
    switch (child.type) {
      case 'softbreak':
        return [text(' ', options)];
      case 'hardbreak':
        return [new TextRun({ break: 1 })];
      case 'code_inline':
        return [text(child.content, { ...options, font: CODE_FONT })];
      case 'footnote_ref':
        return [this.#noteMark(this.#noteNumber(child))];
      case 'image': {
        const alternative = text(child.content === '' ? 'image' : child.content, { ...options, style: 'Hyperlink' });
        return isInLink
          ? [alternative]
          : [new ExternalHyperlink({ link: String(child.attrGet('src') ?? ''), children: [alternative] })];
      }
      case 'citation':
        return (this.#report.parts(child) ?? []).flatMap((part) => this.#part(part, options, isInLink));
      default:
        return child.content === '' ? [] : [text(child.content, options)];
    }
  }

  #noteMark(number: number): TextRun | FootnoteReferenceRun {
    if (this.#isInNotes) return text(`[${number}]`);
    this.#referred.add(number);
    return new FootnoteReferenceRun(number);
  }

  #part({ runs, key }: CitationPart, options: IRunOptions, isInLink: boolean): ParagraphChild[] {
    const words = runs.map((run) => text(run.text, { ...options, ...(run.italic && { italics: true }) }));
    const anchor = key === undefined ? undefined : this.#bookmarks.get(key);
    return anchor === undefined || isInLink ? words : [new InternalHyperlink({ anchor, children: words })];
  }
}

/** Whether the token begins or ends a format, and nothing more. */
function changed(formats: Formats, { type }: Token): boolean {
  const [, mark, way] = /^(strong|em|s)_(open|close)$/.exec(type) ?? [];
  if (mark === undefined) return false;
  const name = mark === 'strong' ? 'bold' : mark === 'em' ? 'italics' : 'strike';
  formats[name] += way === 'open' ? 1 : -1;
  return true;
}

/** @param level from 1 */
function headingOf(level: number) {
  return HEADINGS[Math.min(HEADINGS.length, Math.max(1, level)) - 1] ?? HeadingLevel.HEADING_6;
}

function runOf({ text: words, italic, link }: Run): ParagraphChild {
  if (link === undefined) return text(words, { ...(italic && { italics: true }) });
  return new ExternalHyperlink({ link, children: [text(words, { style: 'Hyperlink' })] });
}

import type { Token } from 'markdown-it';

import { escapeAddress, escapeLineStart } from '../page/markdown/escape.ts';
import type { Run } from '../references/runs.ts';
import { BIBLIOGRAPHY, compose } from './compose.ts';
import type { Composed, Entry } from './compose.ts';
import type { ReportDocument } from './model.ts';

/**
 * A report as Markdown whose citations are worded, with the bibliography at its end. Text stays as it was written; links
 * by reference hold their addresses, notes are numbered through the report, and HTML is text.
 *
 * @throws CarrelError as `readReport` does
 */
export function renderMarkdown(document: ReportDocument): string {
  const report = compose(document);
  const pieces = [`# ${plain(report.title)}`];
  for (const [index, section] of report.sections.entries()) {
    pieces.push(`${'#'.repeat(section.depth)} ${plain(section.heading)}`);
    pieces.push(new MarkdownWriter(report, index + 1).write(section.tokens));
  }
  if (report.entries.length > 0) pieces.push(`## ${BIBLIOGRAPHY}`, ...report.entries.map(entryOf));
  return `${pieces.filter((piece) => piece !== '').join('\n\n')}\n`;
}

function entryOf({ label, line, provenance }: Entry): string {
  const text = `${label === undefined ? '' : `${plain(label)} `}${line.map(runOf).join('')}`;
  return `${escapeLineStart(text)}${provenance === undefined ? '' : `\\\n${escapeLineStart(plain(provenance))}`}`;
}

function runOf({ text, italic, link }: Run): string {
  const shown = italic === true ? emphasised(text) : plain(text);
  if (link === undefined) return shown;
  return text === link && !/[<>\s]/.test(link) ? `<${link}>` : `[${shown}](${escapeAddress(link)})`;
}

/** A mark of emphasis has no space on its inner side. */
function emphasised(text: string): string {
  const [, before = '', inner = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(text) ?? [];
  return inner === '' ? text : `${before}*${plain(inner)}*${after}`;
}

/** Text from elsewhere, of which nothing is Markdown. */
function plain(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>~$@#]|&(?=#?\w)/g, String.raw`\$&`);
}

const QUOTATION = '> ';

/** An item of a list, a quotation or a note that is open: what stands before its first line, and before the others. */
interface Container {
  readonly first: string;
  readonly rest: string;
  /** An item of a list without empty lines. */
  readonly tight: boolean;
  /** Another item of its list stands before it. */
  readonly follows: boolean;
  begun: boolean;
}

interface List {
  readonly marker: string;
  readonly tight: boolean;
  number: number | undefined;
  items: number;
}

class MarkdownWriter {
  readonly #report: Composed;
  readonly #section: number;
  readonly #lines: string[] = [];
  readonly #containers: Container[] = [];
  readonly #lists: List[] = [];
  #row: string[] = [];
  #link: Token | undefined;
  /** How many lines there were when a quotation ended. */
  #quoted = -1;
  #closed: { marker: string | undefined; line: number } | undefined;

  /** @param section its number, which tells its notes from those of others */
  constructor(report: Composed, section: number) {
    this.#report = report;
    this.#section = section;
  }

  write(tokens: readonly Token[]): string {
    for (const [index, token] of tokens.entries()) this.#token(token, index, tokens);
    return this.#lines.join('\n');
  }

  #token(token: Token, index: number, tokens: readonly Token[]): void {
    switch (token.type) {
      case 'bullet_list_open':
      case 'ordered_list_open':
        this.#lists.push(listOf(token, tokens, index, this.#markerBefore()));
        break;
      case 'bullet_list_close':
      case 'ordered_list_close':
        this.#closed = { marker: this.#lists.pop()?.marker, line: this.#lines.length };
        break;
      case 'list_item_open':
        this.#openItem();
        break;
      case 'blockquote_open':
        this.#open(QUOTATION, QUOTATION);
        break;
      case 'footnote_open':
        this.#open(`[^${this.#noteName(token)}]: `, '    ');
        break;
      case 'list_item_close':
      case 'blockquote_close':
      case 'footnote_close':
        // What is empty is there nevertheless.
        if (this.#containers.at(-1)?.begun === false) this.#block(['']);
        this.#containers.pop();
        if (token.type === 'blockquote_close') this.#quoted = this.#lines.length;
        break;
      case 'fence':
      case 'code_block':
        this.#block(fenced(token));
        break;
      case 'hr':
        this.#block(['___']);
        break;
      case 'inline':
        this.#inline(token, tokens[index - 1]);
        break;
      case 'tr_close':
        this.#endRow(tokens[index + 1]?.type === 'thead_close' ? alignments(tokens, index) : undefined);
        break;
      default:
    }
  }

  /** Of a list that has just ended: with the same, the next one would be a part of it. */
  #markerBefore(): string | undefined {
    return this.#closed?.line === this.#lines.length ? this.#closed.marker : undefined;
  }

  #open(first: string, rest: string, { tight, follows } = { tight: false, follows: false }): void {
    this.#containers.push({ first, rest, tight, follows, begun: false });
  }

  #openItem(): void {
    const list = this.#lists.at(-1);
    if (!list) return;
    const mark = list.number === undefined ? list.marker : `${list.number + list.items}${list.marker}`;
    this.#open(`${mark} `, ' '.repeat(mark.length + 1), { tight: list.tight, follows: list.items > 0 });
    list.items += 1;
  }

  /** One block, behind what is open and with an empty line before it where there must be one. */
  #block(lines: readonly string[]): void {
    const opened = this.#containers.findIndex(({ begun }) => !begun);
    const around = opened === -1 ? this.#containers : this.#containers.slice(0, opened);
    const outer = this.#containers[opened];
    const isTight = outer?.follows === true ? outer.tight : around.at(-1)?.tight === true;
    // Two quotations with nothing between them would be one.
    const isSecond = outer?.first === QUOTATION && this.#quoted === this.#lines.length;
    // An empty item right behind a paragraph would be more of it, or make it a heading.
    const isEmpty = outer?.follows === false && lines.join('') === '';
    if (this.#lines.length > 0 && (!isTight || isSecond || isEmpty)) this.#lines.push(this.#prefix(around).trimEnd());
    for (const line of lines) {
      const prefix = this.#prefix(this.#containers);
      this.#lines.push(line === '' ? prefix.trimEnd() : prefix + line);
    }
  }

  #prefix(containers: readonly Container[]): string {
    return containers
      .map((container) => {
        const text = container.begun ? container.rest : container.first;
        container.begun = true;
        return text;
      })
      .join('');
  }

  #inline(token: Token, before: Token | undefined): void {
    const isHeading = before?.type === 'heading_open';
    const text = this.#text(token.children ?? [], isHeading);
    if (before?.type === 'th_open' || before?.type === 'td_open') {
      this.#row.push(text.replaceAll(/(?<!\\)\|/g, String.raw`\|`).replaceAll('\n', ' '));
      return;
    }
    if (isHeading) {
      const line = text.replaceAll(/\s*\n\s*/g, ' ').replace(/(?<!\S)(#+)$/, String.raw`\$1`);
      this.#block([`${'#'.repeat(Number(before.tag.slice(1)))} ${line}`]);
    } else this.#block(linesOf(text, token));
  }

  #endRow(alignment: readonly string[] | undefined): void {
    const row = `| ${this.#row.join(' | ')} |`;
    this.#row = [];
    if (alignment) this.#block([row, `| ${alignment.join(' | ')} |`]);
    else this.#lines.push(`${this.#prefix(this.#containers)}${row}`);
  }

  #noteName({ meta }: Token): string {
    return `${this.#section}-${Number(meta?.['id']) + 1}`;
  }

  /** @param isOneLine that of a heading, in which no line can end */
  #text(children: readonly Token[], isOneLine: boolean): string {
    return children
      .map((child, index) =>
        isOneLine && child.type === 'hardbreak' ? ' ' : this.#piece(child, children[index - 1], children[index + 1]),
      )
      .join('');
  }

  #piece(token: Token, before: Token | undefined, after: Token | undefined): string {
    const { type, content, markup } = token;
    switch (type) {
      case 'text':
        return before?.type === 'link_open' && isAutolink(before) ? '' : textOf(content, after);
      case 'text_special':
        return markup;
      case 'softbreak':
        // Right behind a backslash it would be a hard one.
        return before?.content.endsWith('\\') === true ? ' \n' : '\n';
      case 'hardbreak':
        return before?.content.endsWith('\\') === true ? '  \n' : '\\\n';
      case 'code_inline':
        return codeSpan(content);
      case 'image':
        return `![${content}](${addressIn(token, 'src')})`;
      case 'footnote_ref':
        return `[^${this.#noteName(token)}]`;
      case 'link_open':
        this.#link = token;
        if (isAutolink(token)) return `<${String(token.attrGet('href')).replace(/^mailto:/, '')}>`;
        return '[';
      case 'link_close':
        return this.#link && !isAutolink(this.#link) ? `](${addressIn(this.#link, 'href')})` : '';
      case 'citation':
        return (this.#report.parts(token) ?? []).map(({ runs }) => runs.map(runOf).join('')).join('');
      default:
        return markup;
    }
  }
}

/**
 * Of stars and hyphens mixed, a line is emphasis; of hyphens with colons or bars it makes a table of the one above. A mark of
 * a note with a colon defines it.
 */
function escapeStart(line: string): string {
  if ((/^[|:-][|:\s-]*$/.test(line) && line.includes('-')) || /^\[\^[^\]]*\]:/.test(line)) return `\\${line}`;
  const isMixed = /^[-*_\s]*$/.test(line) && new Set(line.replaceAll(/\s/g, '')).size > 1;
  return isMixed && !/^[-*+]\s/.test(line) ? line : escapeLineStart(line);
}

/** Behind the first, a line could begin what it did not where it stood; so could the first, behind a citation that is not shown. */
function linesOf(text: string, { children }: Token): string[] {
  const isMoved = children?.[0]?.type === 'citation';
  return text.split('\n').map((line, index) => (index > 0 || isMoved ? escapeStart(line.trimStart()) : line));
}

/** Text as it was written. The parser knows no HTML, but whoever reads this may; and before a link, `!` would make an image. */
function textOf(content: string, after: Token | undefined): string {
  const text = content.replaceAll(/<(?=[a-z/!?])/gi, String.raw`\<`);
  return after?.type === 'link_open' ? text.replace(/!$/, String.raw`\!`) : text;
}

function isAutolink(token: Token | undefined): boolean {
  return token?.markup === 'linkify' || token?.markup === 'autolink';
}

function addressIn(token: Token, name: 'href' | 'src'): string {
  const title = token.attrGet('title');
  const address = escapeAddress(String(token.attrGet(name) ?? ''));
  return title === null
    ? address
    : `${address} "${String(title)
        .replaceAll(/["\\]/g, String.raw`\$&`)
        .replaceAll(/\s+/g, ' ')}"`;
}

const OTHER_MARKER: Readonly<Record<string, string>> = { '-': '+', '*': '+', '+': '-', '.': ')', ')': '.' };

function listOf(token: Token, tokens: readonly Token[], index: number, before: string | undefined): List {
  const level = token.level + 2;
  let paragraph: Token | undefined;
  for (let at = index + 1; !paragraph && at < tokens.length && (tokens[at]?.level ?? 0) > token.level; at += 1)
    if (tokens[at]?.type === 'paragraph_open' && tokens[at]?.level === level) paragraph = tokens[at];
  const isOrdered = token.type === 'ordered_list_open';
  const number = isOrdered ? Number(token.attrGet('start') ?? 1) : undefined;
  const marker = token.markup === before ? (OTHER_MARKER[before] ?? before) : token.markup;
  return { marker, number, tight: paragraph?.hidden !== false, items: 0 };
}

function fenced({ content, info }: Token): string[] {
  const longest = (content.match(/`+|~+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 2);
  const fence = (info.includes('`') ? '~' : '`').repeat(longest + 1);
  return [
    `${fence}${info.trim().replace(/^~/, ' ~')}`,
    ...(content === '' ? [] : content.replace(/\n$/, '').split('\n')),
    fence,
  ];
}

function codeSpan(content: string): string {
  const longest = (content.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = '`'.repeat(longest + 1);
  const space = /^`|`$|^ .*\S.* $/s.test(content) ? ' ' : '';
  return `${fence}${space}${content}${space}${fence}`;
}

function alignments(tokens: readonly Token[], end: number): string[] {
  const row: string[] = [];
  for (let index = end - 1; index >= 0 && tokens[index]?.type !== 'tr_open'; index -= 1) {
    const token = tokens[index];
    if (token?.type !== 'th_open') continue;
    const style = String(token.attrGet('style') ?? '');
    row.unshift(/center/.test(style) ? ':-:' : /right/.test(style) ? '--:' : /left/.test(style) ? ':--' : '---');
  }
  return row;
}

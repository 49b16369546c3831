import { isElement } from '../dom.ts';
import type { PageElement, PageNode } from '../dom.ts';
import { formulaKind, formulasIn } from '../formulas.ts';
import { NOTE } from '../footnotes.ts';
import { changed } from '../pieces.ts';
import { codeSpan, escapeAddress, escapeText, formula, shifted } from './escape.ts';

/** A break within a paragraph: spaces at the end of a line, so that nothing is added to the words. */
export const LINE_BREAK = '  \n';

/** What the writer of a page knows while it writes. */
export interface InlineContext {
  /** Absolute, or undefined where it leads nowhere: to a part of this page, or to a script. */
  address(href: string | undefined): string | undefined;
  /** Is told that a note is referred to. @returns whether there is one */
  refer(label: string): boolean;
}

interface Style {
  readonly strong: boolean;
  readonly emphasis: boolean;
  readonly link: boolean;
}

const PLAIN: Style = { strong: false, emphasis: false, link: false };
export const IN_HEADING: Style = { strong: true, emphasis: false, link: false };

const CODE: ReadonlySet<string> = new Set(['code', 'kbd', 'samp', 'tt', 'var']);

/** Markdown of nodes that stand in one line; spaces at its ends are kept, as one. */
export function inline(nodes: readonly PageNode[], context: InlineContext, style: Style = PLAIN): string {
  // A list, because to look at the end of a text that grows is to copy it.
  const pieces: string[] = [];
  let last = '';
  for (const node of nodes) {
    const piece = isElement(node) ? element(node, context, style) : text(node.textContent ?? '');
    if (piece === '') continue;
    // Where two pieces meet, one space is enough.
    const isSpaced = last.endsWith(' ') || last.endsWith('\n');
    pieces.push(isSpaced && piece.startsWith(' ') ? piece.slice(1) : piece);
    if (piece !== ' ' || !isSpaced) last = piece;
  }
  return pieces.join('');
}

function text(data: string): string {
  return changed(data, (piece) =>
    formulasIn(piece)
      .map((part) =>
        typeof part === 'string' ? escapeText(part.replaceAll(/\s+/g, ' ')) : formula(part.tex, 'inline'),
      )
      .join(''),
  );
}

function element(node: PageElement, context: InlineContext, style: Style): string {
  const name = node.localName;
  const kind = formulaKind(node);
  if (kind !== undefined) return formula(node.textContent ?? '', 'inline');
  if (CODE.has(name)) return name === 'var' ? emphasised(node, context, style) : codeSpan(node.textContent ?? '');
  switch (name) {
    case 'br':
      return LINE_BREAK;
    case 'a':
      return link(node, context, style);
    case 'img':
      return image(node, context);
    case 'b':
    case 'strong': {
      const inner = inline(node.childNodes, context, { ...style, strong: true });
      return style.strong ? inner : marked('**', inner);
    }
    case 'em':
    case 'i':
    case 'dfn':
      return emphasised(node, context, style);
    case 'del':
    case 's':
    case 'strike':
      return marked('~~', inline(node.childNodes, context, style));
    case 'sub':
    case 'sup':
      return raised(node, name, context, style);
    case 'q':
      return `“${inline(node.childNodes, context, style).trim()}”`;
    case 'rt': {
      const reading = inline(node.childNodes, context, style).trim();
      return reading === '' ? '' : `(${reading})`;
    }
    case 'wbr':
    case 'input':
      return '';
    default:
      return inline(node.childNodes, context, style);
  }
}

function emphasised(node: PageElement, context: InlineContext, style: Style): string {
  const inner = inline(node.childNodes, context, { ...style, emphasis: true });
  return style.emphasis ? inner : marked('*', inner);
}

function raised(node: PageElement, name: 'sub' | 'sup', context: InlineContext, style: Style): string {
  const inner = inline(node.childNodes, context, style);
  // A link or a note says by itself what it is.
  return /[\][`$\n]/.test(inner) ? inner : shifted(inner, name);
}

/** Marks must touch what they mark; spaces go out of them. */
function marked(mark: string, inner: string): string {
  const content = inner.trim();
  if (content === '') return inner === '' ? '' : ' ';
  const before = /^\s/.test(inner) ? ' ' : '';
  const after = /\s$/.test(inner) ? ' ' : '';
  return `${before}${mark}${content}${mark}${after}`;
}

/** What links to a heading from itself. */
const ANCHOR = /^(?:[¶#§🔗]|\u{1F517}\uFE0F?)?$/u;

function link(node: PageElement, context: InlineContext, style: Style): string {
  const label = node.getAttribute(NOTE);
  if (label !== undefined && context.refer(label)) return `[^${label}]`;
  const inner = inline(node.childNodes, context, { ...style, link: true });
  const content = inner.trim();
  const href = node.getAttribute('href');
  if (ANCHOR.test(content))
    return href?.includes('#') === true || content === '' ? inner.slice(0, inner.indexOf(content)) : inner;
  const address = style.link ? undefined : context.address(href);
  if (address === undefined) return inner;
  const before = /^\s/.test(inner) ? ' ' : '';
  const after = /\s$/.test(inner) ? ' ' : '';
  return `${before}[${content.replaceAll(LINE_BREAK, ' ')}](${escapeAddress(address)})${after}`;
}

function image(node: PageElement, context: InlineContext): string {
  const tex = texOfImage(node);
  if (tex !== undefined) return formula(tex, 'inline');
  const alternative = (node.getAttribute('alt') ?? '')
    .replaceAll(/<[^<>]{0,300}>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const address = context.address(node.getAttribute('src'));
  if (address === undefined || alternative === '') return '';
  return `![${escapeText(alternative).replaceAll(/[[\]]/g, String.raw`\$&`)}](${escapeAddress(address)})`;
}

/** Formulas that a server has drawn bear their TeX. */
function texOfImage(node: PageElement): string | undefined {
  const alternative = node.getAttribute('alt')?.trim();
  const isFormula = /(?:^|\s)(?:tex|latex|math|mwe-math\S*)(?:\s|$)/.test(node.className);
  return isFormula && alternative ? alternative.replace(/^\$+([\s\S]*?)\$+$/, '$1') : undefined;
}

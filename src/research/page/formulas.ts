import { isElement } from './dom.ts';
import type { PageDocument, PageElement } from './dom.ts';

export const FORMULA = 'math';
/** `math/tex; mode=display`, which MathJax 2 replaces. */
export const TEX_SCRIPT = /^(?:math\/(?:tex|asciimath-tex)|text\/x-mathjax-tex)\b/;
/** Characters of TeX or of MathML; what is longer is no formula. */
const FORMULA_CHARACTERS = 10_000;
const FORMULAS = 500;

/** `inline` or `block`, of a formula whose text is TeX. */
const TEX = 'data-tex';

/** Makes an element hold a formula's TeX and nothing else, as one text that goes wherever the element goes. */
export function markFormula(document: PageDocument, element: PageElement, tex: string, display: boolean): void {
  while (element.firstChild) element.firstChild.remove();
  element.appendChild(document.createTextNode(withoutWrapping(tex).slice(0, FORMULA_CHARACTERS)));
  element.setAttribute(TEX, display ? 'block' : 'inline');
}

/** How a formula is shown; undefined of elements that are none, or whose text is not TeX. */
export function formulaKind(element: PageElement): 'inline' | 'block' | undefined {
  const kind = element.getAttribute(TEX);
  return kind === 'inline' || kind === 'block' ? kind : undefined;
}

/**
 * Keeps the TeX from which MathML was made, as KaTeX, MathJax, Wikipedia and LaTeXML write it into an annotation
 * or `alttext`.
 *
 * @returns false when there is none
 */
export function keepFormula(document: PageDocument, math: PageElement, display: boolean): boolean {
  const tex = annotationOf(math) ?? math.getAttribute('alttext');
  const shown = display || math.getAttribute('display') === 'block';
  if (tex !== undefined && tex.trim() !== '') {
    markFormula(document, math, tex, shown);
    return true;
  }
  if (shown) math.setAttribute('display', 'block');
  return false;
}

function annotationOf(math: PageElement): string | undefined {
  for (const annotation of math.getElementsByTagName('annotation')) {
    const isTex = /\btex\b|latex/i.test(annotation.getAttribute('encoding') ?? '');
    if (isTex) return annotation.textContent ?? '';
    annotation.remove();
  }
  for (const annotation of math.getElementsByTagName('annotation-xml')) annotation.remove();
  return undefined;
}

/** Gives formulas that are in MathML alone their TeX. What cannot be converted keeps its text. */
export async function convertFormulas(document: PageDocument, formulas: readonly PageElement[]): Promise<void> {
  if (formulas.length === 0) return;
  const { MathMLToLaTeX } = await import('mathml-to-latex');
  for (const math of formulas.slice(0, FORMULAS)) {
    const display = math.getAttribute('display') === 'block';
    const text = math.textContent ?? '';
    let tex: string | undefined;
    if (text.trim() !== '' && text.length <= FORMULA_CHARACTERS) tex = converted(MathMLToLaTeX, math);
    if (tex !== undefined && tex.trim() !== '') markFormula(document, math, tex, display);
    else if (math.parentNode) math.parentNode.replaceChild(document.createTextNode(` ${text.trim()} `), math);
  }
}

interface Converter {
  convert(mathml: string): string;
}

/** It knows MathML as schools write it, and throws at what it does not know. */
function converted(converter: Converter, math: PageElement): string | undefined {
  const markup = markupOf(math);
  if (markup.length > 5 * FORMULA_CHARACTERS) return undefined;
  try {
    return converter.convert(`<math>${markup}</math>`);
  } catch {
    return undefined;
  }
}

function markupOf(element: PageElement): string {
  return element.childNodes
    .map((node) => {
      if (!isElement(node)) return escaped(node.textContent ?? '');
      return `<${node.localName}>${markupOf(node)}</${node.localName}>`;
    })
    .join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Without the braces and the style that Wikipedia puts around each formula. */
function withoutWrapping(tex: string): string {
  const trimmed = tex.trim();
  const inner = /^\{\\(?:displaystyle|textstyle)\s([\s\S]*)\}$/.exec(trimmed)?.[1];
  return (inner ?? trimmed).trim();
}

/** Characters of a formula within a text. */
const DELIMITED_CHARACTERS = 1000;

/** A text, and the formulas that stand in it between `\\(` and `\\)` or `\\[` and `\\]`, on pages whose script has not run. */
export function formulasIn(text: string): (string | { readonly tex: string })[] {
  const pieces: (string | { readonly tex: string })[] = [];
  /** Where the next end of each kind is; each is looked for once. */
  const ends = { ')': -2, ']': -2 };
  let from = 0;
  for (let at = text.indexOf('\\'); at !== -1; at = text.indexOf('\\', at + 1)) {
    const closing = text[at + 1] === '(' ? ')' : text[at + 1] === '[' ? ']' : undefined;
    if (at < from || closing === undefined) continue;
    if (ends[closing] !== -1 && ends[closing] < at) ends[closing] = text.indexOf(`\\${closing}`, at + 2);
    const end = ends[closing];
    if (end === -1 || end - at > DELIMITED_CHARACTERS) continue;
    pieces.push(text.slice(from, at), { tex: text.slice(at + 2, end) });
    from = end + 2;
  }
  pieces.push(text.slice(from));
  return pieces;
}

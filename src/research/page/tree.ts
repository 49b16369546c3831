import { Parser } from 'htmlparser2';

import { isElement, newDocument } from './dom.ts';
import type { PageDocument, PageElement } from './dom.ts';
import { BLOCKS, fateOf, HEADINGS, KEPT_ATTRIBUTES, PREFORMATTED, READ_ATTRIBUTES } from './elements.ts';
import type { Attributes } from './elements.ts';
import { FORMULA, keepFormula, markFormula, TEX_SCRIPT } from './formulas.ts';
import type { PageLimits } from './model.ts';
import { changed } from './pieces.ts';

/** What stands in the head, or is for machines wherever it stands. */
export interface PageHead {
  /** `name`, `property`, `itemprop` or `http-equiv` in lower case, and the content, in the order of the page. */
  readonly metas: (readonly [name: string, content: string])[];
  /** The texts of `application/ld+json`. */
  readonly jsonLd: string[];
  title: string;
  language: string | undefined;
  base: string | undefined;
  canonical: string | undefined;
  /** It would write text when it ran. */
  hasScripts: boolean;
}

/** A page without what nobody reads, in nodes whose number, depth and size are bounded. */
export interface PageTree {
  readonly document: PageDocument;
  readonly head: PageHead;
  /** Formulas in MathML that say nothing of TeX. */
  readonly formulas: PageElement[];
  /** In the terms of {@link PageLimits.work}. */
  readonly work: number;
  /** A limit ended it. */
  readonly truncated: boolean;
}

/** Characters of an attribute; an image within an address has millions. */
const ATTRIBUTE_CHARACTERS = 2000;
const METAS = 500;
const META_CHARACTERS = 5000;
const LONG_TEXT = 3000;
/** Siblings that are passed over in the time in which a node is looked at, and characters that are read. */
const SIBLINGS_PER_NODE = 50;
const CHARACTERS_PER_NODE = 100;
const JSON_LD_SCRIPTS = 20;
const JSON_LD_CHARACTERS = 500_000;
const TITLE_CHARACTERS = 2000;

class LimitMet extends Error {}

/**
 * @param html the page
 * @param url against which addresses are resolved
 */
export function readTree(html: string, url: string, limits: PageLimits): PageTree {
  const builder = new Builder(newDocument(url), limits);
  const parser = new Parser(builder, { decodeEntities: true });
  let truncated = false;
  try {
    parser.write(html);
    parser.end();
  } catch (thrown) {
    if (!(thrown instanceof LimitMet)) throw thrown;
    truncated = true;
  }
  builder.end();
  return { document: builder.document, head: builder.head, formulas: builder.formulas, work: builder.work, truncated };
}

/** An open element: where its text and its children go, and what is around them. */
interface Frame {
  readonly into: PageElement;
  /** The element itself, if it was kept. */
  readonly own: PageElement | undefined;
  readonly depth: number;
  readonly dropped: boolean;
  /** What an element that is not shown says to machines. */
  readonly told: 'title' | 'json-ld' | 'tex' | 'display-tex' | undefined;
  readonly code: boolean;
  readonly heading: boolean;
  /** Formulas stand on lines of their own. */
  readonly display: boolean;
}

class Builder {
  readonly document: PageDocument;
  readonly head: PageHead = {
    metas: [],
    jsonLd: [],
    title: '',
    language: undefined,
    base: undefined,
    canonical: undefined,
    hasScripts: false,
  };
  readonly formulas: PageElement[] = [];
  readonly #limits: PageLimits;
  readonly #frames: Frame[];
  /** A tag of which more attributes may come. */
  #tag: string | undefined;
  #attributes: Record<string, string | undefined> = {};
  work = 0;
  #text = '';
  #events = 0;
  #characters = 0;
  #told = '';
  /** The code so far ends with its line. */
  #codeBroken = true;
  #elements = 0;

  constructor(document: PageDocument, limits: PageLimits) {
    this.document = document;
    this.#limits = limits;
    this.#frames = [
      {
        into: document.documentElement,
        own: undefined,
        depth: 0,
        dropped: false,
        told: undefined,
        code: false,
        heading: false,
        display: false,
      },
    ];
  }

  onopentagname(name: string): void {
    this.#count();
    this.#open();
    this.#tag = name;
    this.#attributes = {};
  }

  /** One by one, because an object of all attributes has as many as somebody likes to write. */
  onattribute(name: string, value: string): void {
    if (READ_ATTRIBUTES.has(name)) this.#attributes[name] ??= value.slice(0, ATTRIBUTE_CHARACTERS);
  }

  ontext(data: string): void {
    this.#count();
    this.#open();
    const frame = this.#top();
    if (frame.told !== undefined) {
      if (this.#told.length < JSON_LD_CHARACTERS) this.#told += data;
    } else if (!frame.dropped) this.#keep(data, frame.code);
  }

  #keep(data: string, isCode: boolean): void {
    // A page may be mostly space.
    const left = this.#limits.text - this.#characters;
    const beginning = data.slice(0, 2 * left);
    const text =
      isCode || data.length < LONG_TEXT ? beginning : changed(beginning, (piece) => piece.replaceAll(/\s+/g, ' '));
    this.#characters += text.length;
    this.#text += text.slice(0, left);
    // To look at the end of a text that grows is to copy it.
    if (isCode) this.#codeBroken = text.endsWith('\n');
    if (text.length > left || beginning.length < data.length) throw new LimitMet();
  }

  onclosetag(): void {
    this.#open();
    const frame = this.#frames.pop();
    if (!frame) return;
    if (frame.told !== undefined) this.#tell(frame);
    else if (frame.code && !frame.dropped) this.#closeCode(frame);
    else if (frame.own) {
      this.#flush(frame);
      if (frame.own.localName === FORMULA && !keepFormula(this.document, frame.own, frame.display))
        this.formulas.push(frame.own);
    }
  }

  end(): void {
    while (this.#frames.length > 1) this.onclosetag();
    this.#flush(this.#top());
    this.document.title = this.head.title;
  }

  #count(): void {
    if (++this.#events > this.#limits.events) throw new LimitMet();
  }

  #top(): Frame {
    const frame = this.#frames.at(-1);
    if (!frame) throw new Error('the document itself was closed');
    return frame;
  }

  #open(): void {
    const name = this.#tag;
    if (name === undefined) return;
    this.#tag = undefined;
    const attributes: Attributes = this.#attributes;
    const frame = this.#top();
    if (this.#frames.length > this.#limits.open) throw new LimitMet();
    const told = this.#toldBy(name, attributes);
    if (frame.dropped || told !== undefined) {
      this.#frames.push({ ...frame, own: undefined, dropped: true, told });
      return;
    }
    if (name === 'html' || name === 'head' || name === 'body') this.#openPart(name, attributes, frame);
    else this.#openElement(name, attributes, frame);
  }

  #openPart(name: 'html' | 'head' | 'body', attributes: Attributes, frame: Frame): void {
    this.#flush(frame);
    if (name === 'html') this.head.language ??= attributes['lang'];
    const into = name === 'html' ? this.document.documentElement : this.document[name];
    // Class and id of the body are kept out of Readability, which throws bodies away that are called so.
    this.#frames.push({ ...frame, into, own: undefined });
  }

  #openElement(name: string, attributes: Attributes, frame: Frame): void {
    const fate = fateOf(name, attributes, frame);
    const classes = attributes['class'] ?? '';
    const display =
      frame.display ||
      attributes['display'] === 'true' ||
      /\b(?:katex-display|mwe-math-mathml-display|MathJax_Display|math display)\b/.test(classes);
    if (fate === 'dropped') {
      this.#frames.push({ ...frame, own: undefined, dropped: true });
      return;
    }
    if (frame.code) {
      this.#openInCode(name, attributes, frame);
      return;
    }
    if (fate === 'unwrapped' || frame.depth >= this.#limits.depth) {
      if (BLOCKS.has(name)) this.#text += ' ';
      this.#frames.push({ ...frame, own: undefined, display });
      return;
    }
    if (name === 'input') {
      const box = attributes['type'] === 'checkbox' && frame.into.localName === 'li';
      if (box) this.#text += attributes['checked'] === undefined ? '[ ] ' : '[x] ';
      this.#frames.push({ ...frame, own: undefined });
      return;
    }
    this.#flush(frame);
    const parent = this.#inBody(frame.into);
    const element = this.#make(name, attributes);
    this.#spend(1, frame.depth, parent.childNodes.length);
    if (++this.#elements > this.#limits.elements) throw new LimitMet();
    parent.appendChild(element);
    const code = PREFORMATTED.has(name);
    this.#codeBroken = true;
    if (code) setLanguage(element, attributes);
    this.#frames.push({
      into: element,
      own: element,
      depth: frame.depth + 1,
      dropped: false,
      told: undefined,
      code,
      heading: frame.heading || HEADINGS.has(name) || name === 'summary',
      display,
    });
  }

  /** Of code only the text is kept, and in which language it is. */
  #openInCode(name: string, attributes: Attributes, frame: Frame): void {
    if (name === 'code') setLanguage(frame.into, attributes);
    if (name === 'br') {
      this.#text += '\n';
      this.#codeBroken = true;
    } else if (BLOCKS.has(name)) this.#breakCode();
    this.#frames.push({ ...frame, own: BLOCKS.has(name) ? frame.into : undefined });
  }

  #closeCode(frame: Frame): void {
    if (this.#top().code) {
      if (frame.own) this.#breakCode();
    } else this.#flush(frame);
  }

  #breakCode(): void {
    if (!this.#codeBroken) this.#text += '\n';
    this.#codeBroken = true;
  }

  #make(name: string, attributes: Attributes): PageElement {
    const element = this.document.createElement(name);
    for (const key in attributes) {
      const value = attributes[key];
      if (value !== undefined && KEPT_ATTRIBUTES.has(key)) element.setAttribute(key, value);
    }
    if (name === 'img') setSource(element, attributes);
    return element;
  }

  /** What `html` and `head` cannot hold stands in the body, whether there is a tag for it or not. */
  #inBody(into: PageElement): PageElement {
    return into === this.document.documentElement || into === this.document.head ? this.document.body : into;
  }

  #flush(frame: Frame): void {
    const text = this.#text;
    if (text === '') return;
    this.#text = '';
    const parent = this.#inBody(frame.into);
    if (parent !== frame.into && text.trim() === '') return;
    this.#spend(text.length / CHARACTERS_PER_NODE, frame.depth, parent.childNodes.length);
    // It is taken apart at each comma, and copied for each step of that.
    this.work += (text.length / LONG_TEXT) ** 2;
    parent.appendChild(this.document.createTextNode(text));
  }

  /** Most of what Readability does it does for each ancestor, and lists of children are searched one by one. */
  #spend(size: number, depth: number, siblings: number): void {
    this.work += size * (depth + 1) + siblings / SIBLINGS_PER_NODE;
  }

  /** Reads what is for machines. @returns what its text will say */
  #toldBy(name: string, attributes: Attributes): Frame['told'] {
    if (name === 'meta') this.#meta(attributes);
    else if (name === 'base') this.head.base ??= attributes['href'];
    else if (name === 'link') {
      if (attributes['rel']?.toLowerCase().trim() === 'canonical') this.head.canonical ??= attributes['href'];
    } else if (name === 'title') return this.head.title === '' && !this.#top().dropped ? 'title' : undefined;
    else if (name === 'script') {
      const type = attributes['type']?.trim().toLowerCase() ?? '';
      if (type === 'application/ld+json') return 'json-ld';
      if (TEX_SCRIPT.test(type)) return /mode\s*=\s*display/.test(type) ? 'display-tex' : 'tex';
      this.head.hasScripts = true;
    }
    return undefined;
  }

  #meta(attributes: Attributes): void {
    const { content } = attributes;
    if (content === undefined || this.head.metas.length >= METAS) return;
    const names = attributes['property'] ?? attributes['name'] ?? attributes['itemprop'] ?? attributes['http-equiv'];
    // Some give several names to one content.
    for (const name of names?.toLowerCase().split(/\s+/, 5) ?? [])
      if (name !== '') this.head.metas.push([name, content.slice(0, META_CHARACTERS)]);
  }

  #tell(frame: Frame): void {
    const told = this.#told;
    this.#told = '';
    if (frame.told === 'title') this.head.title = told.slice(0, TITLE_CHARACTERS).trim();
    else if (frame.told === 'json-ld') {
      if (this.head.jsonLd.length < JSON_LD_SCRIPTS && told.length < JSON_LD_CHARACTERS) this.head.jsonLd.push(told);
    } else {
      const top = this.#top();
      if (top.dropped || told.trim() === '') return;
      this.#flush(top);
      const parent = this.#inBody(top.into);
      // What MathJax 2 made of it stands before it.
      for (
        let last = parent.lastChild;
        last && isElement(last) && last.className.startsWith('MathJax');
        last = parent.lastChild
      )
        last.remove();
      const formula = this.document.createElement(FORMULA);
      parent.appendChild(formula);
      markFormula(this.document, formula, told, frame.told === 'display-tex');
    }
  }
}

/** The language of code, as its highlighter was told: `language-js`, `lang-js`, `highlight-source-js`, `brush: js`. */
function setLanguage(element: PageElement, attributes: Attributes): void {
  const classes = attributes['class'] ?? '';
  const language =
    attributes['data-lang'] ??
    attributes['data-language'] ??
    /(?:^|\s)(?:lang(?:uage)?-|highlight-source-|brush:\s*|sourceCode\s+)([\w+#.-]{1,30})/.exec(classes)?.[1];
  if (language !== undefined && /^[\w+#.-]{1,30}$/.test(language) && element.getAttribute('data-code') === undefined)
    element.setAttribute('data-code', language);
}

/** An image that a script loads when it comes into view has its address elsewhere. */
function setSource(image: PageElement, attributes: Attributes): void {
  const source = attributes['src'];
  if (source !== undefined && !source.startsWith('data:')) return;
  const lazy = attributes['data-src'] ?? attributes['data-original'] ?? attributes['data-lazy-src'];
  const first = attributes['srcset']?.trim().split(/[\s,]/, 1)[0];
  const real = lazy ?? (first === '' ? undefined : first);
  if (real === undefined) image.removeAttribute('src');
  else image.setAttribute('src', real);
}

import JSDOMParser from '@mozilla/readability/JSDOMParser.js';

/**
 * The part of the DOM that Readability brings along for places without one. It has what Readability asks
 * for and no more, which is why it takes half the time of a complete DOM. Its own parser reads
 * only well-formed markup: here the nodes are made one by one.
 */
export interface PageNode {
  readonly nodeType: number;
  readonly parentNode: PageElement | null;
  readonly childNodes: readonly PageNode[];
  readonly nextSibling: PageNode | null;
  readonly previousSibling: PageNode | null;
  /** Null of what is no text and holds none. */
  textContent: string | null;
  remove(): void;
}

export interface PageElement extends PageNode {
  /** Lower case. */
  readonly localName: string;
  readonly children: readonly PageElement[];
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  readonly firstChild: PageNode | null;
  readonly lastChild: PageNode | null;
  readonly innerHTML: string;
  /** Empty where there is none. */
  readonly className: string;
  getAttribute(name: string): string | undefined;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
  appendChild(child: PageNode): void;
  replaceChild(child: PageNode, old: PageNode): void;
  getElementsByTagName(name: string): PageElement[];
}

export interface PageDocument {
  readonly documentElement: PageElement;
  readonly head: PageElement;
  readonly body: PageElement;
  /** Against which Readability resolves addresses. */
  documentURI: string;
  title: string;
  createElement(name: string): PageElement;
  createTextNode(text: string): PageNode;
}

/** @param url the address of the page */
export function newDocument(url: string): PageDocument {
  const document = new JSDOMParser().parse('<html><head></head><body></body></html>', url) as PageDocument;
  restorable(document, document.body);
  return document;
}

export function isElement(node: PageNode): node is PageElement {
  return node.nodeType === 1;
}

/**
 * Readability keeps the body's markup, to begin again with it when it has thrown too much away. What it
 * gets are nodes instead, because the DOM at hand could not read its own markup again.
 */
function restorable(document: PageDocument, body: PageElement): void {
  let kept: PageNode[] = [];
  Object.defineProperty(body, 'innerHTML', {
    get: () => {
      kept = body.childNodes.map((node) => copy(document, node));
      return '';
    },
    set: () => {
      while (body.firstChild) body.firstChild.remove();
      for (const node of kept) body.appendChild(copy(document, node));
    },
  });
}

/** A copy of a node and of what is in it, no deeper than {@link PageLimits.depth}. */
function copy(document: PageDocument, node: PageNode): PageNode {
  if (!isElement(node)) return document.createTextNode(node.textContent ?? '');
  const element = document.createElement(node.localName);
  for (const { name, value } of node.attributes) element.setAttribute(name, value);
  for (const child of node.childNodes) element.appendChild(copy(document, child));
  return element;
}

import { attribute } from './xml.ts';
import type { XmlAttributes, XmlHandler } from './xml.ts';

/** Styles based on one another that are followed. They may go in a circle; nobody makes a longer chain. */
const MAX_BASES = 20;

/** The styles that make a paragraph a heading, by name or outline level. Their ids are in the writer's language. */
export class HeadingStyles implements XmlHandler {
  readonly #headings = new Set<string>();
  readonly #basedOn = new Map<string, string>();
  #style: string | undefined;

  open(name: string, attributes: XmlAttributes): void {
    if (name === 'style') this.#style = attribute(attributes, 'styleId');
    if (this.#style === undefined) return;
    const value = attribute(attributes, 'val') ?? '';
    if (name === 'name' && /^(?:heading [1-9]|title)$/i.test(value)) this.#headings.add(this.#style);
    else if (name === 'outlineLvl' && isHeadingLevel(value)) this.#headings.add(this.#style);
    else if (name === 'basedOn') this.#basedOn.set(this.#style, value);
  }

  close(name: string): void {
    if (name === 'style') this.#style = undefined;
  }

  /** Whether paragraphs of this style are headings. @param style its id */
  has(style: string): boolean {
    let ancestor: string | undefined = style;
    for (let step = 0; step < MAX_BASES && ancestor !== undefined; step++) {
      if (this.#headings.has(ancestor)) return true;
      ancestor = this.#basedOn.get(ancestor);
    }
    return false;
  }
}

/** Whether an outline level is one of a heading; 9 is body text (ECMA-376 part 1, §17.3.1.20). */
export function isHeadingLevel(value: string): boolean {
  return /^[0-8]$/.test(value);
}

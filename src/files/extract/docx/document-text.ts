import type { TextCollector } from '../collector.ts';
import { isHeadingLevel } from './styles.ts';
import type { HeadingStyles } from './styles.ts';
import { attribute } from './xml.ts';
import type { XmlAttributes, XmlHandler } from './xml.ts';

/** Elements with text that is not shown or stands elsewhere as well, and properties named like text. */
const DROPPED: ReadonlySet<string> = new Set(['Fallback', 'del', 'delText', 'instrText', 'moveFrom', 'tabs']);

interface Paragraph {
  pieces: string[];
  heading: boolean;
}

/** Takes the text out of the main document, or of its notes. */
export class DocumentText implements XmlHandler {
  readonly #collector: TextCollector;
  readonly #styles: HeadingStyles;
  /** Of the section that begins with the first text. */
  #label: string | undefined;
  /** Those that are open: text boxes put paragraphs into paragraphs. */
  readonly #paragraphs: Paragraph[] = [];
  /** Code units in the paragraphs that are open. */
  #held = 0;
  /** Cells that are open: tables stand in cells of tables. */
  #cells = 0;
  /** What stands between the text before and the next in a row. */
  #separator = '';
  #dropped = 0;
  #inText = false;
  #inRunProperties = false;
  #hiddenRun = false;

  /** @param label puts all text into one section of this name */
  constructor(collector: TextCollector, styles: HeadingStyles, label?: string) {
    this.#collector = collector;
    this.#styles = styles;
    this.#label = label;
  }

  open(name: string, attributes: XmlAttributes): void {
    if (this.#dropped > 0 || DROPPED.has(name)) {
      this.#dropped += 1;
      return;
    }
    switch (name) {
      case 'p':
        this.#paragraphs.push({ pieces: [], heading: false });
        break;
      case 'pStyle':
        this.#setHeading(this.#styles.has(attribute(attributes, 'val') ?? ''));
        break;
      case 'outlineLvl':
        this.#setHeading(isHeadingLevel(attribute(attributes, 'val') ?? ''));
        break;
      case 'r':
        this.#hiddenRun = false;
        break;
      case 'rPr':
        this.#inRunProperties = true;
        break;
      case 'vanish':
        this.#hiddenRun = this.#inRunProperties && !/^(?:0|false|off)$/.test(attribute(attributes, 'val') ?? '');
        break;
      case 't':
        this.#inText = true;
        break;
      case 'tab':
      case 'ptab':
        this.#put('\t');
        break;
      case 'br':
      case 'cr':
        this.#put('\n');
        break;
      case 'noBreakHyphen':
        this.#put('-');
        break;
      case 'tr':
        if (this.#cells === 0) this.#separator = '';
        break;
      case 'tc':
        this.#cells += 1;
        break;
      default:
    }
  }

  close(name: string): void {
    if (this.#dropped > 0) {
      this.#dropped -= 1;
      return;
    }
    switch (name) {
      case 'p':
        this.#endParagraph();
        break;
      case 'rPr':
        this.#inRunProperties = false;
        break;
      case 'pPr':
      case 'r':
        // Hidden in the properties of a paragraph is the mark at its end, not its text.
        this.#hiddenRun = false;
        break;
      case 't':
        this.#inText = false;
        break;
      case 'tc':
        this.#cells -= 1;
        this.#separator = this.#cells === 0 ? `${this.#separator.replace(' ', '')}\t` : ' ';
        break;
      case 'tr':
        if (this.#cells === 0) this.#endLine('\n');
        break;
      case 'tbl':
        if (this.#cells === 0) this.#endLine('\n');
        break;
      default:
    }
  }

  text(data: string): void {
    if (this.#inText && this.#dropped === 0) this.#put(data);
  }

  end(): void {
    while (this.#paragraphs.length > 0) this.#endParagraph();
  }

  #setHeading(heading: boolean): void {
    const paragraph = this.#paragraphs.at(-1);
    // A level of the paragraph itself comes after its style, and wins.
    if (paragraph && this.#cells === 0) paragraph.heading = heading;
  }

  #put(text: string): void {
    const paragraph = this.#paragraphs.at(-1);
    if (!paragraph || this.#hiddenRun) return;
    paragraph.pieces.push(text);
    this.#held += text.length;
    // A paragraph that is longer than the whole text may be does not wait for its end.
    if (this.#held > this.#collector.left) this.#flush(paragraph);
  }

  #endParagraph(): void {
    const paragraph = this.#paragraphs.pop();
    if (!paragraph) return;
    const heading = paragraph.heading ? paragraph.pieces.join('').trim() : '';
    if (heading !== '' && this.#label === undefined) this.#collector.begin(heading);
    const held = this.#flush(paragraph);
    if (this.#cells === 0) this.#endLine(heading === '' ? '\n' : '\n\n');
    else if (held) this.#separator = ' ';
  }

  #flush(paragraph: Paragraph): boolean {
    const text = paragraph.pieces.join('');
    paragraph.pieces = [];
    this.#held -= text.length;
    if (text === '') return false;
    if (this.#label !== undefined) this.#collector.begin(this.#label);
    this.#label = undefined;
    this.#collector.add(this.#separator + text);
    this.#separator = '';
    return true;
  }

  #endLine(end: string): void {
    this.#separator = '';
    if (this.#label === undefined) this.#collector.add(end);
  }
}

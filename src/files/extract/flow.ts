import type { TextCollector } from './collector.ts';

/** Code units that the text of one heading may have; what is longer is a tag that nobody closed. */
const HEADING_CHARACTERS = 1000;

/**
 * Lays inline text out in lines, as a browser does with `white-space: normal`: a run of space is one
 * space, none at the ends of a line, and breaks that meet are one break.
 */
export class Flow {
  readonly #collector: TextCollector;
  #breaks = 0;
  #gap = '';
  #atStart = true;
  /** Nothing of the cell is there yet; what breaks lines in it does so only between its texts. */
  #atCellStart = false;
  #atRowStart = false;
  #rowHasText = false;
  /** The text of a heading that is open; a part can begin only when its label is known. */
  #heading: string | undefined;

  constructor(collector: TextCollector) {
    this.#collector = collector;
  }

  text(data: string): void {
    const collapsed = data.replaceAll(/[ \t\n\r\f]+/g, ' ');
    const words = collapsed.slice(collapsed.startsWith(' ') ? 1 : 0, collapsed.endsWith(' ') ? -1 : undefined);
    if (collapsed.startsWith(' ')) this.#space();
    if (words === '') return;
    this.#put(words);
    if (collapsed.endsWith(' ')) this.#space();
  }

  /** Text whose spaces and line breaks are its own. */
  preformatted(data: string): void {
    if (data !== '') this.#put(data);
  }

  /** Ends the line; with 2 leaves a blank one. */
  break(lines: 1 | 2): void {
    if (this.#heading !== undefined) {
      this.#gap = ' ';
      return;
    }
    if (this.#atCellStart) return;
    if (!this.#atStart) this.#breaks = Math.max(this.#breaks, lines);
    this.#gap = '';
  }

  /** Begins or ends a row of a table. */
  row(): void {
    this.#atCellStart = false;
    this.#atRowStart = true;
    this.#rowHasText = false;
    this.break(1);
  }

  /** Begins a cell of a row: it stands on the line on which the one before ends. */
  cell(): void {
    if (this.#atRowStart) this.#gap = '';
    else {
      if (this.#rowHasText) this.#breaks = 0;
      this.#gap = this.#atCellStart ? `${this.#gap}\t` : '\t';
    }
    this.#atRowStart = false;
    this.#atCellStart = true;
  }

  beginHeading(): void {
    this.endHeading();
    this.break(2);
    this.#heading = '';
  }

  endHeading(): void {
    const heading = this.#heading;
    this.#heading = undefined;
    if (heading === undefined || heading.trim() === '') return;
    if (this.#collector.begin(heading)) {
      this.#atStart = true;
      this.#breaks = 0;
    }
    this.#gap = '';
    this.#put(heading.trim());
    this.break(2);
  }

  #space(): void {
    if (this.#gap === '' && !this.#atCellStart) this.#gap = ' ';
  }

  #put(text: string): void {
    if (this.#heading !== undefined) {
      this.#heading += (this.#heading === '' ? '' : this.#gap) + text;
      this.#gap = '';
      if (this.#heading.length > HEADING_CHARACTERS) this.endHeading();
      return;
    }
    // A space at the beginning of a line is none, but tabs are cells.
    const atLineStart = this.#atStart || this.#breaks > 0;
    this.#collector.add('\n'.repeat(this.#breaks) + (atLineStart && this.#gap === ' ' ? '' : this.#gap) + text);
    this.#breaks = 0;
    this.#gap = '';
    this.#atStart = false;
    this.#atCellStart = false;
    this.#rowHasText = true;
  }
}

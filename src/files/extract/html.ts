import { Parser } from 'htmlparser2';

import type { TextCollector } from './collector.ts';
import { decoded } from './decode.ts';
import { Flow } from './flow.ts';
import { Stopped } from './model.ts';
import type { ExtractionLimits } from './model.ts';
import type { Pace } from './pace.ts';

/** Elements of which nothing is shown, or only where something else cannot be. */
const DROPPED: ReadonlySet<string> = new Set([
  'annotation',
  'annotation-xml',
  'audio',
  'canvas',
  'datalist',
  'desc',
  'iframe',
  'metadata',
  'noembed',
  'noframes',
  'noscript',
  'object',
  'rp',
  'script',
  'select',
  'style',
  'template',
  'video',
]);

/** Elements with a blank line around them. */
const BLOCKS: ReadonlySet<string> = new Set(['blockquote', 'dl', 'figure', 'hr', 'ol', 'p', 'pre', 'table', 'ul']);

/** Elements that begin on a line of their own. */
const LINES: ReadonlySet<string> = new Set([
  'address',
  'article',
  'aside',
  'body',
  'br',
  'caption',
  'center',
  'dd',
  'details',
  'dialog',
  'div',
  'dt',
  'fieldset',
  'figcaption',
  'footer',
  'form',
  'header',
  'legend',
  'li',
  'main',
  'nav',
  'optgroup',
  'search',
  'section',
  'summary',
  'tbody',
  'tfoot',
  'thead',
]);

const HEADINGS: ReadonlySet<string> = new Set(['h1', 'h2', 'h3', 'h4', 'h5', 'h6']);
const PREFORMATTED: ReadonlySet<string> = new Set(['listing', 'plaintext', 'pre', 'textarea', 'xmp']);

/**
 * The text that a browser would show without its scripts and stylesheets. Headings begin sections,
 * cells of a row stand on one line with tabs between them. What style sheets hide is not known here
 * and is kept; `hidden`, `style` attributes and what never shows are followed.
 *
 * @throws Stopped `too_large` (nested too deep, or enough text), `too_slow`
 */
export async function readHtml(
  bytes: Uint8Array,
  collector: TextCollector,
  limits: ExtractionLimits,
  pace: Pace,
): Promise<void> {
  const page = new VisibleText(collector, limits.depth);
  const parser = new Parser(
    {
      onopentag: (name, attributes) => page.open(name, attributes),
      onclosetag: (name) => page.close(name),
      ontext: (data) => page.text(data),
    },
    { decodeEntities: true },
  );
  for await (const piece of decoded(bytes, pace)) parser.write(piece);
  parser.end();
  page.end();
}

class VisibleText {
  readonly #collector: TextCollector;
  readonly #flow: Flow;
  readonly #maxDepth: number;
  #depth = 0;
  /** The depth of the outermost element that is not shown. */
  #hiddenFrom: number | undefined;
  #titleFrom: number | undefined;
  #title = '';
  #preformatted = 0;
  #atPreformatted = false;
  #graphics = 0;

  constructor(collector: TextCollector, maxDepth: number) {
    this.#collector = collector;
    this.#flow = new Flow(collector);
    this.#maxDepth = maxDepth;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#depth += 1;
    // The parser moves its whole stack for each element: without a bound, time grows with the square of the depth.
    if (this.#depth > this.#maxDepth) throw new Stopped('too_large');
    if (name === 'svg') this.#graphics += 1;
    if (PREFORMATTED.has(name)) this.#preformatted += 1;
    if (this.#hiddenFrom !== undefined || this.#titleFrom !== undefined) return;
    if (name === 'title') {
      if (this.#graphics > 0 || this.#title !== '') this.#hiddenFrom = this.#depth;
      else this.#titleFrom = this.#depth;
    } else if (DROPPED.has(name) || isHidden(name, attributes)) this.#hiddenFrom = this.#depth;
    else if (HEADINGS.has(name)) this.#flow.beginHeading();
    else if (name === 'td' || name === 'th') this.#flow.cell();
    else {
      // The line break after the tag is none (HTML Standard §13.1.2.5).
      this.#atPreformatted = PREFORMATTED.has(name);
      this.#break(name);
      if (name === 'li') this.#flow.text('- ');
    }
  }

  close(name: string): void {
    this.#depth -= 1;
    if (name === 'svg') this.#graphics -= 1;
    if (PREFORMATTED.has(name)) this.#preformatted -= 1;
    if (this.#hiddenFrom !== undefined) {
      if (this.#depth < this.#hiddenFrom) this.#hiddenFrom = undefined;
      return;
    }
    if (this.#titleFrom !== undefined) {
      if (this.#depth < this.#titleFrom) this.#endTitle();
      return;
    }
    if (HEADINGS.has(name)) this.#flow.endHeading();
    else if (name !== 'br') this.#break(name);
  }

  text(data: string): void {
    if (this.#hiddenFrom !== undefined) return;
    if (this.#titleFrom !== undefined) {
      if (this.#title.length < 1000) this.#title += data;
    } else if (this.#preformatted > 0)
      this.#flow.preformatted(this.#atPreformatted ? data.replace(/^\r?\n/, '') : data);
    else this.#flow.text(data);
    this.#atPreformatted = false;
  }

  end(): void {
    if (this.#titleFrom !== undefined) this.#endTitle();
    this.#flow.endHeading();
  }

  #endTitle(): void {
    this.#titleFrom = undefined;
    if (this.#title.trim() !== '') this.#collector.title = this.#title;
  }

  #break(name: string): void {
    if (name === 'tr') this.#flow.row();
    else if (BLOCKS.has(name)) this.#flow.break(2);
    else if (LINES.has(name)) this.#flow.break(1);
  }
}

function isHidden(name: string, attributes: Readonly<Record<string, string>>): boolean {
  if ('hidden' in attributes || (name === 'dialog' && !('open' in attributes))) return true;
  const style = attributes['style'];
  return style !== undefined && /(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))\b/i.test(style);
}

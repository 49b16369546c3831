import type { TextCollector } from './collector.ts';
import { decoded } from './decode.ts';
import { linesOf } from './lines.ts';
import type { Pace } from './pace.ts';

const HASHES = /^ {0,3}(#{1,6})(?![^ \t])/;
const UNDERLINE = /^ {0,3}(?:=+|-{2,})[ \t]*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;
/** Lines that are no paragraph, so that dashes below them underline nothing. */
const NO_PARAGRAPH = /^(?:\s*$|\s*[-+*>|#]|\s*\d{1,9}[.)]\s|\t| {4})/;
/** Code units of a line that can be a heading or say something in front matter. */
const LINE_CHARACTERS = 1000;

/**
 * Markdown as it is written, a section for each heading (CommonMark §4.2, §4.3) outside fenced code.
 * The title is that of the front matter, or else the first heading of the first level.
 *
 * @throws Stopped `too_large` (enough text), `too_slow`
 */
export async function readMarkdown(bytes: Uint8Array, collector: TextCollector, pace: Pace): Promise<void> {
  const sections = new Sections(collector);
  try {
    for await (const { text, whole, ends } of linesOf(decoded(bytes, pace), LINE_CHARACTERS)) {
      if (whole && text.length <= LINE_CHARACTERS) sections.line(text);
      else sections.prose(ends ? `${text}\n` : text);
    }
    sections.prose('');
  } finally {
    collector.title = sections.title;
  }
}

class Sections {
  readonly #collector: TextCollector;
  #held: string | undefined;
  #fence: string | undefined;
  #frontMatter: 'possible' | 'open' | 'over' = 'possible';
  #frontTitle: string | undefined;
  #firstHeading: string | undefined;

  constructor(collector: TextCollector) {
    this.#collector = collector;
  }

  line(line: string): void {
    if (this.#inFrontMatter(line)) {
      this.#collector.add(`${line}\n`);
      return;
    }
    if (this.#inFence(line)) {
      this.#release();
      this.#collector.add(`${line}\n`);
      return;
    }
    const held = this.#held;
    if (held !== undefined && !NO_PARAGRAPH.test(held) && UNDERLINE.test(line)) {
      this.#held = undefined;
      this.#begin(held, line.includes('=') ? 1 : 2);
      this.#collector.add(`${held}\n${line}\n`);
      return;
    }
    this.#release();
    const hashes = HASHES.exec(line)?.[0];
    if (hashes !== undefined) {
      this.#begin(withoutClosingHashes(line.slice(hashes.length)), hashes.trimStart().length);
      this.#collector.add(`${line}\n`);
      return;
    }
    this.#held = line;
  }

  /** Text that can be no more than that. */
  prose(text: string): void {
    this.#release();
    this.#frontMatter = 'over';
    this.#collector.add(text);
  }

  get title(): string | undefined {
    return this.#frontTitle ?? this.#firstHeading;
  }

  #begin(label: string, level: number): void {
    if (level === 1 && label !== '') this.#firstHeading ??= label;
    this.#collector.begin(label);
  }

  /** Gives on the line that waits for the one below it. */
  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#collector.add(`${held}\n`);
  }

  #inFence(line: string): boolean {
    const mark = FENCE.exec(line)?.[1];
    if (this.#fence === undefined) {
      this.#fence = mark;
      return mark !== undefined;
    }
    if (mark?.startsWith(this.#fence) === true && line.trim() === mark) this.#fence = undefined;
    return true;
  }

  #inFrontMatter(line: string): boolean {
    if (this.#frontMatter === 'possible') this.#frontMatter = line === '---' ? 'open' : 'over';
    else if (this.#frontMatter === 'open') {
      if (line === '---' || line === '...') {
        this.#frontMatter = 'over';
        return true;
      }
      this.#frontTitle ??= /^title:\s*(["']?)(.{1,300}?)\1\s*$/.exec(line)?.[2];
    }
    return this.#frontMatter === 'open';
  }
}

/** The words of an ATX heading, which may be closed with as many hashes as its writer likes. */
function withoutClosingHashes(text: string): string {
  const trimmed = text.trim();
  let end = trimmed.length;
  while (trimmed[end - 1] === '#') end -= 1;
  const closed = end === 0 || trimmed[end - 1] === ' ' || trimmed[end - 1] === '\t';
  return closed ? trimmed.slice(0, end).trim() : trimmed;
}

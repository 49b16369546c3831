import { Stopped } from './model.ts';
import type { Extraction, ExtractionLimits, Heading, PartUnit, TextPart } from './model.ts';
import { cut, normaliseText, oneLine } from './normalise.ts';

/** Code units of a title or a label. */
const LABEL_CHARACTERS = 200;

/** Gathers the parts of a text while a file is read, and stops the reading when there is enough. */
export class TextCollector {
  /** Set by the reader when the file says one. */
  title: string | undefined;
  author: string | undefined;
  created: string | undefined;
  outline: readonly Heading[] = [];
  /** Set by the reader when something of the file could not be read. */
  incomplete = false;
  readonly #unit: PartUnit;
  readonly #limits: ExtractionLimits;
  readonly #parts: TextPart[] = [];
  #label: string | undefined;
  #pieces: string[] = [];
  #left: number;

  constructor(unit: PartUnit, limits: ExtractionLimits) {
    this.#unit = unit;
    this.#limits = limits;
    this.#left = limits.characters;
  }

  /** Code units that still fit. */
  get left(): number {
    return this.#left;
  }

  /** Begins a part, unless there are as many sections as may be; its text then goes on in the one before. */
  begin(label: string): boolean {
    const open = this.#label === undefined && this.#pieces.length === 0 ? 0 : 1;
    if (this.#unit === 'section' && this.#parts.length + open >= this.#limits.sections) return false;
    this.#end();
    this.#label = label;
    return true;
  }

  /** Adds to the part. @throws Stopped `too_large` when no more fits */
  add(text: string): void {
    if (text === '') return;
    this.#pieces.push(text.length <= this.#left ? text : cut(text, this.#left));
    this.#left -= text.length;
    if (this.#left < 0) throw new Stopped('too_large');
  }

  /** @param stopped why the reading ended, when it did not reach the end of the file */
  finish(stopped: Stopped['reason'] | undefined): Extraction {
    this.#end();
    const found = this.#parts.some(({ text }) => text.trim() !== '');
    // Half of what is broken or locked would be taken for the whole.
    if (stopped !== undefined && (!found || !(stopped === 'too_large' || stopped === 'too_slow')))
      return { kind: 'none', reason: stopped };
    if (!found) return { kind: 'none', reason: this.incomplete ? 'malformed' : 'no_text' };
    const outline = this.outline.flatMap(({ title, ...place }) => {
      const label = line(title);
      return label === undefined || place.part > this.#parts.length ? [] : [{ title: label, ...place }];
    });
    return {
      kind: 'text',
      unit: this.#unit,
      parts: this.#parts,
      title: line(this.title),
      author: line(this.author),
      created: this.created,
      outline: outline.length === 0 ? undefined : outline,
      truncated: stopped !== undefined || this.incomplete,
    };
  }

  #end(): void {
    const whole = normaliseText(this.#pieces.join(''));
    // Plain text keeps its shape, its first line may be indented.
    const text = this.#unit === 'text' ? whole : whole.replace(/^(?:[ \t]*\n)+/, '').trimEnd();
    this.#pieces = [];
    // What stands before the first heading is a section only if there is something.
    if (this.#label === undefined && text === '') return;
    if (this.#unit === 'section' && text === '' && this.#label === '') return;
    this.#parts.push({ label: oneLine(this.#label ?? '', LABEL_CHARACTERS), text });
  }
}

function line(text: string | undefined): string | undefined {
  const shown = text === undefined ? '' : oneLine(text, LABEL_CHARACTERS);
  return shown === '' ? undefined : shown;
}

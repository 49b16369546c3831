import { blocksOf, MARK } from './blocks.ts';
import type { Block } from './blocks.ts';
import { OWN_KEY } from './model.ts';
import type { Citation, ReportSection } from './model.ts';
import { passagesOf } from './quotations.ts';
import { readReport } from './read-report.ts';
import type { ReadSection } from './read-report.ts';
import { sentencesOf, wordsIn } from './sentences.ts';
import type { Sentence } from './sentences.ts';

export type FindingKind =
  | 'claim_without_citation'
  | 'unknown_source'
  | 'quote_not_found'
  | 'empty_section'
  | 'missing_section'
  | 'dropped_source';

export interface Finding {
  readonly kind: FindingKind;
  /** Of the section, or of the line of the outline. */
  readonly heading: string;
  /** The section's place among the sections, from 0; undefined of one that is missing. */
  readonly section: number | undefined;
  /** In UTF-16 code units of the section's Markdown: where the text begins, or the paragraph in which it stands. */
  readonly offset: number;
  /** What was found, at most {@link EXCERPT_CHARACTERS}. It is the report's own text. */
  readonly excerpt: string;
  readonly todo: string;
}

export interface CheckedSource {
  readonly title: string;
  readonly state: 'kept' | 'dropped';
  /** Whether there is a text in which a quotation could stand. */
  readonly hasPassage: boolean;
}

export interface Checking {
  readonly outline: readonly { readonly heading: string; readonly level: number }[];
  readonly sections: readonly ReportSection[];
  /** By key. */
  readonly sources: ReadonlyMap<string, CheckedSource>;
  /** Whether the words stand verbatim in a snapshot of the source. */
  readonly standsIn: (key: string, text: string) => Promise<boolean>;
}

export interface ReportCheck {
  /** In the order of the report; those of the outline come first. */
  readonly findings: readonly Finding[];
  /** There are more than {@link FINDINGS}. */
  readonly more: boolean;
  readonly claims: number;
  readonly quotations: number;
}

export const EXCERPT_CHARACTERS = 200;
/** Whoever gets more mends these first. */
export const FINDINGS = 500;
/** Quotations that are looked up; each is a search in a stored text. */
const QUOTATIONS = 2000;
/** A sentence of fewer words asserts nothing that could be looked up. */
const CLAIM_WORDS = 5;
/** Fewer words between quotation marks are a name or a term. */
const QUOTATION_WORDS = 4;

/**
 * Checks a report claim by claim.
 *
 * A **claim** is a sentence of five words or more in a paragraph or a list, that does not end with `?` or `:`. Not in
 * headings, tables, code and footnotes. It has its citation within it or right behind it. A citation behind the last full
 * stop of a paragraph is for all of it, and one in a line that ends with a colon for the list that follows. `[@own]` in
 * the place of a citation says that the author claims it.
 *
 * A **quotation** is four words or more between quotation marks, or a block of them. It must stand in one of the
 * works that its sentence cites, `…` and `[…]` left out; without a citation it is a claim without one, of whatever length.
 */
export async function checkReport(checking: Checking): Promise<ReportCheck> {
  const { sections } = readReport(checking.sections, new Set(checking.sources.keys()));
  const check = new Check(checking);
  check.outline(sections);
  for (const [index, section] of sections.entries()) await check.section(section, index);
  return check.result();
}

interface Place {
  readonly section: ReadSection;
  readonly index: number;
  readonly block: Block;
}

class Check {
  readonly #checking: Checking;
  readonly #findings: Finding[] = [];
  #more = false;
  #claims = 0;
  #quotations = 0;

  constructor(checking: Checking) {
    this.#checking = checking;
  }

  result(): ReportCheck {
    return { findings: this.#findings, more: this.#more, claims: this.#claims, quotations: this.#quotations };
  }

  /** Sections of the outline are found by their headings; of two with one heading, the first that is left. */
  outline(sections: readonly ReadSection[]): void {
    const left = sections.map(({ heading }, index) => ({ heading: normal(heading), index }));
    for (const { heading } of this.#checking.outline) {
      const at = left.findIndex((section) => section.heading === normal(heading));
      if (at !== -1) left.splice(at, 1);
      else
        this.#push({
          kind: 'missing_section',
          heading,
          section: undefined,
          offset: 0,
          excerpt: excerptOf(heading),
          todo: 'Write this section of the outline.',
        });
    }
    for (const [index, section] of sections.entries()) {
      const next = sections[index + 1];
      const holdsOthers = next !== undefined && next.level > section.level;
      const hasText = section.tokens.some(
        ({ type, content }, at) => isText(type, section.tokens[at - 1]?.type) && content.trim() !== '',
      );
      if (!hasText && !holdsOthers)
        this.#push({
          kind: 'empty_section',
          heading: section.heading,
          section: index,
          offset: 0,
          excerpt: '',
          todo: 'Write its text, or take it out of the outline.',
        });
    }
  }

  async section(section: ReadSection, index: number): Promise<void> {
    const blocks = blocksOf(section.tokens);
    const quoted = citationsOfQuotations(blocks);
    let before: Block | undefined;
    let introduced: readonly Citation[] = [];
    for (const [at, block] of blocks.entries()) {
      const place: Place = { section, index, block };
      this.#sources(place);
      const introduces = before !== undefined && /[:：]$/.test(before.text.replaceAll(MARK, '').trimEnd());
      if (block.first) introduced = introduces ? (before?.citations ?? []) : [];
      else if (!block.inList && block.kind !== 'quotation') introduced = [];
      if (block.kind === 'quotation') await this.#quoted(place, [...(quoted.get(at) ?? []), ...introduced]);
      else if (block.kind === 'text') await this.#text(place, block.inList ? introduced : []);
      before = block;
    }
  }

  #sources(place: Place): void {
    for (const { cites, source: written } of place.block.citations)
      for (const { key } of cites) {
        const source = this.#checking.sources.get(key);
        if (key !== OWN_KEY && !source)
          this.#add(
            'unknown_source',
            place,
            written,
            'Add this source, or cite another. If it is no citation, write a backslash before the @.',
          );
        if (source?.state === 'dropped')
          this.#add('dropped_source', place, written, 'Keep the source again, or cite another.');
      }
  }

  async #text(place: Place, introduced: readonly Citation[]): Promise<void> {
    const { sentences, behind } = sentencesOf(place.block.text);
    const { citations, noted } = place.block;
    const forAll = behind.filter((mark) => !noted.has(mark)).flatMap((mark) => citations[mark] ?? []);
    for (const sentence of sentences) {
      const own = sentence.marks.flatMap((mark) => citations[mark] ?? []);
      await this.#sentence(place, sentence, own.length > 0 ? own : [...forAll, ...introduced]);
    }
  }

  async #sentence(place: Place, sentence: Sentence, cited: readonly Citation[]): Promise<void> {
    const quoted = sentence.quotations.filter(({ text }) => wordsIn(text, QUOTATION_WORDS) >= QUOTATION_WORDS);
    const isClaim =
      !/[?？؟:：][\s"”’»」』)\]]*$/.test(sentence.text) && wordsIn(sentence.text, CLAIM_WORDS) >= CLAIM_WORDS;
    if (isClaim || quoted.length > 0) this.#claims += 1;
    if (cited.length === 0) {
      if (isClaim || quoted.length > 0) this.#uncited(place, sentence.text);
      return;
    }
    for (const { text } of quoted) await this.#quotation(place, text, keysOf(cited));
  }

  /** A paragraph of a block of quotation. One that names where it is from, `— Jane Doe [@doe]`, is no part of it. */
  async #quoted(place: Place, cited: readonly Citation[]): Promise<void> {
    const text = place.block.text
      .replaceAll(MARK, '')
      .trim()
      .replaceAll(/^["“„«»「『]|["”“»«」』]$/g, '');
    if (/^(?:[—–―]|--)/.test(text) || wordsIn(text, QUOTATION_WORDS) < QUOTATION_WORDS) return;
    this.#claims += 1;
    if (cited.length === 0) this.#uncited(place, text);
    else await this.#quotation(place, text, keysOf(cited));
  }

  #uncited(place: Place, text: string): void {
    const todo = 'Cite a source for it, [@key]. Write [@own] if it is your own conclusion.';
    this.#add('claim_without_citation', place, text, todo);
  }

  async #quotation(place: Place, text: string, keys: readonly string[]): Promise<void> {
    const known = keys.filter((key) => this.#checking.sources.has(key));
    // The author's own words, or a source that is unknown, which is said already.
    if (known.length === 0 || this.#quotations >= QUOTATIONS) return;
    this.#quotations += 1;
    if (await this.#stands(passagesOf(text.replaceAll(MARK, '')), known)) return;
    const hasText = known.some((key) => this.#checking.sources.get(key)?.hasPassage === true);
    const todo = hasText
      ? 'Quote the source letter by letter, or take the quotation marks away.'
      : 'The source has no text to compare it with: add one that has, or take the quotation marks away.';
    this.#add('quote_not_found', place, text, todo);
  }

  /** Whether all passages stand in one of the works. */
  async #stands(passages: readonly string[], keys: readonly string[]): Promise<boolean> {
    for (const key of keys) {
      if (this.#checking.sources.get(key)?.hasPassage !== true) continue;
      const found = await Promise.all(passages.map((passage) => this.#checking.standsIn(key, passage)));
      if (found.every(Boolean)) return true;
    }
    return false;
  }

  #add(kind: FindingKind, { section, index, block }: Place, text: string, todo: string): void {
    const offset = this.#isFull() ? 0 : offsetOf(section, block, text);
    this.#push({ kind, heading: section.heading, section: index, offset, excerpt: excerptOf(text), todo });
  }

  #push(finding: Finding): void {
    if (this.#isFull()) this.#more = true;
    else this.#findings.push(finding);
  }

  #isFull(): boolean {
    return this.#findings.length >= FINDINGS;
  }
}

/** Of each paragraph of a block of quotation, the citations of the whole block; by its place among the blocks. */
function citationsOfQuotations(blocks: readonly Block[]): Map<number, readonly Citation[]> {
  const all = new Map<number, readonly Citation[]>();
  let current: Citation[] = [];
  for (const [index, { kind, first, citations }] of blocks.entries()) {
    if (kind !== 'quotation') continue;
    if (first || blocks[index - 1]?.kind !== 'quotation') current = [];
    current.push(...citations);
    all.set(index, current);
  }
  return all;
}

function isText(type: string, before: string | undefined): boolean {
  return (type === 'inline' && before !== 'heading_open') || type === 'fence' || type === 'code_block';
}

function keysOf(citations: readonly Citation[]): string[] {
  return [...new Set(citations.flatMap(({ cites }) => cites.map(({ key }) => key)))];
}

function normal(heading: string): string {
  return heading.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim();
}

/** Where the text stands, if it stands there as it is; what is written with marks of Markdown within it does not. */
function offsetOf({ markdown }: ReadSection, { line }: Block, text: string): number {
  const begin = lineStart(markdown, line);
  for (const length of [60, 20, 8]) {
    const at = markdown.indexOf(text.slice(0, length), begin);
    if (at !== -1 && at < begin + 20_000) return at;
  }
  return begin;
}

function lineStart(text: string, line: number): number {
  let start = 0;
  for (let left = line; left > 0; left -= 1) start = text.indexOf('\n', start) + 1;
  return start;
}

function excerptOf(text: string): string {
  const line = text.replaceAll(MARK, '').replaceAll(/\s+/g, ' ').trim();
  if (line.length <= EXCERPT_CHARACTERS) return line;
  return `${line
    .slice(0, EXCERPT_CHARACTERS - 1)
    .toWellFormed()
    .replace(/\uFFFD$/, '')}…`;
}

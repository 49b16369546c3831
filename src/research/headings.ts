import type { OutlineEntry, Part } from './model.ts';

/** Sections of one text; headings after these begin no new one. */
const MAX_SECTIONS = 2000;
const MAX_LABEL = 200;

/**
 * The sections of a Markdown text: each heading of the text (`#` at the beginning of a line, outside of code) begins one.
 *
 * @returns at least one part; the first has no label where the text does not begin with a heading
 */
export function sectionsOfMarkdown(markdown: string): { parts: Part[]; outline: OutlineEntry[] } {
  const parts: Part[] = [];
  const outline: OutlineEntry[] = [];
  let fence: string | undefined;
  let start = 0;
  while (start < markdown.length && parts.length < MAX_SECTIONS) {
    const end = markdown.indexOf('\n', start);
    const line = markdown.slice(start, end < 0 ? markdown.length : end);
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined) fence = mark;
    // A fence ends with as many of the same characters, and nothing behind them.
    else if (mark?.startsWith(fence) === true && line.trim() === mark) fence = undefined;
    const [, marks = '', words = ''] = fence === undefined ? (/^(#{1,6}) +(.*)$/.exec(line) ?? []) : [];
    if (marks !== '') {
      const label = plain(words);
      parts.push({ label, start });
      if (label !== '') outline.push({ title: label, level: marks.length, part: parts.length });
    } else if (parts.length === 0 && line.trim() !== '') {
      parts.push({ label: '', start: 0 });
    }
    if (end < 0) break;
    start = end + 1;
  }
  return { parts: parts.length > 0 ? parts : [{ label: '', start: 0 }], outline };
}

/** A heading without the marks of Markdown: of a link its words, of emphasis what is emphasised. */
function plain(words: string): string {
  return words
    .replace(/ +#+ *$/, '')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/\\([!-/:-@[-`{-~])/g, '$1')
    .replaceAll(/(?<![\p{L}\p{N}])[*_`]{1,3}|[*_`]{1,3}(?![\p{L}\p{N}])/gu, '')
    .trim()
    .slice(0, MAX_LABEL);
}

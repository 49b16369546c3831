/** Text that Markdown must not take for more than text. Only what would be is escaped: people read it as it is. */
export function escapeText(text: string): string {
  if (!/[\\`*_\]<&~$]|\[\^/.test(text)) return text;
  return text
    .replaceAll(/\\(?=[!-/:-@[-`{-~])/g, String.raw`\\`)
    .replaceAll('`', '\\`')
    .replaceAll(/\*(?=\S)|(?<=\S)\*/g, String.raw`\*`)
    .replaceAll(/(?<![\p{L}\p{N}_])_|_(?![\p{L}\p{N}_])/gu, String.raw`\_`)
    .replaceAll(/\[(?=\^)/g, String.raw`\[`)
    .replaceAll(/\](?=[([:])/g, String.raw`\]`)
    .replaceAll(/<(?=[a-z/!?])/gi, String.raw`\<`)
    .replaceAll(/&(?=#?\w{1,31};)/g, '&amp;')
    .replaceAll('~~', String.raw`\~~`)
    .replaceAll(/\$(?=[^\s$][^$]*\$)(?![^$]*\s\$)(?![^$]*\$\d)/g, String.raw`\$`);
}

/** What at the beginning of a line would make it a heading, a list, a quotation, code or a rule. */
export function escapeLineStart(line: string): string {
  const ordered = /^(\d{1,9})([.)])(?=\s|$)/.exec(line);
  if (ordered) return `${ordered[1]}\\${line.slice((ordered[1] ?? '').length)}`;
  return /^(?:#{1,6}(?:\s|$)|[-+*](?:\s|$)|>|~~~|=+\s*$|-{2,}\s*$|(?:[-*_]\s*){3,}$)/.test(line) ? `\\${line}` : line;
}

/** An address within parentheses. */
export function escapeAddress(address: string): string {
  return address
    .replaceAll(/\s/g, '%20')
    .replaceAll('<', '%3C')
    .replaceAll('>', '%3E')
    .replaceAll('(', '%28')
    .replaceAll(')', '%29')
    .replaceAll('\\', '%5C');
}

/** Code on one line, between as many backticks as it needs. */
export function codeSpan(text: string): string {
  const code = text.replaceAll(/\s+/g, ' ').trim();
  if (code === '') return '';
  const fence = '`'.repeat(longestRun(code) + 1);
  const space = code.startsWith('`') || code.endsWith('`') ? ' ' : '';
  return `${fence}${space}${code}${space}${fence}`;
}

/** Code on lines of its own. @param language a word, or empty */
export function codeBlock(text: string, language: string): string {
  const code = text.replace(/^(?:[ \t]*\n)+/, '').trimEnd();
  if (code === '') return '';
  const fence = '`'.repeat(Math.max(3, longestRun(code) + 1));
  return `${fence}${language}\n${code}\n${fence}`;
}

/** How many backticks stand beside one another at most. */
function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}

const SUPERSCRIPTS = signs('0123456789+-=()ni', '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ');
const SUBSCRIPTS = signs('0123456789+-=()', '₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎');

function signs(plain: string, shown: string): ReadonlyMap<string, string> {
  const characters = Array.from(shown);
  return new Map(Array.from(plain, (character, index) => [character, characters[index] ?? character]));
}

/** `2` above the line as `²`; what Unicode has not all of, with `^` or `_` before it. Endings of ordinals stay as they are. */
export function shifted(text: string, where: 'sup' | 'sub'): string {
  const trimmed = text.trim();
  if (trimmed === '' || (where === 'sup' && /^(?:st|nd|rd|th|er|e|re|o|a|º|ª|™|®|©|tm|\*+|[†‡])$/i.test(trimmed)))
    return trimmed;
  const table = where === 'sup' ? SUPERSCRIPTS : SUBSCRIPTS;
  const shiftedSigns = Array.from(trimmed.replaceAll('−', '-'), (character) => table.get(character));
  if (shiftedSigns.every((sign) => sign !== undefined)) return shiftedSigns.join('');
  const mark = where === 'sup' ? '^' : String.raw`\_`;
  return `${mark}${/^[\p{L}\p{N}]$/u.test(trimmed) ? trimmed : `(${trimmed})`}`;
}

/** A formula in a line, or on lines of its own. */
export function formula(tex: string, kind: 'inline' | 'block'): string {
  const line = tex.trim();
  if (line === '') return '';
  if (kind === 'block') return `$$\n${line.replaceAll(/\n\s*\n/g, '\n').replaceAll('$$', String.raw`\$\$`)}\n$$`;
  return `$${line.replaceAll(/\s+/g, ' ').replaceAll(/(?<!\\)\$/g, String.raw`\$`)}$`;
}

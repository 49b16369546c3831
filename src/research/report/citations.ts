import type { MarkdownIt, StateInline, Token } from 'markdown-it';

import type { Cite } from '../references/format.ts';
import { readLocator } from '../references/locators.ts';
import { CITATION_CHARACTERS, CITES } from './model.ts';
import type { Citation } from './model.ts';

/** Under which the environment of a parse has the keys that are cited without brackets too: a set. */
export const KNOWN_KEYS = 'keys';

const CITATION = 'citation';

/** The citation that a token is, if it is one. */
export function citationOf({ type, meta }: Token): Citation | undefined {
  return type === CITATION ? (meta?.['citation'] as Citation) : undefined;
}

const OPEN = 0x5b;
const AT = 0x40;
/** Keys as Pandoc has them; ours are of lower case, but a wrong one must be found, not shown. */
const KEY = /@(\{[^{}\s]{1,200}\}|[\p{L}\p{N}_](?:[\p{L}\p{N}_]|[:.#$%&+?<>~/-](?=[\p{L}\p{N}_])){0,200})/uy;

/**
 * Teaches Pandoc's citations to a parser: `[@key]`, `[see @a, pp. 3-5; @b]`, `[-@key]`, and `@key` or `@key [p. 4]` in the
 * text. The latter are citations only of a key that is known, because anybody may be mentioned with an `@`.
 *
 * None is what stands in code or behind a backslash, the text of a link, a footnote's mark, an address of e-mail, and
 * brackets without a key.
 */
export function citations(parser: MarkdownIt): void {
  parser.inline.ruler.before('link', CITATION, (state, silent) => {
    const code = state.src.codePointAt(state.pos);
    const citation = code === OPEN ? bracketed(state) : code === AT ? inText(state) : undefined;
    if (!citation) return false;
    if (!silent) {
      const token = state.push(CITATION, '', 0);
      token.content = citation.source;
      token.meta = { citation };
    }
    state.pos += citation.source.length;
    return true;
  });
}

function bracketed(state: StateInline): Citation | undefined {
  const { src, pos, posMax, md } = state;
  const end = closing(src, pos, posMax);
  if (end === undefined || src[end + 1] === '(' || src[pos + 1] === '^') return undefined;
  const definitions = carried(state)['references'] as Record<string, unknown> | undefined;
  if (definitions && md.utils.normalizeReference(src.slice(pos + 1, end)) in definitions) return undefined;
  const cites = citesOf(src.slice(pos + 1, end));
  return cites && { source: src.slice(pos, end + 1), way: 'parentheses', cites };
}

/** What a parse was begun with, and what was found since. */
function carried(state: StateInline): Record<string, unknown> {
  return state.env;
}

/** Where the bracket is closed that opens at `from`. None of those that hold another or code. */
function closing(src: string, from: number, posMax: number): number | undefined {
  const last = Math.min(posMax, from + CITATION_CHARACTERS);
  for (let at = from + 1; at < last; at += 1) {
    const sign = src[at];
    if (sign === ']') return at;
    if (sign === '[' || sign === '`') return undefined;
    if (sign === '\\') at += 1;
  }
  return undefined;
}

/** The works between two brackets; undefined if one of them is no citation. What has no key belongs to its neighbour. */
function citesOf(text: string): Cite[] | undefined {
  if (!text.includes('@')) return undefined;
  const cites: Cite[] = [];
  let before = '';
  for (const piece of text.split(';')) {
    const found = keyIn(piece);
    const last = cites.at(-1);
    if (found) {
      const { locator, suffix } = readLocator(plain(piece.slice(found.end)));
      const prefix = plain(before + piece.slice(0, found.begin)).trim();
      cites.push({ key: found.key, locator, prefix, suffix, withoutAuthor: found.isBare });
      before = '';
    } else if (last) cites[cites.length - 1] = { ...last, suffix: `${last.suffix}; ${plain(piece).trim()}` };
    else before = `${before}${piece};`;
  }
  return cites.length === 0 || cites.length > CITES ? undefined : cites;
}

function keyIn(piece: string): { key: string; begin: number; end: number; isBare: boolean } | undefined {
  for (let at = piece.indexOf('@'); at !== -1; at = piece.indexOf('@', at + 1)) {
    const key = keyAt(piece, at);
    if (key === undefined) continue;
    const isBare = piece[at - 1] === '-' && !/[\p{L}\p{N}]/u.test(piece[at - 2] ?? '');
    return { key: key.replaceAll(/[{}]/g, ''), begin: isBare ? at - 1 : at, end: at + 1 + key.length, isBare };
  }
  return undefined;
}

/** The key behind an `@`, unless that stands in a word or behind a backslash. */
function keyAt(text: string, at: number): string | undefined {
  const before = text.slice(Math.max(0, at - 2), at);
  if (/[\p{L}\p{N}_.@/\\]$/u.test(before)) return undefined;
  KEY.lastIndex = at;
  return KEY.exec(text)?.[1];
}

function plain(text: string): string {
  return text.replaceAll(/\\([!-/:-@[-`{-~])/g, '$1').replaceAll(/\s+/g, ' ');
}

function inText(state: StateInline): Citation | undefined {
  const { src, pos, posMax } = state;
  const keys = carried(state)[KNOWN_KEYS] as ReadonlySet<string>;
  // Behind a bracket it is one that somebody escaped, or a link.
  const key = keys.size === 0 || /[[^]/.test(src[pos - 1] ?? '') ? undefined : keyAt(src, pos);
  if (key === undefined || !keys.has(key)) return undefined;
  const end = pos + 1 + key.length;
  const [, space = ''] = /^( ?)\[/.exec(src.slice(end, end + 2)) ?? [];
  const open = end + space.length;
  const close = src.codePointAt(open) === OPEN ? closing(src, open, posMax) : undefined;
  const inBrackets = close === undefined || src[close + 1] === '(' ? '' : src.slice(open + 1, close);
  const { locator } = readLocator(`, ${plain(inBrackets)}`);
  const cite: Cite = { key, locator, prefix: '', suffix: '', withoutAuthor: false };
  const source = src.slice(pos, locator === undefined || close === undefined ? end : close + 1);
  return { source, way: 'text', cites: [cite] };
}

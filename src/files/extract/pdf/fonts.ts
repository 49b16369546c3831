import { blankOutlines } from './cff.ts';

/** Where a font descriptor has a font program (ISO 32000 §9.9). */
export const FONT_FILES = ['FontFile', 'FontFile2', 'FontFile3'] as const;

/** Characters that a font program may map: those of four planes of Unicode. */
const MAPPED_CHARACTERS = 0x4_00_00;
/** Tables of one tag that are looked at, and parts of one table; a font has one and a few. */
const TABLES = 16;
const SUBTABLES = 32;
/** Bytes of a Type 1 program in which its encoding stands; what follows is encrypted. */
const HEADER_BYTES = 64 * 1024;

/** What a font program tells of text. */
export type FontProgram =
  /** A program without outlines. They say nothing of text, and their subroutines may call each other for hours. */
  | { readonly kind: 'program'; readonly bytes: Uint8Array }
  /** Only its encoding: names of glyphs by their codes, or the name of one that everybody knows. */
  | { readonly kind: 'encoding'; readonly encoding: ReadonlyMap<number, string> | string | undefined }
  /** One that pdf.js must not see. */
  | { readonly kind: 'none' };

/** Takes out of a font program what is needed for text. @param program is not changed */
export function textualProgram(program: Uint8Array): FontProgram {
  const tag = String.fromCharCode(...program.subarray(0, 4));
  if (tag.startsWith('%!') || tag.startsWith('\u0080\u0001'))
    return { kind: 'encoding', encoding: typeOneEncoding(program) };
  if (['\0\u0001\0\0', 'true', 'ttcf', 'OTTO'].includes(tag)) return textualTables(program);
  // As pdf.js recognises CFF (Adobe Technical Note 5176, §6).
  const [major = 0, , , offsetSize = 0] = program;
  if (major < 1 || offsetSize < 1 || offsetSize > 4) return { kind: 'none' };
  const bytes = program.slice();
  return blankOutlines(bytes) ? { kind: 'program', bytes } : { kind: 'none' };
}

/** The encoding that a Type 1 program brings (Adobe Type 1 Font Format, §2.2). */
function typeOneEncoding(program: Uint8Array): ReadonlyMap<number, string> | string | undefined {
  const header = new TextDecoder('latin1').decode(program.subarray(0, HEADER_BYTES)).split('eexec', 1)[0] ?? '';
  const [definition, kind] = /\/Encoding\s+(\w+)/.exec(header) ?? [];
  if (definition === undefined || kind === undefined || !/^\d+$/.test(kind)) return kind;
  const entries = header
    .slice(header.indexOf(definition))
    .matchAll(/\bdup\s+(\d{1,3})\s*\/([^\s/[\](){}<>%]{1,100})\s+put\b/g);
  return new Map(Array.from(entries, ([, code, name]) => [Number(code), name ?? '']));
}

function textualTables(program: Uint8Array): FontProgram {
  if (countMappedCharacters(program) > MAPPED_CHARACTERS) return { kind: 'none' };
  const tables = tablesOf(program, 'CFF ');
  if (tables === undefined) return { kind: 'none' };
  if (tables.length === 0) return { kind: 'program', bytes: program };
  const bytes = program.slice();
  return tables.every((offset) => blankOutlines(bytes.subarray(offset)))
    ? { kind: 'program', bytes }
    : { kind: 'none' };
}

/**
 * Where the tables of a tag begin in a TrueType or OpenType program, wherever the tag stands: a collection has
 * several directories, and a parser may find what it should not.
 *
 * @returns undefined where there are too many
 */
function tablesOf(program: Uint8Array, tag: string): number[] | undefined {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const tables = new Set<number>();
  const first = tag.charCodeAt(0);
  for (let at = program.indexOf(first); at !== -1; at = program.indexOf(first, at + 1)) {
    if (at + 16 > program.length || String.fromCharCode(...program.subarray(at, at + 4)) !== tag) continue;
    const offset = view.getUint32(at + 8);
    if (offset < program.length) tables.add(offset);
    if (tables.size > TABLES) return undefined;
  }
  return [...tables];
}

/**
 * How many characters the tables of a TrueType or OpenType program say they map (OpenType, `cmap`). A few
 * bytes can declare all of 2^32.
 */
export function countMappedCharacters(program: Uint8Array): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let count = 0;
  const tables = tablesOf(program, 'cmap');
  if (tables === undefined) return Infinity;
  for (const table of tables) {
    if (table + 4 > program.length) continue;
    const subtables = view.getUint16(table + 2);
    if (subtables > SUBTABLES) return Infinity;
    for (let index = 0; index < subtables && table + 12 + index * 8 <= program.length; index++)
      count += charactersOf(view, table + view.getUint32(table + 8 + index * 8));
  }
  return count;
}

function charactersOf(view: DataView, at: number): number {
  const available = view.byteLength - at;
  if (available < 16) return 0;
  switch (view.getUint16(at)) {
    case 2: {
      // 256 keys, then subheaders of eight bytes with their number of entries as the second field.
      let most = 0;
      for (let from = at + 518; from + 4 <= view.byteLength && from < at + 518 + 8 * 0x20_00; from += 8)
        most = Math.max(most, view.getUint16(from + 2));
      return 256 * most;
    }
    case 4: {
      const segments = Math.min(view.getUint16(at + 6) >> 1, Math.floor((available - 16) / 4));
      let count = 0;
      for (let index = 0; index < segments; index++) {
        const last = view.getUint16(at + 14 + 2 * index);
        const first = view.getUint16(at + 16 + 2 * (view.getUint16(at + 6) >> 1) + 2 * index);
        count += Math.max(0, last - first + 1);
      }
      return count;
    }
    case 12: {
      const groups = Math.min(view.getUint32(at + 12), Math.floor((available - 16) / 12));
      if (groups > MAPPED_CHARACTERS) return Infinity;
      let count = 0;
      for (let index = 0; index < groups; index++) {
        const group = at + 16 + 12 * index;
        count += Math.max(0, view.getUint32(group + 4) - view.getUint32(group) + 1);
      }
      return count;
    }
    default:
      return 0;
  }
}

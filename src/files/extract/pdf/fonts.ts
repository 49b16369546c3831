/** Where a font descriptor has a font program (ISO 32000 §9.9). */
export const FONT_FILES = ['FontFile', 'FontFile2', 'FontFile3'] as const;

/** `cmap`, the tag of the table that maps characters to glyphs. */
const CMAP = [0x63, 0x6d, 0x61, 0x70];

/**
 * How many characters the tables of a TrueType or OpenType program say they map (OpenType, `cmap`). A few
 * bytes can declare all of 2^32. Of a Type 1 program it is 0.
 */
export function countMappedCharacters(program: Uint8Array): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  let count = 0;
  // Wherever the tag stands: a collection has several directories, and a parser may find what it should not.
  for (let at = program.indexOf(CMAP[0] ?? 0); at !== -1; at = program.indexOf(CMAP[0] ?? 0, at + 1)) {
    if (at + 16 > program.length || !CMAP.every((byte, index) => program[at + index] === byte)) continue;
    const table = view.getUint32(at + 8);
    if (table + 4 > program.length) continue;
    const subtables = view.getUint16(table + 2);
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

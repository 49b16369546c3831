import { RESERVED } from '../words.ts';
import type { Column, ColumnType } from '../model.ts';

/** Characters of a column's name. */
const LONGEST = 60;
/** Characters of what the file calls it, where that is told. */
const LONGEST_HEADER = 200;

/**
 * Names that SQL takes without quotes, each once (SQLite does not tell `A` from `a`). A header without a letter or a digit
 * becomes `column_3`.
 */
export function columnsOf(headers: readonly string[], types: readonly ColumnType[]): Column[] {
  const taken = new Set<string>();
  return types.map((type, index) => {
    const header = headers[index] ?? '';
    const wanted = plainName(header, `column_${index + 1}`);
    let name = wanted;
    for (let number = 2; taken.has(name.toLowerCase()); number++) name = `${wanted.slice(0, LONGEST)}_${number}`;
    taken.add(name.toLowerCase());
    return { name, type, ...(name === header ? {} : { header: header.slice(0, LONGEST_HEADER) }) };
  });
}

/** The name of a table for a file. */
export function tableNameOf(path: string): string {
  const stem = (path.split('/').at(-1) ?? '').replace(/\.[^.]*$/, '');
  const plain = stem
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{Mark}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 40)
    .replace(/_+$/, '');
  if (plain === '') return 'table_1';
  return /^[a-z]/.test(plain) && !RESERVED.has(plain) && !/^sqlite_|_bad_rows$/.test(plain)
    ? plain
    : `t_${plain}`.replace(/_bad_rows$/, '');
}

function plainName(header: string, otherwise: string): string {
  const plain = header
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N}_]+/gu, '_')
    .replaceAll(/^_+|_+$/g, '');
  const name = Array.from(plain).slice(0, LONGEST).join('');
  if (!/[\p{L}\p{N}]/u.test(name)) return otherwise;
  if (RESERVED.has(name.toLowerCase())) return `${name}_`;
  return /^[\p{N}\p{M}]/u.test(name) ? `_${name}` : name;
}

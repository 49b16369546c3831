/** A table of Markdown: its lines, the columns first. */
export type Table = readonly string[];

const isRow = (line: string): boolean => line.startsWith('|');
const firstColumn = (line: string): string => line.split('|')[1]?.trim() ?? '';

/** The tables of a text, wherever they stand in it. */
export function tablesIn(text: string): Table[] {
  const tables: string[][] = [];
  let open = false;
  for (const line of text.split('\n')) {
    if (isRow(line) && !open) tables.push([]);
    open = isRow(line);
    if (open) tables.at(-1)?.push(line);
  }
  return tables;
}

/** The page with its tables in place of which there is one with the same first column. */
export function replaceTables(page: string, tables: readonly Table[]): string {
  const lines: string[] = [];
  let replaced = false;
  let open = false;
  for (const line of page.split('\n')) {
    if (isRow(line) && !open) {
      const table = tables.find(([columns = '']) => firstColumn(columns) === firstColumn(line));
      replaced = table !== undefined;
      if (table) lines.push(...table);
    }
    open = isRow(line);
    if (!open || !replaced) lines.push(line);
  }
  return lines.join('\n');
}

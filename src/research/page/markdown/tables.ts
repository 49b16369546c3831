import { isElement } from '../dom.ts';
import type { PageElement } from '../dom.ts';
import { formulaKind } from '../formulas.ts';

/** Cells of a table beyond which spans make no more. */
const CELLS = 20_000;
const COLUMNS = 100;
/** Rows that one cell may cover; its text stands in each. */
const SPAN = 100;

/** The rows of a table without those of tables in it. */
export function rowsOf(table: PageElement): PageElement[] {
  return table.children.flatMap((child) => {
    if (child.localName === 'tr') return [child];
    return ['tbody', 'tfoot', 'thead'].includes(child.localName) ? rowsOf(child) : [];
  });
}

function cellsOf(row: PageElement): PageElement[] {
  return row.children.filter(({ localName }) => localName === 'td' || localName === 'th');
}

/** Whether a table only puts things in their places: its cells are then parts of the text. */
export function isLayout(table: PageElement, rows: readonly PageElement[]): boolean {
  const role = table.getAttribute('role');
  if (role === 'presentation' || role === 'none' || /\bltx_eq/.test(table.className)) return true;
  const cells = rows.map(cellsOf);
  const widest = cells.reduce((most, row) => Math.max(most, row.length), 0);
  if (widest <= 1) return true;
  const all = cells.flat();
  if (widest > COLUMNS) return true;
  if (all.some((cell) => cell.localName === 'th')) return all.some(holdsTable);
  return all.some((cell) => holdsTable(cell) || (rows.length === 1 && holdsBlocks(cell)));
}

function holdsTable(cell: PageElement): boolean {
  return cell.getElementsByTagName('table').length > 0 || cell.getElementsByTagName('pre').length > 0;
}

function holdsBlocks(cell: PageElement): boolean {
  const isBlock = (element: PageElement) =>
    /^(?:h[1-6]|p|ul|ol|blockquote|div)$/.test(element.localName) || formulaKind(element) === 'block';
  return cell.getElementsByTagName('*').some(isBlock);
}

/**
 * A table as GitHub's Markdown has them: what a cell says of several rows stands in each, and there is a row of
 * headings, empty if the table has none.
 *
 * @param write what a cell says, on one line and without a bar
 */
export function writeTable(rows: readonly PageElement[], write: (cell: PageElement) => string): string {
  const grid: string[][] = [];
  /** By column: what goes on below, and for how many rows. */
  const below: ({ text: string; rows: number } | undefined)[] = [];
  let size = 0;
  for (const row of rows) {
    const line: string[] = [];
    const goOn = () => {
      for (let from = below[line.length]; from; from = below[line.length]) {
        from.rows -= 1;
        if (from.rows === 0) below[line.length] = undefined;
        line.push(from.text);
      }
    };
    for (const cell of cellsOf(row)) {
      goOn();
      const text = write(cell);
      const width = span(cell, 'colspan', size > CELLS ? 1 : COLUMNS - line.length);
      const height = span(cell, 'rowspan', size > CELLS ? 1 : SPAN);
      for (let column = 0; column < width; column += 1) {
        const said = column === 0 ? text : '';
        if (height > 1) below[line.length] = { text: said, rows: height - 1 };
        line.push(said);
      }
    }
    goOn();
    size += line.length;
    if (line.some((text) => text !== '')) grid.push(line);
  }
  const width = grid.reduce((most, line) => Math.max(most, line.length), 0);
  if (width === 0) return '';
  const [first] = rows;
  const headed = first !== undefined && (first.parentNode?.localName === 'thead' || isHeading(first));
  const [head, ...body] = headed ? grid : [[], ...grid];
  const bars = (line: readonly string[]) =>
    `| ${Array.from({ length: width }, (_, index) => line[index] ?? '').join(' | ')} |`;
  return [bars(head ?? []), `|${' --- |'.repeat(width)}`, ...body.map(bars)].join('\n');
}

function isHeading(row: PageElement): boolean {
  return cellsOf(row).every(
    (cell) =>
      cell.localName === 'th' ||
      cell.childNodes.every((node) => !isElement(node) && (node.textContent ?? '').trim() === ''),
  );
}

/** At most `most`, at least 1. */
function span(cell: PageElement, name: 'colspan' | 'rowspan', most: number): number {
  const value = Number.parseInt(cell.getAttribute(name) ?? '1', 10);
  return Math.max(1, Math.min(Number.isNaN(value) ? 1 : value, most));
}

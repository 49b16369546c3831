import { cut, oneLine } from '../normalise.ts';
import { commonType } from './cell-types.ts';
import type { CellType } from './cell-types.ts';
import type { TableColumn } from './model.ts';

/** Columns that are told of. */
export const MAX_COLUMNS = 1000;
/** Code units of a column's name. */
const NAME_CHARACTERS = 200;
/** Code units of a cell that are shown. */
const CELL_CHARACTERS = 200;

/** Counts what the cells of each column are. */
export class ColumnCounts {
  readonly #columns: { readonly types: Set<CellType>; filled: number }[] = [];

  add(index: number, type: CellType): void {
    if (index >= MAX_COLUMNS) return;
    while (this.#columns.length <= index) this.#columns.push({ types: new Set(), filled: 0 });
    const column = this.#columns[index];
    if (!column || type === 'empty') return;
    column.types.add(type);
    column.filled += 1;
  }

  /** @param rows there are in all */
  columns(names: readonly string[], rows: number): TableColumn[] {
    const count = Math.min(MAX_COLUMNS, Math.max(names.length, this.#columns.length));
    return Array.from({ length: count }, (_, index) => {
      const name = oneLine((names[index] ?? '').slice(0, 10 * NAME_CHARACTERS), NAME_CHARACTERS);
      const { types, filled } = this.#columns[index] ?? { types: new Set<CellType>(), filled: 0 };
      return { name: name === '' ? `column ${index + 1}` : name, type: commonType(types), empty: rows - filled };
    });
  }
}

/** Text of a cell as it is shown. */
export function shortened(text: string): string {
  return text.length <= CELL_CHARACTERS ? text : `${cut(text, CELL_CHARACTERS - 1)}…`;
}

import { faint, heading, MARKS, pad, strong } from '../terminal.ts';
import { median } from './rounds.ts';

/** Milliseconds of one search in the small workspace and in the large one. */
export interface SearchRow {
  readonly kind: string;
  readonly few: number;
  readonly many: number;
}

/** How much longer the median search of ten times as many sources may take. */
const MOST = 2;

const ratioOf = (rows: readonly SearchRow[]) =>
  median(rows.map(({ many }) => many)) / median(rows.map(({ few }) => few));

export function isFastEnough(rows: readonly SearchRow[]): boolean {
  return ratioOf(rows) <= MOST;
}

/** The whole report, laid out for a terminal. */
export function renderSearches(rows: readonly SearchRow[], few: number, many: number): string {
  const line = (title: string, of: readonly SearchRow[]) => {
    const cells = [
      median(of.map((row) => row.few)),
      median(of.map((row) => row.many)),
      Math.max(...of.map((row) => row.many)),
    ];
    return `  ${pad(title, 24)}${String(of.length).padStart(4)}${cells.map((cell) => `${cell.toFixed(2)} ms`.padStart(12)).join('')}${ratioOf(of).toFixed(2).padStart(8)}`;
  };
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  const number = (count: number) => count.toLocaleString('en');
  return [
    heading('Search', `medians of ${rows.length} queries, ${number(few)} and ${number(many)} sources`),
    faint(
      `  ${pad('', 24)}${''.padStart(4)}${[number(few), number(many), 'slowest'].map((title) => title.padStart(12)).join('')}${'ratio'.padStart(8)}`,
    ),
    ...kinds.map((kind) =>
      line(
        kind,
        rows.filter((row) => row.kind === kind),
      ),
    ),
    strong(line('all', rows)),
    `  ${isFastEnough(rows) ? MARKS.done() : MARKS.fault()} ${faint(`at most ${MOST}`)}`,
    '',
  ].join('\n');
}

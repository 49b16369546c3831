import { describeTable } from './extract/tables/describe-table.ts';
import type { TableColumn, TableSummary } from './extract/tables/model.ts';

/** What one `file_read` may spend on it: beyond this the counts are of the beginning, and it says so. */
const LIMITS = { bytes: 8_000_000, milliseconds: 3000 } as const;
/** UTF-16 code units. */
const MAX_WORDS = 4000;

/** What a file of data holds, in a few words: its rows, its columns and their types. Undefined for other files. */
export async function tableWords(stream: ReadableStream<Uint8Array>, type: string): Promise<string | undefined> {
  const summary = await describeTable(stream, type, { head: 0, limits: LIMITS });
  if (!summary) return undefined;
  const words = wordsOf(summary);
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)}…` : words;
}

function wordsOf({ format, columns, rows, more, badRows, delimiter, schema }: TableSummary): string {
  return [
    `${format.toUpperCase()}: ${more ? 'at least ' : ''}${counted(rows, 'row')}, ${counted(columns.length, 'column')}`,
    ...(delimiter === undefined || delimiter === ',' ? [] : [`between cells: ${JSON.stringify(delimiter)}`]),
    ...(badRows === 0 ? [] : [`rows that do not fit: ${badRows}`]),
    ...(schema === undefined ? [] : [`schema: ${schema}`]),
    ...(columns.length === 0 ? [] : [`columns: ${columns.map(columnWords).join('; ')}`]),
  ].join('\n');
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

const columnWords = ({ name, type, empty }: TableColumn) => `${name} ${type}${empty === 0 ? '' : ` (${empty} empty)`}`;

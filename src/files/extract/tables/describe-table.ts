import { decodedStream } from '../decode.ts';
import type { StreamProgress } from '../decode.ts';
import { linesOf } from '../lines.ts';
import type { Line } from '../lines.ts';
import { Stopped } from '../model.ts';
import { Pace } from '../pace.ts';
import { CsvTable } from './csv-table.ts';
import { describeJson, JsonLinesTable, LINE_CHARACTERS } from './json-table.ts';
import { TABLE_LIMITS } from './model.ts';
import type { TableLimits, TableSummary } from './model.ts';

export interface TableOptions {
  /** Rows in `head`; 10 by default. */
  readonly head?: number;
  /** Those that are other than {@link TABLE_LIMITS}. */
  readonly limits?: Partial<TableLimits>;
}

/**
 * Tells what a file of CSV, TSV, JSON or JSON Lines holds, with flat memory but for JSON.
 *
 * @param stream is read as far as needed and then cancelled; that it breaks off is the caller's to catch
 * @param type media type; parameters are ignored
 * @returns undefined for other types, for JSON that is malformed or too large, and where there is nothing
 */
export async function describeTable(
  stream: ReadableStream<Uint8Array>,
  type: string,
  options: TableOptions = {},
): Promise<TableSummary | undefined> {
  const limits = { ...TABLE_LIMITS, ...options.limits };
  const head = options.head ?? 10;
  const progress: StreamProgress = { more: false };
  const pace = new Pace(limits.milliseconds);
  const format = formatOf(type.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  if (format === undefined) {
    await stream.cancel();
    return undefined;
  }
  if (format === 'json') {
    const pieces: string[] = [];
    try {
      for await (const piece of decodedStream(stream, limits.jsonBytes, pace, progress)) pieces.push(piece);
    } catch (thrown) {
      if (thrown instanceof Stopped) return undefined;
      throw thrown;
    }
    return progress.more ? undefined : describeJson(pieces.join(''), head);
  }
  const table = format === 'jsonl' ? new JsonLinesTable(head) : new CsvTable(format, head);
  try {
    const pieces = decodedStream(stream, limits.bytes, pace, progress);
    if (table instanceof JsonLinesTable) await readLines(table, linesOf(pieces, LINE_CHARACTERS), progress);
    else for await (const piece of pieces) table.write(piece);
  } catch (thrown) {
    if (!(thrown instanceof Stopped)) throw thrown;
    progress.more = true;
  }
  return table.summary(progress.more);
}

async function readLines(table: JsonLinesTable, lines: AsyncIterable<Line>, progress: StreamProgress): Promise<void> {
  let held: Line | undefined;
  for await (const line of lines) {
    if (held) table.line(held);
    held = line;
  }
  // Where there is more, the last line is only the beginning of one.
  if (held && !progress.more) table.line(held);
}

function formatOf(type: string): TableSummary['format'] | undefined {
  if (/^(?:text|application)\/(?:x-)?csv$/.test(type)) return 'csv';
  if (/^text\/(?:tab-separated-values|tsv)$/.test(type)) return 'tsv';
  if (/^application\/(?:x-)?(?:ndjson|jsonl|jsonlines)$/.test(type)) return 'jsonl';
  return /^(?:application|text)\/json$|\+json$/.test(type) ? 'json' : undefined;
}

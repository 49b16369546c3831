import { CsvReader, sniffDelimiter } from '../../files/extract/tables/csv.ts';
import { looksLikeAddress } from './address-like.ts';

/** A cell that the reader cut may be another address than the one that stands there. */
const CUT_CELL = 1000;
/** Rows by which the column of the addresses is found. */
const SAMPLE_ROWS = 50;
const MAX_COLUMNS = 200;

/** What a list holds. */
export interface ListedAddresses {
  /** In their order, as they stand there. */
  readonly addresses: readonly string[];
  /** Lines or cells that were expected to be addresses and are too long for one. */
  readonly tooLong: number;
}

/**
 * The addresses in a list: of a table those of one column, of Markdown its links, of any other text one a line. What is
 * no address is given as it stands where a line or a cell should be one: whoever made the list is told.
 *
 * @param type media type
 * @param column of a table: its name, or its number from 1; by default the first in which addresses stand
 * @returns undefined when there is no such column
 */
export function readList(text: string, type: string, column: string | undefined): ListedAddresses | undefined {
  const whole = text.replace(/^\uFEFF/, '');
  if (/csv|tab-separated|tsv/.test(type)) return ofTable(whole, column);
  if (/markdown/.test(type)) return { addresses: linksOf(whole), tooLong: 0 };
  return ofLines(whole);
}

function ofTable(text: string, column: string | undefined): ListedAddresses | undefined {
  const rows: (readonly string[])[] = [];
  const reader = new CsvReader(sniffDelimiter(text.slice(0, 65_536)), MAX_COLUMNS, ({ cells }) => rows.push(cells));
  reader.write(text);
  reader.end();
  const place = placeOf(rows, column);
  if (place === undefined) return undefined;
  const cells = rows.map((row) => row[place.index]?.trim() ?? '').slice(place.headed ? 1 : 0);
  const filled = cells.filter((cell) => cell !== '');
  const addresses = filled.filter((cell) => cell.length < CUT_CELL);
  return { addresses, tooLong: filled.length - addresses.length };
}

function placeOf(rows: readonly (readonly string[])[], column: string | undefined) {
  const [first = [], ...rest] = rows;
  const isHeaded = !first.some((cell) => looksLikeAddress(cell));
  if (column !== undefined) {
    const wanted = column.trim().toLowerCase();
    const named = first.findIndex((cell) => cell.trim().toLowerCase() === wanted);
    if (named >= 0) return { index: named, headed: true };
    const number = /^\d{1,3}$/.test(wanted) ? Number(wanted) : 0;
    return number >= 1 && number <= first.length ? { index: number - 1, headed: isHeaded } : undefined;
  }
  const sample = [first, ...rest.slice(0, SAMPLE_ROWS)];
  const index = first.findIndex((_cell, at) => sample.some((row) => looksLikeAddress(row[at] ?? '')));
  return index < 0 ? undefined : { index, headed: isHeaded };
}

/**
 * Links, autolinks and definitions of links, and addresses that stand by themselves. No parser of Markdown: what looks
 * like a link in an example of code is one here.
 */
function linksOf(text: string): string[] {
  const found: string[] = [];
  for (const { 0: whole } of text.matchAll(/https?:\/\/[^\s<>"`\\^{|}]{1,8000}/gi)) found.push(withoutEnd(whole));
  return found;
}

/** Without what ends a sentence or a link, and with brackets only in pairs: `…/Well_(water)`. */
function withoutEnd(address: string): string {
  let end = Math.min(unpaired(address, '(', ')'), unpaired(address, '[', ']'));
  while (end > 0 && ENDS.has(address[end - 1] ?? '')) end -= 1;
  return address.slice(0, end);
}

const ENDS: ReadonlySet<string> = new Set(".,;:!?'*_");

/** Where the first closing bracket is that none opened, or the end. */
function unpaired(text: string, open: string, close: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === open) depth += 1;
    if (text[at] === close && (depth -= 1) < 0) return at;
  }
  return text.length;
}

function ofLines(text: string): ListedAddresses {
  const lines = text
    .split(/\r\n?|\n/)
    .map((line) => line.replace(/^\s*(?:[-*+•]|\d{1,5}[.)])\s+/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const addresses = lines.filter((line) => line.length <= 8000);
  return { addresses, tooLong: lines.length - addresses.length };
}

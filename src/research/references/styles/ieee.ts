import { dateAt, shortMonth } from '../dates-shown.ts';
import type { Name, PartialDate, Reference } from '../model.ts';
import { initials, inOrder } from '../names-shown.ts';
import { italic, joined, link, quoted, runs, stopped } from '../runs.ts';
import type { Piece, Run } from '../runs.ts';
import { doiAddress } from './style.ts';

/** With more authors than these, only the first is named. */
const AUTHORS = 6;

/** An entry as the reference guide of the IEEE has it. Pages of the web are without the day on which they appeared. */
export function ieeeEntry(reference: Reference): Run[] {
  const { authors, doi, url } = reference;
  const by = authors.length === 0 ? undefined : runs(authorsOf(authors), ', ');
  if (reference.type !== 'article-journal') return joined(' ', [runs(by, workOf(reference)), access(reference)]);
  const work = runs(by, joined(' ', [quoted(reference.title, ','), joined(', ', partsOf(reference))]));
  return doi === undefined && url === undefined
    ? stopped(withoutComma(work))
    : joined(', ', [withoutComma(work), access(reference)]);
}

/** What stands behind the title, up to a full stop. */
function partsOf({ type, container, publisher, issued }: Reference): Piece[] {
  const month = issued && monthAndYear(issued);
  switch (type) {
    case 'webpage':
      return [container];
    case 'article-journal':
      return [container === undefined ? undefined : italic(container), month];
    case 'article':
      return [issued && day(issued), publisher === undefined ? undefined : italic(publisher)];
    case 'report':
      return [publisher, month];
    case 'book':
      return [publisher, issued && String(issued.year)];
    case 'document':
      return [publisher, issued && day(issued)];
  }
}

function workOf(reference: Reference): Run[] {
  const { type, title } = reference;
  const parts = joined(', ', partsOf(reference));
  if (type === 'book') return stopped(joined('. ', [italic(title), parts]));
  const isApart = type === 'document' || parts.length === 0;
  return stopped(joined(' ', [quoted(title, isApart ? '.' : ','), parts]));
}

function withoutComma(line: readonly Run[]): Run[] {
  const last = line.at(-1);
  return last?.text.endsWith(',”') === true
    ? [...line.slice(0, -1), { ...last, text: `${last.text.slice(0, -2)}”` }]
    : [...line];
}

function authorsOf(authors: readonly Name[]): Run[] {
  const names = authors.map((name) => inOrder(name, { given: (given) => initials(given, '.') }));
  if (names.length > AUTHORS) return runs(`${names[0]} `, italic('et al.'));
  const last = names.pop() ?? '';
  if (names.length === 0) return runs(last);
  return runs(`${names.join(', ')}${names.length > 1 ? ',' : ''} and ${last}`);
}

function monthOf(month: number): string {
  return month === 5 ? 'May' : `${shortMonth(month)}.`;
}

function monthAndYear({ year, month }: PartialDate): string {
  return month === undefined ? String(year) : `${monthOf(month)} ${year}`;
}

/** `Sep. 01, 2026`. */
function day(date: PartialDate): string {
  if (date.month === undefined || date.day === undefined) return monthAndYear(date);
  return `${monthOf(date.month)} ${String(date.day).padStart(2, '0')}, ${date.year}`;
}

function access({ doi, url, accessed }: Reference): Run[] {
  if (doi !== undefined) return runs('doi: ', link(doiAddress(doi), doi), '.');
  if (url === undefined) return [];
  const seen = accessed === undefined ? undefined : `Accessed: ${day(dateAt(accessed))}. `;
  return runs(seen, '[Online]. Available: ', link(url));
}

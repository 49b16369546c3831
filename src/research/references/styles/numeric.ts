import { dateAt, shortMonth } from '../dates-shown.ts';
import type { Name, PartialDate, Reference } from '../model.ts';
import { initials, inverted } from '../names-shown.ts';
import { joined, link, runs, stopped } from '../runs.ts';
import type { Run } from '../runs.ts';
import { addressOf } from './style.ts';

/** With more authors than these, only these are named. */
const AUTHORS = 6;

/** An entry as Vancouver has it, with the DOI where there is one. */
export function numericEntry(reference: Reference): Run[] {
  const { type, authors, title, container, publisher } = reference;
  const address = addressOf(reference);
  const online = address === undefined ? '' : ' [Internet]';
  const isJournal = type === 'article-journal' && container !== undefined;
  const where = isJournal ? runs(container, online) : (container ?? publisher);
  const date = dateOf(reference, address !== undefined);
  const issue =
    publisher === undefined || container !== undefined ? joined('. ', [where, date]) : joined('; ', [where, date]);
  const named = authors.length === 0 ? undefined : authorsOf(authors);
  const work = stopped(joined('. ', [named, isJournal ? title : `${title}${online}`, issue]));
  return joined(' ', [work, address === undefined ? undefined : runs('Available from: ', link(address))]);
}

function authorsOf(authors: readonly Name[]): string {
  const names = authors
    .slice(0, AUTHORS)
    .map((name) => inverted(name, { given: (given) => initials(given, ''), comma: ' ', particle: 'first' }));
  return `${names.join(', ')}${authors.length > AUTHORS ? ', et al' : ''}`;
}

function dateOf({ type, issued, accessed }: Reference, isOnline: boolean): string {
  const year = issued && (type === 'report' ? monthAndYear(issued) : String(issued.year));
  const cited = isOnline && accessed !== undefined ? `[cited ${day(dateAt(accessed))}]` : undefined;
  return [year, cited].filter(Boolean).join(' ');
}

function monthAndYear({ year, month }: PartialDate): string {
  return month === undefined ? String(year) : `${year} ${shortMonth(month)}`;
}

function day(date: PartialDate): string {
  return `${monthAndYear(date)} ${date.day ?? ''}`.trim();
}

import { dateAt, fullDate, monthName } from '../dates-shown.ts';
import type { Name, Reference } from '../model.ts';
import { initials, inverted } from '../names-shown.ts';
import { italic, joined, link, runs, stopped } from '../runs.ts';
import type { Run } from '../runs.ts';
import { addressOf, yearOf } from './style.ts';
import type { EntryContext } from './style.ts';

/** With more authors than these, the first 19 and the last are named. */
const AUTHORS = 20;

/** An entry as the 7th edition of the manual of the American Psychological Association has it. */
export function apaEntry(reference: Reference, { yearSuffix }: EntryContext): Run[] {
  const { authors, type, container, publisher } = reference;
  const isJournal = type === 'article-journal';
  const title = isJournal ? runs(reference.title) : runs(italic(reference.title));
  const date = `(${dateOf(reference, yearSuffix)})`;
  const named = authors.length === 0 ? [title, date] : [authorsOf(authors), date, title];
  const where = container !== undefined && isJournal ? italic(container) : container;
  const work = stopped(joined('. ', [...named, where, publisher]));
  return joined(' ', [work, access(reference)]);
}

function authorsOf(authors: readonly Name[]): string {
  const names = authors.map((name) =>
    inverted(name, { given: (given) => initials(given, '.'), comma: ', ', particle: 'first' }),
  );
  const last = names.pop() ?? '';
  if (names.length === 0) return last;
  if (names.length < AUTHORS) return `${names.join(', ')}, & ${last}`;
  return `${names.slice(0, AUTHORS - 1).join(', ')}, … ${last}`;
}

function dateOf(reference: Reference, suffix: string): string {
  const { issued, type } = reference;
  const year = yearOf(reference, suffix);
  if (issued?.month === undefined || (type !== 'webpage' && type !== 'document')) return year;
  return `${year}, ${monthName(issued.month)}${issued.day === undefined ? '' : ` ${issued.day}`}`;
}

function access(reference: Reference): Run[] {
  const address = addressOf(reference);
  if (address === undefined) return [];
  const { issued, accessed, doi } = reference;
  const isDated = issued !== undefined || accessed === undefined || doi !== undefined;
  return runs(isDated ? undefined : `Retrieved ${fullDate(dateAt(accessed))}, from `, link(address));
}

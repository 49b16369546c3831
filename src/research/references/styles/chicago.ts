import { dateAt, fullDate } from '../dates-shown.ts';
import type { Name, Reference } from '../model.ts';
import { inOrder, inverted } from '../names-shown.ts';
import { italic, joined, link, quoted, stopped } from '../runs.ts';
import type { Run } from '../runs.ts';
import { addressOf, yearOf } from './style.ts';
import type { EntryContext } from './style.ts';

/** With more authors than these, the first seven are named. */
const AUTHORS = 10;
const NAMED = 7;
const IN_FULL = (given: string): string => given.replaceAll(/(?<=\p{Lu}\.)(?=\p{Lu}\.)/gu, ' ');

/** An entry as the 17th edition of the Chicago Manual of Style has it in its system of authors and dates. */
export function chicagoEntry(reference: Reference, { yearSuffix }: EntryContext): Run[] {
  const { authors, type, container, publisher, issued } = reference;
  const title = type === 'book' ? italic(reference.title) : quoted(reference.title, '.');
  const year = yearOf(reference, yearSuffix);
  const named = authors.length === 0 ? [title, year] : [authorsOf(authors), year, title];
  const where = container !== undefined && type === 'article-journal' ? italic(container) : container;
  const day = type === 'webpage' && issued !== undefined ? fullDate(issued) : undefined;
  return stopped(joined('. ', [...named, where, publisher, day, ...access(reference)]));
}

function authorsOf(authors: readonly Name[]): string {
  const names = authors.map((name, index) =>
    index === 0 ? inverted(name, { given: IN_FULL, comma: ', ', particle: 'last' }) : inOrder(name, { given: IN_FULL }),
  );
  if (names.length > AUTHORS) return `${names.slice(0, NAMED).join(', ')}, et al`;
  const last = names.pop() ?? '';
  return names.length === 0 ? last : `${names.join(', ')}, and ${last}`;
}

function access(reference: Reference): (Run | string)[] {
  const address = addressOf(reference);
  if (address === undefined) return [];
  const { issued, accessed, doi } = reference;
  const isDated = issued !== undefined || accessed === undefined || doi !== undefined;
  return [...(isDated ? [] : [`Accessed ${fullDate(dateAt(accessed))}`]), link(address)];
}

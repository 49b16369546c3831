import { dayOf } from './csl-json.ts';
import type { Name, Reference, ReferenceType } from './model.ts';
import { isLiteral } from './names.ts';

const TYPES: Readonly<Record<ReferenceType, string>> = {
  webpage: 'ELEC',
  article: 'UNPB',
  'article-journal': 'JOUR',
  report: 'RPRT',
  book: 'BOOK',
  document: 'GEN',
};

/** Records in RIS, UTF-8, with CRLF between the lines as its specification has it. */
export function toRis(references: readonly Reference[]): string {
  return references.map(record).join('\r\n');
}

function record(reference: Reference): string {
  const { key, type, title, authors, issued, container, publisher, url, doi, accessed, language } = reference;
  const lines: [string, string | undefined][] = [
    ['TY', TYPES[type]],
    ['ID', key],
    ['TI', title],
    ...authors.map((name): [string, string] => ['AU', authorName(name)]),
    ['PY', issued && String(issued.year).padStart(4, '0')],
    ['DA', issued && day([issued.year, issued.month, issued.day])],
    ['T2', container],
    ['PB', publisher],
    ['DO', doi],
    ['UR', url],
    ['Y2', accessed === undefined ? undefined : day(dayOf(accessed))],
    ['LA', language],
  ];
  const written = lines.flatMap(([tag, value]) => (value === undefined ? [] : [`${tag}  - ${oneLine(value)}\r\n`]));
  return `${written.join('')}ER  - \r\n`;
}

/** `Berg, Vincent van der`. A comma would make two names of an organisation's. */
function authorName(name: Name): string {
  if (isLiteral(name)) return name.literal.replaceAll(/\s*,\s*/g, ' ');
  const family = [name.particle, name.family].filter(Boolean).join(' ');
  return [family, name.given, name.suffix].filter(Boolean).join(', ');
}

/** A line that begins as a tag does would be one. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

/** `2024/03/01`; what is not known is left empty. */
function day([year, month, date]: readonly (number | undefined)[]): string {
  const two = (part: number | undefined): string => (part === undefined ? '' : String(part).padStart(2, '0'));
  return `${String(year).padStart(4, '0')}/${two(month)}/${two(date)}`.replace(/\/+$/, '');
}

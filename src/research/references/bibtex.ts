import { dayOf } from './csl-json.ts';
import type { Name, Reference, ReferenceType } from './model.ts';
import { isLiteral } from './names.ts';

/** Types of BibLaTeX; BibTeX takes those that it does not know for `@misc`. */
const TYPES: Readonly<Record<ReferenceType, string>> = {
  webpage: 'online',
  article: 'online',
  'article-journal': 'article',
  report: 'report',
  book: 'book',
  document: 'misc',
};

/** Entries for BibLaTeX and BibTeX in UTF-8. What is special to TeX is escaped. */
export function toBibtex(references: readonly Reference[]): string {
  return references.map(entry).join('\n');
}

function entry(reference: Reference): string {
  const { key, type, title, authors, issued, container, publisher, url, doi, accessed, language } = reference;
  const fields: [string, string | undefined][] = [
    ['title', escaped(title)],
    ['author', authors.length === 0 ? undefined : authors.map(authorName).join(' and ')],
    ['date', issued && isoDay([issued.year, issued.month, issued.day])],
    // For BibTeX, which reads no dates.
    ['year', issued && String(issued.year)],
    [
      type === 'article-journal' ? 'journaltitle' : 'organization',
      container === undefined ? undefined : escaped(container),
    ],
    [type === 'report' ? 'institution' : 'publisher', publisher === undefined ? undefined : escaped(publisher)],
    ...(type === 'report' ? [['type', 'Report'] satisfies [string, string]] : []),
    ['doi', doi === undefined ? undefined : verbatim(doi)],
    ['url', url === undefined ? undefined : verbatim(url)],
    ['urldate', accessed === undefined ? undefined : isoDay(dayOf(accessed))],
    ['language', language === undefined ? undefined : escaped(language)],
  ];
  const lines = fields.filter(([, value]) => value !== undefined).map(([name, value]) => `  ${name} = {${value}},\n`);
  return `@${TYPES[type]}{${key},\n${lines.join('')}}\n`;
}

/** `van der Berg, Jr., Vincent`; a name in braces is not taken apart. */
function authorName(name: Name): string {
  if (isLiteral(name)) return `{${escaped(name.literal)}}`;
  const family = `${name.particle === undefined ? '' : `${escaped(name.particle)} `}${whole(name.family)}`;
  return [family, name.suffix, name.given]
    .filter((part) => part !== undefined)
    .map((part, index) => (index === 0 ? part : whole(part)))
    .join(', ');
}

/** In braces where a reader would take it apart. */
function whole(name: string): string {
  return /,|\s|^\p{Ll}|^others$/iu.test(name) && /,|\sand\s|^and\s|\sand$|^others$/i.test(name)
    ? `{${escaped(name)}}`
    : escaped(name);
}

function isoDay(parts: readonly (number | undefined)[]): string {
  return parts
    .filter((part) => part !== undefined)
    .map((part, index) => String(part).padStart(index === 0 ? 4 : 2, '0'))
    .join('-');
}

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': String.raw`\textbackslash{}`,
  // BibTeX counts braces whether or not there is a backslash before them.
  '{': String.raw`\textbraceleft{}`,
  '}': String.raw`\textbraceright{}`,
  '~': String.raw`\textasciitilde{}`,
  '^': String.raw`\textasciicircum{}`,
  '<': String.raw`\textless{}`,
  '>': String.raw`\textgreater{}`,
  '|': String.raw`\textbar{}`,
  '%': String.raw`\%`,
  '&': String.raw`\&`,
  '#': String.raw`\#`,
  _: String.raw`\_`,
  $: String.raw`\$`,
};

/** One line. TeX makes other signs of two hyphens, quotation marks or backticks beside one another. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .replaceAll(/[\\{}~^<>|%&#_$]/g, (sign) => SPECIAL[sign] ?? sign)
    .replaceAll(/(?<=([-'`,]))(?=\1)/g, '{}')
    .replaceAll(/(?<=[?!])(?=`)/g, '{}');
}

/** An address or a DOI is read as it is, but for braces, which end it. */
function verbatim(text: string): string {
  return text.replaceAll(
    /[\s{}\\]/g,
    (sign) => `%${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

import { isLiteral } from './names.ts';
import type { Name, Reference } from './model.ts';

interface CslDate {
  readonly 'date-parts': readonly (readonly number[])[];
}

/** An item of CSL-JSON 1.0, as Zotero, Pandoc and citeproc read it. */
export interface CslItem {
  readonly id: string;
  readonly 'citation-key': string;
  readonly type: Reference['type'];
  readonly title: string;
  readonly author?: readonly Record<string, string>[];
  readonly issued?: CslDate;
  readonly accessed?: CslDate;
  readonly 'container-title'?: string;
  readonly publisher?: string;
  readonly URL?: string;
  readonly DOI?: string;
  readonly language?: string;
}

/** A CSL-JSON document. Texts are as they are: of tags such as `<i>`, processors make italics. */
export function toCslJson(references: readonly Reference[]): string {
  return `${JSON.stringify(references.map(cslItem), null, 2)}\n`;
}

export function cslItem(reference: Reference): CslItem {
  const { key, type, title, authors, issued, accessed, container, publisher, url, doi, language } = reference;
  return {
    id: key,
    'citation-key': key,
    type,
    title,
    ...(authors.length > 0 && { author: authors.map(cslName) }),
    ...(issued && { issued: cslDate([issued.year, issued.month, issued.day]) }),
    ...(container !== undefined && { 'container-title': container }),
    ...(publisher !== undefined && { publisher }),
    ...(url !== undefined && { URL: url }),
    ...(doi !== undefined && { DOI: doi }),
    ...(accessed !== undefined && { accessed: cslDate(dayOf(accessed)) }),
    ...(language !== undefined && { language }),
  };
}

function cslName(name: Name): Record<string, string> {
  if (isLiteral(name)) return { literal: name.literal };
  const { family, given, particle, suffix } = name;
  return {
    family,
    ...(given !== undefined && { given }),
    ...(particle !== undefined && { 'non-dropping-particle': particle }),
    ...(suffix !== undefined && { suffix }),
  };
}

function cslDate(parts: readonly (number | undefined)[]): CslDate {
  return { 'date-parts': [parts.filter((part) => part !== undefined)] };
}

/** Year, month and day in UTC. */
export function dayOf(time: number): [year: number, month: number, day: number] {
  const date = new Date(time);
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
}

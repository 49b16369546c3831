import type { Name, Reference } from './model.ts';
import { initials, inOrder, inverted, shortName } from './names-shown.ts';
import { isLiteral } from './names.ts';

export const STYLES = ['apa', 'chicago', 'ieee', 'numeric'] as const;
/** `chicago` is its system of authors and dates, `numeric` that of Vancouver. */
export type Style = (typeof STYLES)[number];

export function isNumbered(style: Style): boolean {
  return style === 'ieee' || style === 'numeric';
}

/** What tells the works that one text cites apart, and their order in its bibliography. */
export interface CitedWorks {
  readonly style: Style;
  /** In the order of the bibliography. */
  readonly references: readonly Reference[];
  readonly byKey: ReadonlyMap<string, Reference>;
  /** From 1; of every style, used by those with numbers. */
  readonly numbers: ReadonlyMap<string, number>;
  /** `a`, `b` of those that would be cited in the same way; by key. */
  readonly suffixes: ReadonlyMap<string, string>;
  /** By which names a text cites a work; empty of one without authors, which its title stands for. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** Of which works more names follow than are shown. */
  readonly shortened: ReadonlySet<string>;
}

/** The fewest authors of whom all but the first are left out. */
const ET_AL: Readonly<Record<Style, number>> = { apa: 3, chicago: 4, ieee: 7, numeric: 7 };

/**
 * @param references each key once, in the order in which the text cites them: by that they have their numbers.
 *   Styles without numbers put them in the order of their authors.
 */
export function citedWorks(references: readonly Reference[], style: Style): CitedWorks {
  const ordered = isNumbered(style) ? [...references] : inAlphabet(references, style);
  const numbers = new Map(ordered.map(({ key }, index) => [key, index + 1]));
  const byKey = new Map(ordered.map((reference) => [reference.key, reference]));
  const { names, shortened } = namesOf(ordered, style);
  const suffixes = suffixesOf(ordered, (reference) => labelOf(reference, names, shortened));
  return { style, references: ordered, byKey, numbers, suffixes, names, shortened };
}

const COLLATOR = new Intl.Collator('en', { sensitivity: 'base' });

function inAlphabet(references: readonly Reference[], style: Style): Reference[] {
  const keyed = references.map((reference) => {
    const { authors, title } = reference;
    return {
      reference,
      keys: authors.length === 0 ? [title.replaceAll(/["“”„«»‘’]/g, '')] : authors.map((name) => sortKey(name, style)),
    };
  });
  // Without a date first in APA, last in Chicago.
  const undated = style === 'apa' ? 0 : 10_000;
  const time = ({ issued }: Reference): number =>
    issued === undefined ? undated * 10_000 : issued.year * 10_000 + (issued.month ?? 0) * 100 + (issued.day ?? 0);
  return keyed
    .toSorted(
      (one, other) =>
        compareAll(one.keys, other.keys) ||
        time(one.reference) - time(other.reference) ||
        COLLATOR.compare(one.reference.title, other.reference.title),
    )
    .map(({ reference }) => reference);
}

/** APA shows no given names, so it puts none in order. */
function sortKey(name: Name, style: Style): string {
  const isApa = style === 'apa';
  return inverted(name, {
    given: (given) => (isApa ? initials(given, '.') : given),
    comma: ' ',
    particle: isApa ? 'first' : 'last',
  });
}

function compareAll(some: readonly string[], others: readonly string[]): number {
  for (const [index, key] of some.entries()) {
    const other = others[index];
    if (other === undefined) return 1;
    const difference = COLLATOR.compare(key, other);
    if (difference !== 0) return difference;
  }
  return some.length - others.length;
}

/** The names of each work: with initials where a first author's name is another's too, and more names where fewer say too little. */
function namesOf(
  references: readonly Reference[],
  style: Style,
): { names: Map<string, readonly string[]>; shortened: Set<string> } {
  const firsts = givenNamesByFamily(references);
  const all = new Map(
    references.map(({ key, authors }) => [
      key,
      authors.map((name, index) => (index === 0 ? distinctName(name, firsts, style) : shortName(name))),
    ]),
  );
  const shown = new Map([...all].map(([key, names]) => [key, names.length < ET_AL[style] ? names.length : 1]));
  for (const group of grouped(references, (reference) => citedAs(reference, all, shown)))
    if (group.length > 1) tellApart(group, all, shown);
  const names = new Map([...all].map(([key, list]) => [key, list.slice(0, shown.get(key))]));
  return {
    names,
    shortened: new Set([...all.keys()].filter((key) => (shown.get(key) ?? 0) < (all.get(key)?.length ?? 0))),
  };
}

function givenNamesByFamily(references: readonly Reference[]): Map<string, Set<string>> {
  const firsts = new Map<string, Set<string>>();
  for (const {
    authors: [first],
  } of references) {
    if (first === undefined || isLiteral(first)) continue;
    const family = shortName(first);
    firsts.set(family, (firsts.get(family) ?? new Set()).add(first.given ?? ''));
  }
  return firsts;
}

function distinctName(name: Name, firsts: ReadonlyMap<string, ReadonlySet<string>>, style: Style): string {
  const givens = firsts.get(shortName(name));
  if (isLiteral(name) || givens === undefined || givens.size < 2) return shortName(name);
  const short = (given: string): string => initials(given, '.');
  const sameInitials = [...givens].filter((given) => short(given) === short(name.given ?? '')).length > 1;
  const bare = { ...name, suffix: undefined };
  return inOrder(bare, { given: sameInitials && style === 'chicago' ? (given) => given : short });
}

function citedAs(
  { key, title, issued }: Reference,
  all: ReadonlyMap<string, readonly string[]>,
  shown: ReadonlyMap<string, number>,
): string {
  const names = all.get(key) ?? [];
  const count = shown.get(key) ?? 0;
  const label = names.length === 0 ? [title] : [...names.slice(0, count), count < names.length ? 'et al.' : ''];
  return JSON.stringify([label, issued?.year]);
}

/** Shows as many names of each as tell it from the others; works that have all names in common stay as they were. */
function tellApart(
  group: readonly Reference[],
  all: ReadonlyMap<string, readonly string[]>,
  shown: Map<string, number>,
): void {
  for (const { key } of group) {
    const names = all.get(key) ?? [];
    if ((shown.get(key) ?? 0) >= names.length) continue;
    const others = group.filter((other) => other.key !== key).map((other) => all.get(other.key) ?? []);
    const common = others.map((other) => names.findIndex((name, index) => name !== other[index]));
    const needed = Math.max(...common) + 1;
    if (needed > 1) shown.set(key, Math.min(needed, names.length));
  }
}

function labelOf(
  { key, title, issued }: Reference,
  names: ReadonlyMap<string, readonly string[]>,
  shortened: ReadonlySet<string>,
): string {
  const list = names.get(key) ?? [];
  return JSON.stringify([list.length === 0 ? title : list, shortened.has(key), issued?.year]);
}

function suffixesOf(references: readonly Reference[], label: (reference: Reference) => string): Map<string, string> {
  const suffixes = new Map<string, string>();
  for (const group of grouped(references, label))
    if (group.length > 1) for (const [index, { key }] of group.entries()) suffixes.set(key, letters(index));
  return suffixes;
}

/** `a` … `z`, `aa`, `ab`. */
function letters(index: number): string {
  const last = String.fromCodePoint(97 + (index % 26));
  return index < 26 ? last : letters(Math.floor(index / 26) - 1) + last;
}

function grouped(references: readonly Reference[], label: (reference: Reference) => string): Reference[][] {
  const groups = new Map<string, Reference[]>();
  for (const reference of references) {
    const group = groups.get(label(reference));
    if (group) group.push(reference);
    else groups.set(label(reference), [reference]);
  }
  return [...groups.values()];
}

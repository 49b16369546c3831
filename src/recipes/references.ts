import type { Json } from '../jobs/definition.ts';
import { CarrelError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { MAX_VALUE_CHARACTERS } from './model.ts';

/**
 * How a value of a plan takes another one. An object with one field is
 *
 * - `{"$ref": "steps.search.items[0].id"}` what stands there,
 * - `{"$text": "Found ${steps.search.total} pages"}` a text with what stands there, where `$${` is `${`,
 * - `{"$literal": …}` what is in it, whatever its fields are called.
 *
 * Every other value is what it is: a text with `${` in it too. Nothing is ever evaluated.
 */

/** `inputs.x`, `steps.x`, `item`, `index` of the innermost loop, `each.x.item` and `each.x.index` of the loop `x`. */
const ROOTS = ['inputs', 'steps', 'item', 'index', 'each'] as const;

export interface Reference {
  readonly root: (typeof ROOTS)[number];
  readonly path: readonly (string | number)[];
  /** As it was written. */
  readonly text: string;
}

const MAX_REFERENCE_LENGTH = 500;
const SEGMENT = /\.([A-Za-z_][\w-]*)|\[(\d{1,7})\]|\[("(?:[^"\\]|\\.)*")\]/y;

/** @returns undefined for what is no reference */
export function parseReference(text: string): Reference | undefined {
  if (text.length > MAX_REFERENCE_LENGTH) return undefined;
  const root = ROOTS.find((each) => text === each || text.startsWith(`${each}.`) || text.startsWith(`${each}[`));
  if (root === undefined) return undefined;
  const path: (string | number)[] = [];
  for (let at = root.length; at < text.length; at = SEGMENT.lastIndex) {
    SEGMENT.lastIndex = at;
    const [, field, index, quoted] = SEGMENT.exec(text) ?? [];
    const segment = field ?? (index === undefined ? quoted && parseJson(quoted) : Number(index));
    if (typeof segment !== 'string' && typeof segment !== 'number') return undefined;
    path.push(segment);
  }
  return { root, path, text };
}

/** The parts of a `$text`: text, and between it what stands for something; undefined where that is no reference. */
export function textParts(
  text: string,
): (string | { readonly reference: Reference | undefined; readonly text: string })[] {
  return text.split(/(\$\$\{|\$\{[^}]*\})/).map((part) => {
    if (part === '$${') return '${';
    if (!part.startsWith('${')) return part;
    const inner = part.slice(2, -1).trim();
    return { reference: parseReference(inner), text: inner };
  });
}

/** What a value of a plan is. */
export type Form =
  | { readonly kind: 'plain' }
  | { readonly kind: 'ref' | 'text'; readonly text: string }
  | { readonly kind: 'literal'; readonly value: Json }
  /** Looks like one of the others and is none. */
  | { readonly kind: 'wrong'; readonly problem: string };

export function formOf(value: Json): Form {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { kind: 'plain' };
  const fields = Object.entries(value as Readonly<Record<string, Json>>);
  const special = fields.find(([name]) => name.startsWith('$'));
  if (!special) return { kind: 'plain' };
  const [name, inner] = special;
  const problem = fields.length > 1 ? `has other fields beside \`${name.slice(0, 20)}\`` : undefined;
  if (problem !== undefined) return { kind: 'wrong', problem };
  if (name === '$literal') return { kind: 'literal', value: inner };
  if (name !== '$ref' && name !== '$text')
    return { kind: 'wrong', problem: 'has a field with `$` that means nothing: there are $ref, $text and $literal' };
  if (typeof inner !== 'string') return { kind: 'wrong', problem: `\`${name}\` must be a text` };
  return { kind: name === '$ref' ? 'ref' : 'text', text: inner };
}

/** What references stand for at one place of a run. @returns undefined where there is nothing */
export type Lookup = (reference: Reference) => Json | undefined;

/** What is in a value at a path; of a list also its `length`. */
export function valueAt(value: Json | undefined, path: readonly (string | number)[]): Json | undefined {
  let at: Json | undefined = value;
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined;
    at = (at as Readonly<Record<string | number, Json>>)[segment];
  }
  return at;
}

const notThere = (text: string) =>
  new CarrelError('invalid_input', `The recipe refers to \`${text}\`, and there is nothing.`);
const tooLarge = () =>
  new CarrelError(
    'too_large',
    'A value that the recipe puts together has more than 250,000 characters. Refer to less of it.',
  );

/** What a value is at one place of a run. */
export class Resolver {
  readonly #lookup: Lookup;
  /** Characters that may still be put in, so that a small plan with many references cannot make a huge value. */
  #left = MAX_VALUE_CHARACTERS;

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  /** @throws CarrelError `invalid_input` where a reference leads nowhere, `too_large` */
  value(value: Json): Json {
    const form = formOf(value);
    switch (form.kind) {
      case 'ref':
        return this.#taken(form.text, parseReference(form.text));
      case 'text':
        return textParts(form.text)
          .map((part) => (typeof part === 'string' ? part : said(this.#taken(part.text, part.reference))))
          .join('');
      case 'literal':
        return form.value;
      case 'wrong':
        throw new CarrelError('invalid_input', `A value of the recipe ${form.problem}.`);
      case 'plain':
        if (Array.isArray(value)) return value.map((each: Json) => this.value(each));
        return typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.value(each)]))
          : value;
    }
  }

  /** As {@link value}; null where a reference leads nowhere. */
  valueOrNull(value: Json): Json {
    const form = formOf(value);
    if (form.kind !== 'ref') return this.value(value);
    const reference = parseReference(form.text);
    return (reference && this.#lookup(reference)) ?? null;
  }

  #taken(text: string, reference: Reference | undefined): Json {
    const found = reference && this.#lookup(reference);
    if (found === undefined) throw notThere(text.slice(0, 100));
    this.#left -= JSON.stringify(found).length;
    if (this.#left < 0) throw tooLarge();
    return found;
  }
}

function said(value: Json): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}

import type { Json } from '../jobs/definition.ts';
import type { InputField, InputSchema } from './model.ts';

type Inputs = Readonly<Record<string, Json>>;

/**
 * Checks what a recipe is given against what it takes, and fills in what is left out.
 *
 * @returns what is wrong, a line each; none of it repeats what was given
 */
export function checkInputs(schema: InputSchema, given: Inputs): { inputs: Inputs; faults: string[] } {
  const faults: string[] = [];
  const inputs: Record<string, Json> = {};
  for (const name of Object.keys(given))
    if (!Object.hasOwn(schema.properties, name))
      faults.push(
        `there is no input \`${name.slice(0, 40)}\`, but ${
          Object.keys(schema.properties)
            .map((each) => `\`${each}\``)
            .join(', ') || 'none at all'
        }`,
      );
  for (const [name, field] of Object.entries(schema.properties)) {
    const value = Object.hasOwn(given, name) ? given[name] : field.default;
    if (value === undefined) {
      if (schema.required.includes(name)) faults.push(`the input \`${name}\` is missing`);
      continue;
    }
    const problem = misfit(field, value);
    if (problem === undefined) inputs[name] = value;
    else faults.push(`the input \`${name}\` ${problem}`);
  }
  return { inputs, faults };
}

/** What is wrong with the schema itself, such as a default that does not fit. */
export function schemaFaults(schema: InputSchema): string[] {
  const unknown = schema.required
    .filter((name) => !Object.hasOwn(schema.properties, name))
    .map((name) => `\`${name}\` is required and not among the properties`);
  const misfits = Object.entries(schema.properties).flatMap(([name, field]) => {
    const problem = field.default === undefined ? undefined : misfit(field, field.default);
    return problem === undefined ? [] : [`the default of \`${name}\` ${problem}`];
  });
  return [...unknown, ...misfits];
}

function misfit(field: InputField, value: Json): string | undefined {
  if (!isOf(field.type, value)) return `must be ${ARTICLES[field.type]}`;
  switch (field.type) {
    case 'string': {
      const { length } = value as string;
      if (field.enum && !field.enum.includes(value as string)) return 'is none of those that its `enum` has';
      return outside(length, field.minLength, field.maxLength, 'characters');
    }
    case 'number':
    case 'integer':
      if (field.enum && !field.enum.includes(value as number)) return 'is none of those that its `enum` has';
      return outside(value as number, field.minimum, field.maximum);
    case 'array': {
      const list = value as readonly Json[];
      const { items } = field;
      if (items && !list.every((each) => isOf(items.type, each))) return `must be a list, each ${ARTICLES[items.type]}`;
      return outside(list.length, field.minItems, field.maxItems, 'items');
    }
    case 'boolean':
      return undefined;
  }
}

type Type = InputField['type'] | 'object';

const ARTICLES: Readonly<Record<Type, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function isOf(type: Type, value: Json): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

function outside(size: number, least: number | undefined, most: number | undefined, of = ''): string | undefined {
  const unit = of === '' ? '' : ` ${of}`;
  if (least !== undefined && size < least) return `must be at least ${least}${unit}`;
  if (most !== undefined && size > most) return `must be at most ${most}${unit}`;
  return undefined;
}

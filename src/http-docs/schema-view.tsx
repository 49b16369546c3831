import type { Child } from 'hono/jsx';

import { Fact, Facts, Prose } from '../console/components.tsx';
import type { JsonSchema } from './describe.ts';

const REFERENCE = '#/components/schemas/';

/** What JSON Schema allows where a schema stands, as far as zod makes use of it. */
function asSchema(value: unknown): JsonSchema | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined;
}

/** A schema in a few words, with links to those that have a name. */
export function TypeOf({ schema }: { readonly schema: JsonSchema }) {
  const { $ref: reference, anyOf, enum: values, type } = schema;
  if (reference !== undefined) {
    const name = reference.replace(REFERENCE, '');
    return <a href={`#schema-${name}`}>{name}</a>;
  }
  if (anyOf) return <>{separated(anyOf.map((each) => <TypeOf schema={asSchema(each) ?? {}} />))}</>;
  if (schema.const !== undefined) return <code>{JSON.stringify(schema.const)}</code>;
  if (values) return <>{separated(values.map((value) => <code>{JSON.stringify(value)}</code>))}</>;
  if (type === 'array')
    return (
      <>
        list of <TypeOf schema={asSchema(schema.items) ?? {}} />
      </>
    );
  return <>{[typeName(schema), ...limits(schema)].join(', ')}</>;
}

function separated(parts: readonly Child[]): Child[] {
  return parts.flatMap((part, at) => (at === 0 ? [part] : [' or ', part]));
}

function typeName({ type, format }: JsonSchema): string {
  switch (type) {
    case 'integer':
      return 'whole number';
    case 'string':
      return format === 'date-time' ? 'time' : format === 'uri' ? 'address' : 'text';
    case 'boolean':
      return 'true or false';
    case undefined:
      return 'anything';
    default:
      return String(type);
  }
}

function limits({ type, minimum, maximum, maxLength, default: preset }: JsonSchema): string[] {
  return [
    ...(type === 'integer' && minimum !== undefined && maximum !== undefined ? [`${minimum} to ${maximum}`] : []),
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    ...(preset === undefined ? [] : [`by default ${JSON.stringify(preset)}`]),
  ];
}

/** The fields of an object, and beneath each those of an object in it; for anything else, what it is. */
export function Fields({ schema }: { readonly schema: JsonSchema }) {
  const { properties, required = [] } = schema;
  if (!properties)
    return (
      <p>
        <TypeOf schema={schema} />
      </p>
    );
  return (
    <Facts>
      {Object.entries(properties).map(([name, value]) => {
        const field = asSchema(value) ?? {};
        const inner = inlineObject(field);
        return (
          <Fact
            term={
              <>
                <code>{name}</code> <TypeOf schema={field} />
                {!required.includes(name) && ', may be absent'}
              </>
            }
          >
            {field.description !== undefined && <Prose text={field.description} />}
            {inner && <Fields schema={inner} />}
          </Fact>
        );
      })}
    </Facts>
  );
}

/** The object that a field is, or that its list is of, where that has no name of its own. */
function inlineObject(schema: JsonSchema): JsonSchema | undefined {
  const inner = schema.type === 'array' ? asSchema(schema.items) : schema;
  return inner?.properties && Object.keys(inner.properties).length > 0 ? inner : undefined;
}

import * as z from 'zod';

import { oauthError } from '../http/oauth-error.ts';
import { GROUPS } from '../http/operation.ts';
import type { Answer, BodySchema, InputSchemas, Operation } from '../http/operation.ts';
import { problemAnswer } from '../http/problem-schema.ts';
import type { Route } from '../http/route.ts';

export type JsonSchema = z.core.JSONSchema.JSONSchema;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

/** A body by media type; its schema is undefined where it is bytes. */
export interface Content {
  readonly mediaType: string;
  readonly schema: JsonSchema | undefined;
}

export interface DescribedAnswer {
  /** Undefined: every other status. */
  readonly status: number | undefined;
  readonly description: string;
  readonly content: readonly Content[];
  readonly headers: Readonly<Record<string, string>>;
  /** Whether it is the same for all endpoints of its kind. */
  readonly isShared: boolean;
}

/** One method of a path with all that can be said of it. */
export interface DescribedEndpoint {
  readonly method: string;
  /** As in OpenAPI: `/files/{id}`. */
  readonly path: string;
  readonly operation: Operation;
  readonly scopes: readonly string[] | undefined;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Content[];
  readonly answers: readonly DescribedAnswer[];
}

export interface ApiDescription {
  /** In the order of {@link GROUPS}, then of the table of routes. */
  readonly endpoints: readonly DescribedEndpoint[];
  /** Schemas with a name, which others refer to as `#/components/schemas/…`. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

const refusal = { 'application/json': oauthError };
const CHALLENGE = { 'WWW-Authenticate': 'The challenge, with the address of the metadata' };

/** What an endpoint answers besides what its operation says. */
const SHARED = {
  invalid: problemAnswer('The input does not fit.'),
  unauthenticated: { description: 'No access token, or one that has ended. Sign in again.', headers: CHALLENGE },
  forbidden: { description: 'The token lacks the scope.', content: refusal, headers: CHALLENGE },
  failed: problemAnswer('An error.'),
} satisfies Record<string, Answer>;

/** Takes out the limits of whole numbers in JavaScript, which nobody chose. */
function withoutOddLimits({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

/** Collects the schemas that have a name while others are converted. */
class Schemas {
  readonly named: Record<string, JsonSchema> = {};

  /** @throws TypeError for two schemas of one name */
  convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    // Inside of another one, because only there a schema with a name becomes a reference.
    const whole = z.toJSONSchema(z.object({ it: schema }), { io, unrepresentable: 'any', override: withoutOddLimits });
    const { properties, $defs = {} } = JSON.parse(
      JSON.stringify(whole).replaceAll('"#/$defs/', '"#/components/schemas/'),
    ) as { properties: { it: JsonSchema }; $defs?: Record<string, JsonSchema> };
    for (const [name, definition] of Object.entries($defs)) {
      delete definition['id'];
      const known = this.named[name];
      if (known && JSON.stringify(known) !== JSON.stringify(definition))
        throw new TypeError(`two schemas are called ${name}`);
      this.named[name] = definition;
    }
    return properties.it;
  }

  content(bodies: Readonly<Record<string, BodySchema>> = {}, io: 'input' | 'output'): Content[] {
    return Object.entries(bodies).map(([mediaType, body]) => ({
      mediaType,
      schema: body === 'bytes' ? undefined : body === 'text' ? { type: 'string' } : this.convert(body, io),
    }));
  }

  answer(status: number | undefined, answer: Answer): DescribedAnswer {
    const { description, content, headers = {} } = answer;
    const isShared = Object.values<Answer>(SHARED).includes(answer);
    return { status, description, content: this.content(content, 'output'), headers, isShared };
  }

  /**
   * The parameters of a schema. A query is text: what is shown of a parameter is what it is read as,
   * such as a number with its limits, where that is known.
   */
  parameters(schema: z.ZodObject | undefined, place: 'path' | 'query', isOnlyWay: boolean): Parameter[] {
    if (!schema) return [];
    const sent = this.convert(schema, 'input') as Required<JsonSchema>;
    const read = this.convert(schema, 'output') as Required<JsonSchema>;
    return Object.entries(sent.properties).map(([name, asSent]) => {
      const asRead = read.properties[name] as JsonSchema | undefined;
      const { description = '', ...rest } = (asRead?.type === undefined ? asSent : asRead) as JsonSchema;
      const required = isOnlyWay && (sent.required as string[] | undefined)?.includes(name) === true;
      return { name, in: place, description, required, schema: rest };
    });
  }
}

/** Everything that the routes say of themselves. What is no {@link Endpoint} is for people and left out. */
export async function describeRoutes(routes: readonly Route[]): Promise<ApiDescription> {
  const schemas = new Schemas();
  const endpoints: DescribedEndpoint[] = [];
  for (const { path, methods } of routes)
    for (const [method, endpoint] of Object.entries(methods)) {
      if (typeof endpoint === 'function') continue;
      const operation = await endpoint.describe();
      const inputs = operation.input ? [operation.input] : endpoint.inputs;
      endpoints.push({
        method,
        path: path.replaceAll(/:(\w+)/g, '{$1}'),
        operation,
        scopes: endpoint.scopes,
        parameters: parametersOf(schemas, operation, inputs),
        body: [...inputs, operation].flatMap(({ body }) => schemas.content(body, 'input')),
        answers: answersOf(schemas, operation, endpoint.scopes !== undefined, inputs),
      });
    }
  const place = ({ operation }: DescribedEndpoint) => GROUPS.indexOf(operation.group);
  return {
    endpoints: endpoints.toSorted((one, other) => place(one) - place(other)),
    schemas: Object.fromEntries(Object.entries(schemas.named).toSorted(([one], [other]) => (one < other ? -1 : 1))),
  };
}

function parametersOf(schemas: Schemas, operation: Operation, inputs: readonly InputSchemas[]): Parameter[] {
  const found = inputs.flatMap(({ params, query }) => [
    ...schemas.parameters(params, 'path', true),
    ...schemas.parameters(query, 'query', inputs.length === 1),
  ]);
  const headers = Object.entries(operation.headers ?? {}).map(([name, description]): Parameter => ({
    name,
    in: 'header',
    description,
    required: false,
    schema: { type: 'string' },
  }));
  return [...found, ...headers];
}

function answersOf(
  schemas: Schemas,
  { answers, examples }: Operation,
  needsToken: boolean,
  inputs: readonly InputSchemas[],
): DescribedAnswer[] {
  const all = new Map<number, Answer>(Object.entries(answers).map(([status, answer]) => [Number(status), answer]));
  const add = (status: number, answer: Answer) => {
    if (!all.has(status)) all.set(status, answer);
  };
  if (inputs.some(({ query, body }) => query ?? body)) add(400, SHARED.invalid);
  if (needsToken) {
    add(401, SHARED.unauthenticated);
    add(403, SHARED.forbidden);
  }
  for (const { summary, answer } of Object.values(examples)) add(answer.status, problemAnswer(`${summary}.`));
  const known = [...all].toSorted(([one], [other]) => one - other);
  return [...known.map(([status, answer]) => schemas.answer(status, answer)), schemas.answer(undefined, SHARED.failed)];
}

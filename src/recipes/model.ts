import * as z from 'zod';

import type { Json } from '../jobs/definition.ts';
import { CarrelError } from '../lib/errors.ts';
import { hasHiddenText } from '../lib/hidden-text.ts';
import { MAX_SLUG_LENGTH } from '../lib/slug.ts';

/** Steps that a plan may have, counted as they are written. */
export const MAX_STEPS = 1000;
/** Steps that one run may do, counted as they are done: a `for_each` does its steps once for each item. */
export const MAX_STEPS_DONE = 5000;
export const MAX_ITEMS = 1000;
/** Blocks (`parallel`, `for_each`, `when`) within blocks. */
export const MAX_DEPTH = 8;
/** Loops within loops: the names of steps, which bear the place in each loop, must stay short. */
export const MAX_LOOPS = 3;
const MAX_CONCURRENCY = 10;
/** Bytes of a plan, as JSON. */
export const MAX_PLAN_BYTES = 128 * 1024;
/** Characters of what one step takes or gives, as JSON. */
export const MAX_VALUE_CHARACTERS = 250_000;
/** Characters of all that the steps of one run gave, as JSON: the run holds them in memory. */
export const MAX_HELD_CHARACTERS = 16 * 1024 * 1024;
/** 31 days. */
const MAX_SLEEP_SECONDS = 2_678_400;

export const MAX_RECIPES = 100;
/** Versions of one recipe that are kept; the oldest goes. */
export const MAX_VERSIONS = 50;

/** A value that may hold references: see references.ts. */
const value = z.json() as z.ZodType<Json>;

const NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
const name = z
  .string()
  .max(40, 'has more than 40 characters')
  .regex(NAME, 'must be letters, digits, _ and -, beginning with a letter');

type Two = readonly [Json, Json];

/** Has one of these fields. */
export interface Condition {
  readonly equals?: Two | undefined;
  readonly exists?: Json | undefined;
  readonly gt?: Two | undefined;
  readonly lt?: Two | undefined;
  readonly in?: Two | undefined;
  readonly not?: Condition | undefined;
  readonly and?: readonly Condition[] | undefined;
  readonly or?: readonly Condition[] | undefined;
}

export interface ToolStep {
  readonly do: 'tool';
  readonly id: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, Json>>;
}

export interface ParallelStep {
  readonly do: 'parallel';
  readonly id: string;
  readonly branches: Readonly<Record<string, readonly Step[]>>;
}

export interface ForEachStep {
  readonly do: 'for_each';
  readonly id: string;
  readonly items: Json;
  readonly concurrency: number;
  readonly steps: readonly Step[];
}

export interface WhenStep {
  readonly do: 'when';
  readonly id: string;
  readonly condition: Condition;
  readonly steps: readonly Step[];
  readonly else: readonly Step[];
}

export interface SleepStep {
  readonly do: 'sleep';
  readonly id: string;
  readonly seconds?: number | undefined;
  readonly until?: Json | undefined;
}

export interface ApproveStep {
  readonly do: 'approve';
  readonly id: string;
  readonly summary: Json;
  readonly details: Json;
  readonly files: Json;
  readonly hours: number;
}

export type Step = ToolStep | ParallelStep | ForEachStep | WhenStep | SleepStep | ApproveStep;

const two = z.tuple([value, value]);
const condition: z.ZodType<Condition> = z.lazy(() =>
  z
    .strictObject({
      equals: two.optional(),
      exists: value.optional(),
      gt: two.optional(),
      lt: two.optional(),
      in: two.optional(),
      not: condition.optional(),
      and: z.array(condition).min(1).max(50).optional(),
      or: z.array(condition).min(1).max(50).optional(),
    })
    .refine(
      (given) => Object.keys(given).length === 1,
      'must have exactly one of equals, exists, gt, lt, in, not, and, or',
    ),
);

const steps: z.ZodType<readonly Step[]> = z.lazy(() => z.array(step).min(1, 'has no step'));

const step: z.ZodType<Step> = z.lazy(() =>
  z.discriminatedUnion('do', [
    z.strictObject({
      do: z.literal('tool'),
      id: name,
      tool: z.string().max(100),
      arguments: z.record(z.string().max(100), value).default({}),
    }),
    z.strictObject({
      do: z.literal('parallel'),
      id: name,
      branches: z
        .record(name, steps)
        .refine((given) => Object.keys(given).length >= 2, 'has fewer than two branches')
        .refine((given) => Object.keys(given).length <= MAX_CONCURRENCY, `has more than ${MAX_CONCURRENCY} branches`),
    }),
    z.strictObject({
      do: z.literal('for_each'),
      id: name,
      items: value,
      concurrency: z.int().min(1).max(MAX_CONCURRENCY).default(1),
      steps,
    }),
    z.strictObject({
      do: z.literal('when'),
      id: name,
      condition,
      steps,
      else: steps.default([]),
    }),
    z
      .strictObject({
        do: z.literal('sleep'),
        id: name,
        seconds: z.number().min(0).max(MAX_SLEEP_SECONDS).optional(),
        until: value.optional(),
      })
      .refine((given) => (given.seconds === undefined) !== (given.until === undefined), 'must have seconds or until'),
    z.strictObject({
      do: z.literal('approve'),
      id: name,
      summary: value,
      details: value.default(null),
      files: value.default([]),
      hours: z.number().min(0.1).max(168).default(24),
    }),
  ]),
);

const scalar = { description: z.string().max(500).optional(), title: z.string().max(200).optional() };
const bound = z.number().optional();
const size = z.int().min(0).optional();

/** One input, in a flat subset of JSON Schema. */
const inputField = z.discriminatedUnion('type', [
  z.strictObject({
    ...scalar,
    type: z.literal('string'),
    enum: z.array(z.string()).min(1).max(100).optional(),
    minLength: size,
    maxLength: size,
    default: z.string().optional(),
  }),
  z.strictObject({
    ...scalar,
    type: z.enum(['number', 'integer']),
    enum: z.array(z.number()).min(1).max(100).optional(),
    minimum: bound,
    maximum: bound,
    default: z.number().optional(),
  }),
  z.strictObject({ ...scalar, type: z.literal('boolean'), default: z.boolean().optional() }),
  z.strictObject({
    ...scalar,
    type: z.literal('array'),
    items: z.strictObject({ type: z.enum(['string', 'number', 'integer', 'boolean', 'object']) }).optional(),
    minItems: size,
    maxItems: size,
    default: z.array(value).optional(),
  }),
]);

export type InputField = z.output<typeof inputField>;

/** What a recipe takes: an object of scalars and lists, as JSON Schema says it. */
const inputSchema = z.strictObject({
  type: z.literal('object').default('object'),
  properties: z.record(name, inputField).default({}),
  required: z.array(name).max(100).default([]),
  additionalProperties: z.literal(false).optional(),
});

export type InputSchema = z.output<typeof inputSchema>;

export interface Plan {
  readonly inputs: InputSchema;
  readonly steps: readonly Step[];
  /** What the run gives; undefined for what its last step gave. */
  readonly result?: Json | undefined;
}

const noInputs: InputSchema = { type: 'object', properties: {}, required: [] };

/** A plan, as somebody wrote it. What its parts mean together, validate.ts checks. */
export const plan: z.ZodType<Plan> = z.strictObject({
  inputs: inputSchema.default(noInputs),
  steps,
  result: value.optional(),
});

export const recipeSlug = z
  .string()
  .max(MAX_SLUG_LENGTH)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be lower-case letters, digits and single hyphens');

const visible = (text: string) => !hasHiddenText(text.replaceAll(/[\n\t]/g, ' '));
const HIDDEN = 'has a control character or one that cannot be seen';

export const recipeTitle = z.string().trim().min(1).max(200).refine(visible, HIDDEN);
export const recipeDescription = z.string().max(2000).refine(visible, HIDDEN);

/** A stored recipe, without its plan. */
export interface RecipeSummary {
  readonly slug: string;
  readonly version: number;
  readonly title: string;
  readonly description: string;
  /** JSON text of an {@link InputSchema}. */
  readonly inputs: string;
  readonly steps: number;
  readonly scopes: readonly string[];
  /** ms since the epoch; of this version. */
  readonly savedAt: number;
}

/** One version of a stored recipe. */
export interface Recipe extends RecipeSummary {
  /** JSON text, as it was checked. */
  readonly plan: string;
  /** Which versions can be read, ascending. */
  readonly versions: readonly number[];
}

export const noSuchRecipe = () =>
  new CarrelError('not_found', 'There is no such recipe. `recipe_list` shows those that there are.');

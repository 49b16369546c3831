import * as z from 'zod';

import { MAX_WAIT_MS } from '../../jobs/service.ts';
import type { JobService } from '../../jobs/service.ts';
import { started, withResult } from '../../jobs/tools/started.ts';
import { OUTPUT_BUDGET_CHARACTERS } from '../../lib/budget.ts';
import { CREATE, defineTool, DESTROY, READ, UPDATE } from '../../mcp/toolset.ts';
import { session } from '../../sessions/model.ts';
import { recipeDescription, recipeSlug, recipeTitle } from '../model.ts';
import type { RecipeSummary } from '../model.ts';
import type { RecipeService } from '../service.ts';

/** As a model must know it to write one. The whole is in docs/recipes.md, and a refusal names every fault. */
const PLAN = [
  '{inputs?: {properties: {name: {type, default?, …}}, required?}, steps: [step, …], result?: value}. Steps, each with an `id`:',
  '{do: "tool", tool, arguments}, {do: "parallel", branches: {name: [step]}}, {do: "for_each", items, steps, concurrency?},',
  '{do: "when", condition, steps, else?}, {do: "sleep", seconds | until}, {do: "approve", summary, details?, files?}.',
  'Any value may be {"$ref": "steps.ID.field[0]"} (also inputs.x, item, index) or {"$text": "… ${item.url} …"}.',
  'Conditions: {equals|gt|lt|in: [a, b]}, {exists: ref}, {not}, {and: []}, {or: []}.',
].join(' ');

const shownRecipe = z.object({
  slug: z.string(),
  version: z.int(),
  title: z.string(),
  description: z.string(),
  input_schema: z.record(z.string(), z.unknown()),
  steps: z.int(),
  scopes: z.array(z.string()),
  saved_at: z.string(),
});

const plan = z.record(z.string(), z.unknown());
const slug = recipeSlug.describe('Its name');
const version = z.int().min(1).optional().describe('Else the latest');

/** Tools around stored recipes. */
export function recipeTools(service: RecipeService, jobs: JobService) {
  const save = defineTool('recipe_save', {
    title: 'Save a recipe',
    description: `Keeps a plan of tool calls under a name, to be run with recipe_run or on a schedule. Each save is a new version. It is checked wholly first.`,
    behaviour: UPDATE,
    input: z.strictObject({
      recipe: slug,
      title: recipeTitle,
      description: recipeDescription.default(''),
      plan: plan.describe(PLAN),
      expected_version: z.int().min(0).optional().describe('The version that you saw; 0 for a new one'),
    }),
    output: z.object({ recipe: shownRecipe }),
    handle: async (input, context) => ({
      recipe: show(
        await service.save(context, { ...input, slug: input.recipe, expectedVersion: input.expected_version }),
      ),
    }),
    text: ({ recipe }) => `Saved: ${line(recipe)}`,
  });

  const list = defineTool('recipe_list', {
    title: 'List recipes',
    description: 'The stored recipes with what they take; with `recipe`, that one with its plan.',
    behaviour: READ,
    input: z.strictObject({
      recipe: slug.optional(),
      version,
      offset: z.int().min(0).optional().describe('Of a plan that comes in parts'),
      cursor: z.string().max(2000).optional(),
    }),
    output: z.object({
      recipes: z.array(shownRecipe),
      plan: plan.optional(),
      part: z.object({ text: z.string(), next_offset: z.int().optional(), characters: z.int() }).optional(),
      versions: z.array(z.int()).optional(),
      next_cursor: z.string().optional(),
    }),
    handle: async (input, context) => {
      if (input.recipe === undefined) {
        const { recipes, nextCursor } = await service.list(context, input.cursor);
        return { recipes: recipes.map(show), next_cursor: nextCursor };
      }
      const recipe = await service.get(context, input.recipe, input.version);
      return { recipes: [show(recipe)], versions: [...recipe.versions], ...shownPlan(recipe.plan, input.offset) };
    },
    text: ({ recipes, plan: whole, part, versions, next_cursor: next }) =>
      [
        recipes.length === 0 ? 'There are no recipes.' : recipes.map(line).join('\n'),
        versions && `Versions: ${versions.join(', ')}`,
        whole && JSON.stringify(whole),
        part &&
          `${part.text}\n(of ${part.characters} characters${part.next_offset === undefined ? '' : `; go on at ${part.next_offset}`})`,
        next && `More with cursor ${next}`,
      ]
        .filter((each) => each !== undefined)
        .join('\n'),
  });

  const remove = defineTool('recipe_delete', {
    title: 'Delete a recipe',
    description: 'Deletes a recipe with all of its versions. Jobs that run it go on.',
    behaviour: DESTROY,
    input: z.strictObject({ recipe: slug }),
    output: z.object({ recipe: z.string(), deleted: z.boolean() }),
    handle: async (input, context) => ({ recipe: input.recipe, deleted: await service.remove(context, input.recipe) }),
    text: ({ recipe, deleted }) => (deleted ? `Deleted the recipe ${recipe}.` : `There is no recipe ${recipe}.`),
  });

  const run = defineTool('recipe_run', {
    title: 'Run a recipe',
    description:
      'Starts a job that runs a stored recipe, or a plan as recipe_save takes it. It goes on after this chat; a step that needs a person waits for them. Follow it with job_get.',
    behaviour: CREATE,
    tasks: 'optional',
    input: z.strictObject({
      recipe: slug.optional(),
      version,
      plan: plan.optional().describe('Instead of a stored one'),
      inputs: z.record(z.string(), z.unknown()).default({}),
      session,
      idempotency_key: z.string().trim().min(1).max(200).optional().describe('The same key again gives the same job'),
      wait: z
        .int()
        .min(0)
        .max(MAX_WAIT_MS / 1000)
        .default(0)
        .describe('Seconds'),
    }),
    ...withResult,
    handle: async ({ wait, idempotency_key: idempotencyKey, ...input }, context) => {
      const begun = await service.run(context, {
        recipe: input.recipe,
        version: input.version,
        plan: input.plan,
        inputs: input.inputs,
        session: input.session,
        idempotencyKey,
      });
      return started(jobs, begun, wait, context);
    },
  });

  return [save, list, run, remove];
}

function show(recipe: RecipeSummary): z.output<typeof shownRecipe> {
  const { savedAt, inputs, scopes, slug: name, version: number, title, description, steps } = recipe;
  return {
    slug: name,
    version: number,
    title,
    description,
    input_schema: JSON.parse(inputs) as Record<string, unknown>,
    steps,
    scopes: [...scopes],
    saved_at: new Date(savedAt).toISOString(),
  };
}

function line({
  slug: name,
  version: number,
  title,
  description,
  steps,
  scopes,
  input_schema: schema,
}: z.output<typeof shownRecipe>) {
  const inputs = Object.keys((schema['properties'] as object | undefined) ?? {});
  const about = description === '' ? '' : `\n  ${description}`;
  return `${name} (version ${number}): ${title}. ${steps} steps, takes ${inputs.join(', ') || 'nothing'}, needs ${scopes.join(', ') || 'nothing'}${about}`;
}

/** A plan, or the part of its JSON text that fits. */
function shownPlan(text: string, offset: number | undefined) {
  const room = Math.floor((OUTPUT_BUDGET_CHARACTERS - 6000) / 3);
  if (offset === undefined && text.length <= room) return { plan: JSON.parse(text) as Record<string, unknown> };
  const end = (offset ?? 0) + room;
  return {
    part: {
      text: text.slice(offset ?? 0, end),
      characters: text.length,
      ...(end < text.length ? { next_offset: end } : {}),
    },
  };
}

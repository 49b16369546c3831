import * as z from 'zod';

import { PlanRunner } from '../../recipes/interpret.ts';
import { recipeSlug } from '../../recipes/model.ts';
import type { RecipeTools } from '../../recipes/tool-port.ts';
import { checkPlan, readPlan } from '../../recipes/validate.ts';
import { defineJob } from '../definition.ts';
import type { JobDefinition, Json } from '../definition.ts';

/** Characters of a result, as JSON; the job keeps a little more. */
const MAX_RESULT_CHARACTERS = 240_000;

const json = z.json() as z.ZodType<Json>;

/** @param tools what its steps may call */
export const recipeRun = (tools: RecipeTools): JobDefinition =>
  defineJob({
    name: 'recipe_run',
    title: 'Run a recipe',
    description: 'a plan of steps that call tools. The tool recipe_run starts it, and a stored recipe by its name.',
    input: z.strictObject({
      plan: z.record(z.string(), json),
      inputs: z.record(z.string(), json).default({}),
      /** The stored recipe that the plan is of. */
      recipe: z.strictObject({ slug: recipeSlug, version: z.int() }).optional(),
    }),
    output: z.object({
      result: json,
      /** What it gives is larger than a job may keep. */
      too_large: z.literal(true).optional(),
      recipe: z.object({ slug: z.string(), version: z.int() }).optional(),
    }),
    // Tools of research check these as well where they touch the shelf.
    alsoScopes: ['files:read', 'files:write'],
    scopes: ({ plan, inputs }) => checkPlan(plan, tools.info, inputs).scopes,
    async run(job) {
      const { plan: raw, inputs: given, recipe } = job.input;
      // Again, because tools may have changed since it was submitted; once, because they may change while it runs.
      await job.step('plan.check', async () => {
        checkPlan(raw, tools.info, given);
        return true;
      });
      const { plan, inputs } = readPlan(raw, given);
      // What names no session works in that of the job.
      const call: RecipeTools['call'] = async (step, name, input) =>
        tools.call(
          step,
          name,
          Object.hasOwn(tools.info(name)?.input.shape ?? {}, 'session') ? { session: job.session, ...input } : input,
        );
      const result = await new PlanRunner(job, { call }, inputs).run(plan);
      const isTooLarge = JSON.stringify(result).length > MAX_RESULT_CHARACTERS;
      return {
        result: isTooLarge ? null : result,
        ...(isTooLarge ? { too_large: true as const } : {}),
        ...(recipe ? { recipe } : {}),
      };
    },
  });

import type * as z from 'zod';

import type { Json, StepContext } from '../jobs/definition.ts';

/** What a recipe must know of a tool before it calls it. */
export interface ToolInfo {
  readonly scope: string;
  readonly input: z.ZodObject;
}

/** The tools of this deployment, as recipes use them. */
export interface RecipeTools {
  readonly info: (name: string) => ToolInfo | undefined;
  /**
   * Calls a tool as a client would, with the scopes of the job.
   *
   * @returns its structured output
   * @throws CarrelError `forbidden` for a scope that the job does not have
   */
  call(step: StepContext, name: string, input: Readonly<Record<string, Json>>): Promise<Json>;
  /** The same, with its text. */
  outcome(
    step: StepContext,
    name: string,
    input: Readonly<Record<string, Json>>,
  ): Promise<{ readonly structured: Json; readonly text: string }>;
}

/**
 * Tools that no recipe calls: those around jobs, recipes and schedules (a recipe that starts recipes has no end that could be
 * seen before it starts; one that answers answers for a person), and whatever has to do with approvals, which are a person's.
 */
const NOT_FOR_RECIPES = /^(?:jobs?|recipes?|schedules?|approvals?|workflows?)_/;

export const isForRecipes = (tool: string): boolean => !NOT_FOR_RECIPES.test(tool);

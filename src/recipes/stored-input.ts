import type { Recipe } from './model.ts';

/** What a job of a stored recipe says of what started it. */
export const sourceOf = (slug: string): string => `recipe:${slug}`;

/** What a job that runs a stored recipe is given. */
export function inputOf({ slug, version, plan }: Recipe, inputs: Readonly<Record<string, unknown>>) {
  return { plan: JSON.parse(plan) as Record<string, unknown>, inputs, recipe: { slug, version } };
}

import { beforeAll, expect, it } from 'vitest';

import page from '../../docs/recipes.md?raw';
import { Owner } from '../support/files.ts';

/** The blocks of docs/recipes.md that name a tool: what it is given there. */
const examples = [...page.matchAll(/^```json (\w+)\n(.*?)^```$/gms)].map(
  ([, tool = '', json = ''], index) =>
    [`${index + 1}: ${tool}`, tool, JSON.parse(json) as Record<string, unknown>] as const,
);

let you: Owner;

beforeAll(async () => {
  you = await Owner.signIn('you@example.com');
});

it('has examples of everything', () => {
  expect(examples.map(([, tool]) => tool)).toEqual(['recipe_run', 'recipe_run', 'recipe_save', 'schedule_save']);
});

it.each(examples)('example %s works', async (_name, tool, input) => {
  const { job, recipe, schedule } = await you.call<Record<'job' | 'recipe' | 'schedule', object | undefined>>(
    tool,
    input,
  );
  expect(job ?? recipe ?? schedule).toMatchObject(
    { recipe_run: { status: 'completed' }, recipe_save: { version: 1 }, schedule_save: { failures: 0 } }[tool] ?? {},
  );
});

it('has the results that it speaks of', async () => {
  const { jobs } = await you.call<{ jobs: { id: string }[] }>('job_list');
  const results = await Promise.all(
    jobs
      .toReversed()
      .map(
        async ({ id }) => (await you.call<{ result: { result: unknown } }>('job_result', { job: id })).result.result,
      ),
  );
  expect(results).toEqual([{ file: 'cities/Oslo.md' }, { by: 'you@example.com', written: 2 }]);
  expect(await you.call('recipe_list', { recipe: 'tidy-up' })).toMatchObject({
    recipes: [{ scopes: ['files:read', 'files:write'], steps: 4 }],
  });
  expect(await you.call('schedule_list')).toMatchObject({ schedules: [{ name: 'tidy-mondays', recipe: 'tidy-up' }] });
});

it('has a recipe that asks before it deletes', async () => {
  const { job } = await you.call<{ job: object }>('recipe_run', {
    recipe: 'tidy-up',
    inputs: { folder: 'cities' },
    wait: 20,
  });
  expect(job).toMatchObject({
    status: 'waiting',
    waiting: [{ for: 'approval', message: 'Delete 1 files of cities?' }],
  });
});

import type { JobStore } from '../jobs/job-store.ts';
import { ENDED } from '../jobs/model.ts';
import type { Submission } from '../jobs/model.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import { canonicalJson } from '../lib/json.ts';
import type { RecipeStore } from '../recipes/recipe-store.ts';
import { inputOf, sourceOf } from '../recipes/stored-input.ts';
import { timeAfter } from './cron.ts';
import { MAX_FAILURES } from './model.ts';
import type { Schedule } from './model.ts';
import type { ScheduleStore } from './schedule-store.ts';

interface Stores {
  readonly schedules: ScheduleStore;
  readonly jobs: JobStore;
  readonly recipes: RecipeStore;
}

/**
 * Starts the jobs of the schedules whose time has come, within the workspace: nobody calls then. Times that were missed meanwhile
 * are made up for once. A job and the note of it become durable together, because nothing is awaited in between; what
 * comes twice all the same has the idempotency key of its time.
 *
 * @param covers whether an access is still allowed all of these scopes
 * @returns when the next one is due (ms)
 */
export function fireSchedules(
  store: <Name extends keyof Stores>(name: Name) => Stores[Name],
  covers: (grantId: string, scopes: readonly string[]) => boolean,
  now: number,
): number | undefined {
  const [schedules, jobs, recipes] = [store('schedules'), store('jobs'), store('recipes')];
  for (const schedule of schedules.due(now)) {
    const { name, job, failures, authority, nextAt: plannedAt = now } = schedule;
    if (failures >= MAX_FAILURES) schedules.pause(name, 'failures');
    else if (authority.grantId !== undefined && !covers(authority.grantId, authority.scopes))
      schedules.pause(name, 'access_ended');
    else {
      const nextAt = timeAfter(schedule, now);
      const noted = { plannedAt, at: now };
      if (job && !ENDED.has(job.status))
        schedules.note(
          name,
          { ...noted, outcome: 'skipped', message: `The job of the time before is still ${job.status}.` },
          { jobId: undefined, failures, nextAt },
        );
      else
        try {
          const { id } = jobs.submit(submissionOf(schedule, plannedAt, recipes), now);
          schedules.note(name, { ...noted, outcome: 'started', message: undefined }, { jobId: id, failures, nextAt });
        } catch (thrown) {
          const { code, message } = asCarrelError(thrown);
          schedules.note(
            name,
            { ...noted, outcome: 'refused', message: `${code}: ${message}` },
            { jobId: undefined, failures: failures + 1, nextAt },
          );
        }
      if (nextAt === undefined) schedules.pause(name, 'no_more_times');
    }
  }
  return schedules.nextDue();
}

/** @throws CarrelError `not_found` (the recipe), `forbidden` where the recipe needs more by now than it was given */
function submissionOf(
  { id, name, definition, input, recipe: slug, version, session, authority }: Schedule,
  plannedAt: number,
  recipes: RecipeStore,
): Submission {
  const common = { definition, session: session.id, idempotencyKey: `schedule:${id}:${plannedAt}` };
  if (slug === undefined) return { ...common, input, authority, source: `schedule:${name}` };
  const recipe = recipes.get(slug, version);
  const lacking = recipe.scopes.filter((scope) => !authority.scopes.includes(scope));
  if (lacking.length > 0)
    throw new CarrelError(
      'forbidden',
      `The recipe needs permissions by now that the schedule was not given: ${lacking.join(', ')}. Save the schedule again.`,
    );
  return {
    ...common,
    input: canonicalJson(inputOf(recipe, JSON.parse(input) as Record<string, unknown>)),
    authority: { ...authority, scopes: recipe.scopes },
    source: sourceOf(slug),
  };
}

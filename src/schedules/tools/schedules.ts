import * as z from 'zod';

import { STATUSES } from '../../jobs/model.ts';
import { defineTool, DESTROY, READ, UPDATE } from '../../mcp/toolset.ts';
import { recipeSlug } from '../../recipes/model.ts';
import { session, sessionRef } from '../../sessions/model.ts';
import { scheduleName } from '../model.ts';
import type { ScheduleService, ShownSchedule } from '../service.ts';

const shownSchedule = z.object({
  name: z.string(),
  cron: z.string(),
  time_zone: z.string(),
  definition: z.string(),
  recipe: z.string().optional(),
  version: z.int().optional(),
  session: sessionRef,
  next_runs: z.array(z.string()),
  paused_because: z.enum(['asked', 'failures', 'access_ended', 'no_more_times']).optional(),
  failures: z.int(),
  last_run: z
    .object({
      planned_at: z.string(),
      at: z.string(),
      outcome: z.enum(['started', 'skipped', 'refused']),
      message: z.string().optional(),
      job: z.string().optional(),
      status: z.enum(STATUSES).optional(),
    })
    .optional(),
  scopes: z.array(z.string()),
});

type Shown = z.output<typeof shownSchedule>;

const WHY: Readonly<Record<NonNullable<Shown['paused_because']>, string>> = {
  asked: 'Paused. schedule_save with paused false lets it go on.',
  failures: 'Paused, because its runs failed five times in a row. See why, then schedule_save with paused false.',
  access_ended: 'Paused, because the access that it worked with has ended. Save it again to give it yours.',
  no_more_times: 'Paused, because it has no further time.',
};

/** Tools around schedules. */
export function scheduleTools(service: ScheduleService) {
  const save = defineTool('schedule_save', {
    title: 'Save a schedule',
    description:
      'Has a recipe or a kind of job start by itself, with the permissions of this connection; or changes that: what is left out stays. Ask the person first.',
    behaviour: UPDATE,
    input: z.strictObject({
      name: scheduleName,
      cron: z.string().max(1000).optional().describe('minute hour day month weekday, such as `0 8 * * mon-fri`'),
      time_zone: z.string().max(100).optional().describe('IANA, such as Europe/Berlin; else UTC'),
      recipe: recipeSlug.optional(),
      version: z.int().min(1).optional().describe('Else the latest of each time'),
      inputs: z.record(z.string(), z.unknown()).optional().describe('Of the recipe'),
      definition: z.string().trim().min(1).max(100).optional().describe('As of job_start'),
      input: z.record(z.string(), z.unknown()).optional().describe('Of that'),
      session,
      paused: z.boolean().optional(),
    }),
    output: z.object({ schedule: shownSchedule }),
    handle: async (input, context) => ({
      schedule: show(
        await service.save(context, {
          name: input.name,
          cron: input.cron,
          timeZone: input.time_zone,
          recipe: input.recipe,
          version: input.version,
          inputs: input.inputs,
          definition: input.definition,
          input: input.input,
          session: input.session,
          paused: input.paused,
        }),
      ),
    }),
    text: ({ schedule }) => lines(schedule),
  });

  const list = defineTool('schedule_list', {
    title: 'List schedules',
    description: 'What starts by itself: its next runs, what came of the last one, and why it does not run any more.',
    behaviour: READ,
    input: z.strictObject({ name: scheduleName.optional().describe('That one, with what it gives to its runs') }),
    output: z.object({ schedules: z.array(shownSchedule), input: z.record(z.string(), z.unknown()).optional() }),
    handle: async ({ name }, context) => {
      if (name === undefined) return { schedules: (await service.list(context)).map(show) };
      const shown = await service.get(context, name);
      const input = JSON.parse(shown.schedule.input) as Record<string, unknown>;
      // A large one would be no answer; who saved it has it.
      return { schedules: [show(shown)], ...(shown.schedule.input.length <= 20_000 ? { input } : {}) };
    },
    text: ({ schedules, input }) =>
      [
        schedules.length === 0 ? 'There are no schedules.' : schedules.map(lines).join('\n'),
        input && JSON.stringify(input),
      ]
        .filter((part) => part !== undefined)
        .join('\n'),
  });

  const remove = defineTool('schedule_delete', {
    title: 'Delete a schedule',
    description: 'Ends a schedule for good. A job that it started goes on.',
    behaviour: DESTROY,
    input: z.strictObject({ name: scheduleName }),
    output: z.object({ name: z.string(), deleted: z.boolean() }),
    handle: async ({ name }, context) => ({ name, deleted: await service.remove(context, name) }),
    text: ({ name, deleted }) => (deleted ? `Deleted the schedule ${name}.` : `There is no schedule ${name}.`),
  });

  return [save, list, remove];
}

const at = (time: number) => new Date(time).toISOString();

function show({ schedule, nextRuns }: ShownSchedule): Shown {
  const { recipe, version, pausedBecause, last, job } = schedule;
  return {
    name: schedule.name,
    cron: schedule.cron,
    time_zone: schedule.timeZone,
    definition: schedule.definition,
    ...(recipe === undefined ? {} : { recipe }),
    ...(version === undefined ? {} : { version }),
    session: schedule.session,
    next_runs: nextRuns.map(at),
    ...(pausedBecause === undefined ? {} : { paused_because: pausedBecause }),
    failures: schedule.failures,
    ...(last === undefined
      ? {}
      : {
          last_run: {
            planned_at: at(last.plannedAt),
            at: at(last.at),
            outcome: last.outcome,
            ...(last.message === undefined ? {} : { message: last.message }),
            ...(job === undefined || last.outcome === 'refused' ? {} : { job: job.id, status: job.status }),
          },
        }),
    scopes: [...schedule.authority.scopes],
  };
}

function lines(schedule: Shown): string {
  const { name, cron, time_zone: zone, definition, recipe, version, next_runs: next, paused_because: why } = schedule;
  const { last_run: last, failures } = schedule;
  const what =
    recipe === undefined ? definition : `the recipe ${recipe}${version === undefined ? '' : `, version ${version}`}`;
  return [
    `${name}: ${what}, at ${cron} (${zone}), in ${schedule.session.slug}`,
    why === undefined ? `  Next: ${next.join(', ')}` : `  ${WHY[why]}`,
    last &&
      `  Last: ${last.planned_at}, ${last.outcome}${last.status ? `, job ${last.job} ${last.status}` : ''}${last.message ? `. ${last.message}` : ''}`,
    failures > 0 && `  Failed ${failures} times in a row.`,
  ]
    .filter((line) => typeof line === 'string')
    .join('\n');
}

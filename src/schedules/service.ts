import type { JobContext, JobService } from '../jobs/service.ts';
import { CarrelError } from '../lib/errors.ts';
import { inputOf } from '../recipes/stored-input.ts';
import type { CronTimes } from './cron.ts';
import { MAX_INPUT_CHARACTERS } from './model.ts';
import type { Schedule } from './model.ts';

/** What somebody says of a schedule; what is left out stays. */
export interface ScheduleChange {
  readonly name: string;
  readonly cron: string | undefined;
  readonly timeZone: string | undefined;
  /** A kind of job with its input, or a recipe with its inputs. */
  readonly definition: string | undefined;
  readonly input: Readonly<Record<string, unknown>> | undefined;
  readonly recipe: string | undefined;
  readonly version: number | undefined;
  readonly inputs: Readonly<Record<string, unknown>> | undefined;
  readonly session: string | undefined;
  readonly paused: boolean | undefined;
}

/** A schedule with its next times (ms since the epoch). */
export interface ShownSchedule {
  readonly schedule: Schedule;
  readonly nextRuns: readonly number[];
}

const NEXT_RUNS = 3;

/** What knows time zones and summer time is loaded with the first schedule. */
const clock = () => import('./cron.ts');

/** Jobs and recipes that start by themselves. */
export class ScheduleService {
  readonly #jobs: JobService;
  readonly #now: () => number;

  /** @param now ms since the epoch */
  constructor(jobs: JobService, now: () => number = Date.now) {
    this.#jobs = jobs;
    this.#now = now;
  }

  /**
   * Makes a schedule, or changes one. Its jobs work with the access of whoever saved it last, who must be allowed all that it
   * does; who only pauses it needs nothing of that.
   *
   * @throws CarrelError `invalid_input`, `not_found`, `forbidden`, `limit_exceeded`; then all is as it was
   */
  async save(context: JobContext, change: ScheduleChange): Promise<ShownSchedule> {
    const { workspace } = context;
    const { name, paused } = change;
    const there = await workspace.schedules.find(name);
    if (there && paused === true && onlyPauses(change))
      return { schedule: await workspace.schedules.pause(name, 'asked'), nextRuns: [] };

    const cron = change.cron ?? there?.cron;
    const work = workOf(change, there);
    if (cron === undefined || work === undefined)
      throw new CarrelError(
        'invalid_input',
        'A new schedule needs `cron`, and `recipe` or `definition` with what that takes.',
      );
    const times: CronTimes = { cron, timeZone: change.timeZone ?? there?.timeZone ?? 'UTC' };
    const { checkTimes, timeAfter } = await clock();
    checkTimes(times);
    const { authority, input } = await this.#prepared(context, work);
    const isPaused = paused ?? there?.pausedBecause === 'asked';
    const schedule = await workspace.schedules.save({
      name,
      ...times,
      definition: work.definition,
      recipe: work.recipe,
      version: work.version,
      input,
      session: change.session ?? there?.session.id,
      authority,
      pausedBecause: isPaused ? 'asked' : undefined,
      nextAt: isPaused ? undefined : timeAfter(times, this.#now()),
    });
    return this.#shown(schedule);
  }

  async list({ workspace }: JobContext): Promise<readonly ShownSchedule[]> {
    return Promise.all((await workspace.schedules.list()).map(async (schedule) => this.#shown(schedule)));
  }

  async get({ workspace }: JobContext, name: string): Promise<ShownSchedule> {
    return this.#shown(await workspace.schedules.get(name));
  }

  async remove({ workspace }: JobContext, name: string): Promise<boolean> {
    return workspace.schedules.remove(name);
  }

  /** What its jobs are given and with which access, as it would be if one were started now. */
  async #prepared(context: JobContext, { definition, recipe: slug, version, given }: Work) {
    const input = JSON.stringify(given);
    if (input.length > MAX_INPUT_CHARACTERS)
      throw new CarrelError('too_large', 'What a schedule gives to its runs has at most 64,000 characters as JSON.');
    const recipe = slug === undefined ? undefined : await context.workspace.recipes.get(slug, version);
    const prepared = await this.#jobs.prepare(context, { definition, input: recipe ? inputOf(recipe, given) : given });
    return { authority: prepared.authority, input: recipe ? input : prepared.input };
  }

  async #shown(schedule: Schedule): Promise<ShownSchedule> {
    if (schedule.pausedBecause !== undefined || schedule.nextAt === undefined) return { schedule, nextRuns: [] };
    const { timesAfter } = await clock();
    // What is overdue runs as soon as it can.
    const after = Math.max(schedule.nextAt - 1, this.#now());
    return { schedule, nextRuns: timesAfter(schedule, after, NEXT_RUNS) };
  }
}

interface Work {
  readonly definition: string;
  readonly recipe: string | undefined;
  readonly version: number | undefined;
  readonly given: Readonly<Record<string, unknown>>;
}

function onlyPauses({ name: _name, paused: _paused, ...rest }: ScheduleChange): boolean {
  return Object.values(rest).every((each) => each === undefined);
}

/** @throws CarrelError `invalid_input` for both, or for the input of the other */
function workOf(change: ScheduleChange, there: Schedule | undefined): Work | undefined {
  const { definition, input, recipe, version, inputs } = change;
  const asRecipe = recipe ?? (definition === undefined ? there?.recipe : undefined);
  const mixed = asRecipe === undefined ? inputs !== undefined || version !== undefined : input !== undefined;
  if ((definition !== undefined && recipe !== undefined) || mixed)
    throw new CarrelError('invalid_input', 'Give `definition` with `input`, or `recipe` with `inputs` and `version`.');
  const isSame =
    asRecipe === undefined ? definition === undefined || definition === there?.definition : asRecipe === there?.recipe;
  const before = isSame && there ? (JSON.parse(there.input) as Record<string, unknown>) : undefined;
  if (asRecipe !== undefined)
    return {
      definition: 'recipe_run',
      recipe: asRecipe,
      version: version ?? (isSame ? there?.version : undefined),
      given: inputs ?? before ?? {},
    };
  const kind = definition ?? there?.definition;
  return kind === undefined
    ? undefined
    : { definition: kind, recipe: undefined, version: undefined, given: input ?? before ?? {} };
}

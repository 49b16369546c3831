import * as z from 'zod';

import type { JobAuthority, JobStatus } from '../jobs/model.ts';
import { CarrelError } from '../lib/errors.ts';
import { MAX_SLUG_LENGTH } from '../lib/slug.ts';
import type { SessionRef } from '../sessions/model.ts';

export const MAX_SCHEDULES = 50;
/** Runs in a row that failed, after which a schedule is paused. */
export const MAX_FAILURES = 5;
/** Characters of what a schedule gives to each of its runs, as JSON. */
export const MAX_INPUT_CHARACTERS = 64_000;

export const scheduleName = z
  .string()
  .max(MAX_SLUG_LENGTH)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be lower-case letters, digits and single hyphens');

/** Why a schedule does not run. */
export type SchedulePause = 'asked' | 'failures' | 'access_ended' | 'no_more_times';

/** What came of a time: a job, nothing because the job of the time before had not ended, or a refusal. */
export type ScheduleOutcome = 'started' | 'skipped' | 'refused';

/** What a schedule runs. */
export interface ScheduledWork {
  /** A kind of job, `recipe_run` for a recipe. */
  readonly definition: string;
  /** The stored recipe; undefined for any other kind of job. */
  readonly recipe: string | undefined;
  /** Its version; undefined for the latest of each time. */
  readonly version: number | undefined;
  /** JSON: the input of the job, or the inputs of the recipe. */
  readonly input: string;
}

/** What is saved of a schedule. */
export interface ScheduleContent extends ScheduledWork {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  /** Id or slug; undefined for the default one. */
  readonly session: string | undefined;
  /** For whom its jobs work: who saved it last, with what it needs and nothing else. */
  readonly authority: JobAuthority;
  readonly pausedBecause: SchedulePause | undefined;
  /** ms since the epoch; undefined while it is paused. */
  readonly nextAt: number | undefined;
}

export interface LastRun {
  /** For which time it was (ms since the epoch). */
  readonly plannedAt: number;
  /** When that was noticed. */
  readonly at: number;
  readonly outcome: ScheduleOutcome;
  readonly message: string | undefined;
}

export interface Schedule extends Omit<ScheduleContent, 'session'> {
  /** Of this schedule for good, whatever it is called. */
  readonly id: string;
  readonly session: SessionRef;
  readonly last: LastRun | undefined;
  /** The last job that it started, and how that is; undefined once the job was removed. */
  readonly job: { readonly id: string; readonly status: JobStatus } | undefined;
  /** Runs in a row that failed. */
  readonly failures: number;
}

export const noSuchSchedule = () =>
  new CarrelError('not_found', 'There is no such schedule. `schedule_list` shows those that there are.');

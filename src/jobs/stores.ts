import { RecipeStore } from '../recipes/recipe-store.ts';
import { ScheduleStore } from '../schedules/schedule-store.ts';
import { JobStore } from './job-store.ts';
import { RunStore } from './run-store.ts';

/** The stores of jobs, which are loaded with the first call of one. */
export const JOB_STORES = { jobs: JobStore, runs: RunStore, recipes: RecipeStore, schedules: ScheduleStore };

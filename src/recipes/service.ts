import type { JobDetail } from '../jobs/job-store.ts';
import type { Job, JobStatus } from '../jobs/model.ts';
import type { JobContext, JobService } from '../jobs/service.ts';
import { itemsWithinBudget } from '../lib/budget.ts';
import { encodeCursor, placeOf } from '../lib/cursor.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import type { Recipe, RecipeSummary } from './model.ts';
import { inputOf, sourceOf } from './stored-input.ts';
import type { RecipeTools } from './tool-port.ts';
import { checkPlan } from './validate.ts';

export interface RecipeInput {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly plan: unknown;
  /** The version that its writer saw last; undefined for whatever there is. */
  readonly expectedVersion: number | undefined;
}

export interface RecipeStart {
  /** A stored one, in a version or the latest. */
  readonly recipe: string | undefined;
  readonly version: number | undefined;
  /** One that is not stored. */
  readonly plan: Readonly<Record<string, unknown>> | undefined;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly session: string | undefined;
  readonly idempotencyKey: string | undefined;
}

export type RecipeAction = 'pause' | 'resume' | 'stop';

/** As jobs must be for an action to fit them. */
const FITTING: Readonly<Record<RecipeAction, readonly JobStatus[]>> = {
  pause: ['queued', 'running', 'waiting'],
  resume: ['paused'],
  // First those that wait for a place: otherwise each that is stopped lets one of them begin.
  stop: ['queued', 'running', 'waiting', 'paused'],
};

/** Stored recipes, and the jobs that run them. */
export class RecipeService {
  readonly #jobs: JobService;
  readonly #tools: () => Promise<RecipeTools>;

  constructor(jobs: JobService, tools: () => Promise<RecipeTools>) {
    this.#jobs = jobs;
    this.#tools = tools;
  }

  /**
   * Saves a recipe as its next version.
   *
   * Who saves it must have all the permissions that it needs: others run what is saved, with theirs.
   *
   * @throws CarrelError `invalid_input` (every fault with its place), `forbidden`, `conflict`, `limit_exceeded`
   */
  async save({ workspace, principal }: JobContext, input: RecipeInput): Promise<RecipeSummary> {
    const { slug, title, description, expectedVersion } = input;
    const { plan, scopes, steps } = checkPlan(input.plan, (await this.#tools()).info);
    const lacking = scopes.filter((scope) => !principal.scopes.includes(scope));
    if (lacking.length > 0)
      throw new CarrelError(
        'forbidden',
        `The recipe needs permissions that this connection lacks: ${lacking.join(', ')}. Connect again and allow them.`,
      );
    const content = {
      slug,
      title,
      description,
      inputs: JSON.stringify(plan.inputs),
      steps,
      scopes,
      plan: JSON.stringify(input.plan),
    };
    return workspace.recipes.save(content, expectedVersion, Date.now());
  }

  async get({ workspace }: JobContext, slug: string, version: number | undefined): Promise<Recipe> {
    return workspace.recipes.get(slug, version);
  }

  async list(
    { workspace }: JobContext,
    cursor: string | undefined,
  ): Promise<{ readonly recipes: readonly RecipeSummary[]; readonly nextCursor: string | undefined }> {
    const [after] = placeOf(cursor, 1) ?? [];
    const all = await workspace.recipes.list(after === undefined ? undefined : String(after));
    const recipes = itemsWithinBudget(all);
    const last = recipes.at(-1);
    return { recipes, nextCursor: last && recipes.length < all.length ? encodeCursor([last.slug]) : undefined };
  }

  async remove({ workspace }: JobContext, slug: string): Promise<boolean> {
    return workspace.recipes.remove(slug);
  }

  /** @throws CarrelError as {@link JobService.start}; then there is no job */
  async run(context: JobContext, start: RecipeStart): Promise<JobDetail> {
    const { recipe: slug, version, plan, inputs, session, idempotencyKey } = start;
    if ((slug === undefined) === (plan === undefined))
      throw new CarrelError('invalid_input', 'Give a `recipe` that is stored, or a `plan`.');
    const recipe = slug === undefined ? undefined : await context.workspace.recipes.get(slug, version);
    return this.#jobs.start(context, {
      definition: 'recipe_run',
      input: recipe ? inputOf(recipe, inputs) : { plan, inputs },
      session,
      idempotencyKey,
      source: slug === undefined ? undefined : sourceOf(slug),
    });
  }

  /**
   * Pauses, resumes or stops a job of a recipe, or all of its jobs that have not ended.
   *
   * @returns the jobs as they are now; those that the action does not fit are left out where no job is named
   * @throws CarrelError `not_found` for a job that is none of this recipe, `conflict` for a named one that the action does not fit
   */
  async act(context: JobContext, slug: string, action: RecipeAction, job: string | undefined): Promise<readonly Job[]> {
    const act = async (id: string) => {
      if (action === 'pause') return this.#jobs.pause(context, id);
      return action === 'resume' ? this.#jobs.resume(context, id) : this.#jobs.cancel(context, id);
    };
    if (job !== undefined) {
      const there = await this.#jobs.get(context, job);
      if (there.origin !== sourceOf(slug)) throw noSuchJobOf();
      return [await act(job)];
    }
    const jobs = await this.#jobsOf(context, slug, FITTING[action]);
    // A name that nobody used is a mistake, and not a recipe of which nothing runs.
    if (jobs.length === 0) await context.workspace.recipes.get(slug, undefined);
    const changed = await Promise.all(jobs.map(async ({ id }) => unlessOver(act(id))));
    return changed.filter((each) => each !== undefined);
  }

  async #jobsOf(context: JobContext, slug: string, statuses: readonly JobStatus[]): Promise<Job[]> {
    const found: Job[] = [];
    for (const status of statuses)
      for (let cursor: string | undefined, isLast = false; !isLast;) {
        const page = await this.#jobs.list(context, { status, source: sourceOf(slug), limit: 100, cursor });
        found.push(...page.jobs);
        cursor = page.nextCursor;
        isLast = cursor === undefined;
      }
    return found;
  }
}

/** One that came to its end meanwhile is left out. */
async function unlessOver(acting: Promise<Job>): Promise<Job | undefined> {
  try {
    return await acting;
  } catch (thrown) {
    if (asCarrelError(thrown).code !== 'conflict') throw thrown;
    return undefined;
  }
}

const noSuchJobOf = () => new CarrelError('not_found', 'There is no such job of this recipe.');

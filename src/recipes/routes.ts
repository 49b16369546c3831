import * as z from 'zod';

import { endpoint, endpointOf, way } from '../http/endpoint.ts';
import type { AuthorisedContext, ProtectedRoute } from '../http/route.ts';
import type { Job } from '../jobs/model.ts';
import { CarrelError } from '../lib/errors.ts';
import { sessionReference } from '../sessions/model.ts';
import { recipeSlug } from './model.ts';
import type { changedJobs, startedJob } from './operations.ts';
import type { RecipeAction, RecipeService } from './service.ts';

type ShownJob = z.output<typeof startedJob>['job'];

const documents = () => import('./operations.ts');

const byName = z.object({ slug: recipeSlug.describe('The name of a recipe') });

const toRun = z
  .strictObject({
    inputs: z.record(z.string(), z.unknown()).default({}).describe('What the recipe takes'),
    version: z.int().min(1).optional().describe('Else the latest'),
    session: sessionReference.optional().describe('Id or slug of a session; without one, the session `default`'),
  })
  .meta({ id: 'RecipeStart', description: 'How a recipe shall run.' });

const toChange = z
  .strictObject({ job: z.string().min(1).max(100).optional().describe('Id of a job of this recipe') })
  .meta({ id: 'RecipeJobs', description: 'Which jobs of a recipe.' });

const idempotencyKey = z.string().trim().min(1).max(200);

/**
 * Recipes over HTTP.
 *
 * @param show a job, as programs see it
 */
export function recipeRoutes(
  service: RecipeService,
  show: (job: Job, origin: string) => ShownJob,
): readonly ProtectedRoute[] {
  const run = way({
    params: byName,
    json: toRun,
    handle: async (context: AuthorisedContext, { params: { slug }, json }) => {
      const key = keyOf(context.request);
      const { version, inputs, session } = json;
      const intent = { tool: 'recipe_run', destructive: false };
      // As the tools of the same names: what the person wants to be asked about has no other way in.
      const call = { intent, summary: 'Run a recipe', arguments: { recipe: slug, ...json } };
      const job = await context.gated(call, (workspace) =>
        service.run(
          { ...context, workspace },
          { recipe: slug, version, plan: undefined, inputs, session, idempotencyKey: key },
        ),
      );
      const body = { job: show(job, context.origin) } satisfies z.output<typeof startedJob>;
      return Response.json(body, {
        status: 202,
        headers: { 'Cache-Control': 'private, no-store', Location: `/jobs/${job.id}` },
      });
    },
  });

  const change = (action: RecipeAction, describe: Parameters<typeof endpointOf>[0]) => {
    const act = async (context: AuthorisedContext, slug: string, job: string | undefined) => {
      const intent = { tool: action === 'stop' ? 'job_cancel' : `job_${action}`, destructive: action === 'stop' };
      const given = { recipe: slug, ...(job === undefined ? {} : { job }) };
      const call = { intent, summary: 'Change the jobs of a recipe', arguments: given };
      const jobs = await context.gated(call, (workspace) => service.act({ ...context, workspace }, slug, action, job));
      const body = { jobs: jobs.map((each) => show(each, context.origin)) } satisfies z.output<typeof changedJobs>;
      return Response.json(body, { headers: { 'Cache-Control': 'private, no-store' } });
    };
    const one = way({
      params: byName,
      json: toChange,
      handle: async (context: AuthorisedContext, { params, json }) => act(context, params.slug, json.job),
    });
    const all = way({
      params: byName,
      handle: async (context: AuthorisedContext, { params }) => act(context, params.slug, undefined),
    });
    return {
      POST: {
        scope: 'jobs:write',
        ...endpointOf(describe, ({ request }: AuthorisedContext) => (hasBody(request) ? one : all), [one, all]),
      },
    };
  };

  return [
    {
      path: '/workflows/:slug/run',
      methods: { POST: { scope: 'jobs:write', ...endpoint(async () => (await documents()).runRecipe, run) } },
    },
    { path: '/workflows/:slug/pause', methods: change('pause', async () => (await documents()).pauseRecipe) },
    { path: '/workflows/:slug/resume', methods: change('resume', async () => (await documents()).resumeRecipe) },
    { path: '/workflows/:slug/stop', methods: change('stop', async () => (await documents()).stopRecipe) },
  ];
}

const hasBody = ({ body, headers }: Request): boolean => body !== null && headers.get('Content-Length') !== '0';

/** @throws CarrelError `invalid_input` */
function keyOf({ headers }: Request): string | undefined {
  const given = headers.get('Idempotency-Key');
  if (given === null) return undefined;
  const key = idempotencyKey.safeParse(given);
  if (!key.success) throw new CarrelError('invalid_input', 'The Idempotency-Key must have 1 to 200 characters.');
  return key.data;
}

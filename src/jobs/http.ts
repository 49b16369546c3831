import type { AccessControl } from '../http/access.ts';
import type { Route } from '../http/route.ts';
import type { Registry } from '../mcp/registry.ts';
import { recipeRoutes } from '../recipes/routes.ts';
import { RecipeService } from '../recipes/service.ts';
import type { RecipeTools } from '../recipes/tool-port.ts';
import { jobRoutes } from './routes.ts';
import type { JobService } from './service.ts';
import { showJob } from './tools/shared.ts';

/** Everything around jobs over HTTP, where the toolset is on. Loaded with the first request for any of it. */
export async function allJobRoutes(
  registry: Registry,
  access: AccessControl,
  jobService: () => Promise<JobService>,
  tools: () => Promise<RecipeTools>,
): Promise<readonly Route[]> {
  if (!registry.toolsets.some(({ name }) => name === 'jobs')) return [];
  const jobs = await jobService();
  const recipes = new RecipeService(jobs, tools);
  return [
    ...jobRoutes(jobService),
    ...recipeRoutes(recipes, (job, origin) => showJob(job, jobs.expiryOf(job), origin)),
  ].map((route) => access.route(route));
}

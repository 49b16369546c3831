import type { DatasetService } from '../../datasets/service.ts';
import { datasetTools } from '../../datasets/tools.ts';
import type { ToolsetContents } from '../../mcp/toolset.ts';
import { RecipeService } from '../../recipes/service.ts';
import type { RecipeTools } from '../../recipes/tool-port.ts';
import { recipeTools } from '../../recipes/tools/recipes.ts';
import { ScheduleService } from '../../schedules/service.ts';
import { scheduleTools } from '../../schedules/tools/schedules.ts';
import type { JobService } from '../service.ts';
import { jobTools } from './jobs.ts';

/** What jobs bring to a client. */
export async function jobsContents(
  service: JobService,
  toolsOfRecipes: () => Promise<RecipeTools>,
  datasets: DatasetService,
): Promise<ToolsetContents> {
  const recipes = new RecipeService(service, toolsOfRecipes);
  return {
    tools: [
      ...jobTools(service, await service.definitions()),
      ...recipeTools(recipes, service),
      ...datasetTools(datasets),
      ...scheduleTools(new ScheduleService(service)),
    ],
  };
}

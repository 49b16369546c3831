import type { DatasetService } from '../../datasets/service.ts';
import type { FileBucket } from '../../files/bucket.ts';
import type { FileService } from '../../files/service.ts';
import type { UploadService } from '../../files/upload-service.ts';
import { SourceService } from '../../research/source-service.ts';
import type { JobDefinition } from '../definition.ts';
import { datasetImport } from './dataset-import.ts';
import { datasetQuery } from './dataset-query.ts';
import { exportWorkspace } from './export_workspace.ts';
import { extractText } from './extract_text.ts';
import { importSources } from './import_sources.ts';
import { importWorkspace } from './import_workspace.ts';
import { toolCall } from './tool-call.ts';
import { watchSource } from './watch_source.ts';
import type { RecipeTools } from '../../recipes/tool-port.ts';
import { recipeRun } from './recipe-run.ts';

/** What definitions work with. */
export interface Services {
  readonly bucket: FileBucket;
  readonly files: FileService;
  readonly uploads: UploadService;
  /** Whether http to this machine is fetched. */
  readonly loopback: boolean;
  /** Whether robots.txt is asked. */
  readonly robots: boolean;
  readonly recipeTools: RecipeTools;
  readonly datasets: DatasetService;
}

/**
 * All kinds of jobs of a deployment, by their names.
 *
 * @throws TypeError for two of one name
 */
export function makeDefinitions(
  services: Services,
  more: (services: Services) => readonly JobDefinition[] = () => [],
): ReadonlyMap<string, JobDefinition> {
  const sources = new SourceService(services);
  const { datasets } = services;
  const all = [
    datasetImport(datasets),
    datasetQuery(datasets),
    exportWorkspace(services),
    extractText(services),
    importWorkspace(services),
    importSources({ ...services, sources }),
    watchSource({ sources }),
    recipeRun(services.recipeTools),
    toolCall(services.recipeTools),
    ...more(services),
  ];
  const byName = new Map(all.map((definition) => [definition.name, definition]));
  if (byName.size < all.length) throw new TypeError('two kinds of jobs have one name');
  return byName;
}

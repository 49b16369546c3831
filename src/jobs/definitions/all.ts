import type { UploadService } from '../../files/upload-service.ts';
import type { JobDefinition } from '../definition.ts';

/** What definitions work with. */
export interface Services {
  readonly uploads: UploadService;
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
  const all = [...more(services)];
  const byName = new Map(all.map((definition) => [definition.name, definition]));
  if (byName.size < all.length) throw new TypeError('two kinds of jobs have one name');
  return byName;
}

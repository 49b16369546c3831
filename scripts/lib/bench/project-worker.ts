import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { bundleWorker } from '../bundle.ts';
import { asObjects, asText } from '../deploy/api.ts';
import { readProject } from '../deploy/project.ts';
import type { Project } from '../deploy/project.ts';
import { DEVELOPMENT_VARS } from '../dev-server.ts';
import { DIRECTORY_BINDING } from '../local-migrations.ts';
import { ROOT } from '../paths.ts';
import { MADE_SECRETS, makeSecret } from '../secrets.ts';
import type { Compatibility, WorkerHost, WorkerHostOptions } from './worker-host.ts';

type Env = WorkerHostOptions['env'];

/** The name under which our Worker runs here. */
export const NAME = 'carrel';

/** Our Worker, bundled, with all that it is bound to. */
export interface ProjectWorker {
  readonly options: WorkerHostOptions;
  /** Of the directory, in their order. */
  readonly migrations: readonly string[];
  /** Names of the R2 buckets by their binding. */
  readonly buckets: ReadonlyMap<string, string>;
}

/** @param folder gets the bundle and the storage */
export async function projectWorker(folder: string): Promise<ProjectWorker> {
  const project = await readProject(ROOT);
  const bundle = join(folder, NAME);
  await bundleWorker({ root: ROOT, entry: 'src/index.ts', folder: bundle });
  const options = {
    name: NAME,
    bundle,
    compatibility: compatibilityOf(project),
    persistTo: join(folder, 'state'),
    ...environment(project),
  };
  const buckets = new Map(project.buckets.map(({ binding, name }) => [binding, name]));
  return { options, migrations: project.migrations, buckets };
}

/** What wrangler.toml says of the runtime. */
function compatibilityOf({ config }: Project): Compatibility {
  const flags = config['compatibility_flags'];
  return {
    date: asText(config['compatibility_date']) ?? '',
    flags: Array.isArray(flags) ? flags.filter((flag) => typeof flag === 'string') : [],
  };
}

/** What wrangler.toml binds, with the vars of `npm start` and secrets of this run. */
function environment({ vars, buckets, config }: Project): Pick<WorkerHostOptions, 'env' | 'exports'> {
  const secrets = Object.fromEntries(MADE_SECRETS.map((name) => [name, makeSecret()]));
  const texts = Object.entries({ ...vars, ...DEVELOPMENT_VARS, ...secrets }).map(
    ([name, value]) => [name, { type: 'text', value }] as const,
  );
  const objects = asObjects((config['durable_objects'] as { bindings?: unknown } | undefined)?.bindings).map(
    (entry) => ({ binding: asText(entry['name']) ?? '', className: asText(entry['class_name']) ?? '' }),
  );
  const env: Env = {
    ...Object.fromEntries(texts),
    [DIRECTORY_BINDING]: { type: 'd1', id: DIRECTORY_BINDING },
    ...Object.fromEntries(buckets.map(({ binding, name }) => [binding, { type: 'r2', name }])),
    ...Object.fromEntries(
      objects.map(({ binding, className }) => [
        binding,
        { type: 'durable-object', worker: NAME, exportName: className },
      ]),
    ),
  };
  const exports = Object.fromEntries(
    objects.map(({ className }) => [className, { type: 'durable-object', storage: 'sqlite' } as const]),
  );
  return { env, exports };
}

/** Brings the directory of a Worker that was just started to its schema. */
export async function applyMigrations({ miniflare }: WorkerHost, names: readonly string[]): Promise<void> {
  const { unstable_splitSqlQuery: split } = await import('wrangler');
  const database = await miniflare.getD1Database(DIRECTORY_BINDING);
  for (const name of names) {
    const statements = split(readFileSync(join(ROOT, 'migrations', name), 'utf8'));
    await database.batch(statements.map((statement) => database.prepare(statement)));
  }
}

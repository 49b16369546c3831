import type * as z from 'zod';

import type { DirectoryRepo } from '../directory/repo.ts';
import type { FileBucket } from '../files/bucket.ts';
import type { Workspaces } from '../workspace/client.ts';
import { endpoint, way } from './endpoint.ts';
import type { readiness } from './operations.ts';
import type { Route } from './route.ts';

/** The newest file in migrations/, which this release needs. */
export const NEWEST_MIGRATION = '0004_device_requests.sql';
/** An object of nobody's, to see whether workspaces answer. */
const PROBE_WORKSPACE = 'readiness-probe';

interface ReadinessOptions {
  readonly directory: DirectoryRepo;
  readonly bucket: FileBucket;
  readonly workspaces: Workspaces;
}

type Readiness = z.output<typeof readiness>;
type Check = Readiness['checks']['files'];

/** `/healthz`: this isolate answers; reads nothing. `/readyz`: what it stands on answers too. */
export function readinessRoutes({ directory, bucket, workspaces }: ReadinessOptions): Route[] {
  const checks: Record<keyof Readiness['checks'], () => Promise<Check>> = {
    directory: async () => {
      const schema = await directory.schemaVersion();
      return schema === undefined || schema < NEWEST_MIGRATION
        ? { ok: false, problem: `The directory lacks the migration ${NEWEST_MIGRATION}. Run the deployment again.` }
        : { ok: true, schema };
    },
    files: async () => {
      await bucket.head('readiness-probe');
      return { ok: true };
    },
    workspace: async () => ({ ok: true, schema: (await workspaces.health(PROBE_WORKSPACE)).schema }),
  };

  const alive = way({ handle: () => Response.json({ status: 'ok' }, { headers: { 'Cache-Control': 'no-store' } }) });

  const ready = way({
    handle: async () => {
      const [directoryCheck, filesCheck, workspaceCheck] = await Promise.all([
        settled(checks.directory),
        settled(checks.files),
        settled(checks.workspace),
      ]);
      const results = { directory: directoryCheck, files: filesCheck, workspace: workspaceCheck };
      const isReady = Object.values(results).every(({ ok }) => ok);
      return Response.json({ status: isReady ? 'ok' : 'unavailable', checks: results } satisfies Readiness, {
        status: isReady ? 200 : 503,
        headers: { 'Cache-Control': 'no-store' },
      });
    },
  });

  const documents = () => import('./operations.ts');
  return [
    { path: '/healthz', methods: { GET: endpoint(async () => (await documents()).healthz, alive) } },
    { path: '/readyz', methods: { GET: endpoint(async () => (await documents()).readyz, ready) } },
  ];
}

/** A check that fails says so and no more: what a binding's error says is not for everybody. */
async function settled(check: () => Promise<Check>): Promise<Check> {
  return check().catch(() => ({ ok: false, problem: 'It does not answer.' }));
}

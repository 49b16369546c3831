import type { DirectoryRepo } from '../directory/repo.ts';
import type { FileBucket } from '../files/bucket.ts';
import type { Workspaces } from '../workspace/client.ts';
import type { Route } from './route.ts';

/** The newest file in migrations/, which this release needs. */
export const NEWEST_MIGRATION = '0001_directory.sql';
/** An object of nobody's, to see whether workspaces answer. */
const PROBE_WORKSPACE = 'readiness-probe';

interface ReadinessOptions {
  readonly directory: DirectoryRepo;
  readonly bucket: FileBucket;
  readonly workspaces: Workspaces;
}

type Check = { readonly ok: true; readonly schema?: unknown } | { readonly ok: false; readonly problem: string };

/** `/healthz`: this isolate answers; reads nothing. `/readyz`: what it stands on answers too. */
export function readinessRoutes({ directory, bucket, workspaces }: ReadinessOptions): Route[] {
  const checks: Record<string, () => Promise<Check>> = {
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

  return [
    {
      path: '/healthz',
      methods: { GET: () => Response.json({ status: 'ok' }, { headers: { 'Cache-Control': 'no-store' } }) },
    },
    {
      path: '/readyz',
      methods: {
        GET: async () => {
          const results = await Promise.all(
            Object.entries(checks).map(async ([name, check]): Promise<[string, Check]> => [name, await settled(check)]),
          );
          const ready = results.every(([, result]) => result.ok);
          return Response.json(
            { status: ready ? 'ok' : 'unavailable', checks: Object.fromEntries(results) },
            { status: ready ? 200 : 503, headers: { 'Cache-Control': 'no-store' } },
          );
        },
      },
    },
  ];
}

/** A check that fails says so and no more: what a binding's error says is not for everybody. */
async function settled(check: () => Promise<Check>): Promise<Check> {
  return check().catch(() => ({ ok: false, problem: 'It does not answer.' }));
}

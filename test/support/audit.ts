import { env } from 'cloudflare:workers';

import type { Bindings } from '../../src/app.ts';
import { AuditRepo } from '../../src/directory/audit-repo.ts';
import type { AuditLine } from '../../src/directory/types.ts';

// What the configuration binds, of which the type of `env` knows nothing.
const repo = new AuditRepo((env as unknown as Bindings).DIRECTORY);

/** What an act left in the audit, oldest first: the lines behind the last one before it. */
export async function auditDuring(act: () => Promise<unknown>): Promise<AuditLine[]> {
  const [last] = await repo.list({ limit: 1 });
  await act();
  const lines = await repo.list({ limit: 200 });
  return lines.filter(({ id }) => id > (last?.id ?? 0)).toReversed();
}

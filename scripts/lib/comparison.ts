import * as z from 'zod';

import { Stop } from './terminal.ts';

const comparison = z.object({
  objects: z.number(),
  bytes: z.number(),
  orphans: z.number(),
  orphanedBytes: z.number(),
  mended: z.number(),
  missing: z.number(),
  lost: z.array(z.object({ objectKey: z.string(), files: z.array(z.string()) })),
});

/** What the Worker found in one workspace; see src/files/upkeep-service.ts. */
export type Comparison = z.output<typeof comparison>;

/** @throws Stop for an answer of another release */
export function parseComparison(answer: unknown): Comparison {
  const { data } = comparison.safeParse(answer);
  if (!data)
    throw new Stop('The deployment answered with something else. Is it of this release? Deploy it: npm run deploy');
  return data;
}

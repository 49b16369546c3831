import type { Runner } from './durable.ts';
import type { RunStore } from './run-store.ts';

/** As many as are begun at once. */
const BATCH = 50;

/**
 * What the workspace does for its jobs by itself: it begins runs, takes up those that no longer move, wakes those that waited long
 * enough, and removes what was kept long enough.
 *
 * @param patience how long a run may be silent, in ms
 * @param keep how long a job that ended is kept, in ms
 * @returns when to look again (ms)
 */
export async function tendJobs(
  runs: RunStore,
  runner: Runner,
  { patience, keep }: { readonly patience: number; readonly keep: number },
  now: number,
): Promise<number | undefined> {
  const begun = runs.launch(patience, BATCH, now);
  // One that cannot be begun is silent, and is taken up again when it is due.
  if (begun.length > 0) await runner.launch(begun);
  const removed = runs.sweep(BATCH, now - keep);
  return begun.length === BATCH || removed === BATCH ? now : runs.nextDue(now);
}

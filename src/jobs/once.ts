import type { Caller } from '../workspace/client.ts';
import type { Database } from '../workspace/sql.ts';

/** What calls of steps have written. */
interface Written {
  written(job: string, step: string, call: string): { readonly value?: unknown } | undefined;
  noteWritten(job: string, step: string, call: string, value: unknown): void;
}

/** Stores whose calls may be repeated: what runs say of themselves, and uploads, which have a memory of their own. */
export const REPEATABLE: ReadonlySet<string> = new Set(['runs', 'uploads', 'parts', 'tus']);

/**
 * Calls a store for a step of a job. A step that is repeated is given the answer of the first time: the same call of the
 * same step never writes twice. What the call writes and its answer become durable together, because nothing is
 * awaited in between. A call that wrote nothing is made anew.
 */
export function callOnce(
  db: Database,
  runs: Written,
  { jobId, step, call = '' }: Extract<Caller, { kind: 'job' }>,
  work: () => unknown,
): unknown {
  const known = runs.written(jobId, step, call);
  if (known) return known.value;
  const before = db.written;
  const note = (value: unknown) => {
    if (db.written > before) runs.noteWritten(jobId, step, call, value);
    return value;
  };
  const value = work();
  return value instanceof Promise ? value.then(note) : note(value);
}

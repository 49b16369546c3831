import type { Database } from './sql.ts';

/** How long after a failure a task is tried again, in ms. */
const RETRY_MS = 60_000;
/** How long a task waits that this release does not know, in ms. */
const UNKNOWN_MS = 86_400_000;

/**
 * Work that a workspace does by itself. It returns when it wants to run next (ms), or undefined for not
 * again, counting all that is there at its end: what was scheduled while it ran is forgotten for it.
 */
export type AgendaTask = (now: number) => Promise<number | undefined>;

/**
 * What a workspace has to do and when. An object has one alarm; the agenda is its only user and
 * sets it to whatever is due first.
 */
export class Agenda {
  readonly #db: Database;
  readonly #storage: DurableObjectStorage;

  constructor(db: Database, storage: DurableObjectStorage) {
    this.#db = db;
    this.#storage = storage;
  }

  /** Puts a task on the agenda, or brings it forward; an earlier entry of the same task stays. */
  async schedule(task: string, due: number): Promise<void> {
    this.#db.run(
      `INSERT INTO agenda (task, due_at) VALUES (?, ?)
       ON CONFLICT (task) DO UPDATE SET due_at = excluded.due_at WHERE excluded.due_at < due_at`,
      task,
      due,
    );
    await this.#arm();
  }

  /**
   * Runs what is due. A task stands on the agenda, a minute ahead, while it runs: a crash in the middle
   * must not lose it. One that fails is tried again then and does not hold up the others. One that this
   * release does not know belongs to a newer one, and waits for it.
   */
  async run(tasks: Readonly<Record<string, AgendaTask>>, now: number, onError: (task: string, error: unknown) => void) {
    const due = this.#db.all<{ task: string }>('SELECT task FROM agenda WHERE due_at <= ? ORDER BY due_at', now);
    for (const { task } of due) {
      const work = tasks[task];
      const lease = now + (work ? RETRY_MS : UNKNOWN_MS);
      this.#db.run('UPDATE agenda SET due_at = ? WHERE task = ?', lease, task);
      if (!work) continue;
      try {
        const next = await work(now);
        // What was scheduled meanwhile for before the lease stays, anything later is counted in `next`.
        this.#db.run('DELETE FROM agenda WHERE task = ? AND due_at = ?', task, lease);
        if (next !== undefined) await this.schedule(task, next);
      } catch (error) {
        onError(task, error);
      }
    }
    await this.#arm();
  }

  async #arm(): Promise<void> {
    const next = this.#db.first<{ due_at: number | null }>('SELECT min(due_at) AS due_at FROM agenda');
    if (next?.due_at === null || next === undefined) return;
    const alarm = await this.#storage.getAlarm();
    if (alarm === null || alarm > next.due_at) await this.#storage.setAlarm(next.due_at);
  }
}

import { byteLength } from '../lib/encoding.ts';
import { Store } from '../workspace/storage.ts';
import type { Session, StateEntry, StateSummary } from './model.ts';

/** What became of a write that may name the version it expects. */
export type StateWrite =
  | { readonly outcome: 'written'; readonly session: Session; readonly version: number }
  | { readonly outcome: 'version_differs'; readonly session: Session; readonly version: number };

type EntryRow = { key: string; value: string; version: number; updatedAt: number };
type SummaryRow = { key: string; bytes: number; version: number; updatedAt: number };

/** The JSON state of the sessions of one workspace. */
export class StateStore extends Store {
  get(reference: string | undefined, key: string): { session: Session; entry: StateEntry | undefined } {
    const session = this.session(reference);
    return { session, entry: this.#entry(session.id, key) };
  }

  /**
   * Writes a value. With `expectedVersion` (0: the key must be new) it is compare-and-set: of two
   * callers who read the same version the first one writes, and the second is told the new version.
   */
  set(
    reference: string | undefined,
    key: string,
    value: string,
    expectedVersion: number | undefined,
    now: number,
  ): StateWrite {
    const session = this.session(reference);
    const current = this.#entry(session.id, key)?.version ?? 0;
    if (expectedVersion !== undefined && expectedVersion !== current)
      return { outcome: 'version_differs', session, version: current };
    this.db.transaction(() => {
      this.db.run(
        `INSERT INTO state (session_id, key, value, bytes, version, updated_at) VALUES (?, ?, ?, ?, 1, ?)
         ON CONFLICT (session_id, key) DO UPDATE SET
           value = excluded.value, bytes = excluded.bytes, version = version + 1, updated_at = excluded.updated_at`,
        session.id,
        key,
        value,
        byteLength(value),
        now,
      );
      this.#touch(session.id, now);
    });
    return { outcome: 'written', session, version: current + 1 };
  }

  /** Removes a key; `version` in the answer is the one that was removed, 0 when there was none. */
  delete(reference: string | undefined, key: string, expectedVersion: number | undefined, now: number): StateWrite {
    const session = this.session(reference);
    const current = this.#entry(session.id, key)?.version ?? 0;
    if (expectedVersion !== undefined && expectedVersion !== current)
      return { outcome: 'version_differs', session, version: current };
    if (current > 0)
      this.db.transaction(() => {
        this.db.run('DELETE FROM state WHERE session_id = ? AND key = ?', session.id, key);
        this.#touch(session.id, now);
      });
    return { outcome: 'written', session, version: current };
  }

  /** Keys in their order, without their values. */
  list(
    reference: string | undefined,
    options: { prefix: string; limit: number; after: string | undefined },
  ): { session: Session; entries: readonly StateSummary[]; next: string | undefined } {
    const session = this.session(reference);
    const rows = this.db.all<SummaryRow>(
      `SELECT key, bytes, version, updated_at AS updatedAt FROM state
       WHERE session_id = ? AND key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?`,
      session.id,
      options.after ?? '',
      options.prefix,
      // The end of the prefix's range: no key goes beyond the last character of Unicode.
      `${options.prefix}\u{10FFFF}`,
      options.limit + 1,
    );
    const entries = rows.slice(0, options.limit);
    return { session, entries, next: rows.length > options.limit ? entries.at(-1)?.key : undefined };
  }

  #entry(sessionId: string, key: string): StateEntry | undefined {
    return this.db.first<EntryRow>(
      'SELECT key, value, version, updated_at AS updatedAt FROM state WHERE session_id = ? AND key = ?',
      sessionId,
      key,
    );
  }

  #touch(sessionId: string, now: number): void {
    this.db.run('UPDATE sessions SET updated_at = ? WHERE id = ?', now, sessionId);
  }
}

import type { Position } from '../lib/cursor.ts';
import type { SessionRef } from '../sessions/model.ts';
import { Store } from '../workspace/storage.ts';
import { noSuchDesk } from './model.ts';

/** The base of the stores of research. */
export abstract class ResearchStore extends Store {
  /** The session that a caller names, in which there is research. @throws CarrelError `not_found` */
  protected desk(reference: string | undefined): SessionRef {
    const { id, slug, title } = this.session(reference);
    if (!this.db.first('SELECT 1 FROM research_desks WHERE session_id = ?', id)) throw noSuchDesk();
    return { id, slug, title };
  }

  /**
   * A page of rows, of which one more than it has was asked for.
   *
   * @param time by which they are ordered, before their ids
   */
  protected page<Row extends { readonly id: string }>(
    rows: readonly Row[],
    limit: number,
    time: (row: Row) => number,
  ): { readonly rows: readonly Row[]; readonly next: Position | undefined } {
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return { rows: page, next: rows.length > limit && last ? [time(last), last.id] : undefined };
  }

  /** A number that a statement counts for a session. */
  protected count(statement: string, sessionId: string): number {
    return this.db.first<{ count: number }>(statement, sessionId)?.count ?? 0;
  }
}

import { CarrelError } from '../lib/errors.ts';
import { ApprovalBase, LISTED_COLUMNS } from './base.ts';
import type { ApprovalRow } from './base.ts';
import { MAX_LISTED } from './model.ts';
import type { Approval, Decided, Decision } from './model.ts';

/** What waits first, then what is over, the newest first of each. */
export interface ApprovalList {
  readonly pending: readonly Approval[];
  readonly recent: readonly Approval[];
}

/**
 * Approvals, as whoever answers them sees them: the person on a page, or a personal token with the scope for it. The
 * workspace lets nobody else call this store, whatever the code of a tool says.
 */
export class DecisionStore extends ApprovalBase {
  list(now: number): ApprovalList {
    const rows = this.db
      .all<ApprovalRow>(
        `SELECT ${LISTED_COLUMNS} FROM approvals ORDER BY status = 'pending' DESC, created_at DESC, rowid DESC LIMIT ?`,
        MAX_LISTED,
      )
      .map((row) => this.shown({ ...row, status: this.current(row, now) }));
    return { pending: rows.filter(waits), recent: rows.filter((row) => !waits(row)) };
  }

  /** @throws CarrelError `not_found` */
  get(id: string, now: number): Approval {
    const row = this.#one(id);
    return this.shown({ ...row, status: this.current(row, now) });
  }

  /**
   * @param by `page`, or the id of a personal token
   * @throws CarrelError `not_found`, `forbidden` (who asks does not answer)
   */
  decide(id: string, decision: Decision, by: string, now: number): Decided {
    return this.db.transaction(() => {
      const row = this.#one(id);
      if (row.grantId === by)
        throw new CarrelError('forbidden', 'The token that asked for this cannot answer it. Open the page instead.');
      return this.decideRow(row, decision, by, now);
    });
  }

  /** How many wait. */
  count(now: number): number {
    return this.db
      .all<ApprovalRow>(`SELECT ${LISTED_COLUMNS} FROM approvals WHERE status = 'pending' AND expires_at > ?`, now)
      .filter((row) => waits({ status: this.current(row, now), jobId: row.jobId ?? undefined })).length;
  }

  #one(id: string): ApprovalRow {
    const row = this.row(id);
    if (!row) throw new CarrelError('not_found', 'There is no such approval.');
    return row;
  }
}

/** Whether somebody waits for the person: of what is out of date only a job, which they can have ask again. */
const waits = ({ status, jobId }: Pick<Approval, 'status' | 'jobId'>) =>
  status === 'pending' || (status === 'outdated' && jobId !== undefined);

import { CarrelError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import { ApprovalBase, approvalHash, COLUMNS, sha256Of } from './base.ts';
import type { ApprovalRow } from './base.ts';
import { ANSWER_MS, asksFor, DENIED_MS, KEPT_MS, MAX_ARGUMENTS, MAX_KEPT, MAX_PENDING, claimOfStep } from './model.ts';
import type {
  Approval,
  Asked,
  AskedCall,
  Asker,
  CallIntent,
  Decided,
  Decision,
  FileTarget,
  JobApproval,
} from './model.ts';
import { APPROVALS_SCHEMA } from './schema.ts';

interface NewApproval extends Asker {
  readonly summary: string;
  readonly tool: string;
  readonly destructive: boolean;
  readonly arguments: string;
  readonly targets: readonly FileTarget[];
  readonly bytes: number;
  readonly jobId: string | undefined;
  readonly step: string | undefined;
  readonly within: number;
}

/** Approvals, as whoever asks for them sees them. Nothing here answers one, but through a client that may. */
export class ApprovalStore extends ApprovalBase {
  static readonly schema = APPROVALS_SCHEMA;

  /**
   * Lets a call through that needs no approval, or has claimed one; called by the workspace in the same turn as the
   * call itself. The versions of the files are compared once more when the call that claimed it begins: whatever
   * changed a file before that was first, and the approval is void. From then on the call goes on to its end.
   *
   * @param owner the grant that calls, or the job
   * @throws CarrelError `forbidden` with `approval_required` in its details
   */
  gate(call: CallIntent, owner: string): void {
    const bytes = () => this.resolve(call.files ?? [], false).bytes + (call.bytes ?? 0);
    if (!asksFor(this.rules(), call, bytes)) return;
    if (call.claim !== undefined && this.#passes(call.tool, call.claim, owner)) return;
    throw new CarrelError('forbidden', 'The person wants to be asked before this is done.', {
      details: { approval_required: true },
    });
  }

  /**
   * Asks for a call that was held up. The same call finds the approval that waits, or uses the one that was given:
   * claimed before the call begins, so of two calls at once one goes on, and one that breaks off has used it up.
   *
   * @throws CarrelError `not_found` (a file that must be there), `limit_exceeded` (too many wait)
   */
  ask(call: AskedCall, now: number): Asked {
    return this.db.transaction((): Asked => {
      const rules = this.rules();
      const targets = call.files ?? [];
      const resolved = this.resolve(targets, true);
      const bytes = resolved.bytes + (call.bytes ?? 0);
      if (!asksFor(rules, call, () => bytes)) return { outcome: 'free' };
      for (const row of this.#ofCall(call)) {
        const status = this.current(row, now);
        if (status === 'approved') {
          this.db.run(`UPDATE approvals SET status = 'used', claim = ? WHERE id = ?`, call.claim, row.id);
          return { outcome: 'claimed' };
        }
        if (status === 'pending') return this.#pending(row, rules.clients, false);
        if (status === 'denied' && this.isAsItWas(row) && now - (row.decidedAt ?? 0) < DENIED_MS)
          return { outcome: 'denied', approval: this.shown(row) };
        if (status === 'outdated') this.setStatus(row.id, status);
      }
      const row = this.#insert(
        { ...call, targets, bytes, jobId: undefined, step: undefined, within: ANSWER_MS },
        resolved.files,
        now,
      );
      return this.#pending(row, rules.clients, true);
    });
  }

  /**
   * Gives a call that asks its person in between another claim for its next round: the old one is of no use then, so
   * a round that is sent twice goes on once.
   */
  reclaim(claim: string, next: string, grantId: string): boolean {
    return (
      this.db.run(
        `UPDATE approvals SET claim = ? WHERE claim = ? AND grant_id = ? AND status = 'used'`,
        next,
        claim,
        grantId,
      ) > 0
    );
  }

  /**
   * An answer that came through the client that asked, where the person allowed that.
   *
   * @throws CarrelError `forbidden`, `not_found`
   */
  answerThroughClient(id: string, decision: Decision, asker: Asker, now: number): Decided {
    return this.db.transaction(() => {
      const row = this.row(id);
      if (!row || row.grantId !== asker.grantId || row.jobId !== null)
        throw new CarrelError('not_found', 'There is no such approval.');
      if (!this.rules().clients.includes(asker.clientId))
        throw new CarrelError('forbidden', 'The person does not answer approvals through this client.');
      return this.decideRow(row, decision, 'client', now);
    });
  }

  /**
   * Asks for what a job is about to do. A step asks once: again it finds what it asked for, unless that is outdated.
   *
   * @throws CarrelError `not_found` (a file), `limit_exceeded`
   */
  askForJob(job: JobApproval, now: number): { readonly approval: Approval; readonly isNew: boolean } {
    return this.db.transaction(() => {
      const known = this.#ofStep(job.jobId, job.step);
      const status = known && this.current(known, now);
      if (known && status !== undefined && status !== 'outdated')
        return { approval: this.shown({ ...known, status }), isNew: false };
      if (known) this.setStatus(known.id, 'outdated');
      const targets = job.files;
      const resolved = this.resolve(targets, true);
      const asked = {
        ...job,
        tool: job.action,
        destructive: job.destructive ?? false,
        targets,
        within: job.within ?? ANSWER_MS,
      };
      const row = this.#insert({ ...asked, bytes: resolved.bytes + (job.bytes ?? 0) }, resolved.files, now);
      return { approval: this.shown(row), isNew: true };
    });
  }

  /** What became of what a step asked for; undefined when it asked for nothing. */
  find(jobId: string, step: string, now: number): Approval | undefined {
    const row = this.#ofStep(jobId, step);
    return row && this.shown({ ...row, status: this.current(row, now) });
  }

  /**
   * Uses what was approved for a step, which may be repeated: again it says `used`. Anything else means that the job
   * may not go on; `outdated`, that it must ask anew. What a rule holds up passes with {@link claimOfStep} then.
   */
  useForJob(jobId: string, step: string, now: number): Approval | undefined {
    return this.db.transaction(() => {
      const row = this.#ofStep(jobId, step);
      if (!row) return undefined;
      const status = this.current(row, now);
      if (status !== 'approved') return this.shown({ ...row, status });
      const claim = claimOfStep(jobId, step);
      this.db.run(`UPDATE approvals SET status = 'used', begun = 1, claim = ? WHERE id = ?`, claim, row.id);
      return this.shown({ ...row, status: 'used' });
    });
  }

  /** What was not answered, or not used, in time, and was not ended yet. */
  overdue(now: number): readonly Approval[] {
    return this.db
      .all<ApprovalRow>(
        `SELECT ${COLUMNS} FROM approvals WHERE status IN ('pending', 'approved') AND expires_at <= ? LIMIT ?`,
        now,
        MAX_KEPT,
      )
      .map((row) => this.shown({ ...row, status: 'expired' }));
  }

  /**
   * Ends what has expired, of which everybody was told, and removes what is long over.
   *
   * @returns when something is due next, ms since the epoch; undefined when nothing is left
   */
  sweep(told: readonly string[], now: number): number | undefined {
    return this.db.transaction(() => {
      for (const id of told) this.setStatus(id, 'expired');
      this.db.run(
        `DELETE FROM approvals
         WHERE status NOT IN ('pending', 'approved') AND coalesce(decided_at, expires_at) <= ?`,
        now - KEPT_MS,
      );
      const next = this.db.first<{ due: number | null }>(
        `SELECT min(CASE WHEN status IN ('pending', 'approved') THEN expires_at
           ELSE coalesce(decided_at, expires_at) + ${KEPT_MS} END) AS due FROM approvals`,
      );
      return next?.due ?? undefined;
    });
  }

  #passes(tool: string, claim: string, owner: string): boolean {
    const row = this.db.first<ApprovalRow & { begun: number }>(
      `SELECT ${COLUMNS}, begun FROM approvals
       WHERE claim = ? AND tool = ? AND coalesce(job_id, grant_id) = ? AND status = 'used'`,
      claim,
      tool,
      owner,
    );
    if (!row) return false;
    if (row.begun === 1) return true;
    if (!this.isAsItWas(row)) {
      this.setStatus(row.id, 'outdated');
      return false;
    }
    this.db.run('UPDATE approvals SET begun = 1 WHERE id = ?', row.id);
    return true;
  }

  /** Of the same call by the same grant, the newest first. */
  #ofCall({ grantId, tool, arguments: text }: AskedCall): ApprovalRow[] {
    return this.db.all<ApprovalRow>(
      `SELECT ${COLUMNS} FROM approvals
       WHERE grant_id = ? AND tool = ? AND arguments_sha256 = ? AND job_id IS NULL
         AND status IN ('pending', 'approved', 'denied')
       ORDER BY created_at DESC, rowid DESC LIMIT 10`,
      grantId,
      tool,
      sha256Of(text),
    );
  }

  #ofStep(jobId: string, step: string): ApprovalRow | undefined {
    return this.db.first<ApprovalRow>(
      `SELECT ${COLUMNS} FROM approvals WHERE job_id = ? AND step = ? ORDER BY created_at DESC, rowid DESC LIMIT 1`,
      jobId,
      step,
    );
  }

  #pending(row: ApprovalRow, clients: readonly string[], isNew: boolean): Asked {
    return { outcome: 'pending', approval: this.shown(row), isNew, throughClient: clients.includes(row.clientId) };
  }

  #insert(asked: NewApproval, files: ReturnType<ApprovalBase['resolve']>['files'], now: number): ApprovalRow {
    const waiting = this.db.first<{ count: number }>(
      `SELECT count(*) AS count FROM approvals WHERE status = 'pending' AND expires_at > ?`,
      now,
    );
    if ((waiting?.count ?? 0) >= MAX_PENDING)
      throw new CarrelError('limit_exceeded', `${MAX_PENDING} approvals wait for the person already.`, {
        details: { limit: MAX_PENDING },
      });
    const argumentsSha256 = sha256Of(asked.arguments);
    const row: ApprovalRow = {
      id: newId('apr'),
      status: 'pending',
      summary: asked.summary,
      tool: asked.tool,
      destructive: asked.destructive ? 1 : 0,
      arguments: asked.arguments.slice(0, MAX_ARGUMENTS),
      argumentsLength: asked.arguments.length,
      argumentsSha256,
      hash: approvalHash(asked.tool, argumentsSha256, files),
      targets: JSON.stringify(asked.targets),
      files: this.shownFiles(files),
      fileCount: files.length,
      bytes: asked.bytes,
      grantId: asked.grantId,
      clientId: asked.clientId,
      personId: asked.personId,
      requestId: asked.requestId,
      jobId: asked.jobId ?? null,
      step: asked.step ?? null,
      createdAt: now,
      expiresAt: now + asked.within,
      decidedAt: null,
      decidedBy: null,
    };
    this.db.run(
      `INSERT INTO approvals (id, status, summary, tool, destructive, arguments, arguments_length, arguments_sha256,
         hash, targets, files, file_count, bytes, grant_id, client_id, person_id, request_id, job_id, step, created_at,
         expires_at, decided_at, decided_by)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...Object.values(row),
    );
    // A client that changes a file and asks again, over and over, must not fill the workspace.
    this.db.run(
      `DELETE FROM approvals WHERE id IN (
         SELECT id FROM approvals WHERE status NOT IN ('pending', 'approved') ORDER BY created_at
         LIMIT max(0, (SELECT count(*) FROM approvals) - ${MAX_KEPT}))`,
    );
    this.schedule('approvals', row.expiresAt);
    return row;
  }
}

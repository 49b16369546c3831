import { createHash } from 'node:crypto';

import { CarrelError } from '../lib/errors.ts';
import { isId } from '../lib/ids.ts';
import { canonicalJson } from '../lib/json.ts';
import { Store } from '../workspace/storage.ts';
import { ANSWER_MS, LISTED_ARGUMENTS, LISTED_FILES, MAX_FILES_SHOWN, NO_RULES, rulesSchema } from './model.ts';
import type { AffectedFile, Approval, ApprovalRules, ApprovalStatus, Decided, Decision, FileTarget } from './model.ts';

export type ApprovalRow = {
  id: string;
  status: ApprovalStatus;
  summary: string;
  tool: string;
  destructive: number;
  arguments: string;
  argumentsLength: number;
  argumentsSha256: string;
  hash: string;
  /** JSON. */
  targets: string;
  files: string;
  fileCount: number;
  bytes: number;
  grantId: string;
  clientId: string;
  personId: string;
  requestId: string;
  jobId: string | null;
  step: string | null;
  createdAt: number;
  expiresAt: number;
  decidedAt: number | null;
  decidedBy: string | null;
};

const columns = (text: string, files: string) => `id, status, summary, tool, destructive, ${text} AS arguments,
  arguments_length AS argumentsLength, arguments_sha256 AS argumentsSha256, hash, targets, ${files} AS files,
  file_count AS fileCount, bytes, grant_id AS grantId, client_id AS clientId, person_id AS personId,
  request_id AS requestId, job_id AS jobId, step, created_at AS createdAt, expires_at AS expiresAt,
  decided_at AS decidedAt, decided_by AS decidedBy`;

export const COLUMNS = columns('arguments', 'files');
/** The same for a list: what a hundred of them hold may be more than one answer should. */
export const LISTED_COLUMNS = columns(
  `substr(arguments, 1, ${LISTED_ARGUMENTS})`,
  `(SELECT json_group_array(json(value)) FROM (SELECT value FROM json_each(files) LIMIT ${LISTED_FILES}))`,
);

/** Files as they are in the index now, with their bytes together. */
export interface Resolved {
  readonly files: readonly AffectedFile[];
  readonly bytes: number;
}

type FileRow = {
  id: string;
  sessionId: string;
  path: string;
  version: number;
  size: number;
  deletedAt: number | null;
};

const FILE_COLUMNS = 'id, session_id AS sessionId, path, version, size, deleted_at AS deletedAt';
/** Files of one folder: of more no call takes them at once. */
const MAX_FILES = 1000;

/** SHA-256 in lower-case hexadecimal. Without an await: between a check and what it allows nothing may come. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What an approval is for: another tool, another argument or another version of a file is something else. */
export function approvalHash(
  tool: string,
  argumentsSha256: string,
  files: readonly Pick<AffectedFile, 'id' | 'version' | 'session' | 'path' | 'inTrash'>[],
): string {
  const states = files.map(({ id, version, session, path, inTrash }) => [id, version, session, path, inTrash]);
  return sha256Of(canonicalJson([tool, argumentsSha256, states]));
}

/** What the stores of approvals share. Every method belongs into the transaction of its caller. */
export abstract class ApprovalBase extends Store {
  protected rules(): ApprovalRules {
    const row = this.db.first<{ rules: string }>('SELECT rules FROM approval_rules');
    return row ? rulesSchema.parse(JSON.parse(row.rules)) : NO_RULES;
  }

  protected row(id: string): ApprovalRow | undefined {
    return this.db.first<ApprovalRow>(`SELECT ${COLUMNS} FROM approvals WHERE id = ?`, id);
  }

  /**
   * The files that a call names, as they are now.
   *
   * @param strict whether it is an error that one is missing, or that they are more than any call takes
   * @throws CarrelError `not_found`, `invalid_input`
   */
  protected resolve(targets: readonly FileTarget[], strict: boolean): Resolved {
    const files: AffectedFile[] = [];
    for (const { file, session, optional } of targets) {
      const rows = this.#rows(file, session);
      if (strict && optional !== true && rows.length === 0)
        throw new CarrelError('not_found', 'There is no such file, or no such session.');
      if (strict && rows.length > MAX_FILES)
        throw new CarrelError(
          'invalid_input',
          `The folder has more than ${MAX_FILES} files. Take its folders one by one.`,
        );
      for (const { id, sessionId, path, version, size, deletedAt } of rows) {
        const slug = this.findSession(sessionId)?.slug ?? sessionId;
        files.push({ id, session: slug, path, version, size, inTrash: deletedAt !== null });
      }
    }
    return { files, bytes: files.reduce((sum, { size }) => sum + size, 0) };
  }

  /** What a row is now. Looking writes nothing: whoever decides or asks does. */
  protected current(row: ApprovalRow, now: number): ApprovalStatus {
    if (row.status !== 'pending' && row.status !== 'approved') return row.status;
    if (row.expiresAt <= now) return 'expired';
    return this.isAsItWas(row) ? row.status : 'outdated';
  }

  /** Whether the files are still those of which the approval is. */
  protected isAsItWas(row: Pick<ApprovalRow, 'tool' | 'argumentsSha256' | 'targets' | 'hash'>): boolean {
    const { files } = this.resolve(JSON.parse(row.targets) as FileTarget[], false);
    return approvalHash(row.tool, row.argumentsSha256, files) === row.hash;
  }

  protected setStatus(id: string, status: ApprovalStatus): void {
    this.db.run('UPDATE approvals SET status = ?, claim = NULL WHERE id = ?', status, id);
  }

  /**
   * Decides what waits. Of several answers the first counts. One that comes when it has expired, or when a file was
   * changed since, approves nothing; what is outdated may still be denied.
   */
  protected decideRow(row: ApprovalRow, decision: Decision, by: string, now: number): Decided {
    const status = this.current(row, now);
    const isOpen = status === 'pending' || (status === 'outdated' && row.status === 'pending' && decision === 'denied');
    if (!isOpen) {
      // Not what has expired: the sweep tells of that, once.
      if (status === 'outdated') this.setStatus(row.id, status);
      return { approval: this.shown({ ...row, status }), done: false };
    }
    const expiresAt = decision === 'approved' ? now + ANSWER_MS : row.expiresAt;
    this.db.run(
      'UPDATE approvals SET status = ?, decided_at = ?, decided_by = ?, expires_at = ? WHERE id = ?',
      decision,
      now,
      by,
      expiresAt,
      row.id,
    );
    return {
      approval: this.shown({ ...row, status: decision, decidedAt: now, decidedBy: by, expiresAt }),
      done: true,
    };
  }

  protected shown({ targets: _targets, files, destructive, ...row }: ApprovalRow): Approval {
    return {
      ...row,
      destructive: destructive === 1,
      files: JSON.parse(files) as AffectedFile[],
      jobId: row.jobId ?? undefined,
      step: row.step ?? undefined,
      decidedAt: row.decidedAt ?? undefined,
      decidedBy: row.decidedBy ?? undefined,
    };
  }

  /** For the column of files. */
  protected shownFiles(files: readonly AffectedFile[]): string {
    return JSON.stringify(files.slice(0, MAX_FILES_SHOWN));
  }

  #rows(file: string, session: string | undefined): FileRow[] {
    if (isId('fil', file))
      return this.db.all<FileRow>(
        `SELECT ${FILE_COLUMNS} FROM files WHERE id = ?1
           OR id = (SELECT file_id FROM file_aliases WHERE alias = ?1) ORDER BY id = ?1 DESC LIMIT 1`,
        file,
      );
    const within = this.findSession(session);
    if (!within) return [];
    if (!file.endsWith('/'))
      return this.db.all<FileRow>(
        `SELECT ${FILE_COLUMNS} FROM files WHERE session_id = ? AND path = ? AND deleted_at IS NULL`,
        within.id,
        file,
      );
    return this.db.all<FileRow>(
      `SELECT ${FILE_COLUMNS} FROM files
       WHERE session_id = ? AND path >= ? AND path < ? AND deleted_at IS NULL ORDER BY path LIMIT ?`,
      within.id,
      file,
      // Behind every path that begins with the folder: `0` follows `/`.
      `${file.slice(0, -1)}0`,
      MAX_FILES + 1,
    );
  }
}

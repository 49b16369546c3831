import * as z from 'zod';

/**
 * Lets a personal token answer approvals. It is in no list of scopes that a client can ask for or be given: what asks
 * must not be able to answer.
 */
export const APPROVALS_SCOPE = 'approvals:write';

/** Approvals that may wait at a time, over all apps of a person. */
export const MAX_PENDING = 100;
/** Approvals that are kept: the oldest that are over go when one more is asked for. */
export const MAX_KEPT = 1000;
/** How long one waits for its answer, and how long what was approved may be used, in ms. */
export const ANSWER_MS = 86_400_000;
/** How long one is kept after it was decided or has expired, in ms. */
export const KEPT_MS = 30 * 86_400_000;
/** How long the same call is told that it was denied, in ms, before it asks anew. */
export const DENIED_MS = 10 * 60_000;
/** UTF-16 code units of the arguments that are kept to be shown; the hash is of all of them. */
export const MAX_ARGUMENTS = 64 * 1024;
/** Files that are kept to be shown; the hash is of all of them. */
export const MAX_FILES_SHOWN = 100;
/** The same, and code units of the arguments, where several approvals are listed. */
export const LISTED_FILES = 5;
export const LISTED_ARGUMENTS = 1000;
/** Approvals in a list: all that wait, and the last of the others. */
export const MAX_LISTED = MAX_PENDING + 50;

/** What a person wants to be asked about. Nothing unless told. */
export const rulesSchema = z.object({
  /** Each call that changes something. */
  always: z.boolean(),
  /** What may destroy or overwrite. */
  destructive: z.boolean(),
  /** These, by name. */
  tools: z.array(z.string().max(64)).max(500),
  /** What affects more bytes than these. */
  bytes: z.int().min(0).optional(),
  /** Ids of the clients through which the person answers, besides the page. */
  clients: z.array(z.string().max(2000)).max(100),
});

export type ApprovalRules = z.infer<typeof rulesSchema>;

export const NO_RULES: ApprovalRules = { always: false, destructive: false, tools: [], clients: [] };

/** A file, or a folder with its slash, that a call affects. */
export interface FileTarget {
  /** An id, or a path in `session`. */
  readonly file: string;
  /** Id or slug; undefined for the default session. */
  readonly session?: string | undefined;
  /** Whether the call makes it where it is not there. Otherwise nobody is asked about what cannot be done. */
  readonly optional?: boolean | undefined;
}

/** What of the shelf a call affects. */
export interface Affected {
  readonly files?: readonly FileTarget[] | undefined;
  /** Bytes that it brings, besides those of the files. */
  readonly bytes?: number | undefined;
}

/** A call that is about to change something, as the workspace checks it against the rules. */
export interface CallIntent extends Affected {
  readonly tool: string;
  /** Whether it may destroy or overwrite what was there. */
  readonly destructive: boolean;
  /** With which an approval was claimed for this very call. Known to nobody outside. */
  readonly claim?: string | undefined;
}

/** `outdated`: a file was changed after it was asked for; `used`: the call was made. */
export const STATUSES = ['pending', 'approved', 'denied', 'expired', 'used', 'outdated'] as const;
export type ApprovalStatus = (typeof STATUSES)[number];

export type Decision = 'approved' | 'denied';

/** A file that would be affected, as it was when the approval was asked for. */
export interface AffectedFile {
  readonly id: string;
  /** Slug of its session. */
  readonly session: string;
  readonly path: string;
  readonly version: number;
  /** Bytes. */
  readonly size: number;
  readonly inTrash: boolean;
}

/** Something that a person is asked to approve. */
export interface Approval {
  readonly id: string;
  readonly status: ApprovalStatus;
  /** One line, of ours or of the definition of a job. */
  readonly summary: string;
  /** The tool, or the action of a job. */
  readonly tool: string;
  readonly destructive: boolean;
  /** Canonical JSON, its beginning where it is longer than {@link MAX_ARGUMENTS}. */
  readonly arguments: string;
  /** Of all of it, UTF-16 code units. */
  readonly argumentsLength: number;
  readonly argumentsSha256: string;
  /** SHA-256 over tool, arguments and the versions of the files: what an approval is for. */
  readonly hash: string;
  /** At most {@link MAX_FILES_SHOWN} of them. */
  readonly files: readonly AffectedFile[];
  readonly fileCount: number;
  /** Bytes that are affected or brought. */
  readonly bytes: number;
  readonly grantId: string;
  readonly clientId: string;
  readonly personId: string;
  readonly requestId: string;
  readonly jobId: string | undefined;
  readonly step: string | undefined;
  /** ms since the epoch. */
  readonly createdAt: number;
  /** Until when it may be answered; once it is approved, until when it may be used. */
  readonly expiresAt: number;
  readonly decidedAt: number | undefined;
  /** `page`, `client`, or the id of a personal token. */
  readonly decidedBy: string | undefined;
}

/** Who asks. */
export interface Asker {
  readonly grantId: string;
  readonly clientId: string;
  readonly personId: string;
  readonly requestId: string;
}

/** A call that a rule holds up, with what its approval is bound to. */
export interface AskedCall extends CallIntent, Asker {
  readonly claim: string;
  readonly summary: string;
  /** Canonical JSON. */
  readonly arguments: string;
}

/** What became of asking for a call. */
export type Asked =
  /** No rule applies any more. */
  | { readonly outcome: 'free' }
  /** It was approved, and is used up by this call. */
  | { readonly outcome: 'claimed' }
  | { readonly outcome: 'denied'; readonly approval: Approval }
  | {
      readonly outcome: 'pending';
      readonly approval: Approval;
      readonly isNew: boolean;
      /** Whether the person answers through this client too. */
      readonly throughClient: boolean;
    };

/** What a job needs a person for. */
export interface JobApproval extends Asker {
  readonly jobId: string;
  readonly step: string;
  readonly summary: string;
  /** The tool, or the name of the definition. */
  readonly action: string;
  /** Canonical JSON. */
  readonly arguments: string;
  readonly files: readonly FileTarget[];
  /** Bytes that it brings, besides those of the files. */
  readonly bytes?: number | undefined;
  readonly destructive?: boolean;
  /** ms; a day unless told. */
  readonly within?: number | undefined;
}

/** What stands for the approval of a step in the calls of its job. */
export const claimOfStep = (jobId: string, step: string): string => `${jobId}/${step}`;

/** What became of a decision. */
export interface Decided {
  readonly approval: Approval;
  /** Whether this call decided it: of several, the first. */
  readonly done: boolean;
}

/**
 * Whether a call must be approved first.
 *
 * @param bytes that it affects, asked for where a rule is about them
 */
export function asksFor(
  rules: ApprovalRules,
  call: Pick<CallIntent, 'tool' | 'destructive'>,
  bytes: () => number,
): boolean {
  return (
    rules.always ||
    (rules.destructive && call.destructive) ||
    rules.tools.includes(call.tool) ||
    (rules.bytes !== undefined && bytes() > rules.bytes)
  );
}

/** What a line of the audit says of an approval: never its arguments. */
export const auditDetail = ({ id, tool, hash }: Approval) => ({ approval: id, tool, hash: hash.slice(0, 16) });

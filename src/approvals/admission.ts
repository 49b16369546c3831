import type { AuditTrail } from '../directory/audit.ts';
import { CarrelError } from '../lib/errors.ts';
import type { PersonalTokenStore } from '../oauth/personal-token-store.ts';
import type { Caller } from '../workspace/client.ts';
import type { Features } from '../workspace/features.ts';
import { APPROVALS_SCOPE, auditDetail } from './model.ts';
import type { Approval } from './model.ts';

/**
 * What the workspace object does about approvals, loaded where it has something to do. Its stores are prepared.
 */

/**
 * Whether a caller, who was let in, may go on now. What asks for an approval must not give it, whatever the code says
 * that calls: rules are the person's alone, on a page, and answers theirs or of a personal token made for it.
 *
 * @throws CarrelError `forbidden`
 */
export function admit(
  caller: Caller,
  store: string | undefined,
  features: Features,
  tokens: Pick<PersonalTokenStore, 'find'>,
): void {
  if (caller.asks) features.call('approvals', 'gate', [caller.asks, ownerOf(caller)]);
  const isAnswer = store === 'decisions';
  if (caller.kind === 'person' || (!isAnswer && store !== 'approvalRules')) return;
  const scopes =
    caller.kind === 'token' ? tokens.find(caller.grantId, caller.tokenHash, Date.now())?.scopes : undefined;
  if (!isAnswer || scopes?.includes(APPROVALS_SCOPE) !== true)
    throw new CarrelError('forbidden', 'Only the person answers approvals.');
}

/** Whose approvals count for a caller: the grant that calls, or the job. */
function ownerOf(caller: Caller): string {
  if (caller.kind === 'job') return caller.jobId;
  return 'grantId' in caller ? caller.grantId : '';
}

/**
 * The task of the agenda: what nobody answered in time is refused. Marked as ended last: a crash before that tells
 * it again, and a job that waits for it is never forgotten.
 *
 * @param continueJob is told which jobs waited for what has expired
 * @returns when the next is due
 */
export async function expire(
  features: Features,
  audit: Pick<AuditTrail, 'record'>,
  now: number,
  continueJob: (jobId: string) => Promise<void> = async () => undefined,
): Promise<number | undefined> {
  const overdue = features.call('approvals', 'overdue', [now]) as readonly Approval[];
  for (const approval of overdue) {
    const { personId, clientId, grantId, requestId, jobId } = approval;
    const detail = auditDetail(approval);
    await audit.record({ action: 'approval_expired', personId, clientId, grantId, requestId, detail });
    if (jobId !== undefined) await continueJob(jobId);
  }
  const told = overdue.map(({ id }) => id);
  return features.call('approvals', 'sweep', [told, now]) as number | undefined;
}

import type { Telemetry } from '../telemetry/telemetry.ts';
import type { AuditRepo } from './audit-repo.ts';
import type { AuditAction, AuditEntry } from './types.ts';

/**
 * Lines an hour of one action that is about nobody. Anybody can be refused or register a client as often
 * as they like: beyond this only the number would be news, and it must not fill the directory.
 */
const NOBODYS_AN_HOUR = 200;
/** The same of one action about one person: a client that asks in a loop, or whoever holds an old token, causes those. */
const REPEATED_AN_HOUR = 100;
/**
 * What only the person or those who manage people cause, each time by a deliberate act: a flood of something else
 * must not hide it. So is what a line names its own person for, as `by`.
 */
const DELIBERATE: ReadonlySet<AuditAction> = new Set([
  'approval_given',
  'approval_denied',
  'approval_rule_changed',
  'grant_narrowed',
  'identity_linked',
  'identity_removed',
  'invitation_made',
  'invitation_withdrawn',
  'owner_claimed',
  'person_deleted',
  'person_disabled',
  'person_enabled',
  'recovery_codes_made',
  'role_changed',
  'sessions_ended',
  'share_ended',
  'share_made',
  'token_ended',
  'token_made',
]);
/** Characters of a client's id, and of each detail: what a caller forgets to bound could be a megabyte a line. */
const MAX_CHARACTERS = 500;
/** Days after which a line is removed. */
export const AUDIT_DAYS = 365;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Appends to the audit of the deployment. */
export class AuditTrail {
  readonly #repo: AuditRepo;
  readonly #telemetry: Telemetry;
  /** When a sample of an action was taken last, ms since the epoch. */
  readonly #sampled = new Map<AuditAction, number>();

  constructor(repo: AuditRepo, telemetry: Telemetry) {
    this.#repo = repo;
    this.#telemetry = telemetry;
  }

  /**
   * Resolves when the line is written. What cannot be written is logged and does not stop what it is
   * about: a directory that takes no writes must not keep anybody from ending an access. A client's id or a
   * detail of more than 500 characters is left out.
   */
  async record(written: AuditEntry): Promise<void> {
    const entry = withinBounds(written);
    try {
      const now = Date.now();
      const limit = entry.personId === undefined ? NOBODYS_AN_HOUR : REPEATED_AN_HOUR;
      if (isDeliberate(entry)) await this.#repo.append(entry, now);
      else await this.#repo.appendAtMost(entry, now, limit, now - HOUR_MS);
    } catch (error) {
      this.#telemetry.record({ type: 'audit_failed', action: entry.action, error });
    }
  }

  /** Records what happens all the time and is about nobody: one line a minute of each isolate stands for all. */
  async sample(entry: AuditEntry): Promise<void> {
    const now = Date.now();
    if (now - (this.#sampled.get(entry.action) ?? 0) < MINUTE_MS) return;
    this.#sampled.set(entry.action, now);
    await this.record(entry);
  }

  /** Removes lines older than {@link AUDIT_DAYS}. */
  async sweep(now: number): Promise<void> {
    await this.#repo.sweep(now - AUDIT_DAYS * DAY_MS);
  }
}

function isDeliberate({ action, personId, detail }: AuditEntry): boolean {
  return DELIBERATE.has(action) || (personId !== undefined && detail?.['by'] === personId);
}

function withinBounds(entry: AuditEntry): AuditEntry {
  const fits = (value: unknown) => typeof value !== 'string' || value.length <= MAX_CHARACTERS;
  return {
    ...entry,
    clientId: fits(entry.clientId) ? entry.clientId : undefined,
    detail: Object.fromEntries(Object.entries(entry.detail ?? {}).filter(([, value]) => fits(value))),
  };
}

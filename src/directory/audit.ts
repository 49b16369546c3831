import type { Telemetry } from '../telemetry/telemetry.ts';
import type { AuditRepo } from './audit-repo.ts';
import type { AuditEntry } from './types.ts';

/**
 * Lines an hour of one action that is about nobody. Anybody can be refused or register a client as often
 * as they like: beyond this only the number would be news, and it must not fill the directory.
 */
const NOBODYS_AN_HOUR = 200;
const HOUR_MS = 3_600_000;

/** Appends to the audit of the deployment. */
export class AuditTrail {
  readonly #repo: AuditRepo;
  readonly #telemetry: Telemetry;

  constructor(repo: AuditRepo, telemetry: Telemetry) {
    this.#repo = repo;
    this.#telemetry = telemetry;
  }

  /**
   * Resolves when the line is written. What cannot be written is logged and does not stop what it is
   * about: a directory that takes no writes must not keep anybody from ending an access.
   */
  async record(entry: AuditEntry): Promise<void> {
    try {
      const now = Date.now();
      if (entry.personId === undefined) await this.#repo.appendAtMost(entry, now, NOBODYS_AN_HOUR, now - HOUR_MS);
      else await this.#repo.append(entry, now);
    } catch (error) {
      this.#telemetry.record({ type: 'audit_failed', action: entry.action, error });
    }
  }
}

import type { AuditEntry } from '../directory/types.ts';
import type { Refusal } from './server.ts';

/** A request to the token endpoint about one grant. */
export interface Asked {
  readonly request: Request;
  readonly form: URLSearchParams;
  /** The code or token that it is about. */
  readonly presented: string;
  readonly presentedHash: string;
  readonly grantId: string;
  /** For its lines in the audit. */
  readonly about: About;
}

/** What a line of the audit about it says. */
export type About = Pick<AuditEntry, 'personId' | 'grantId' | 'clientId' | 'requestId'>;

/** What the library answered. */
export interface Answer {
  readonly response: Response;
  /** Why it was refused; undefined where it was not. */
  readonly refusal: Refusal | undefined;
  /** Whether the library ended the grant while it answered. */
  readonly ended: boolean;
}

import { asCarrelError } from '../lib/errors.ts';
import type { ErrorCode } from '../lib/errors.ts';
import { redact } from './redact.ts';

/** How many of each. */
export interface SweptFiles {
  /** Objects that no file owns: of attempts that were not committed, and of files that are gone. */
  readonly objects?: number;
  /** Uploads that nobody finished. */
  readonly uploads?: number;
  /** Files that were thirty days in the trash. */
  readonly files?: number;
  /** Shares, and counts of addresses, that have expired. */
  readonly links?: number;
}

/** Something that happened, as the operator may want to know it. Holds ids, never content. */
export type TelemetryEvent =
  | {
      readonly type: 'tool_called';
      readonly tool: string;
      readonly personId: string;
      readonly clientId: string;
      readonly grantId: string;
      readonly outcome: 'ok' | 'input_required' | 'task' | ErrorCode;
      readonly milliseconds: number;
      readonly characters: number;
      readonly requestId: string;
    }
  | { readonly type: 'request_failed'; readonly requestId: string; readonly path: string; readonly error: unknown }
  | { readonly type: 'job_failed'; readonly job: string; readonly error: unknown }
  | { readonly type: 'tool_failed'; readonly requestId: string; readonly tool: string; readonly error: unknown }
  | {
      readonly type: 'oauth_refused';
      readonly code: string;
      readonly status: number;
      readonly category: string;
      readonly reason: string;
    }
  | { readonly type: 'signed_in'; readonly personId: string; readonly provider: string; readonly requestId: string }
  | {
      readonly type: 'grant_made';
      readonly personId: string;
      readonly clientId: string;
      readonly scopes: readonly string[];
      readonly requestId: string;
    }
  /** Tokens that nobody issued, or that have ended and are not known, since the last such event of this isolate: one event a minute for any number. */
  | { readonly type: 'invented_tokens'; readonly count: number }
  /** What the sweep of a workspace removed from it and from the bucket; none where there was nothing. */
  | { readonly type: 'files_swept'; readonly what: 'uploads' | 'trash' | 'links'; readonly removed: SweptFiles }
  | { readonly type: 'audit_failed'; readonly action: string; readonly error: unknown }
  | { readonly type: 'agenda_failed'; readonly task: string; readonly error: unknown };

export interface Telemetry {
  /** Never throws: what is recorded must not change what happened. */
  record(event: TelemetryEvent): void;
}

/** Structured logs: one JSON object a line, with what could be used to get in taken out. */
export class ConsoleTelemetry implements Telemetry {
  record(event: TelemetryEvent): void {
    try {
      const failed = 'error' in event;
      const line = redact(JSON.stringify(failed ? { ...event, error: describeError(event.error) } : event));
      if (failed) console.error(line);
      else console.log(line);
    } catch {
      console.error('{"type":"telemetry_failed"}');
    }
  }
}

/** An error with its causes, as deep as four, for the log. */
function describeError(thrown: unknown, depth = 0): Record<string, unknown> {
  const known = thrown instanceof Error ? thrown : asCarrelError(thrown);
  return {
    name: known.name,
    message: known.message,
    ...('code' in known ? { code: known.code } : {}),
    ...(depth === 0 && known.stack !== undefined ? { stack: known.stack } : {}),
    ...(known.cause !== undefined && depth < 4 ? { cause: describeError(known.cause, depth + 1) } : {}),
  };
}

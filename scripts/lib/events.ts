import type { TelemetryEvent } from '../../src/telemetry/telemetry.ts';

/** As the log has it: an error has become its parts. */
type Logged<Event> = Event extends { readonly error: unknown } ? Omit<Event, 'error'> & { error: LoggedError } : Event;

interface LoggedError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

function errorLines({ name, message, code, stack, cause }: LoggedError): string[] {
  const title = `${name}: ${message}`;
  const first = code === undefined || code === name ? title : `${title} (${code})`;
  // Most stacks begin with the title.
  const frames = (stack ?? '').split('\n').filter((line) => line.trim().startsWith('at '));
  return [first, ...frames, ...(cause ? errorLines({ ...cause, name: `because ${cause.name}` }) : [])];
}

function failed(what: string, error: LoggedError): string {
  return [what, ...errorLines(error).map((line) => `  ${line}`)].join('\n');
}

function inWords(event: Logged<TelemetryEvent>): string {
  switch (event.type) {
    case 'tool_called':
      return `${event.tool} ${event.outcome} ${event.milliseconds} ms`;
    case 'signed_in':
      return `signed_in ${event.personId} ${event.provider}`;
    case 'grant_made':
      return `grant_made ${event.clientId} ${event.scopes.join(' ')}`;
    case 'oauth_refused':
      return `oauth_refused ${event.code} ${event.reason}`;
    case 'invented_tokens':
      return `invented_tokens ${event.count}`;
    case 'files_swept':
      return `files_swept ${Object.entries(event.removed)
        .map(([what, count]) => `${what} ${count}`)
        .join(', ')}`;
    case 'request_failed':
      return failed(`request_failed ${event.path} ${event.requestId}`, event.error);
    case 'tool_failed':
      return failed(`tool_failed ${event.tool} ${event.requestId}`, event.error);
    case 'job_failed':
      return failed(`job_failed ${event.job}`, event.error);
    case 'audit_failed':
      return failed(`audit_failed ${event.action}`, event.error);
    case 'agenda_failed':
      return failed(`agenda_failed ${event.task}`, event.error);
  }
}

/** An event of the Worker's log as a person reads it while it runs; undefined for any other line. */
export function readableEvent(line: string): string | undefined {
  if (!line.startsWith('{"type":"')) return undefined;
  try {
    const text = inWords(JSON.parse(line) as Logged<TelemetryEvent>);
    // Some of it came from outside: nothing in it may speak to the terminal.
    return text.replaceAll(/(?!\n)\p{Cc}/gu, '');
  } catch {
    return undefined;
  }
}

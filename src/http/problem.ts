import type { CarrelError, ErrorCode } from '../lib/errors.ts';
import type { ProblemDocument } from './problem-schema.ts';

export const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_input: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  limit_exceeded: 429,
  unsupported: 415,
  unavailable: 503,
  internal: 500,
};

const TITLES: Readonly<Record<ErrorCode, string>> = {
  invalid_input: 'The request does not fit',
  unauthenticated: 'Sign in first',
  forbidden: 'Not allowed',
  not_found: 'Not found',
  conflict: 'In conflict with what is there',
  too_large: 'Too large',
  limit_exceeded: 'Too much at once',
  unsupported: 'Not supported',
  unavailable: 'Not available now',
  internal: 'Something went wrong on our side',
};

export function problemTitle(code: ErrorCode): string {
  return TITLES[code];
}

/** An error as RFC 9457 `application/problem+json`. */
export function problem(error: CarrelError, requestId: string, status: number = STATUS[error.code]): Response {
  return Response.json(
    {
      // First: whatever an error says of itself is no other status or code than that of the answer.
      ...error.details,
      type: 'about:blank',
      title: TITLES[error.code],
      status,
      code: error.code,
      detail: error.message,
      request_id: requestId,
    } satisfies ProblemDocument,
    {
      status,
      headers: {
        'Content-Type': 'application/problem+json',
        'Cache-Control': 'no-store',
        ...retryAfter(error),
      },
    },
  );
}

/** When to come back, for an error that says so: `details.retry_after`, in seconds. */
export function retryAfter({ details }: Pick<CarrelError, 'details'>): Record<string, string> {
  const seconds = details['retry_after'];
  return typeof seconds === 'number' ? { 'Retry-After': String(seconds) } : {};
}

/** 405 with the methods that the path has. */
export function methodNotAllowed(allowed: readonly string[], requestId: string): Response {
  const response = Response.json(
    {
      type: 'about:blank',
      title: 'Method not allowed',
      status: 405,
      code: 'unsupported',
      detail: `This address answers ${allowed.join(', ')}.`,
      request_id: requestId,
    } satisfies ProblemDocument,
    { status: 405, headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' } },
  );
  response.headers.set('Allow', allowed.join(', '));
  return response;
}

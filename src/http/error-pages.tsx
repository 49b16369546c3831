import type { CarrelError } from '../lib/errors.ts';
import { ErrorPage } from './error-page.tsx';
import { html } from './html.ts';
import { problemTitle, retryAfter } from './problem.ts';

/** An error for a person. */
export function errorPage(error: CarrelError, requestId: string, status: number): Response {
  const title = status === 421 ? 'Not the right address' : problemTitle(error.code);
  const page = <ErrorPage status={status} title={title} explanation={error.message} requestId={requestId} />;
  return html(page, { status, headers: retryAfter(error) });
}

/** 405 for a person: the address is there, and a browser's way of asking is not for it. */
export function noPage(allowed: readonly string[], requestId: string): Response {
  const page = (
    <ErrorPage
      status={405}
      title="Method not allowed"
      explanation="This address is no page: forms and programs use it."
      requestId={requestId}
    />
  );
  return html(page, { status: 405, headers: { Allow: allowed.join(', ') } });
}

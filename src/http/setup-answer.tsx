import { stylesheet, STYLESHEET_PATH } from '../console/stylesheet.ts';
import { CarrelError } from '../lib/errors.ts';
import { randomName } from '../lib/ids.ts';
import type { SettingsFault } from '../settings.ts';
import { SetupPage } from './error-page.tsx';
import { withSecurityHeaders } from './headers.ts';
import { html, prefersHtml } from './html.ts';
import { problem } from './problem.ts';

/**
 * All that a deployment answers which is not set up: what is missing, for whoever sets it up. It lists
 * every fault at once and names settings, never their values.
 */
export function setupAnswer(request: Request, faults: readonly SettingsFault[] = []): Response {
  const url = new URL(request.url);
  const requestId = randomName();
  const sentence =
    faults.length === 0
      ? 'PUBLIC_URL is not set yet. Run `npm run deploy`, which finds it out and sets it.'
      : `The configuration is wrong: ${faults.map(({ setting, problem: what }) => `${setting} ${what}`).join('; ')}.`;
  const answer = () =>
    prefersHtml(request)
      ? html(<SetupPage faults={faults} />, { status: 503 })
      : problem(new CarrelError('unavailable', sentence), requestId);
  return withSecurityHeaders(url.pathname === STYLESHEET_PATH ? stylesheet() : answer(), url, requestId);
}

import { AuthorizationError, CimdFetchError } from '@cloudflare/workers-oauth-provider';

import { html, prefersHtml } from '../http/html.ts';
import { INVALID_REDIRECT, UNKNOWN_CLIENT } from './library-words.ts';
import { AuthorizeErrorPage } from './pages.tsx';
import { HandleAlreadyUsed } from './storage.ts';

const START_AGAIN = 'Go back to the app and connect again.';

/**
 * The answer to an error of the OAuth library, or undefined for any other. An error goes back to the
 * client only where the library has checked the client and its redirect; otherwise a person sees it
 * here, because nobody knows who would receive it there. A program gets it as JSON (RFC 6749 §5.2):
 * mcp-remote asks before it opens a browser, and registers again when it is told `invalid_client`.
 */
export function oauthErrorResponse(thrown: unknown, requestId: string, request: Request): Response | undefined {
  if (thrown instanceof AuthorizationError && thrown.redirectTo !== undefined)
    return new Response(null, { status: 302, headers: { Location: thrown.redirectTo, 'Cache-Control': 'no-store' } });
  const page = explain(thrown);
  if (page && !prefersHtml(request)) {
    const error =
      thrown instanceof AuthorizationError && thrown.description === UNKNOWN_CLIENT
        ? 'invalid_client'
        : 'invalid_request';
    const body = { error, error_description: page.explanation };
    return Response.json(body, { status: 400, headers: { 'Cache-Control': 'no-store' } });
  }
  return page && html(<AuthorizeErrorPage {...page} whatToDo={START_AGAIN} requestId={requestId} />, { status: 400 });
}

function explain(thrown: unknown): { title: string; explanation: string } | undefined {
  if (thrown instanceof CimdFetchError)
    return {
      title: 'The app could not be checked',
      explanation: 'The document in which the app describes itself could not be read, so nobody can say who asks.',
    };
  if (thrown instanceof HandleAlreadyUsed)
    return { title: 'This question was answered', explanation: 'Each question to you can be answered once.' };
  if (!(thrown instanceof AuthorizationError)) return undefined;
  switch (thrown.description) {
    case UNKNOWN_CLIENT:
      return {
        title: 'This app is not known here',
        explanation:
          'It may have registered long ago and been forgotten. Remove this server in the app, then add it again.',
      };
    case INVALID_REDIRECT:
      return {
        title: 'The way back to the app has changed',
        explanation: 'The app asked to be answered at an address that it did not register. Nothing was sent there.',
      };
    case 'This authorization was not started in this browser; start again':
    case 'This authorization belongs to a different browser session; start again':
    case 'This authorization expired or was already used; start again':
      return {
        title: 'This question is closed',
        explanation: 'It was answered before, is older than ten minutes, or was opened in another browser.',
      };
    default:
      return { title: 'The app’s request cannot be followed', explanation: `${thrown.description}.` };
  }
}

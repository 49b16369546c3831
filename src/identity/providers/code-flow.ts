import { toBase64Url, utf8 } from '../../lib/encoding.ts';
import { ProviderFault } from './refusals.ts';

/** A secret of PKCE (RFC 7636) with what is shown of it at first: whoever steals the code lacks the secret. */
export async function newProof(): Promise<{ readonly verifier: string; readonly challenge: string }> {
  const verifier = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest('SHA-256', utf8(verifier));
  return { verifier, challenge: toBase64Url(new Uint8Array(digest)) };
}

/**
 * Before anything else of an answer is looked at. Without it, somebody could have a person's browser end
 * a sign-in to an account of theirs, and read what the person then puts into it.
 *
 * @throws ProviderFault `state_differs`
 */
export function checkState(callback: URL, state: string): void {
  const given = callback.searchParams.getAll('state');
  if (given.length !== 1 || given[0] !== state) throw new ProviderFault('state_differs');
}

/**
 * The code of an answer that is for this browser.
 *
 * @throws ProviderFault `state_differs`, `provider_said_no` or `malformed_answer`
 */
export function codeOf(callback: URL, state: string): string {
  checkState(callback, state);
  if (callback.searchParams.has('error')) throw new ProviderFault('provider_said_no');
  const [code = '', ...more] = callback.searchParams.getAll('code');
  if (code === '' || more.length > 0) throw new ProviderFault('malformed_answer');
  return code;
}

import { toBase64Url, utf8 } from '../../lib/encoding.ts';
import type { ClientCredentials } from '../model.ts';

/** A PKCE verifier (RFC 7636) with its S256 challenge. */
export interface ProofKey {
  readonly verifier: string;
  readonly challenge: string;
}

export async function newProofKey(): Promise<ProofKey> {
  const verifier = toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
  const digest = await crypto.subtle.digest('SHA-256', utf8(verifier));
  return { verifier, challenge: toBase64Url(new Uint8Array(digest)) };
}

/** What a client would send to redeem a code, with what it showed of itself when it polled. */
export function redemptionRequest(
  origin: string,
  fields: { readonly code: string; readonly redirectUri: string; readonly clientId: string } & ProofKey,
  { authorization, secret }: ClientCredentials,
): { readonly request: Request; readonly form: URLSearchParams } {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: fields.code,
    code_verifier: fields.verifier,
    redirect_uri: fields.redirectUri,
    // Either way of authenticating, never both (RFC 6749 §2.3).
    ...(authorization === null ? { client_id: fields.clientId } : {}),
    ...(secret === null ? {} : { client_secret: secret }),
  });
  const headers = new Headers({ 'Content-Type': 'application/x-www-form-urlencoded' });
  if (authorization !== null) headers.set('Authorization', authorization);
  return { request: new Request(`${origin}/token`, { method: 'POST', headers, body: form.toString() }), form };
}

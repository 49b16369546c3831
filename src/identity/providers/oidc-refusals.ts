import type * as OAuth from 'oauth4webapi';

import { ProviderFault } from './refusals.ts';

/** Which claim a check of the library was about. */
const CLAIM_REASONS: Readonly<Record<string, string>> = {
  iss: 'wrong_issuer',
  issuer: 'wrong_issuer',
  aud: 'wrong_audience',
  azp: 'wrong_audience',
  nonce: 'wrong_nonce',
  exp: 'expired',
  nbf: 'from_the_future',
  sub: 'wrong_subject',
};

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** An error of the library as a reason of ours; the same error when it is none of a provider's. */
export function asProviderFault(oauth: typeof OAuth, error: unknown): unknown {
  if (error instanceof oauth.AuthorizationResponseError) return new ProviderFault('provider_said_no', { cause: error });
  // Its token endpoint says that it does not know us, which is the operator's to mend.
  if (error instanceof oauth.WWWAuthenticateChallengeError)
    return new ProviderFault('client_refused', { cause: error });
  if (error instanceof oauth.ResponseBodyError)
    return new ProviderFault(error.error === 'invalid_client' ? 'client_refused' : 'code_refused', { cause: error });
  if (error instanceof oauth.UnsupportedOperationError)
    return new ProviderFault('unsupported_answer', { cause: error });
  if (!(error instanceof oauth.OperationProcessingError)) return error;
  return new ProviderFault(reasonOf(oauth, error), { cause: error });
}

function reasonOf(oauth: typeof OAuth, { code, cause }: OAuth.OperationProcessingError): string {
  const claim = field(cause, 'claim') ?? field(cause, 'attribute');
  switch (code) {
    case oauth.JWT_CLAIM_COMPARISON:
    case oauth.JWT_TIMESTAMP_CHECK:
    case oauth.JSON_ATTRIBUTE_COMPARISON:
      return CLAIM_REASONS[String(claim)] ?? 'malformed_answer';
    case oauth.INVALID_RESPONSE: {
      const claims = field(cause, 'claims');
      return claims !== undefined && field(claims, 'nonce') === undefined ? 'wrong_nonce' : 'malformed_answer';
    }
    default:
      return 'malformed_answer';
  }
}

/** Tokens and codes of ours, bearer headers and signed addresses: whoever holds one may use it. */
const SECRETS = [
  /per_[0-9a-z]{20}\.[0-9a-z]{16}(?::|%3A)[\w-]+(?::|%3A)[\w-]+/gi,
  /carrel_pat_[0-9a-z]+/gi,
  /(Bearer\s+)[^\s"\\]+/gi,
  /(__Host-carrel-[\w-]+=)[\w.-]+/g,
  /(\/(?:upload|tus|download|drop|s|invite|claim)\/)[\w.-]+/g,
  /((?:code|token|refresh_token|client_secret|client_assertion|code_verifier)=)[^&\s"]+/gi,
];

/** Text with everything that could be used to get in replaced. */
export function redact(text: string): string {
  return SECRETS.reduce(
    (result, secret) =>
      result.replace(secret, (_match, kept: unknown) => `${typeof kept === 'string' ? kept : ''}[redacted]`),
    text,
  );
}

/**
 * Makes every request of this Worker refuse redirects, unless its caller asks for them. The OAuth
 * library fetches a client's own document and keys from the client's host and would follow: then any
 * open redirector on a trusted host would prove to describe a stranger. A 3xx is not `ok`, so the
 * library refuses it.
 */
export function refuseRedirects(): void {
  const follow = globalThis.fetch;
  globalThis.fetch = (input, init) => follow(input, { redirect: 'manual', ...init });
}

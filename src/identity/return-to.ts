/**
 * Where to go after signing in or out: a path of this deployment, or the start page. Anything that a
 * browser would take to another host (`//host`, `/\host`, a whole URL) is not followed, or our
 * sign-in would lend its name to any page that links to it.
 */
export function safeReturnTo(value: string | null, origin: string): string {
  if (value === null || !value.startsWith('/')) return '/';
  const url = URL.parse(value, origin);
  // `/.//host` is a path of ours whose normal form is not.
  return url?.origin === origin && !url.pathname.startsWith('//') ? url.pathname + url.search : '/';
}

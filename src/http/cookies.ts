/** The value of a cookie, or undefined. Ours are base64url: nothing to decode. */
export function readCookie(request: Request, name: string): string | undefined {
  for (const part of request.headers.get('Cookie')?.split(';') ?? []) {
    const [key, value] = part.split('=', 2);
    if (key?.trim() === name) return value?.trim();
  }
  return undefined;
}

/**
 * A `Set-Cookie` for one of our cookies: bound to this host, for https (and loopback), out of reach
 * of scripts, and not sent with requests that other sites make, except when a person follows a link.
 */
export function hostCookie(name: `__Host-${string}`, value: string, maxAgeSeconds: number): string {
  return `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}`;
}

export function clearHostCookie(name: `__Host-${string}`): string {
  return hostCookie(name, '', 0);
}

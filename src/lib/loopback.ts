/** Whether a URL's hostname is the machine itself: `localhost`, 127.0.0.0/8 or `[::1]` (RFC 8252 §7.3). */
export function isLoopbackHostname(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

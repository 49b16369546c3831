import type { Place } from './hosts.ts';

const GOOGLE = /^google\.(?:[a-z]{2,3}|com?\.[a-z]{2})$/;
const CACHE = /(?:^|\.)(?:cdn\.ampproject\.org|bing-amp\.com)$/;

/**
 * What a copy in an AMP cache, or its viewer, is a copy of: `https://www.google.com/amp/s/example.com/x` and
 * `https://example-com.cdn.ampproject.org/c/s/example.com/x` are both of `https://example.com/x`. Without the `s`, it
 * is http (developers.google.com/amp/cache/overview). Undefined for any other address.
 */
export function originalOfAmpCopy({ host, path }: Place, search: string): URL | undefined {
  const isGoogle = GOOGLE.test(host);
  if (!isGoogle && !CACHE.test(host)) return undefined;
  const copy = isGoogle ? /^\/amp\/(s\/)?(.+)$/ : /^\/[a-z]{1,3}\/(s\/)?(.+)$/;
  const [, secure, rest = ''] = copy.exec(path) ?? [];
  // A host, and not a file of the cache itself.
  if (!/^[^/@:]+\.[^/@:]+(?:\/|$)/.test(rest)) return undefined;
  return URL.parse(`${secure === undefined ? 'http' : 'https'}://${rest}${search}`) ?? undefined;
}

/** A path without what asks for the AMP form: `/story/amp`, `/story.amp`, `/story.amp.html`. */
export function withoutAmp(path: string): string {
  return path.replace(/(?<=\/[^/]+)(?:\/amp)+$/i, '').replace(/(?<=[^/.])(?:\.amp)+(?=(?:\.html?)?$)/i, '');
}

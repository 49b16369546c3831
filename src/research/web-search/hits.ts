import type { WebHit } from './model.ts';

/** UTF-16 code units of an address. A longer one would take the room of the others. */
const MAX_ADDRESS = 1000;

/** A result as a service gave it. */
export interface Found {
  readonly url: string;
  readonly title?: string | null | undefined;
  readonly snippet?: string | null | undefined;
  readonly published?: string | null | undefined;
}

/** What of the results can be used: addresses of http and https, each once. */
export function hitsOf(found: Iterable<Found>, limit: number): WebHit[] {
  const hits = new Map<string, WebHit>();
  for (const { url: text, title, snippet, published } of found) {
    const url = webAddress(text);
    if (url === undefined || hits.has(url)) continue;
    const day = dayOf(published ?? '');
    hits.set(url, { url, title: title ?? '', snippet: snippet ?? '', ...(day !== undefined && { published: day }) });
    if (hits.size === limit) break;
  }
  return [...hits.values()];
}

function webAddress(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  return url.href.length <= MAX_ADDRESS ? url.href : undefined;
}

/** Of ISO 8601, or of a date as HTTP and mail write it. Of another text nothing stays: it could say anything. */
function dayOf(text: string): string | undefined {
  const date = /^\d{4}-\d{2}-\d{2}(?!\d)/.exec(text)?.[0] ?? (/^[A-Z][a-z]{2}, \d/.test(text) ? text : '');
  const time = Date.parse(date);
  return Number.isNaN(time) ? undefined : /^\d{4}-\d{2}-\d{2}/.exec(new Date(time).toISOString())?.[0];
}

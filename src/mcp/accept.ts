const STREAM = 'text/event-stream';

/** Names one of the two, or a range with one of them in it. */
const TAKES_ONE = /\*\/\*|application\/(?:json|\*)|text\/(?:event-stream|\*)/;

/** The headers as the SDK wants them, the same where they are so: it refuses clients of the 2025 era that name only one media type, or none. */
export function acceptingBoth(headers: Headers): Headers {
  const accepted = headers.get('Accept')?.toLowerCase() ?? '*/*';
  const namesBoth = accepted.includes('application/json') && accepted.includes(STREAM);
  if (namesBoth || !TAKES_ONE.test(accepted)) return headers;
  const widened = new Headers(headers);
  widened.set('Accept', `application/json, ${STREAM}`);
  return widened;
}

/**
 * The answer as a client can take it. One that does not name event streams gets the response alone, as
 * JSON: it is the last message of the stream, and what came before it (progress) would not be read.
 */
export async function asAccepted(response: Response, accept: string | null): Promise<Response> {
  const isStream = response.headers.get('Content-Type')?.startsWith(STREAM) === true;
  if (!isStream || accept?.toLowerCase().includes(STREAM) === true) return response;
  const messages = [...(await response.text()).matchAll(/^data: (.*)$/gm)];
  const headers = new Headers(response.headers);
  headers.set('Content-Type', 'application/json');
  return new Response(messages.at(-1)?.[1] ?? null, { status: response.status, headers });
}

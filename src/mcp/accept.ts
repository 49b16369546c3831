import { CarrelError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';

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
 * The answer as a client can take it. One that does not name event streams gets the responses of the
 * stream alone, as JSON; what came between them (progress) it would not read.
 *
 * @param isBatch the request was a list: so is its answer
 */
export async function asAccepted(response: Response, accept: string | null, isBatch: boolean): Promise<Response> {
  const isStream = response.headers.get('Content-Type')?.startsWith(STREAM) === true;
  if (!isStream || accept?.toLowerCase().includes(STREAM) === true) return response;
  const responses = messagesOf(await response.text()).filter((message) => 'result' in message || 'error' in message);
  if (responses.length === 0) throw new CarrelError('internal', 'The answer got lost. Try again.');
  const headers = new Headers(response.headers);
  headers.set('Content-Type', 'application/json');
  return new Response(JSON.stringify(isBatch ? responses : responses[0]), { status: response.status, headers });
}

/** The messages of a stream, one a line. Cut at LF alone: U+2028, which a regular expression takes for a line's end, may stand in a JSON text. */
function messagesOf(stream: string): object[] {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => parseJson(line.slice('data:'.length)))
    .filter((message) => typeof message === 'object' && message !== null);
}

import type * as z from 'zod';

import { CarrelError } from '../../lib/errors.ts';
import { parseJson } from '../../lib/json.ts';
import { secondsOf } from '../../web/guarded-fetch.ts';
import { GO_ON } from './model.ts';

/** Bytes of an answer, after decoding. */
const MAX_ANSWER_BYTES = 1_000_000;
/** For a whole answer, in ms. */
const ANSWER_MS = 15_000;
/** The pause after a 429 that does not say how long, in seconds. */
const PAUSE_SECONDS = 60;

export interface Question<Answer extends z.ZodType> {
  /** The name of the service, for people. */
  readonly service: string;
  readonly url: string;
  /** With the key. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON by POST. Without it, the question is a GET. */
  readonly body?: object;
  readonly answer: Answer;
  readonly signal: AbortSignal;
  /** For a whole answer, in ms, where 15 s are not enough. */
  readonly timeoutMs?: number;
  /** Whether a refusal with this body, parsed, is one of the key, where its status does not say so. */
  readonly refusesKey?: (body: unknown) => boolean;
  /** Seconds to wait, of the headers of a 429 without `Retry-After`. */
  readonly pause?: (headers: Headers) => number | undefined;
}

/**
 * Asks a service, once. The key goes to the host of the question and nowhere else: redirects are not followed. Nothing of
 * what the service says reaches a message.
 *
 * @throws CarrelError as a {@link WebSearch} does
 */
export async function ask<Answer extends z.ZodType>(question: Question<Answer>): Promise<z.output<Answer>> {
  const { service, url, headers, body, timeoutMs = ANSWER_MS } = question;
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: body ? 'POST' : 'GET',
      headers: { Accept: 'application/json', ...(body && { 'Content-Type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.any([question.signal, late]),
    });
    if (response.status !== 200) throw await refusal(question, response);
    const parsed = question.answer.safeParse(parseJson(await textOf(response, service)));
    if (parsed.success) return parsed.data;
    throw unavailable('unreadable', `${service} answers in a form that is not known here.`);
  } catch (thrown) {
    if (thrown instanceof CarrelError) throw thrown;
    // Without a cause: what the runtime says of a request may say its headers.
    throw late.aborted
      ? unavailable('too_slow', `${service} takes too long to answer.`)
      : unavailable('unreachable', `${service} could not be reached, or its answer broke off.`);
  }
}

async function textOf({ body }: Response, service: string): Promise<string> {
  const decoder = new TextDecoder();
  let [size, text] = [0, ''];
  // Leaving the loop cancels the rest.
  for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += piece.byteLength;
    if (size > MAX_ANSWER_BYTES) throw unavailable('too_large', `${service} answers with more than is read.`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

async function refusal<Answer extends z.ZodType>(
  { service, refusesKey, pause }: Question<Answer>,
  response: Response,
): Promise<CarrelError> {
  const { status, headers } = response;
  const body = refusesKey && status >= 400 && status < 500 ? parseJson(await textOf(response, service)) : undefined;
  if (!response.bodyUsed) await response.body?.cancel().catch(() => undefined);
  if (status === 429) {
    const seconds = secondsOf(headers.get('Retry-After') ?? '') ?? pause?.(headers) ?? PAUSE_SECONDS;
    return new CarrelError('limit_exceeded', `${service} is asked too often. Wait a little, then search again.`, {
      details: { retry_after: seconds },
    });
  }
  // 432 and 433 are Tavily's: the limit of a plan, and of what is paid as it is used.
  if (status === 402 || status === 432 || status === 433)
    return new CarrelError(
      'limit_exceeded',
      `What ${service} allows this deployment is used up; whoever runs it can raise that. ${GO_ON}`,
      { details: { status } },
    );
  if (status === 401 || status === 403 || refusesKey?.(body) === true)
    return unavailable(
      'wrong_key',
      `${service} refuses the key of this deployment; whoever runs it has to set WEB_SEARCH_KEY anew. ${GO_ON}`,
      status,
    );
  if (status < 500)
    return unavailable(
      'refused',
      `${service} does not take this search. If it takes none, whoever runs this deployment has to look at its settings WEB_SEARCH… ${GO_ON}`,
      status,
    );
  return unavailable('failed', `${service} fails. Try again later. ${GO_ON}`, status);
}

function unavailable(reason: string, message: string, status?: number): CarrelError {
  return new CarrelError('unavailable', message, { details: { reason, ...(status !== undefined && { status }) } });
}

import { joined } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { contentLength } from './headers.ts';

/** Bytes that a body may have where a route does not stream it. */
const MAX_BODY_BYTES = 1_000_000;

const tooLarge = () =>
  new CarrelError('too_large', 'The body is larger than 1 MB. Send larger things as files.', {
    details: { limit: MAX_BODY_BYTES },
  });

/**
 * The request with a body that is within the limit.
 *
 * A body with a Content-Length cannot be longer: whoever parses the request cuts it there (RFC 9112
 * §6.3). A chunked one has none, so its bytes are counted as they come.
 *
 * @throws CarrelError `too_large`
 */
export async function withBoundedBody(request: Request): Promise<Request> {
  // A body of GET means nothing (RFC 9110 §9.3.1), and no new request could carry it.
  if (request.body === null || request.method === 'GET' || request.method === 'HEAD') return request;
  const length = contentLength(request);
  if (length !== undefined) {
    if (length > MAX_BODY_BYTES) throw tooLarge();
    return request;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return new Request(request, { body: joined(chunks) });
}

/** How long a refused body is read, in ms: its sender may be slow, or never end. */
const READ_MS = 1000;

/**
 * Reads what nobody read of a request that was refused, for a second. A local server resets the
 * connection of such a request and with it, behind wrangler's proxy, the next one; the edge does not.
 */
export async function readToEnd(request: Request): Promise<void> {
  if (request.body === null || request.bodyUsed) return;
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  const late = scheduler.wait(READ_MS).then(() => ({ done: true }));
  // A sender that goes away meanwhile has no next request.
  while (!(await Promise.race([late, reader.read().catch(() => ({ done: true }))])).done);
}

/** The fields of a form. Files and repeated fields other than the last are not part of any of our forms. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get('Content-Type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded')
    throw new CarrelError('unsupported', 'Send the form as application/x-www-form-urlencoded.');
  return formBody(request);
}

/** A body as form fields, whatever its type says. Not with `text()`, which warns of every form that it is no text. */
export async function formBody(request: Request): Promise<URLSearchParams> {
  return new URLSearchParams(new TextDecoder().decode(await request.arrayBuffer()));
}

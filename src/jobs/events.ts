import { utf8 } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { ENDED } from './model.ts';
import type { Job } from './model.ts';

/** Something is sent at least so often, in ms: what is silent for longer is cut off on its way. */
const KEEP_ALIVE_MS = 15_000;
/** How long one answer goes on, in ms; the client comes again with what it knows. */
const MAX_MS = 600_000;
/** When it comes again, in ms. */
const RETRY_MS = 2000;

export interface Following {
  /** Last-Event-ID: the revision that the client has. */
  readonly known: string | null;
  /** Waits for a job to change, at most so long, and looks again; checks the access each time. */
  readonly changed: (job: Job, milliseconds: number) => Promise<Job>;
  readonly show: (job: Job) => unknown;
}

/**
 * A job as server-sent events: one with the job as it is, unless the client has that, and one with each change, until it
 * has ended. The id of an event is the job's revision. Changes that come faster than they are sent are one event.
 *
 * A client that has the end is answered 204, which stops it from coming again (HTML, server-sent events).
 */
export function jobEvents(first: Job, { known, changed, show }: Following): Response {
  const isKnown = known === String(first.revision);
  if (isKnown && ENDED.has(first.status)) return new Response(null, { status: 204 });
  const end = Date.now() + MAX_MS;
  let last = first;
  let hasBegun = false;
  let isCancelled = false;
  const event = (job: Job, more = '') =>
    `event: job\nid: ${job.revision}\n${more}data: ${JSON.stringify(show(job))}\n\n`;

  const next = async (): Promise<{ text: string; isLast: boolean }> => {
    if (!hasBegun) {
      hasBegun = true;
      const retry = `retry: ${RETRY_MS}\n`;
      return { text: isKnown ? `${retry}\n` : event(first, retry), isLast: ENDED.has(first.status) };
    }
    const left = end - Date.now();
    if (left <= 0) return { text: ': come again\n\n', isLast: true };
    const job = await changed(last, Math.min(KEEP_ALIVE_MS, left));
    if (job.revision === last.revision) return { text: ': still there\n\n', isLast: false };
    last = job;
    return { text: event(job), isLast: ENDED.has(job.status) };
  };

  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { text, isLast } = await next();
        if (isCancelled) return;
        controller.enqueue(utf8(text));
        if (isLast) controller.close();
      } catch (thrown) {
        if (isCancelled) return;
        // The status is sent long ago: a client whose access has ended must still be told so.
        if (!(thrown instanceof CarrelError)) throw thrown;
        const { code, message } = thrown;
        controller.enqueue(utf8(`event: refused\ndata: ${JSON.stringify({ code, detail: message })}\n\n`));
        controller.close();
      }
    },
    cancel() {
      isCancelled = true;
    },
  });
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'private, no-store' },
  });
}

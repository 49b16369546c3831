import autocannon from 'autocannon';
import type { LoadRequest } from 'autocannon';

export type { LoadRequest } from 'autocannon';

/** Kept open for the whole of a run, with one request at a time on each. */
export const CONNECTIONS = 10;

/** What is sent, and what the answer to it must be. */
export interface Load {
  /** An origin. */
  readonly url: string;
  /** Sent in turn, each connection its own share: the more there are, the less is answered from a cache. */
  readonly requests: readonly LoadRequest[];
  readonly status: number;
  /** What is wrong with a body, if anything. */
  readonly fault: (body: string) => string | undefined;
}

export interface Measured {
  /** Right answers. */
  readonly answers: number;
  readonly perSecond: number;
}

/** A body that is looked at costs the time in which the next request could be sent: every so many is. */
const SAMPLE = 50;

/** @throws Error when an answer was wrong, or none came */
export async function measure(load: Load, seconds: number): Promise<Measured> {
  const { url, requests, status } = load;
  const share = Math.max(1, Math.floor(requests.length / CONNECTIONS));
  let connection = 0;
  let seen = 0;
  let fault: string | undefined;
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    sampleInt: 100,
    setupClient: (client) => {
      const begin = (connection++ * share) % requests.length;
      client.setRequests(requests.slice(begin, begin + share));
    },
    verifyBody: (body) => {
      if (seen++ % SAMPLE === 0) fault ??= load.fault(body ?? '');
      return fault === undefined;
    },
  });
  const counts = Object.entries(result.statusCodeStats);
  const answers = result.statusCodeStats[status]?.count ?? 0;
  const others = counts.filter(([code]) => Number(code) !== status).map(([code, { count }]) => `${count} × ${code}`);
  if (fault !== undefined) throw new Error(`an answer was wrong: ${fault}`);
  if (others.length > 0) throw new Error(`instead of ${status} there came ${others.join(', ')}`);
  const lost = result.errors + result.timeouts;
  if (lost > 0 || answers === 0) throw new Error(`${lost} requests had no answer, ${answers} had one`);
  return { answers, perSecond: answers / result.duration };
}

import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';

/** What is written at a time. */
const PIECE_BYTES = 1_048_576;
const MEGABYTE = 1_000_000;

/** One connection: a single stream is what is measured. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/**
 * Sends so many bytes to an address, as fast as it takes them.
 *
 * @returns MB a second, from the first byte to the answer
 * @throws Error for an answer other than 201
 */
export async function sendBytes(url: string, size: number): Promise<number> {
  const piece = new Uint8Array(PIECE_BYTES).fill(0x61);
  const began = performance.now();
  const sent = request(url, { method: 'PUT', agent, headers: { 'content-length': size } });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  // Rejected while bytes are written, it is looked at only below.
  answered.catch(() => undefined);
  for (let left = size; left > 0; left -= PIECE_BYTES)
    if (!sent.write(left < PIECE_BYTES ? piece.subarray(0, left) : piece))
      await Promise.race([once(sent, 'drain'), answered]);
  sent.end();
  const [response] = await answered;
  await drained(response);
  if (response.statusCode !== 201) throw new Error(`PUT was answered with ${response.statusCode}`);
  return size / MEGABYTE / ((performance.now() - began) / 1000);
}

/** Fetches so many bytes. @returns as {@link sendBytes} */
export async function fetchBytes(url: string, size: number): Promise<number> {
  const began = performance.now();
  const asked = request(url, { agent }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const received = await drained(response);
  if (response.statusCode !== 200 || received !== size)
    throw new Error(`GET was answered with ${response.statusCode} and ${received} bytes`);
  return size / MEGABYTE / ((performance.now() - began) / 1000);
}

async function drained(response: IncomingMessage): Promise<number> {
  let size = 0;
  for await (const piece of response as AsyncIterable<Uint8Array>) size += piece.byteLength;
  return size;
}

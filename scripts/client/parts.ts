import { setTimeout as sleep } from 'node:timers/promises';

import { digestOf, noise } from './bytes.ts';
import type { Digest } from './bytes.ts';
import { put } from './transfer.ts';

/** Where a file goes in parts, as `file_upload` says it. */
export interface PartsTicket {
  readonly url: string;
  readonly parts: number;
  readonly part_size: number;
}

interface Status {
  readonly state: 'uploading' | 'verifying' | 'committed' | 'failed';
  readonly parts: readonly { readonly number: number }[];
  readonly file_id?: string;
  readonly problem?: string;
}

/** Parts that are on their way at once. */
const AT_ONCE = 4;

/** The size of a part: all are equal but the last. */
const lengthOf = (size: number, partSize: number, number: number) => Math.min(partSize, size - (number - 1) * partSize);

/** Part after part of a file of noise, of which nobody holds the bytes. */
async function* noiseInParts(size: number, partSize: number, seed: string): AsyncGenerator<Uint8Array> {
  for (let number = 1; (number - 1) * partSize < size; number++)
    yield* noise(lengthOf(size, partSize, number), `${seed} ${number}`);
}

/** What a file of noise in parts will have. */
export async function expectNoiseInParts(size: number, partSize: number, seed: string): Promise<Digest> {
  return digestOf(noiseInParts(size, partSize, seed));
}

async function* slowly(pieces: Iterable<Uint8Array>, pause: number): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    if (pause > 0) await sleep(pause);
    yield piece;
  }
}

/** @throws Error when the server is not there, or says no */
export async function statusOf({ url }: Pick<PartsTicket, 'url'>): Promise<Status> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`status of the upload: ${response.status} ${await response.text()}`);
  return (await response.json()) as Status;
}

/**
 * Sends the parts that are not there, several at once, and has the file made of them.
 *
 * @param pause ms between two pieces of 256 KB, as on a slow line
 * @throws whatever breaks it off: called again it goes on where it was
 */
export async function sendParts(ticket: PartsTicket, size: number, seed: string, pause = 0): Promise<void> {
  const { state, parts } = await statusOf(ticket);
  if (state !== 'uploading') return;
  const there = new Set(parts.map(({ number }) => number));
  const missing = Array.from({ length: ticket.parts }, (_, at) => at + 1).filter((number) => !there.has(number));
  const sendNext = async (): Promise<void> => {
    for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
      const length = lengthOf(size, ticket.part_size, number);
      const bytes = slowly(noise(length, `${seed} ${number}`), pause);
      const { status, answer } = await put(`${ticket.url}/parts/${number}`, length, bytes);
      if (status !== 200) throw new Error(`part ${number}: ${status} ${JSON.stringify(answer)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendNext));
  const completed = await fetch(`${ticket.url}/complete`, { method: 'POST' });
  if (completed.status !== 202) throw new Error(`completion: ${completed.status} ${await completed.text()}`);
  await completed.body?.cancel();
}

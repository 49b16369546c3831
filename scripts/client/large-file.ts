import { watchMemory } from '../lib/memory.ts';
import type { MemoryUse } from '../lib/memory.ts';
import { mustBe } from '../lib/steps.ts';
import { digestOf, noise } from './bytes.ts';
import type { Digest } from './bytes.ts';
import { get, put } from './transfer.ts';

/** Where a large file goes, and which processes are watched while it does. */
export interface LargeFileTarget {
  readonly origin: string;
  readonly token: string;
  /** The process group of the server. */
  readonly group: number;
}

export interface Expected extends Digest {
  readonly seed: string;
}

export interface Transfer extends MemoryUse {
  readonly seconds: number;
}

/** What a file of noise will have: nobody holds its bytes, here neither. */
export async function expectNoise(size: number, seed: string): Promise<Expected> {
  return { seed, ...(await digestOf(noise(size, seed))) };
}

/**
 * PUTs a file to its upload address and GETs it again, with the memory of the server meanwhile.
 *
 * Both in a row, with nothing between them: the proxy of `wrangler dev` may find its idle connections
 * to workerd closed after a transfer of more than 5 s, and it repeats a GET but no POST.
 *
 * @throws Unexpected for another status, size or SHA-256
 */
export async function moveLargeFile(
  { origin, token, group }: LargeFileTarget,
  ticket: { readonly file: { readonly id: string }; readonly upload: { readonly url: string } },
  expected: Expected,
): Promise<{ upload: Transfer; download: Transfer }> {
  const { size, seed, sha256 } = expected;
  const upload = await timed(() => watchMemory(group, () => put(ticket.upload.url, size, noise(size, seed))));
  mustBe('status of the upload', upload.result.status, 201);
  const headers = { Authorization: `Bearer ${token}` };
  const download = await timed(() => watchMemory(group, () => get(`${origin}/files/${ticket.file.id}`, { headers })));
  mustBe('download', download.result, { size, sha256, status: 200 });
  return { upload, download };
}

async function timed<Result>(run: () => Promise<Result>): Promise<Result & { seconds: number }> {
  const began = performance.now();
  const result = await run();
  return { ...result, seconds: (performance.now() - began) / 1000 };
}

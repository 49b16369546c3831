import { ReadableStream } from 'node:stream/web';

import { digestOf } from './bytes.ts';
import type { Digest } from './bytes.ts';

/** How an upload was answered. */
export interface Receipt {
  readonly status: number;
  /** The answer's JSON, or its text where it is none. */
  readonly answer: unknown;
}

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** PUTs bytes piece by piece, with the Content-Length that R2 wants to know. */
export async function put(url: string, size: number, pieces: Pieces, init: RequestInit = {}): Promise<Receipt> {
  const body = ReadableStream.from(pieces);
  // `duplex` is part of Fetch for streamed bodies, and of no type yet.
  const options = { ...init, method: 'PUT', body, duplex: 'half', headers: { 'Content-Length': String(size) } };
  const response = await fetch(url, options);
  const text = await response.text();
  return { status: response.status, answer: jsonOr(text) };
}

/** GETs bytes without keeping them. */
export async function get(url: string, init: RequestInit = {}): Promise<Digest & { readonly status: number }> {
  const response = await fetch(url, init);
  const digest = await digestOf((response.body as AsyncIterable<Uint8Array> | null) ?? []);
  return { ...digest, status: response.status };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

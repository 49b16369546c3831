import { expect } from 'vitest';

import { TUS_PART_BYTES } from '../../src/files/model.ts';
import { sha256Hex } from '../../src/lib/encoding.ts';
import type { Owner } from './files.ts';
import { send } from './person.ts';

export const VERSION = { 'Tus-Resumable': '1.0.0' };
export const BYTES = { 'Content-Type': 'application/offset+octet-stream' };

/** Bytes of three parts, the last of them short. */
export const SIZE = 2 * TUS_PART_BYTES + 12_345;
/** Bytes whose parts all differ, as do those of another seed. */
export const noise = (seed: number, size = SIZE) =>
  new Uint8Array(size).map((_, at) => (at * 31 + (at >> 12) * 7 + seed) & 0xff);

type Headers = Record<string, string>;

/** `Upload-Metadata` of text. */
export function metadataOf(entries: Record<string, string>): string {
  const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return Object.entries(entries)
    .map(([key, value]) => `${key} ${base64(value)}`)
    .join(',');
}

/** `Upload-Checksum` of bytes. */
export async function checksumOf(bytes: string | Uint8Array, algorithm = 'sha1'): Promise<Headers> {
  const names: Record<string, string> = { sha1: 'SHA-1', sha256: 'SHA-256', md5: 'MD5' };
  const data = typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes.slice();
  const digest = await crypto.subtle.digest(names[algorithm] ?? algorithm, data);
  return { 'Upload-Checksum': `${algorithm} ${btoa(String.fromCharCode(...new Uint8Array(digest)))}` };
}

/** What `GET` says of an upload. */
export interface TusStatus {
  readonly state: string;
  readonly path: string;
  readonly size: number;
  readonly received: number;
  readonly file_id?: string;
  readonly problem?: string;
}

/** Begins an upload. @returns the answer, whatever it is */
export async function begin(
  owner: Owner,
  size: number,
  metadata: Record<string, string>,
  headers: Headers = {},
  body: BodyInit | null = null,
): Promise<Response> {
  return owner.fetch('/files/tus', {
    method: 'POST',
    body,
    headers: { ...VERSION, 'Upload-Length': String(size), 'Upload-Metadata': metadataOf(metadata), ...headers },
  });
}

/** An upload, as a client of tus knows it: an address, and nothing else. */
export class TusUpload {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  static async begin(owner: Owner, size: number, path: string, more: Record<string, string> = {}): Promise<TusUpload> {
    const answer = await begin(owner, size, { path, ...more });
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    return new TusUpload(answer.headers.get('Location') ?? '');
  }

  async append(offset: number, body: BodyInit | null, headers: Headers = {}): Promise<Response> {
    const all = { ...VERSION, ...BYTES, 'Upload-Offset': String(offset), ...headers };
    return send(this.url, { method: 'PATCH', body, headers: all });
  }

  async head(): Promise<Response> {
    return send(this.url, { method: 'HEAD', headers: VERSION });
  }

  async offset(): Promise<number> {
    return Number((await this.head()).headers.get('Upload-Offset') ?? Number.NaN);
  }

  async terminate(): Promise<Response> {
    return send(this.url, { method: 'DELETE', headers: VERSION });
  }

  async status(): Promise<TusStatus> {
    return (await send(this.url)).json<TusStatus>();
  }
}

/** A body whose connection breaks once these bytes were read: what is waiting to be read goes with an error. */
export function breaking(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream(
    {
      pull(controller) {
        if (sent++ === 0) controller.enqueue(bytes);
        else controller.error(new Error('reset'));
      },
    },
    { highWaterMark: 0 },
  );
}

/** A body that stands still after its first bytes until it is let go on. */
export class Held {
  readonly body: ReadableStream<Uint8Array>;
  #release = () => {};

  constructor(first: Uint8Array, rest: Uint8Array) {
    const gate = new Promise<void>((resolve) => (this.#release = resolve));
    let sent = 0;
    this.body = new ReadableStream({
      async pull(controller) {
        if (sent++ === 0) return controller.enqueue(first);
        await gate;
        controller.enqueue(rest);
        controller.close();
      },
    });
  }

  release(): void {
    this.#release();
  }
}

/** The bytes of the file that was made of an upload. */
export async function contentOf(owner: Owner, upload: TusUpload): Promise<Uint8Array<ArrayBuffer>> {
  const { file_id: id } = await upload.status();
  return new Uint8Array(await (await owner.fetch(`/files/${id}`)).arrayBuffer());
}

/** The upload ends as a file of these bytes. */
export async function expectFile(owner: Owner, upload: TusUpload, expected: Uint8Array<ArrayBuffer>): Promise<void> {
  await expect.poll(async () => (await upload.status()).state, { timeout: 20_000 }).toBe('committed');
  const content = await contentOf(owner, upload);
  expect([content.byteLength, await sha256Hex(content)]).toEqual([expected.byteLength, await sha256Hex(expected)]);
}

/** Runs what is due in an hour, when nothing that was cut off can still be on its way. */
export async function sweepLater(owner: Owner): Promise<void> {
  await owner.sql('UPDATE loose_objects SET due_at = 0 WHERE claimed = 1');
  await owner.runTask('uploads');
}

/** Nothing is left of an upload that came to nothing, in the index or in the bucket. */
export async function expectNothing(owner: Owner): Promise<void> {
  await sweepLater(owner);
  expect(await owner.rows('file_uploads')).toEqual([]);
  expect(await owner.rows('loose_objects')).toEqual([]);
  expect(await owner.objects()).toEqual([]);
  expect(await owner.rows('files')).toEqual([]);
}

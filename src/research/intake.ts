import type { FileBucket } from '../files/bucket.ts';
import { newObjectKey } from '../files/model.ts';
import { utf8 } from '../lib/encoding.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import { citationKeyOf } from './keys.ts';
import type { Origin, Reading } from './model.ts';
import type { Added, ExpectedContent } from './source-store.ts';
import { sha256Of } from './stored-text.ts';
import { unreadable } from './unreadable.ts';

/** The bytes of a source, and how they came. */
export interface Incoming {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Media type, with its parameters. */
  readonly type: string;
  readonly origin: Origin;
  /** Where they came from, after redirects. */
  readonly url: string | undefined;
  readonly identity: string;
  readonly host: string;
  /** What the person or agent calls it; else what it says itself. */
  readonly title: string | undefined;
  readonly tags: readonly string[];
  /** ms since the epoch. */
  readonly takenAt: number;
  /** Whether it is taken only of a source that is there. */
  readonly isFurther: boolean;
}

/**
 * Takes a source in: reads it, stores the bytes and the text, and names them in the index last, so that there is no
 * source whose bytes are not there. What cannot be read leaves nothing.
 *
 * @param addedAt ms since the epoch; the order of a list of sources is that of these times
 * @throws CarrelError `unsupported` for what has no text, `too_large` when there is no room
 */
export async function takeInSource(
  { readings, sources }: Pick<OpenWorkspace, 'readings' | 'sources'>,
  bucket: FileBucket,
  workspaceId: string,
  session: string,
  incoming: Incoming,
  addedAt: number,
): Promise<Added> {
  const { bytes, type, url, host, identity, tags } = incoming;
  const reading = await readings.read(bytes, type, url ?? '');
  if ('reason' in reading) throw unreadable(reading.reason);
  const text = utf8(reading.text);
  const [rawSha256, textSha256] = await Promise.all([sha256Of(bytes), sha256Of(text)]);
  const isOne = rawSha256 === textSha256;
  const raw = { objectKey: newObjectKey(workspaceId), sha256: rawSha256, size: bytes.byteLength, bytes };
  const written = { objectKey: newObjectKey(workspaceId), sha256: textSha256, size: text.byteLength, bytes: text };
  const stored = await storeContents(sources, bucket, isOne ? [raw] : [raw, written]);
  const title = titleOf(incoming, reading);
  const { metadata, unit, parts, outline, truncated } = reading;
  return sources.add(
    session,
    {
      identity,
      url,
      host,
      title,
      key: citationKeyOf(metadata, title, host),
      tags,
      isFurther: incoming.isFurther,
      text: reading.text,
      snapshot: {
        origin: incoming.origin,
        url,
        type,
        rawSha256,
        rawSize: bytes.byteLength,
        rawKey: stored.get(rawSha256),
        textSha256,
        textSize: text.byteLength,
        textKey: isOne ? undefined : stored.get(textSha256),
        characters: reading.text.length,
        unit,
        parts,
        outline,
        metadata,
        truncated,
        takenAt: incoming.takenAt,
      },
    },
    addedAt,
  );
}

/** Bytes that are to be stored. */
export type Content = ExpectedContent & { readonly bytes: Uint8Array<ArrayBuffer> };

/** Stores what is not here yet. @returns by SHA-256 the keys of what was stored */
export async function storeContents(
  sources: OpenWorkspace['sources'],
  bucket: FileBucket,
  contents: readonly Content[],
): Promise<ReadonlyMap<string, string>> {
  const stored = new Map<string, string>();
  let left = contents;
  while (left.length > 0) {
    const places = await sources.expect(
      left.map(({ objectKey, sha256, size }) => ({ objectKey, sha256, size })),
      Date.now(),
    );
    await Promise.all(
      left.map(async ({ bytes, sha256 }) => {
        const objectKey = places.find((place) => place.sha256 === sha256)?.objectKey;
        if (objectKey === undefined) return;
        await bucket.put(objectKey, known(bytes), sha256);
        stored.set(sha256, objectKey);
      }),
    );
    // A repeated step hears of what it brought before; what it brings now may be something else.
    left = left.filter(({ sha256 }) => !places.some((place) => place.sha256 === sha256));
  }
  return stored;
}

/** A stream whose length the runtime knows. */
function known(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  return new Response(bytes).body as ReadableStream<Uint8Array>;
}

const MAX_TITLE = 300;

function titleOf({ title, url, host }: Incoming, { metadata, outline }: Reading): string {
  const words = title ?? metadata.title ?? outline[0]?.title ?? (url === undefined ? 'Untitled' : nameOf(url, host));
  return words.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_TITLE) || 'Untitled';
}

function nameOf(url: string, host: string): string {
  const path = URL.parse(url)?.pathname ?? '';
  return path === '/' ? host : host + path;
}

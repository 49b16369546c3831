import type { FileBucket } from './bucket.ts';
import { extractText } from './extract/extract-text.ts';
import { EXTRACTION_LIMITS } from './extract/model.ts';
import { collect } from './intake.ts';
import type { TextStore, Unread } from './text-store.ts';

/** Contents that one run reads: each may take ten seconds, and other calls of the person wait for its turns. */
const AT_ONCE = 5;
/** How often a content is tried whose reading the platform ended, together with the object that did it. */
const ATTEMPTS = 2;

/**
 * Reads the text of contents that nobody has read. In the person's own object: a hostile file costs the time of
 * whoever stored it. The readers keep to their limits by themselves; one that a file keeps from that takes the
 * object down with it. So an attempt is noted before it is made, and becomes durable before the bytes arrive.
 *
 * @returns when to run next (ms), or undefined when nothing is left
 */
export async function readTexts(texts: TextStore, bucket: FileBucket, now: number): Promise<number | undefined> {
  for (const content of texts.unread(AT_ONCE)) {
    const { sha256, size } = content;
    if (size > EXTRACTION_LIMITS.inputBytes) texts.keep(sha256, { kind: 'none', reason: 'too_large' });
    else if (texts.attempt(sha256) > ATTEMPTS) texts.keep(sha256, { kind: 'none', reason: 'too_slow' });
    else texts.keep(sha256, await extractText(await bytesOf(content, texts, bucket), content.type));
  }
  return texts.unread(1).length > 0 ? now : undefined;
}

async function bytesOf({ sha256, objectKey, size }: Unread, texts: TextStore, bucket: FileBucket): Promise<Uint8Array> {
  if (size === 0) return new Uint8Array();
  try {
    const bytes = await bucket.get(objectKey, undefined);
    return bytes ? await collect(bytes) : new Uint8Array();
  } catch (error) {
    texts.release(sha256);
    throw error;
  }
}

import type { FileBucket } from './bucket.ts';
import { extractText } from './extract/extract-text.ts';
import { EXTRACTION_LIMITS } from './extract/model.ts';
import { collect } from './intake.ts';
import type { TextStore } from './text-store.ts';

/** Contents that one run reads: each may take ten seconds, and other calls of the person wait for its turns. */
const AT_ONCE = 5;

/**
 * Reads the text of contents that nobody has read. In the person's own object: a hostile file costs the time of
 * whoever stored it. Whatever it is, it is read once.
 *
 * @returns when to run next (ms), or undefined when nothing is left
 */
export async function readTexts(texts: TextStore, bucket: FileBucket, now: number): Promise<number | undefined> {
  for (const { sha256, objectKey, type, size } of texts.unread(AT_ONCE)) {
    if (size > EXTRACTION_LIMITS.inputBytes) {
      texts.keep(sha256, { kind: 'none', reason: 'too_large' });
      continue;
    }
    const bytes = size === 0 ? undefined : await bucket.get(objectKey, undefined);
    texts.keep(sha256, await extractText(bytes ? await collect(bytes) : new Uint8Array(), type));
  }
  return texts.unread(1).length > 0 ? now : undefined;
}

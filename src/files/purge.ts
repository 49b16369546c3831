import type { FileBucket } from './bucket.ts';
import type { SweptFiles } from '../telemetry/telemetry.ts';
import { TRASH_MS } from './model.ts';
import type { ShareStore } from './share/store.ts';
import type { FileStore } from './store.ts';
import type { PartsStore } from './parts-store.ts';
import type { UploadStore } from './upload-store.ts';

/** As many objects as R2 deletes in one call. */
const BATCH = 1000;

/** Is told what was removed, where there was something. */
type Report = (what: 'uploads' | 'trash' | 'links', removed: SweptFiles) => void;

/**
 * Removes from the bucket what no file owns: the bytes of attempts that were never committed and of
 * deleted files; then the uploads that nobody finished. Each step may be repeated, so a crash between
 * two of them costs nothing but the repetition.
 *
 * @param now ms since the epoch
 * @returns when to run next (ms), or undefined when nothing is left to sweep
 */
export async function purgeUploads(
  { uploads, parts }: { readonly uploads: UploadStore; readonly parts: PartsStore },
  bucket: FileBucket,
  now: number,
  report: Report,
): Promise<number | undefined> {
  const broken = parts.expired(now, BATCH);
  for (const expired of broken) {
    if (expired.multipartId !== '') await bucket.abortParts(expired.objectKey, expired.multipartId);
    parts.forget(expired, now);
  }
  const keys = uploads.claimLooseObjects(now, BATCH);
  if (keys.length > 0) {
    await bucket.delete(keys);
    uploads.forget(keys);
  }
  const unfinished = uploads.forgetExpired(now) + broken.length;
  if (keys.length + unfinished > 0) report('uploads', { objects: keys.length, uploads: unfinished });
  return uploads.nextSweep();
}

/** Removes what has been in the trash for thirty days. Its bytes go with the next sweep. @returns as {@link purgeUploads} */
export async function purgeTrash(files: FileStore, now: number, report: Report): Promise<number | undefined> {
  const removed = files.emptyTrash(now - TRASH_MS, BATCH, now);
  if (removed > 0) report('trash', { files: removed });
  return removed === BATCH ? now : files.nextPurge();
}

/** Removes shares and counts of addresses that have expired. @returns as {@link purgeUploads} */
export async function purgeLinks(shares: ShareStore, now: number, report: Report): Promise<number | undefined> {
  const { removed, next } = await shares.sweep(now);
  if (removed > 0) report('links', { links: removed });
  return next;
}

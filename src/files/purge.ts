import type { FileBucket } from './bucket.ts';
import type { FileStore } from './store.ts';

/** As many objects as R2 deletes in one call. */
const BATCH = 1000;

/**
 * Removes from the bucket what no file owns: the bytes of attempts that were never committed and of
 * deleted files; then the uploads that nobody finished. Each step may be repeated, so a crash between
 * two of them costs nothing but the repetition.
 *
 * @param now ms since the epoch
 * @returns when to run next (ms), or undefined when nothing is left to sweep
 */
export async function purgeUploads(files: FileStore, bucket: FileBucket, now: number): Promise<number | undefined> {
  const keys = files.claimLooseObjects(now, BATCH);
  if (keys.length > 0) {
    await bucket.delete(keys);
    files.forget(keys);
  }
  files.forgetExpiredUploads(now);
  return files.nextSweep();
}

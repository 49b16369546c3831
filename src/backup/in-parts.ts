import type { FileBucket } from '../files/bucket.ts';
import { takeInPart } from '../files/intake.ts';
import { declared, MAX_IN_PARTS_BYTES, newObjectKey, PART_BYTES, PARTS_MS, partsOf } from '../files/model.ts';
import type { IfExists } from '../files/model.ts';
import type { JobRun, Json, WorkContext } from '../jobs/definition.ts';
import { asCarrelError, CarrelError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';

/** How long a look waits for the next, in ms: at first, and at most. */
const FIRST_LOOK_MS = 1000;
const LAST_LOOK_MS = 60_000;

export interface LargeFile {
  readonly path: string;
  readonly size: number;
  readonly type: string;
  readonly sha256?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly ifExists: IfExists;
  /** Id or slug. */
  readonly session: string;
}

/** The bytes of a part, and what the next one has to know, which is there when they have gone by. */
export interface PartBytes {
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly carry: () => Promise<Json>;
}

/**
 * Makes a file that is larger than one step: an upload in parts, a part a step. A step that is repeated sends its part
 * again, and the later one counts.
 *
 * @param name of its steps
 * @param part gives the bytes from a place on; `carry` is what the part before left
 * @returns the id of the file, and what the last part left
 * @throws CarrelError `too_large` (also where there is no room), `conflict`; nothing is left then
 */
export async function storeInParts(
  job: JobRun<unknown>,
  bucket: FileBucket,
  name: string,
  file: LargeFile,
  part: (range: { from: number; length: number }, context: WorkContext, carry: Json) => Promise<PartBytes>,
): Promise<{ readonly file: string; readonly carry: Json }> {
  const { uploadId } = await job.step(`${name}-id`, async () => ({ uploadId: newId('upl') }));
  try {
    await job.step(`${name}-begin`, async (context) => begin(bucket, context, uploadId, file));
    let carry: Json = null;
    const count = partsOf(file.size);
    for (let number = 1; number <= count; number++) {
      const before: Json = carry;
      carry = await job.step(`${name}-part-${number}`, async (context) => {
        const { parts } = context.workspace;
        const { objectKey, multipartId, length } = await parts.beginPart(uploadId, number, Date.now());
        const { bytes, carry: after } = await part({ from: (number - 1) * PART_BYTES, length }, context, before);
        const { sha256, etag } = await send(bytes, length, async (body) =>
          bucket.putPart(objectKey, multipartId, number, body),
        );
        await parts.recordPart(uploadId, { number, size: length, sha256 }, etag, Date.now());
        return after();
      });
      job.progress(number, count, file.path);
    }
    await job.step(`${name}-complete`, async (context) => complete(bucket, context, uploadId));
    return { file: await settled(job, name, uploadId), carry };
  } catch (thrown) {
    if (thrown instanceof CarrelError)
      await job.step(`${name}-abort`, async (context) => abort(bucket, context, uploadId)).catch(() => undefined);
    throw thrown;
  }
}

async function begin(bucket: FileBucket, { workspace, principal }: WorkContext, uploadId: string, file: LargeFile) {
  const { uploads, parts } = workspace;
  const isThere = await parts.status(uploadId, Date.now()).then(
    () => true,
    (thrown: unknown) => {
      if (thrown instanceof CarrelError && thrown.code === 'not_found') return false;
      throw thrown;
    },
  );
  if (isThere) return null;
  const { session, ...rest } = file;
  const declaration = { ...declared({ ...rest, session }, file.size, MAX_IN_PARTS_BYTES), uploadId, once: uploadId };
  await uploads.declare(declaration, session, Date.now(), PARTS_MS);
  const objectKey = newObjectKey(principal.workspaceId);
  await parts.begin(uploadId, { objectKey, multipartId: await bucket.beginParts(objectKey) }, Date.now());
  return null;
}

async function complete(bucket: FileBucket, { workspace: { parts } }: WorkContext, uploadId: string): Promise<Json> {
  const object = await parts.beginCompletion(uploadId, Date.now());
  if (!object) return null;
  try {
    await bucket.completeParts(object.objectKey, object.multipartId, object.parts);
  } catch (cause) {
    await parts.reopen(uploadId);
    throw new CarrelError('unavailable', 'The parts could not be put together.', { cause });
  }
  await parts.verify(uploadId, Date.now());
  return null;
}

async function abort(bucket: FileBucket, { workspace: { parts } }: WorkContext, uploadId: string): Promise<Json> {
  const object = await parts.abort(uploadId, Date.now());
  if (object) await bucket.abortParts(object.objectKey, object.multipartId);
  return null;
}

/** Waits until the workspace has read the bytes back. */
async function settled(job: JobRun<unknown>, name: string, uploadId: string): Promise<string> {
  for (let look = 1; ; look++) {
    const { state, fileId, problem } = await job.step(`${name}-look-${look}`, async ({ workspace: { parts } }) => {
      const status = await parts.status(uploadId, Date.now());
      return { state: status.state, fileId: status.fileId ?? '', problem: status.problem ?? '' };
    });
    if (state === 'committed') return fileId;
    if (state === 'failed') throw new CarrelError('conflict', problem);
    const wait = Math.min(FIRST_LOOK_MS * 2 ** (look - 1), LAST_LOOK_MS);
    await job.sleepUntil(`${name}-wait-${look}`, Date.now() + wait);
  }
}

/** @throws CarrelError of whatever gives the bytes, and as `takeInPart` */
async function send(
  bytes: AsyncIterable<Uint8Array>,
  length: number,
  store: (body: ReadableStream<Uint8Array>) => Promise<string>,
): Promise<{ sha256: string; etag: string }> {
  const { readable, writable } = new FixedLengthStream(length);
  const writer = writable.getWriter();
  const pump = async () => {
    try {
      for await (const piece of bytes) await writer.write(piece);
      await writer.close();
    } catch (thrown) {
      await writer.abort(thrown).catch(() => undefined);
      throw thrown;
    }
  };
  const [pumped, stored] = await Promise.allSettled([pump(), takeInPart({ body: readable, length }, length, store)]);
  if (stored.status === 'fulfilled' && pumped.status === 'fulfilled') return stored.value;
  // What gives the bytes says better what is wrong than that they broke off.
  const [reason, other] = [pumped, stored].map((each): unknown =>
    each.status === 'rejected' ? each.reason : undefined,
  );
  throw asCarrelError(reason instanceof CarrelError ? reason : (other ?? reason));
}

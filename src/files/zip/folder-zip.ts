import { CarrelError } from '../../lib/errors.ts';
import type { OpenWorkspace } from '../../workspace/client.ts';
import type { FileBucket } from '../bucket.ts';
import type { FileEntry } from '../model.ts';
import type { PackedFile } from '../store.ts';
import { entryNames, topFolder } from './entry-names.ts';
import { zipLength, zipPieces } from './writer.ts';
import type { ZipEntry } from './writer.ts';

/** Files of one archive: each is a call of R2, of which a request may make 10,000 (Workers, "Limits"). */
const MAX_ZIP_FILES = 5000;
/** Bytes that are taken at a time of what R2 gives, which is 4 KB now and then. */
const PIECE_BYTES = 256 * 1024;
/** Files of at most a piece that are fetched before their turn: a request has six connections at a time. */
const AHEAD = 4;

/** A folder as an archive that is about to be made. */
export interface FolderZip {
  /** What it is called when it is saved: `2026.zip`. */
  readonly name: string;
  readonly session: FileEntry['session'];
  /** With its slash; empty for all of the session. */
  readonly folder: string;
  readonly files: number;
  /** Bytes of the archive. */
  readonly size: number;
  /**
   * Makes it, while it is read. It has what was in the folder at one moment: what is moved, changed or put into the
   * trash meanwhile is in it as it was. Where bytes are gone for good meanwhile, it breaks off.
   */
  readonly bytes: () => ReadableStream<Uint8Array>;
}

/**
 * A folder with all beneath it, or all of a session, as an archive.
 *
 * @param input.folder with its slash; empty for all of the session
 * @throws CarrelError `not_found` (the session; a folder without files, which is none), `too_large` (more than
 *   {@link MAX_ZIP_FILES})
 */
export async function folderZip(
  { files: store }: Pick<OpenWorkspace, 'files'>,
  bucket: FileBucket,
  input: { readonly session: string | undefined; readonly folder: string },
): Promise<FolderZip> {
  const { folder } = input;
  const { session, files } = await store.within(input.session, folder, MAX_ZIP_FILES + 1);
  if (files.length === 0)
    throw new CarrelError(
      'not_found',
      folder === '' ? 'There are no files in this session.' : 'There is no such folder, or nothing in it.',
    );
  if (files.length > MAX_ZIP_FILES)
    throw new CarrelError('too_large', `There are more than ${MAX_ZIP_FILES} files. Take its folders one by one.`, {
      details: { limit: MAX_ZIP_FILES },
    });
  const top = topFolder(folder, session.slug);
  const names = entryNames(
    top,
    files.map(({ path }) => path.slice(folder.length)),
  );
  const entries = files.map((file, index) => ({
    ...file,
    name: names[index] ?? file.path,
    modifiedAt: file.updatedAt,
  }));
  const size = zipLength(entries);
  return {
    name: `${top}.zip`,
    session,
    folder,
    files: files.length,
    size,
    bytes: () => streamOf(entries, bucket, size),
  };
}

type Entry = PackedFile & ZipEntry;

function streamOf(entries: readonly Entry[], bucket: FileBucket, size: number): ReadableStream<Uint8Array> {
  const { readable, writable } = new FixedLengthStream(size);
  void write(entries, bucket, writable.getWriter());
  return readable;
}

/** One piece is on its way at a time: whoever reads slowly makes it wait. */
async function write(
  entries: readonly Entry[],
  bucket: FileBucket,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  try {
    for await (const piece of zipPieces(entries, reading(entries, bucket))) await writer.write(piece);
    await writer.close();
  } catch (thrown) {
    // Also where the reader has left, who needs no word.
    await writer.abort(thrown).catch(() => undefined);
  }
}

/**
 * What gives the bytes of each file in its turn. The small ones behind it are fetched meanwhile: one after the other,
 * a thousand of them would take as long as a thousand answers of R2.
 */
function reading(entries: readonly Entry[], bucket: FileBucket): (entry: Entry) => AsyncIterable<Uint8Array> {
  const begun = new Map<number, Promise<Uint8Array>>();
  let turn = 0;
  return (entry) => {
    const own = begun.get(turn);
    begun.delete(turn);
    turn += 1;
    for (let index = turn; index < turn + AHEAD; index++) {
      const next = entries[index];
      if (!next || next.size > PIECE_BYTES || begun.has(index)) continue;
      const whole = wholeOf(bucket, next);
      // It is waited for in its turn, which never comes when the archive breaks off before.
      whole.catch(() => undefined);
      begun.set(index, whole);
    }
    return own ? once(own) : pieces(bucket, entry);
  };
}

async function* once(whole: Promise<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield await whole;
}

async function wholeOf(bucket: FileBucket, entry: Entry): Promise<Uint8Array> {
  let whole: Uint8Array = new Uint8Array();
  for await (const piece of pieces(bucket, entry)) whole = piece;
  return whole;
}

async function* pieces(bucket: FileBucket, { objectKey, size }: Entry): AsyncGenerator<Uint8Array, void> {
  if (size === 0) return;
  const body = await bucket.get(objectKey, undefined);
  if (!body) throw new CarrelError('not_found', 'A file was removed for good while its folder was packed.');
  const reader = body.getReader({ mode: 'byob' });
  const length = Math.min(size, PIECE_BYTES);
  try {
    for (;;) {
      const { value } = await reader.readAtLeast(length, new Uint8Array(length));
      if (!value?.byteLength) return;
      yield value;
    }
  } finally {
    // Left before its end, when the archive is no longer wanted, R2 must not go on sending.
    await reader.cancel().catch(() => undefined);
  }
}

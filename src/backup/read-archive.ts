import type { FileBucket } from '../files/bucket.ts';
import { joined, sha256Hex, toHex } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { KINDS, manifest, MANIFEST, MAX_MANIFEST_BYTES, record } from './model.ts';
import type { ArchivedList, ArchiveRecord, Manifest } from './model.ts';
import { bytesOf } from './pack.ts';

/** An archive on the shelf. */
export interface StoredArchive {
  readonly objectKey: string;
  readonly size: number;
}

/** Bytes behind the last record of the directory: the end of a zip without a comment, and the two of ZIP64 before it. */
const END_BYTES = 22;
const ZIP64_BYTES = 56 + 20;
/** Of the directory's record of the manifest: what stands in it, its name, its time, and a place beyond 4 GB. */
const RECORD_BYTES = 46 + MANIFEST.length + 9;
const FAR_BYTES = 12;

const SIGNATURES = {
  local: 0x04034b50,
  directory: 0x02014b50,
  end: 0x06054b50,
  zip64: 0x06064b50,
  locator: 0x07064b50,
};
const FAR = 0xffff_ffff;

/**
 * Reads archives as `export_workspace` makes them, and no others: entries are stored as they are, so nothing in one
 * grows when it is read, and the manifest is the last of them. Of the names in a zip none is looked at.
 */
export class ArchiveReader {
  readonly #bucket: FileBucket;
  readonly #archive: StoredArchive;

  constructor(bucket: FileBucket, archive: StoredArchive) {
    this.#bucket = bucket;
    this.#archive = archive;
  }

  /** @throws CarrelError `unsupported` for what is none, `invalid_input` for one that is broken */
  async manifest(): Promise<Manifest> {
    const { size } = this.#archive;
    const length = Math.min(size, END_BYTES + ZIP64_BYTES + RECORD_BYTES + FAR_BYTES);
    const at = placeOfManifest(await this.bytes(size - length, length), size - length);
    if (at === undefined) throw noArchive();
    const header = new DataView((await this.bytes(at.header, 30)).buffer);
    if (header.getUint32(0, true) !== SIGNATURES.local) throw noArchive();
    const begins = at.header + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    if (at.size > MAX_MANIFEST_BYTES) throw noArchive();
    const text = new TextDecoder().decode(await this.bytes(begins, at.size));
    const { data, error } = manifest.safeParse(parseJson(text));
    if (!data) throw noArchive(error);
    return data;
  }

  /** The lines of a list, whose hash is compared. */
  async lines({ at, size, sha256, records }: ArchivedList): Promise<string[]> {
    const bytes = await this.bytes(at, size);
    if ((await sha256Hex(bytes)) !== sha256) throw broken();
    const lines = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(bytes).split('\n');
    if (lines.pop() !== '' || lines.length !== records) throw broken();
    return lines;
  }

  /** Some bytes of it. @throws CarrelError `invalid_input` when they lie outside of it */
  async bytes(at: number, size: number): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.pieces(at, size)) pieces.push(piece);
    return joined(pieces);
  }

  async *pieces(at: number, size: number): AsyncGenerator<Uint8Array> {
    this.refuseOutside(at, size);
    if (size > 0) yield* bytesOf(this.#bucket, this.#archive.objectKey, at, size, gone);
  }

  /** The same as a stream whose length the bucket knows; null for nothing. */
  async stream(at: number, size: number): Promise<ReadableStream<Uint8Array> | null> {
    this.refuseOutside(at, size);
    if (size === 0) return null;
    const body = await this.#bucket.get(this.#archive.objectKey, { offset: at, length: size });
    if (!body) throw gone();
    return body;
  }

  /** The SHA-256 of some bytes of it, of which none is held. */
  async sha256(at: number, size: number): Promise<string> {
    const digest = new crypto.DigestStream('SHA-256');
    const writer = digest.getWriter();
    for await (const piece of this.pieces(at, size)) await writer.write(piece);
    await writer.close();
    return toHex(new Uint8Array(await digest.digest));
  }

  refuseOutside(at: number, size: number): void {
    if (at < 0 || size < 0 || at + size > this.#archive.size) throw broken();
  }
}

/** Where the manifest's header stands, and how long it is. @param from where these bytes begin in the archive */
export function placeOfManifest(
  bytes: Uint8Array<ArrayBuffer>,
  from: number,
): { readonly header: number; readonly size: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.byteLength - END_BYTES;
  if (end < 0 || view.getUint32(end, true) !== SIGNATURES.end) return undefined;
  const hasZip64 = end >= ZIP64_BYTES && view.getUint32(end - 20, true) === SIGNATURES.locator;
  const behind = hasZip64 ? end - ZIP64_BYTES : end;
  for (const extra of [0, FAR_BYTES]) {
    const at = behind - RECORD_BYTES - extra;
    if (at < 0 || view.getUint32(at, true) !== SIGNATURES.directory) continue;
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + MANIFEST.length));
    const isStored = view.getUint16(at + 10, true) === 0;
    const lengths = [view.getUint16(at + 28, true), view.getUint16(at + 30, true), view.getUint16(at + 32, true)];
    if (name !== MANIFEST || !isStored || lengths.join(' ') !== `${MANIFEST.length} ${9 + extra} 0`) continue;
    const near = view.getUint32(at + 42, true);
    const header = near === FAR && extra > 0 ? Number(view.getBigUint64(at + 46 + MANIFEST.length + 4, true)) : near;
    const size = view.getUint32(at + 24, true);
    return header + size <= from + bytes.byteLength ? { header, size } : undefined;
  }
  return undefined;
}

/**
 * A record of a list; undefined for one of a kind that this release does not know.
 *
 * @throws CarrelError `invalid_input`
 */
export function readRecord(line: string): ArchiveRecord | undefined {
  const value = parseJson(line);
  const kind: unknown = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  if (typeof kind === 'string' && /^[a-z_]{1,40}$/.test(kind) && !KINDS.has(kind)) return undefined;
  const { data, error } = record.safeParse(value);
  if (!data) throw broken(error);
  return data;
}

const noArchive = (cause?: unknown) =>
  new CarrelError(
    'unsupported',
    'This is no archive that `export_workspace` made, or another program packed it again. Give the zip as it was.',
    { cause },
  );

export const broken = (cause?: unknown) =>
  new CarrelError('invalid_input', 'The archive is broken, or is not what its lists say. Nothing was imported.', {
    cause,
  });

const gone = () => new CarrelError('not_found', 'The archive was deleted meanwhile.');

import { crc32 } from 'node:zlib';

import { joined, utf8 } from '../../lib/encoding.ts';

/**
 * ZIP archives (PKWARE APPNOTE.TXT 6.3.10) whose files are stored as they are: most are compressed already, and
 * only so the length is known before the first byte. Of our own, because client-zip 2.5.1 writes no ZIP64 end for
 * more than 65,535 files and takes its checksums in JavaScript.
 */

/** A file of an archive. */
export interface ZipEntry {
  /** With `/` between its folders. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** ms since the epoch. */
  readonly modifiedAt: number;
}

/** What a field of 16 or of 32 bits says whose value stands in its ZIP64 counterpart. */
const IN_ZIP64_16 = 0xffff;
const IN_ZIP64_32 = 0xffff_ffff;

/** The checksum and the sizes follow the bytes; names are UTF-8 (APPNOTE 4.4.4, bits 3 and 11). */
const FLAGS = 0x0808;
const STORED = 0;
const VERSION = 20;
const ZIP64_VERSION = 45;
/** Made on Unix, so that {@link FILE_MODE} counts. */
const MADE_BY = (3 << 8) | ZIP64_VERSION;
/** A regular file that its owner may write and everybody may read: never one that runs, never a link. */
const FILE_MODE = 0o100644 * 0x1_0000;

/** Bytes of the archive that {@link zipPieces} makes of these. */
export function zipLength(entries: readonly ZipEntry[]): number {
  let at = 0;
  let directory = 0;
  for (const entry of entries) {
    directory += directoryRecord(entry, 0, at).byteLength;
    at += localHeader(entry).byteLength + entry.size + descriptor(entry, 0).byteLength;
  }
  return at + directory + endRecords(entries.length, directory, at).byteLength;
}

/**
 * The bytes of an archive, made while they are asked for. Nothing is held but the directory: 50 bytes and a name for
 * each file.
 *
 * @param bytes of a file, in pieces
 * @throws RangeError when a file has another size than its entry says: the archive would not be what was announced
 */
export async function* zipPieces<Entry extends ZipEntry>(
  entries: readonly Entry[],
  bytes: (entry: Entry) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries) {
    const header = localHeader(entry);
    yield header;
    let [size, crc] = [0, 0];
    for await (const piece of bytes(entry)) {
      size += piece.byteLength;
      if (size > entry.size) break;
      crc = crc32(piece, crc);
      yield piece;
    }
    if (size !== entry.size) throw new RangeError(`a file has other than its ${entry.size} bytes`);
    const trailer = descriptor(entry, crc);
    yield trailer;
    directory.push(directoryRecord(entry, crc, at));
    at += header.byteLength + size + trailer.byteLength;
  }
  const records = joined(directory);
  yield records;
  yield endRecords(entries.length, records.byteLength, at);
}

type Field = readonly [bytes: 2 | 4 | 8, value: number];

/** Fields one after the other, little-endian. */
function record(...fields: readonly Field[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

const isLarge = ({ size }: ZipEntry) => size >= IN_ZIP64_32;

/** Before the bytes of a file (4.3.7). What is not known yet stands behind them, in the {@link descriptor}. */
export function localHeader(entry: ZipEntry): Uint8Array {
  const name = utf8(entry.name);
  const large = isLarge(entry);
  // It says that the sizes of the descriptor have 64 bits (4.3.9.2), so it stands there with no size in it.
  const zip64 = large ? record([2, 1], [2, 16], [8, 0], [8, 0]) : new Uint8Array();
  const extra = joined([zip64, timestamp(entry)]);
  const size = large ? IN_ZIP64_32 : 0;
  const header = record(
    [4, 0x04034b50],
    [2, large ? ZIP64_VERSION : VERSION],
    [2, FLAGS],
    [2, STORED],
    ...dosTime(entry),
    [4, 0],
    [4, size],
    [4, size],
    [2, name.byteLength],
    [2, extra.byteLength],
  );
  return joined([header, name, extra]);
}

/** Behind the bytes of a file (4.3.9). */
export function descriptor(entry: ZipEntry, crc: number): Uint8Array {
  const width = isLarge(entry) ? 8 : 4;
  return record([4, 0x08074b50], [4, crc], [width, entry.size], [width, entry.size]);
}

/** A file in the directory at the end (4.3.12). @param at where its local header is */
export function directoryRecord(entry: ZipEntry, crc: number, at: number): Uint8Array {
  const name = utf8(entry.name);
  const [large, far] = [isLarge(entry), at >= IN_ZIP64_32];
  const zip64: Field[] = [];
  if (large) zip64.push([8, entry.size], [8, entry.size]);
  if (far) zip64.push([8, at]);
  const extra = joined([
    zip64.length > 0 ? record([2, 1], [2, zip64.length * 8], ...zip64) : new Uint8Array(),
    timestamp(entry),
  ]);
  const size = large ? IN_ZIP64_32 : entry.size;
  const header = record(
    [4, 0x02014b50],
    [2, MADE_BY],
    [2, zip64.length > 0 ? ZIP64_VERSION : VERSION],
    [2, FLAGS],
    [2, STORED],
    ...dosTime(entry),
    [4, crc],
    [4, size],
    [4, size],
    [2, name.byteLength],
    [2, extra.byteLength],
    // No comment; the first disk; no internal attributes.
    [2, 0],
    [2, 0],
    [2, 0],
    [4, FILE_MODE],
    [4, far ? IN_ZIP64_32 : at],
  );
  return joined([header, name, extra]);
}

/**
 * The end of an archive (4.3.16), with the records of ZIP64 before it (4.3.14, 4.3.15) where a number needs them.
 *
 * @param size of the directory, and `at` where it begins
 */
export function endRecords(count: number, size: number, at: number): Uint8Array {
  const needsZip64 = count >= IN_ZIP64_16 || size >= IN_ZIP64_32 || at >= IN_ZIP64_32;
  const zip64 = needsZip64
    ? joined([
        record(
          [4, 0x06064b50],
          [8, 44],
          [2, MADE_BY],
          [2, ZIP64_VERSION],
          [4, 0],
          [4, 0],
          [8, count],
          [8, count],
          [8, size],
          [8, at],
        ),
        record([4, 0x07064b50], [4, 0], [8, at + size], [4, 1]),
      ])
    : new Uint8Array();
  const shortCount = Math.min(count, IN_ZIP64_16);
  const end = record(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, shortCount],
    [2, shortCount],
    [4, Math.min(size, IN_ZIP64_32)],
    [4, Math.min(at, IN_ZIP64_32)],
    [2, 0],
  );
  return joined([zip64, end]);
}

/** Time and date as DOS had them (4.4.6), from 1980 to 2107; in UTC, as nobody knows where it will be unpacked. */
function dosTime({ modifiedAt }: ZipEntry): readonly [Field, Field] {
  const date = new Date(modifiedAt);
  const year = Math.min(Math.max(date.getUTCFullYear(), 1980), 2107);
  return [
    [2, (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1)],
    [2, ((year - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()],
  ];
}

/** The moment itself, for the many programs that read it: Info-ZIP's "extended timestamp", 32 bits signed. */
function timestamp({ modifiedAt }: ZipEntry): Uint8Array {
  const seconds = Math.min(Math.max(Math.floor(modifiedAt / 1000), 0), 0x7fff_ffff);
  // The first byte of its five says that it has the time of change alone.
  return joined([record([2, 0x5455], [2, 5]), Uint8Array.of(1), record([4, seconds])]);
}

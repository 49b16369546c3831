import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { directoryLength, entryLength, planText, readPlan } from '../../src/backup/layout.ts';
import type { PlannedEntry } from '../../src/backup/layout.ts';
import { MANIFEST } from '../../src/backup/model.ts';
import { packPart } from '../../src/backup/pack.ts';
import { placeOfManifest, readRecord } from '../../src/backup/read-archive.ts';
import type { FileBucket } from '../../src/files/bucket.ts';
import { endRecords, zipLength, zipPieces } from '../../src/files/zip/writer.ts';
import { joined, utf8 } from '../../src/lib/encoding.ts';

/** A bucket of these objects, whose streams give as many bytes as they are asked for. */
function bucketOf(objects: Record<string, Uint8Array>): FileBucket {
  return {
    get: async (key: string, range: { offset: number; length: number }) => {
      const bytes = objects[key];
      if (!bytes) return undefined;
      let at = range.offset;
      const reader = {
        readAtLeast: async (length: number) => {
          const value = bytes.slice(at, Math.min((at += length), range.offset + range.length));
          return { value };
        },
        cancel: async () => undefined,
      };
      return { getReader: () => reader };
    },
  } as unknown as FileBucket;
}

type Made = { readonly name: string; readonly bytes: Uint8Array };

/** The archive, put together of parts of this length, each with no more than the one before left. */
async function inParts(made: readonly Made[], length: number, lists: number): Promise<Uint8Array> {
  const objects = Object.fromEntries(made.map(({ bytes }, index) => [`k${index}`, bytes]));
  const entries = made.map(({ name, bytes }, index): PlannedEntry => ({
    name,
    size: bytes.length,
    modifiedAt: 0,
    objectKey: `k${index}`,
  }));
  const planned: { at: number; entries: readonly PlannedEntry[] }[] = [];
  let at = 0;
  let directory = 0;
  for (let from = 0; from < entries.length; from += lists) {
    const some = readPlan(planText(entries.slice(from, from + lists)));
    planned.push({ at, entries: some });
    for (const entry of some) {
      directory += directoryLength(entry, at);
      at += entryLength(entry);
    }
  }
  const pieces: Uint8Array[] = [];
  const directories: Uint8Array[] = [];
  let crc = 0;
  for (let from = 0; from < at; from += length) {
    const range = { from, to: Math.min(from + length, at), crc };
    let sent = 0;
    for await (const piece of packPart(bucketOf(objects), planned, range, (part) => {
      ({ crc } = part);
      directories.push(part.directory);
    })) {
      pieces.push(piece);
      sent += piece.byteLength;
    }
    expect(sent).toBe(range.to - from);
  }
  const records = joined(directories);
  expect(records.byteLength).toBe(directory);
  return joined([...pieces, records, endRecords(entries.length, directory, at)]);
}

async function atOnce(made: readonly Made[]): Promise<Uint8Array<ArrayBuffer>> {
  const entries = made.map((each) => ({ ...each, size: each.bytes.length, modifiedAt: 0 }));
  const pieces: Uint8Array[] = [];
  for await (const piece of zipPieces(entries, async function* bytesOf({ bytes }) {
    yield bytes;
  }))
    pieces.push(piece);
  expect(pieces.reduce((sum, piece) => sum + piece.byteLength, 0)).toBe(zipLength(entries));
  return joined(pieces);
}

async function drained(pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const { byteLength } of pieces) size += byteLength;
  return size;
}

const name = fc.string({ minLength: 1, maxLength: 20 });
const made = fc.array(fc.record({ name, bytes: fc.uint8Array({ maxLength: 200 }) }), { minLength: 1, maxLength: 8 });

describe('an archive that is made in parts', () => {
  it('is the one that is made at once, wherever the parts end', async () => {
    await fc.assert(
      fc.asyncProperty(
        made,
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 8 }),
        async (all, length, lists) => {
          expect(await inParts(all, length, lists)).toEqual(await atOnce(all));
        },
      ),
    );
  });

  it('is given up where bytes are gone', async () => {
    const entry = { name: 'a', size: 5, modifiedAt: 0, objectKey: 'nowhere' };
    const part = packPart(bucketOf({}), [{ at: 0, entries: [entry] }], { from: 0, to: 60, crc: 0 }, () => {});
    await expect(drained(part)).rejects.toThrow(/removed for good/);
    const short = packPart(
      bucketOf({ nowhere: utf8('abc') }),
      [{ at: 0, entries: [entry] }],
      { from: 0, to: 60, crc: 0 },
      () => {},
    );
    await expect(drained(short)).rejects.toThrow(/removed for good/);
  });
});

describe('an archive that is read', () => {
  it('has its manifest where it says, and is nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(made, fc.uint8Array({ maxLength: 100 }), async (all, json) => {
        const archive = await atOnce([...all, { name: MANIFEST, bytes: json }]);
        const from = Math.max(0, archive.byteLength - 300);
        const place = placeOfManifest(archive.slice(from), from);
        expect(place?.size).toBe(json.byteLength);
        const header = new TextDecoder().decode(archive.slice((place?.header ?? 0) + 30).slice(0, MANIFEST.length));
        expect(header).toBe(MANIFEST);
        expect(placeOfManifest((await atOnce(all)).slice(from), from)).toBeUndefined();
      }),
    );
  });

  it('may be any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(placeOfManifest(new Uint8Array(bytes), 0)).toBeUndefined();
      }),
    );
  });

  it('may have any of its bytes be another: then it is none, or its manifest is within it', async () => {
    const archive = await atOnce([{ name: MANIFEST, bytes: utf8('{}') }]);
    fc.assert(
      fc.property(fc.nat(archive.length - 1), fc.nat(255), (at, byte) => {
        const other = archive.slice();
        other[at] = byte;
        const { header, size } = placeOfManifest(other, 0) ?? { header: 0, size: 0 };
        expect(header + size).toBeLessThanOrEqual(archive.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('has records of any JSON: known and right, of a later release, or refused', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.constantFrom('session', 'state', 'file', 'sources', 'quotes', 'later', ''),
        (json, kind) => {
          for (const line of [json, JSON.stringify({ kind, ...Object(JSON.parse(json)) })]) {
            let thrown: unknown;
            try {
              readRecord(line);
            } catch (error) {
              thrown = error;
            }
            expect(thrown === undefined || (thrown as { code: string }).code === 'invalid_input').toBe(true);
          }
        },
      ),
    );
    expect(readRecord('{"kind":"connection","slug":"a"}')).toBeUndefined();
    expect(readRecord('{"kind":"state","session":"a","key":"k","value":"1"}')).toMatchObject({ key: 'k' });
  });
});

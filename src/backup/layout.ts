import { descriptor, directoryRecord, localHeader } from '../files/zip/writer.ts';
import type { ZipEntry } from '../files/zip/writer.ts';

/** An entry of the archive whose bytes are an object of the bucket. */
export interface PlannedEntry extends ZipEntry {
  /** Empty for an entry without bytes. */
  readonly objectKey: string;
}

/** Where the bytes of an entry begin whose header stands at this place. */
export const dataAt = (entry: ZipEntry, at: number): number => at + localHeader(entry).byteLength;

/** Bytes that an entry takes with its header and what stands behind it. */
export const entryLength = (entry: ZipEntry): number =>
  localHeader(entry).byteLength + entry.size + descriptor(entry, 0).byteLength;

/** Bytes that an entry takes in the directory. @param at where its header stands */
export const directoryLength = (entry: ZipEntry, at: number): number => directoryRecord(entry, 0, at).byteLength;

/** A plan as it is written down. One line an entry. */
export function planText(entries: readonly PlannedEntry[]): string {
  return entries
    .map(({ name, size, modifiedAt, objectKey }) => `${JSON.stringify([name, size, modifiedAt, objectKey])}\n`)
    .join('');
}

export function readPlan(text: string): PlannedEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [name, size, modifiedAt, objectKey] = JSON.parse(line) as [string, number, number, string];
      return { name, size, modifiedAt, objectKey };
    });
}

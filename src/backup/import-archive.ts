import type { JobRun } from '../jobs/definition.ts';
import { CarrelError } from '../lib/errors.ts';
import { storeInParts } from './in-parts.ts';
import { countsOf, NOTHING, sum } from './model.ts';
import type { ArchivedList, Counts, RecordOf } from './model.ts';
import { proveRecords } from './prove.ts';
import type { Facts } from './prove.ts';
import { ArchiveReader, broken, readRecord } from './read-archive.ts';
import type { StoredArchive } from './read-archive.ts';
import { Taking } from './take-in.ts';
import type { Row, TakenIn, TakingOptions, TakingServices } from './take-in.ts';

export interface Imported {
  readonly counts: Counts;
  readonly rows: readonly Row[];
  /** Records of kinds that this release does not know. */
  readonly unknown: number;
}

/** Where an import goes on. */
type Progress = {
  readonly archive: StoredArchive;
  readonly lists: readonly ArchivedList[];
  readonly places: Map<string, string>;
  readonly rows: Row[];
  readonly begun: { readonly id: string; readonly archived: boolean }[];
  readonly withLinks: Set<number>;
  counts: Counts;
};

/**
 * Takes an archive of a workspace in, in steps. All of it is proved before anything of it is seen here; only a file that
 * comes in parts is proved when it has come. Nothing that is there is overwritten.
 *
 * @param said what its manifest counts
 * @throws CarrelError `invalid_input`, and nothing was imported. What a later failure leaves are whole sessions, files and
 *   sources; a research that did not come to its end is taken back
 */
export async function importArchive(
  job: JobRun<unknown>,
  services: TakingServices,
  archive: StoredArchive,
  lists: readonly ArchivedList[],
  { said, ...options }: TakingOptions & { readonly said: Counts },
): Promise<Imported> {
  const unknown = await proveAll(job, services, archive, lists, said);
  const progress: Progress = {
    archive,
    lists,
    places: new Map(),
    rows: [],
    begun: [],
    withLinks: new Set(),
    counts: NOTHING,
  };
  try {
    await takeAll(job, services, progress, options);
    await linkAll(job, services, progress, options);
  } catch (thrown) {
    if (thrown instanceof CarrelError)
      for (const { id } of progress.begun)
        await job.step(`discard-${id}`, async ({ workspace: { desks } }) => {
          await desks.discardImport(id, Date.now());
          return null;
        });
    throw thrown;
  }
  for (const { id, archived } of progress.begun)
    await job.step(`end-${id}`, async ({ workspace: { desks } }) => {
      await desks.endImport(id);
      if (archived) await desks.archive(id, true, Date.now());
      return null;
    });
  return { counts: progress.counts, rows: progress.rows, unknown };
}

async function proveAll(
  job: JobRun<unknown>,
  { bucket }: TakingServices,
  archive: StoredArchive,
  lists: readonly ArchivedList[],
  said: Counts,
): Promise<number> {
  const facts: Parameters<Facts['agree']>[] = [];
  let [counts, unknown] = [NOTHING, 0];
  for (const [index, list] of lists.entries())
    for (let from = 0; ;) {
      const begins = from;
      const proved = await job.step(`prove-${index + 1}-${from}`, async () =>
        proveRecords(bucket, archive, list, begins, facts),
      );
      facts.push(...proved.facts.map(([name, value]): [string, string | number] => [name, value]));
      counts = sum(counts, proved.counts);
      unknown += proved.unknown;
      // Every byte stands in it once: one that is named again and again would grow without end.
      if (counts.bytes > archive.size) throw broken();
      job.progress(counts.bytes, said.bytes, 'proving');
      from = proved.next;
      if (proved.isLast) break;
    }
  if (JSON.stringify(counts) !== JSON.stringify({ ...NOTHING, ...said })) throw broken();
  return unknown;
}

async function takeAll(
  job: JobRun<unknown>,
  services: TakingServices,
  progress: Progress,
  options: TakingOptions,
): Promise<void> {
  const { archive, places } = progress;
  for (const [index, list] of progress.lists.entries())
    for (let from = 0; ;) {
      const begins = from;
      const taken: TakenIn = await job.step(`take-${index + 1}-${from}`, async (context) =>
        new Taking(services, context, archive, { places, ...options }).records(list, begins),
      );
      for (const [name, id] of taken.places) places.set(name, id);
      progress.rows.push(...taken.rows);
      progress.begun.push(...taken.begun);
      progress.counts = sum(progress.counts, taken.counts);
      if (taken.hasLinks) progress.withLinks.add(index);
      from = taken.next;
      if (taken.large) await takeLarge(job, services, progress, index, from++);
      job.progress(progress.counts.files, undefined, 'taking in');
      if (taken.isLast || from >= list.records) break;
    }
}

/** A file that is larger than one step. */
async function takeLarge(
  job: JobRun<unknown>,
  { bucket }: TakingServices,
  progress: Progress,
  list: number,
  index: number,
): Promise<void> {
  const { archive, places } = progress;
  const name = `large-${list + 1}-${index}`;
  const reader = new ArchiveReader(bucket, archive);
  const each = await job.step(name, async () => {
    const lines = await reader.lines(progress.lists[list] ?? { at: 0, size: 0, sha256: '', records: 0 });
    return readRecord(lines[index] ?? '') as RecordOf<'file'>;
  });
  const { path, size, type, tags, sha256, session, at } = each;
  try {
    const { file } = await storeInParts(
      job,
      bucket,
      name,
      { path, size, type, tags, sha256, ifExists: 'keep_both', session: places.get(`session ${session}`) ?? '' },
      async ({ from, length }) => ({ bytes: reader.pieces(at + from, length), carry: async () => null }),
    );
    progress.counts = sum(progress.counts, countsOf(each));
    const as = await job.step(`${name}-path`, async ({ workspace: { files } }) => {
      return (await files.get(file, undefined))?.path ?? path;
    });
    if (as !== path)
      progress.rows.push({ kind: 'file', session, name: path, outcome: 'renamed', as, reason: 'the path is taken' });
  } catch (thrown) {
    if (!(thrown instanceof CarrelError) || !['too_large', 'conflict'].includes(thrown.code)) throw thrown;
    progress.rows.push({ kind: 'file', session, name: path, outcome: 'refused', as: '', reason: thrown.message });
  }
}

async function linkAll(
  job: JobRun<unknown>,
  services: TakingServices,
  { archive, lists, places, withLinks }: Progress,
  options: TakingOptions,
): Promise<void> {
  for (const index of withLinks) {
    const list = lists[index];
    if (!list) continue;
    for (let from = 0; ;) {
      const begins = from;
      const { next, isLast } = await job.step(`link-${index + 1}-${from}`, async (context) =>
        new Taking(services, context, archive, { places, ...options }).links(list, begins),
      );
      from = next;
      if (isLast) break;
    }
  }
}

import type { FileBucket } from '../files/bucket.ts';
import { endRecords } from '../files/zip/writer.ts';
import type { JobRun, Json, WorkContext } from '../jobs/definition.ts';
import { joined, sha256Hex, utf8 } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { DEFAULT_SESSION_SLUG } from '../sessions/model.ts';
import { BEGINNING, gather, Gathering } from './collect.ts';
import type { Cursor, LeftOut } from './collect.ts';
import { storeInParts } from './in-parts.ts';
import { planText, readPlan } from './layout.ts';
import type { PlannedEntry } from './layout.ts';
import { EXPORTS, FORMAT, manifest, MANIFEST, MAX_MANIFEST_BYTES, NOTHING, README, sum } from './model.ts';
import type { ArchivedList, Counts, Manifest } from './model.ts';
import { bytesOf, packPart } from './pack.ts';

/** What is told of what was left out. */
const SHOWN_LEFT_OUT = 50;

/** An object that an export has written down for itself. */
type Scratch = { readonly key: string; readonly size: number; readonly sha256: string };

/** What one step of listing came to: entries of the zip from `at` to `ends`. */
type Listed = {
  readonly cursor: Cursor;
  readonly at: number;
  readonly ends: number;
  readonly directory: number;
  readonly entries: number;
  readonly plan: Scratch | null;
  readonly list: ArchivedList | null;
  readonly scratch: readonly string[];
  readonly counts: Counts;
  readonly leftOut: readonly LeftOut[];
  readonly omitted: number;
  readonly slugs: readonly (readonly [id: string, slug: string])[];
};

export interface Exported {
  readonly file: string;
  readonly path: string;
  readonly size: number;
  readonly counts: Counts;
  readonly leftOut: readonly LeftOut[];
  readonly omitted: number;
}

/**
 * Makes an archive of the workspace as a file of the shelf, in steps: first the lists of what is in it, which say where
 * each byte will stand, then the bytes, a part a step. What is held at a time does not grow with the workspace.
 *
 * Files are those of the moment at which it begins, as they are when it comes to them; so is the rest.
 *
 * @throws CarrelError `too_large` (the archive, or there is no room), `conflict` when something was removed for good
 */
export async function exportArchive(
  job: JobRun<unknown>,
  bucket: FileBucket,
  { research }: { readonly research: boolean },
): Promise<Exported> {
  const startedAt = await job.now('started');
  const lists = await listAll(job, bucket, { startedAt, research });
  const last = lists.at(-1);
  if (!last) throw new CarrelError('internal', 'An export has no list.');
  const counts = lists.reduce((all, each) => sum(all, each.counts), NOTHING);
  const tail = await job.step('manifest', async (context) =>
    writeTail(bucket, context, last, {
      format: FORMAT,
      version: 1,
      exported_at: startedAt,
      counts,
      lists: lists.flatMap(({ list }) => list ?? []),
    }),
  );
  const archive = new Archive(bucket, [...lists, tail]);
  const path = `${EXPORTS}${new Date(startedAt).toISOString().slice(0, 19).replaceAll(':', '-')}.zip`;
  const { file, carry } = await storeInParts(
    job,
    bucket,
    'archive',
    { path, size: archive.size, type: 'application/zip', ifExists: 'keep_both', session: DEFAULT_SESSION_SLUG },
    async (range, context, before) => archive.part(range, context, before as Carry | null),
  );
  const scratch = [...lists, tail].flatMap((each) => each.scratch);
  const directories = (carry as Carry | null)?.directories ?? [];
  const stored = await job.step('tidy', async ({ workspace: { backups, files } }) => {
    await backups.release([...scratch, ...directories.map(({ key }) => key)], Date.now());
    return { path: (await files.get(file, undefined))?.path ?? path };
  });
  return {
    file,
    path: stored.path,
    size: archive.size,
    counts,
    leftOut: lists.flatMap(({ leftOut }) => leftOut).slice(0, SHOWN_LEFT_OUT),
    omitted: lists.reduce((all, { omitted }) => all + omitted, 0),
  };
}

async function listAll(
  job: JobRun<unknown>,
  bucket: FileBucket,
  options: { readonly startedAt: number; readonly research: boolean },
): Promise<Listed[]> {
  const lists: Listed[] = [];
  const slugs = new Map<string, string>();
  let cursor = BEGINNING;
  for (let number = 1; cursor.stage !== 'end'; number++) {
    const before = lists.at(-1);
    const from = cursor;
    const listed: Listed = await job.step(`list-${number}`, async (context) => {
      const gathering = new Gathering(before?.ends ?? 0, before?.directory ?? 0, slugs);
      const next = await gather(context.workspace, gathering, from, options);
      const known = slugs;
      const fresh = [...gathering.slugs].filter(([id]) => !known.has(id));
      return {
        ...(await writeDown(bucket, context, gathering, number, options.startedAt)),
        cursor: next,
        slugs: fresh,
      };
    });
    for (const [id, slug] of listed.slugs) slugs.set(id, slug);
    ({ cursor } = listed);
    lists.push(listed);
    job.progress(0, undefined, `listed ${number}`);
  }
  return lists;
}

/** Stores a list and the plan of its entries where the parts are made of them. */
async function writeDown(
  bucket: FileBucket,
  { workspace: { backups }, principal }: WorkContext,
  gathering: Gathering,
  number: number,
  startedAt: number,
): Promise<Omit<Listed, 'cursor' | 'slugs'>> {
  const { records, counts, leftOut } = gathering;
  const omitted = leftOut.length;
  const rest = { at: gathering.begins, counts, leftOut: leftOut.slice(0, SHOWN_LEFT_OUT), omitted };
  if (records.length === 0 && gathering.entries.length === 0)
    return {
      ...rest,
      ends: gathering.at,
      directory: gathering.directory,
      plan: null,
      list: null,
      entries: 0,
      scratch: [],
    };
  const scratch = await backups.reserve(principal.workspaceId, 2, Date.now());
  const [listKey = '', planKey = ''] = scratch;
  const list = await keep(bucket, listKey, utf8(records.join('')));
  const name = `lists/${String(number).padStart(4, '0')}.jsonl`;
  const at = gathering.addEntry({ name, size: list.size, objectKey: listKey, modifiedAt: startedAt });
  const plan = await keep(bucket, planKey, utf8(planText(gathering.entries)));
  return {
    ...rest,
    ends: gathering.at,
    directory: gathering.directory,
    entries: gathering.entries.length,
    plan,
    list: records.length === 0 ? null : { at, size: list.size, sha256: list.sha256, records: records.length },
    scratch,
  };
}

async function writeTail(bucket: FileBucket, context: WorkContext, last: Listed, list: Manifest): Promise<Listed> {
  const parsed = manifest.safeParse(list);
  const json = utf8(JSON.stringify(list));
  if (!parsed.success || json.byteLength > MAX_MANIFEST_BYTES)
    throw new CarrelError('too_large', 'There is more in this workspace than one archive lists.');
  const {
    workspace: { backups },
    principal,
  } = context;
  const scratch = await backups.reserve(principal.workspaceId, 3, Date.now());
  const [readmeKey = '', jsonKey = '', planKey = ''] = scratch;
  const gathering = new Gathering(last.ends, last.directory, new Map());
  const readme = await keep(bucket, readmeKey, utf8(readmeOf(list)));
  const stored = await keep(bucket, jsonKey, json);
  const modifiedAt = list.exported_at;
  gathering.addEntry({ name: README, size: readme.size, objectKey: readmeKey, modifiedAt });
  // The last of all, so that it is found from the end.
  gathering.addEntry({ name: MANIFEST, size: stored.size, objectKey: jsonKey, modifiedAt });
  return {
    cursor: last.cursor,
    at: last.ends,
    ends: gathering.at,
    directory: gathering.directory,
    entries: 2,
    plan: await keep(bucket, planKey, utf8(planText(gathering.entries))),
    list: null,
    scratch,
    counts: NOTHING,
    leftOut: [],
    omitted: 0,
    slugs: [],
  };
}

/** What a part has to know of those before it. */
type Carry = {
  readonly crc: number;
  /** Objects with the directory so far. */
  readonly directories: readonly { readonly key: string; readonly size: number }[];
};

/** An archive of which each byte is known by its place. */
class Archive {
  readonly size: number;
  readonly #bucket: FileBucket;
  readonly #lists: readonly Listed[];
  /** Where the entries end, and bytes of the directory behind them. */
  readonly #ends: number;
  readonly #directory: number;
  readonly #end: Uint8Array;

  constructor(bucket: FileBucket, lists: readonly Listed[]) {
    const last = lists.at(-1);
    this.#bucket = bucket;
    this.#lists = lists;
    this.#ends = last?.ends ?? 0;
    this.#directory = last?.directory ?? 0;
    const entries = lists.reduce((all, each) => all + each.entries, 0);
    this.#end = endRecords(entries, this.#directory, this.#ends);
    this.size = this.#ends + this.#directory + this.#end.byteLength;
  }

  async part(range: { readonly from: number; readonly length: number }, context: WorkContext, carry: Carry | null) {
    const before = carry ?? { crc: 0, directories: [] };
    let after = before;
    const bytes = this.#bytes(range.from, range.from + range.length, context, before, (left) => (after = left));
    return { bytes, carry: async (): Promise<Json> => after };
  }

  async *#bytes(
    from: number,
    to: number,
    context: WorkContext,
    { crc, directories: there }: Carry,
    leave: (carry: Carry) => void,
  ): AsyncGenerator<Uint8Array> {
    let directories = there;
    if (from < this.#ends) {
      let directory: Uint8Array = new Uint8Array();
      let next = 0;
      const range = { from, to: Math.min(to, this.#ends), crc };
      yield* packPart(this.#bucket, await this.#planned(range), range, (part) => {
        ({ directory } = part);
        next = part.crc;
      });
      if (directory.byteLength > 0) directories = [...directories, await this.#keep(context, directory)];
      leave({ crc: next, directories });
    }
    let at = this.#ends;
    for (const { key, size } of directories) {
      const [begin, end] = [Math.max(at, from), Math.min(at + size, to)];
      if (begin < end) yield* bytesOf(this.#bucket, key, begin - at, end - begin);
      at += size;
    }
    const tail = this.#end.subarray(Math.max(0, from - at), Math.max(0, to - at));
    if (tail.byteLength > 0) yield tail;
  }

  async #keep({ workspace: { backups }, principal }: WorkContext, directory: Uint8Array) {
    const [key = ''] = await backups.reserve(principal.workspaceId, 1, Date.now());
    const { size } = await keep(this.#bucket, key, directory);
    return { key, size };
  }

  async #planned({ from, to }: { readonly from: number; readonly to: number }) {
    const planned: { at: number; entries: readonly PlannedEntry[] }[] = [];
    for (const { plan, at, ends } of this.#lists)
      if (plan && at < to && ends > from) planned.push({ at, entries: readPlan(await kept(this.#bucket, plan)) });
    return planned;
  }
}

async function keep(bucket: FileBucket, key: string, bytes: Uint8Array): Promise<Scratch> {
  const whole = new Uint8Array(bytes);
  const sha256 = await sha256Hex(whole);
  await bucket.put(key, new Response(whole).body as ReadableStream<Uint8Array>, sha256);
  return { key, size: whole.byteLength, sha256 };
}

/** @throws CarrelError `conflict` when it is not what was written: a step that was thought dead may write late */
async function kept(bucket: FileBucket, { key, size, sha256 }: Scratch): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytesOf(bucket, key, 0, size)) pieces.push(piece);
  const bytes = joined(pieces);
  if ((await sha256Hex(bytes)) !== sha256)
    throw new CarrelError('conflict', 'What the export had written down is gone. Start it again.');
  return new TextDecoder().decode(bytes);
}

function readmeOf({ exported_at, counts }: Manifest): string {
  return `# A workspace of Carrel

Exported on ${new Date(exported_at).toISOString()}: ${counts.sessions} sessions, ${counts.files} files, ${counts.researches} researches with ${counts.sources} sources.

- \`sessions/NAME/files/\` has the files of each session, as they were called there.
- \`sessions/NAME/research/sources/\` has each source, in its bytes and as text.
- \`lists/\` says the rest, a line of JSON for each session, value of its state, file, quote, note and section.
- \`manifest.json\` has the SHA-256 of each list; a list has that of each file.

The job \`import_workspace\` takes this archive in again, as it is: not one that another program has packed.
`;
}

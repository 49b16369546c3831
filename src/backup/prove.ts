import type { FileBucket } from '../files/bucket.ts';
import { sha256Hex } from '../lib/encoding.ts';
import { identityOf, prove } from '../research/archive/import.ts';
import { countsOf, LARGE_BYTES, NOTHING, sum } from './model.ts';
import type { ArchivedList, ArchiveRecord, Counts, RecordOf } from './model.ts';
import { ArchiveReader, broken, readRecord } from './read-archive.ts';
import type { StoredArchive } from './read-archive.ts';

/** What one step proves at most: bytes that it reads, and places from which it does. */
const STEP_BYTES = 64_000_000;
const STEP_PLACES = 300;
const STEP_RECORDS = 1000;

/** What one step of the proof came to. */
export type Proved = {
  /** The record with which to go on. */
  readonly next: number;
  readonly isLast: boolean;
  readonly counts: Counts;
  /** Of kinds that are not known. */
  readonly unknown: number;
  readonly facts: readonly Fact[];
};

/** What the records before said, by a name that begins with what it is about. */
type Fact = readonly [name: string, value: string | number];

/** What is known of the records before those that are proved. */
export class Facts {
  readonly #facts = new Map<string, string | number>();

  get(name: string): string | number | undefined {
    return this.#facts.get(name);
  }

  /** @throws CarrelError `invalid_input` where it was said before */
  add(name: string, value: string | number = 1): void {
    if (this.#facts.has(name)) throw broken();
    this.#facts.set(name, value);
  }

  /** Has it be the same as before, where it was said. */
  agree(name: string, value: string | number): Fact[] {
    const there = this.#facts.get(name);
    if (there !== undefined && there !== value) throw broken();
    this.#facts.set(name, value);
    return there === undefined ? [[name, value]] : [];
  }
}

/**
 * Proves some records of a list, with all the bytes that they name, before any of them is taken in.
 *
 * @throws CarrelError `invalid_input`
 */
export async function proveRecords(
  bucket: FileBucket,
  archive: StoredArchive,
  list: ArchivedList,
  from: number,
  known: readonly Fact[],
): Promise<Proved> {
  const reader = new ArchiveReader(bucket, archive);
  const facts = new Facts();
  for (const [name, value] of known) facts.agree(name, value);
  const fresh: Fact[] = [];
  const lines = await reader.lines(list);
  const budget = { bytes: STEP_BYTES, places: STEP_PLACES };
  let [next, counts, unknown] = [from, NOTHING, 0];
  const end = Math.min(lines.length, from + STEP_RECORDS);
  for (; next < end && budget.bytes > 0 && budget.places > 0; next++) {
    const each = readRecord(lines[next] ?? '');
    if (!each) {
      unknown += 1;
      continue;
    }
    counts = sum(counts, countsOf(each));
    fresh.push(...(await proveOne(reader, each, facts, budget)));
  }
  return { next, isLast: next >= lines.length, counts, unknown, facts: fresh };
}

type Budget = { bytes: number; places: number };

async function proveOne(reader: ArchiveReader, each: ArchiveRecord, facts: Facts, budget: Budget): Promise<Fact[]> {
  const added: Fact[] = [];
  const add = (name: string, value: string | number = 1) => {
    facts.add(name, value);
    added.push([name, value]);
  };
  if (each.kind === 'session') {
    add(`session ${each.slug}`);
    if (each.is_default) add('default');
    return added;
  }
  if (each.kind === 'recipe') {
    add(`recipe ${each.slug}`);
    return added;
  }
  if (facts.get(`session ${each.session}`) === undefined) throw broken();
  const research = `research ${each.session}`;
  if (each.kind === 'research') {
    add(research, each.outline.length);
    if (new Set(each.outline.map(({ heading }) => heading.toLowerCase())).size < each.outline.length) throw broken();
  } else if (each.kind === 'file') {
    reader.refuseOutside(each.at, each.size);
    // What is larger comes in parts, and is read back before anybody sees it.
    if (each.size <= LARGE_BYTES) {
      spend(budget, each.size, 1);
      if ((await reader.sha256(each.at, each.size)) !== each.sha256) throw broken();
    }
  } else if (each.kind !== 'state' && each.kind !== 'schedule') {
    if (facts.get(research) === undefined) throw broken();
    if (each.kind === 'sources') added.push(...(await proveSources(reader, each, facts, budget)));
    if (each.kind === 'quotes') await proveQuotes(reader, each, facts, budget);
    if (each.kind === 'section') {
      add(`section ${each.session} ${each.number}`);
      if (each.number > Number(facts.get(research))) throw broken();
    }
  }
  return added;
}

async function proveSources(
  reader: ArchiveReader,
  { session, sources, at }: RecordOf<'sources'>,
  facts: Facts,
  budget: Budget,
): Promise<Fact[]> {
  const added: Fact[] = [];
  const contents = contentsOf(reader, at);
  for (const source of sources) {
    // What of the archive's research is proved: its bytes, its pages.
    await prove(contents, source, []);
    const key = `${session} ${source.key}`;
    const identity = await shortHash(`${session} ${identityOf(source)}`);
    added.push(...facts.agree(`key ${key}`, identity), ...facts.agree(`identity ${identity}`, source.key));
    for (const { number, raw, text } of source.snapshots) {
      spend(budget, raw.size + text.size, 2);
      const name = `snapshot ${key} ${number}`;
      facts.add(name, text.sha256);
      added.push([name, text.sha256]);
    }
  }
  return added;
}

/** Each quote against the text in which it is said to stand. */
async function proveQuotes(
  reader: ArchiveReader,
  { session, quotes }: RecordOf<'quotes'>,
  facts: Facts,
  budget: Budget,
): Promise<void> {
  const texts = new Map<string, string>();
  for (const { source, snapshot, start, end, text: words, in: place } of quotes) {
    if (facts.get(`snapshot ${session} ${source} ${snapshot}`) !== place.sha256) throw broken();
    let text = texts.get(place.sha256);
    if (text === undefined) {
      spend(budget, place.size, 1);
      const bytes = await reader.bytes(place.at, place.size);
      if ((await sha256Hex(bytes)) !== place.sha256) throw broken();
      text = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(bytes);
      // Of one text at a time: quotes come source by source.
      texts.clear();
      texts.set(place.sha256, text);
    }
    if (text.slice(start, end) !== words) throw broken();
  }
}

/** The files that a record of sources names, by their paths. */
export function contentsOf(reader: ArchiveReader, at: Readonly<Record<string, number>>) {
  return {
    read: async (path: string, size: number) => {
      const begins = Object.hasOwn(at, path) ? at[path] : undefined;
      if (begins === undefined) throw broken();
      return reader.bytes(begins, size);
    },
  };
}

function spend(budget: Budget, bytes: number, places: number): void {
  budget.bytes -= bytes;
  budget.places -= places;
}

const shortHash = async (text: string) => (await sha256Hex(text)).slice(0, 20);

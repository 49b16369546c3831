import type { FileBucket } from '../../files/bucket.ts';
import { CarrelError } from '../../lib/errors.ts';
import type { OpenWorkspace } from '../../workspace/client.ts';
import { allPages, allSources } from '../all-pages.ts';
import type { Note, Quote, Source, StoredSource } from '../model.ts';
import type { StoredSnapshot } from '../source-rows.ts';
import { overviewOf } from './overview.ts';
import { isTooMuch, MANIFEST, MAX_ARCHIVE_BYTES, MAX_ARCHIVED_SNAPSHOTS } from './model.ts';
import type { Manifest } from './model.ts';
import { packed, textEntry } from './pack.ts';
import type { PackedEntry } from './pack.ts';

export type ExportWorkspace = Pick<OpenWorkspace, 'desks' | 'sources' | 'quotes' | 'notes' | 'reports'>;

/** An archive that is about to be made. */
export interface ResearchArchive {
  /** For its name: the slug of the session. */
  readonly slug: string;
  readonly sources: number;
  readonly body: ReadableStream<Uint8Array>;
  readonly length: number;
}

/**
 * All of a research as a zip that can be read offline: an overview, what each source is in bytes and in text, quotes,
 * notes and the report, and a list of it all from which it can be imported.
 *
 * @param extra further files, such as the report as it is printed
 * @throws CarrelError `not_found`, `too_large`
 */
export async function exportResearch(
  workspace: ExportWorkspace,
  bucket: FileBucket,
  session: string | undefined,
  extra: readonly PackedEntry[],
): Promise<ResearchArchive> {
  const now = Date.now();
  const { desks, sources: store, quotes: quoteStore, notes: noteStore, reports } = workspace;
  const desk = await desks.get(session);
  const within = desk.session;
  const sources = await allSources(workspace, within.id);
  const [quotes, notes, report] = await Promise.all([
    allPages(async (after) => {
      const page = await quoteStore.list(within.id, undefined, 500, after);
      return { items: page.quotes, next: page.next };
    }),
    allPages(async (after) => {
      const page = await noteStore.list(within.id, { about: undefined, tag: undefined }, 200, after);
      return { items: page.notes, next: page.next };
    }),
    reports.get(within.id),
  ]);
  const snapshots = new Map<string, readonly StoredSnapshot[]>();
  let count = 0;
  for (const { id } of sources) {
    const own = await store.snapshots(id);
    snapshots.set(id, own);
    count += own.length;
    if (count > MAX_ARCHIVED_SNAPSHOTS)
      throw new CarrelError('too_large', `An archive holds at most ${MAX_ARCHIVED_SNAPSHOTS} snapshots of sources.`);
  }
  const list = manifestOf({ now, desk, sources, snapshots, quotes, notes, sections: report.sections });
  const json = textEntry(MANIFEST, JSON.stringify(list), now);
  if (isTooMuch(json.bytes))
    throw new CarrelError('too_large', 'The list of what this archive holds would be too long.');
  const entries: PackedEntry[] = [
    json,
    textEntry('README.md', overviewOf(list), now),
    ...extra,
    ...sources.flatMap(({ id }, index) => {
      const archived = list.sources[index]?.snapshots ?? [];
      return (snapshots.get(id) ?? []).flatMap((snapshot, at): PackedEntry[] => {
        const { raw, text } = archived[at] ?? {};
        const modifiedAt = snapshot.takenAt;
        return raw && text
          ? [
              { name: raw.path, size: raw.size, objectKey: snapshot.rawKey, modifiedAt },
              { name: text.path, size: text.size, objectKey: snapshot.textKey, modifiedAt },
            ]
          : [];
      });
    }),
  ];
  const { body, length } = packed(entries, bucket);
  if (length > MAX_ARCHIVE_BYTES) {
    await body.cancel();
    throw new CarrelError('too_large', 'The archive would have more than 2 GB.', { details: { size: length } });
  }
  return { slug: within.slug, sources: sources.length, body, length };
}

interface Parts {
  readonly now: number;
  readonly desk: Awaited<ReturnType<ExportWorkspace['desks']['get']>>;
  readonly sources: readonly StoredSource[];
  readonly snapshots: ReadonlyMap<string, readonly StoredSnapshot[]>;
  readonly quotes: readonly Quote[];
  readonly notes: readonly Note[];
  readonly sections: Awaited<ReturnType<ExportWorkspace['reports']['get']>>['sections'];
}

function manifestOf({ now, desk, sources, snapshots, quotes, notes, sections }: Parts): Manifest {
  const numbers = new Map([...snapshots.values()].flat().map(({ id, number }) => [id, number]));
  return {
    format: 'carrel-research',
    version: 1,
    exported_at: now,
    research: {
      topic: desk.topic,
      question: desk.question,
      guidelines: desk.guidelines,
      report_title: desk.reportTitle,
    },
    sources: sources.map((source) => archivedSource(source, snapshots.get(source.id) ?? [])),
    quotes: quotes.map((quote) => archivedQuote(quote, numbers.get(quote.snapshotId) ?? 1)),
    notes: notes.map((note) => archivedNote(note)),
    sections: sections.map(({ heading, level, brief, text }) => ({ heading, level, brief, text })),
  };
}

/** A source as an archive names it, with these of its snapshots. */
export function archivedSource(source: Source, snapshots: readonly StoredSnapshot[]): Manifest['sources'][number] {
  const { key, identity, url, host, title, state, rating, tags, note, readAt } = source;
  return {
    key,
    identity,
    url,
    host,
    title,
    state,
    rating,
    tags: [...tags],
    note,
    read: readAt !== undefined,
    snapshots: snapshots.map((snapshot) => archivedSnapshot(key, snapshot)),
  };
}

/** @param snapshot its number */
export function archivedQuote({ id, key, start, end, text, why }: Quote, snapshot: number): Manifest['quotes'][number] {
  return { id, source: key, snapshot, start, end, text, why };
}

export function archivedNote({ id, title, text, tags, links }: Note): Manifest['notes'][number] {
  return { id, title, text, tags: [...tags], links: [...links] };
}

function archivedSnapshot(key: string, snapshot: StoredSnapshot): Manifest['sources'][number]['snapshots'][number] {
  const { number, origin, url, type, characters, unit, parts, outline, metadata, truncated, takenAt } = snapshot;
  const folder = `sources/${key}/${number}`;
  return {
    number,
    origin,
    url,
    type,
    raw: { path: `${folder}/original${endingOf(type)}`, sha256: snapshot.rawSha256, size: snapshot.rawSize },
    text: { path: `${folder}/text.md`, sha256: snapshot.textSha256, size: snapshot.textSize },
    characters,
    unit,
    parts: parts.map((part) => ({ ...part })),
    outline: outline.map((heading) => ({ ...heading })),
    metadata: { ...metadata, authors: [...metadata.authors] },
    truncated,
    taken_at: takenAt,
  };
}

/** A page keeps its scripts: opened from a folder it must be text. */
function endingOf(type: string): string {
  const kind = type.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (kind === 'application/pdf') return '.pdf';
  if (kind === 'application/vnd.openxmlformats-officedocument.wordprocessingml.document') return '.docx';
  if (kind === 'text/html' || kind === 'application/xhtml+xml') return '.html.txt';
  return kind.startsWith('text/') ? '.txt' : '.bin';
}

import type { FileBucket } from '../../files/bucket.ts';
import { newObjectKey } from '../../files/model.ts';
import { CarrelError } from '../../lib/errors.ts';
import { parseJson } from '../../lib/json.ts';
import type { OpenWorkspace } from '../../workspace/client.ts';
import { storeContents } from '../intake.ts';
import { FILE_IDENTITY } from '../model.ts';
import type { SessionRef } from '../model.ts';
import { citationsOf } from '../report-service.ts';
import { sha256Of } from '../stored-text.ts';
import { partAt } from '../window.ts';
import { isTooMuch, manifest, MANIFEST, MAX_ARCHIVED_SNAPSHOTS, MAX_MANIFEST_BYTES } from './model.ts';
import type { Manifest } from './model.ts';
import type { Archive } from './unpack.ts';

/** What an archive is asked for. */
export type ArchiveReader = Pick<Archive, 'read'>;

export type ImportWorkspace = Pick<OpenWorkspace, 'sessions' | 'desks' | 'sources' | 'quotes' | 'notes' | 'reports'>;

type Source = Manifest['sources'][number];
type Snapshot = Source['snapshots'][number];

/** Sources that are taken in at once, and their bytes, if they are more than one. */
const AT_ONCE = 6;
const BYTES_AT_ONCE = 5_000_000;
/** Quotes, notes and links in one message to the workspace. */
const IN_ONE_MESSAGE = 200;

/** What came in. */
export interface Imported {
  readonly session: SessionRef;
  readonly sources: number;
  readonly quotes: number;
  readonly notes: number;
  readonly sections: number;
}

/**
 * Takes an archive in as a research of its own. All of it is proved before anything is stored: each file against its
 * SHA-256, each quote against the text in which it is said to stand. What other people wrote in it stays theirs: it
 * reaches an agent as text from outside, and their guidelines are a note, nobody's rules.
 *
 * @param title of the session that is made for it
 * @throws CarrelError `invalid_input`, `conflict` when there is a research in that session, `too_large`
 */
export async function importResearch(
  workspace: ImportWorkspace,
  bucket: FileBucket,
  workspaceId: string,
  archive: Archive,
  title: string,
): Promise<Imported> {
  const list = await listOf(archive);
  for (const source of list.sources) await prove(archive, source, list.quotes);
  const bytes = list.sources.flatMap(({ snapshots }) => snapshots.map(({ raw, text }) => raw.size + text.size));
  await workspace.sources.refuseWithoutRoom(bytes.reduce((sum, size) => sum + size, 0));

  const session = await newDesk(workspace, title);
  try {
    await takeInAll(workspace, bucket, workspaceId, archive, session.id, list);
    await workspace.desks.endImport(session.id);
  } catch (thrown) {
    // If it cannot be reached now, the next import into this session finds what is left.
    await workspace.desks.discardImport(session.id, Date.now()).catch(() => undefined);
    throw thrown;
  }
  const { sources, quotes, notes, sections } = list;
  return {
    session,
    sources: sources.length,
    quotes: quotes.length,
    notes: notes.length,
    sections: sections.length,
  };
}

async function takeInAll(
  workspace: ImportWorkspace,
  bucket: FileBucket,
  workspaceId: string,
  archive: Archive,
  session: string,
  list: Manifest,
): Promise<void> {
  const ids = new Map<string, string>();
  const snapshotIds = new Map<string, string>();
  // The order of a list of sources is that of their times.
  const now = Date.now();
  let place = 0;
  for (const group of groupsOf(list.sources)) {
    const first = place;
    await Promise.all(
      group.map(async (source, index) => {
        for (const snapshot of source.snapshots) {
          const incoming = { archive, source, snapshot, now: now + first + index };
          const stored = await takeIn(workspace, bucket, workspaceId, session, incoming);
          ids.set(source.key, stored.id);
          snapshotIds.set(`${source.key} ${snapshot.number}`, stored.snapshot.id);
        }
      }),
    );
    place += group.length;
  }
  await takeInQuotes(workspace, session, list, ids, snapshotIds);
  await takeInNotes(workspace, session, list, ids);
  await takeInReport(workspace, session, list);
}

/** Sources that are taken in at once: their bytes are held meanwhile, several times over. */
function groupsOf(sources: readonly Source[]): Source[][] {
  const groups: Source[][] = [];
  let left = 0;
  for (const source of sources) {
    const bytes = Math.max(...source.snapshots.map(({ raw, text }) => raw.size + text.size));
    const group = groups.at(-1);
    if (group && group.length < AT_ONCE && bytes <= left) group.push(source);
    else {
      groups.push([source]);
      left = BYTES_AT_ONCE;
    }
    left -= bytes;
  }
  return groups;
}

async function listOf(archive: Archive): Promise<Manifest> {
  const noResearch = (cause?: unknown) =>
    new CarrelError('invalid_input', 'This is no archive of a research: `research_export` makes one.', { cause });
  if (!archive.has(MANIFEST)) throw noResearch();
  const bytes = await archive.read(MANIFEST, MAX_MANIFEST_BYTES);
  if (isTooMuch(bytes))
    throw new CarrelError('too_large', 'The list of this archive is too long. Nothing was imported.');
  const text = new TextDecoder('utf-8', { fatal: false, ignoreBOM: false }).decode(bytes);
  const { data, error } = manifest.safeParse(parseJson(text));
  if (!data) throw noResearch(error);
  const { sources, quotes, notes, sections } = data;
  const names = [
    sources.map(({ key }) => key),
    sources.map((source) => identityOf(source)),
    sources.flatMap(({ key, snapshots }) => snapshots.map(({ number }) => `${key} ${number}`)),
    quotes.map(({ id }) => id),
    notes.map(({ id }) => id),
    sections.map(({ heading }) => heading.toLowerCase()),
  ];
  const isClear = names.every((each) => new Set(each).size === each.length);
  const count = sources.reduce((sum, { snapshots }) => sum + snapshots.length, 0);
  if (!isClear || count > MAX_ARCHIVED_SNAPSHOTS) throw noResearch();
  if (quotes.some((quote) => !snapshotOf(data, quote)))
    throw new CarrelError('invalid_input', 'A quote of the archive is of no snapshot in it. Nothing was imported.');
  return data;
}

/** A file of another shelf is none of this one, whatever it is called. */
export function identityOf({ key, identity }: Pick<Source, 'key' | 'identity'>): string {
  return identity.startsWith(FILE_IDENTITY) ? `imported:${key}` : identity;
}

const snapshotOf = ({ sources }: Pick<Manifest, 'sources'>, quote: { source: string; snapshot: number }) =>
  sources.find(({ key }) => key === quote.source)?.snapshots.find(({ number }) => number === quote.snapshot);

/** @throws CarrelError `invalid_input` when a source's bytes or quotes are not what the list says */
export async function prove(archive: ArchiveReader, source: Source, quotes: Manifest['quotes']): Promise<void> {
  const own = quotes.filter(({ source: key }) => key === source.key);
  for (const snapshot of source.snapshots) {
    const { text } = await contentsOf(archive, snapshot);
    const isSound =
      text.length === snapshot.characters &&
      snapshot.parts.every(
        ({ start }, index) => start <= text.length && start >= (snapshot.parts[index - 1]?.start ?? 0),
      );
    const stand = own
      .filter(({ snapshot: number }) => number === snapshot.number)
      .every(({ start, end, text: words }) => text.slice(start, end) === words);
    if (!isSound || !stand)
      throw new CarrelError(
        'invalid_input',
        'A quote or a page of the archive does not stand in the text that it holds. Nothing was imported.',
      );
  }
}

async function contentsOf(archive: ArchiveReader, { raw, text }: Snapshot) {
  const [rawBytes, textBytes] = [await archive.read(raw.path, raw.size), await archive.read(text.path, text.size)];
  const [rawSha256, textSha256] = [await sha256Of(rawBytes), await sha256Of(textBytes)];
  if (rawSha256 !== raw.sha256 || textSha256 !== text.sha256 || rawBytes.byteLength !== raw.size)
    throw new CarrelError(
      'invalid_input',
      'A file of the archive is not the one that its list names. Nothing was imported.',
    );
  return {
    rawBytes,
    textBytes,
    text: new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(textBytes),
  };
}

async function newDesk({ sessions, desks }: ImportWorkspace, title: string): Promise<SessionRef> {
  const opened = await sessions.open(title, undefined, Date.now());
  if (!opened) throw new CarrelError('not_found', 'There is no such session.');
  return desks.beginImport(opened.session.id, Date.now());
}

export async function takeIn(
  { sources }: Pick<ImportWorkspace, 'sources'>,
  bucket: FileBucket,
  workspaceId: string,
  session: string,
  {
    archive,
    source,
    snapshot,
    now,
  }: { readonly archive: ArchiveReader; readonly source: Source; readonly snapshot: Snapshot; readonly now: number },
) {
  const { rawBytes, textBytes, text } = await contentsOf(archive, snapshot);
  const raw = { objectKey: newObjectKey(workspaceId), bytes: rawBytes, ...snapshot.raw };
  const written = { objectKey: newObjectKey(workspaceId), bytes: textBytes, ...snapshot.text };
  const isOne = raw.sha256 === written.sha256;
  const stored = await storeContents(sources, bucket, isOne ? [raw] : [raw, written]);
  const { url, type, characters, unit, parts, outline, truncated, metadata } = snapshot;
  const said = { title: undefined, published: undefined, site: undefined, language: undefined };
  const { source: added } = await sources.add(
    session,
    {
      identity: identityOf(source),
      url: source.url,
      host: source.host,
      title: source.title,
      key: source.key,
      tags: source.tags,
      state: source.state,
      rating: source.rating,
      note: source.note,
      readAt: source.read ? Date.now() : undefined,
      text,
      snapshot: {
        origin: 'imported',
        url,
        type,
        rawSha256: raw.sha256,
        rawSize: raw.size,
        rawKey: stored.get(raw.sha256),
        textSha256: written.sha256,
        textSize: written.size,
        textKey: isOne ? undefined : stored.get(written.sha256),
        characters,
        unit,
        parts,
        outline,
        metadata: { ...said, canonicalUrl: undefined, doi: undefined, description: undefined, ...metadata },
        truncated,
        takenAt: snapshot.taken_at,
      },
    },
    now,
  );
  return added;
}

async function takeInQuotes(
  { quotes }: ImportWorkspace,
  session: string,
  list: Manifest,
  ids: Map<string, string>,
  snapshotIds: ReadonlyMap<string, string>,
): Promise<void> {
  const all = list.quotes.map((quote) => {
    const { text: stored, parts } = snapshotOf(list, quote) ?? { text: undefined, parts: [] };
    return {
      sourceId: ids.get(quote.source) ?? '',
      snapshotId: snapshotIds.get(`${quote.source} ${quote.snapshot}`) ?? '',
      textSha256: stored?.sha256 ?? '',
      start: quote.start,
      end: quote.end,
      text: quote.text,
      ...partAt(parts, quote.start),
      why: quote.why,
      isImported: true,
    };
  });
  const now = Date.now();
  for (let from = 0; from < all.length; from += IN_ONE_MESSAGE) {
    const added = await quotes.addAll(session, all.slice(from, from + IN_ONE_MESSAGE), now + from);
    for (const [index, id] of added.entries()) ids.set(list.quotes[from + index]?.id ?? '', id);
  }
}

/** What somebody else's research was about, and by which rules: nobody's rules here. */
export function rulesAsNote({ topic, question, guidelines }: Omit<Manifest['research'], 'report_title'>) {
  const text = [topic, question, guidelines].filter((each) => each !== '').join('\n\n');
  return { title: 'Topic and guidelines of the imported research', text, tags: [] };
}

async function takeInNotes(
  { notes }: ImportWorkspace,
  session: string,
  list: Manifest,
  ids: Map<string, string>,
): Promise<void> {
  const all = [{ id: '', links: [], ...rulesAsNote(list.research) }, ...list.notes];
  const now = Date.now();
  for (let from = 0; from < all.length; from += IN_ONE_MESSAGE) {
    const some = all.slice(from, from + IN_ONE_MESSAGE).map(({ title, text, tags }) => ({ title, text, tags }));
    const written = await notes.takeIn(session, some, now + from);
    for (const [index, id] of written.entries()) ids.set(all[from + index]?.id ?? '', id);
  }
  // Behind all of them: notes link to each other. A link to what is not in the archive leads nowhere, and is left out.
  const links = list.notes.flatMap(({ id, links: to }) => {
    const targets = to.flatMap((link) => ids.get(link) ?? []);
    return targets.length === 0 ? [] : [{ note: ids.get(id) ?? '', targets }];
  });
  for (let from = 0; from < links.length; from += IN_ONE_MESSAGE)
    await notes.linkAll(session, links.slice(from, from + IN_ONE_MESSAGE));
}

async function takeInReport({ reports }: ImportWorkspace, session: string, list: Manifest): Promise<void> {
  if (list.sections.length === 0) return;
  const now = Date.now();
  const { sections } = await reports.outline(session, { title: undefined, sections: list.sections }, now, true);
  const keys = new Set(list.sources.map(({ key }) => key));
  for (const [index, { id }] of sections.entries()) {
    const text = list.sections[index]?.text ?? '';
    if (text !== '') await reports.write(session, id, text, citationsOf(text, keys), undefined, now, true);
  }
}

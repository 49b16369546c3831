import type { FileBucket } from '../../files/bucket.ts';
import { newObjectKey } from '../../files/model.ts';
import { CarrelError } from '../../lib/errors.ts';
import { parseJson } from '../../lib/json.ts';
import type { OpenWorkspace } from '../../workspace/client.ts';
import { storeContents } from '../intake.ts';
import type { SessionRef } from '../model.ts';
import { partAt } from '../quote-service.ts';
import { citationsOf } from '../report-service.ts';
import { sha256Of } from '../stored-text.ts';
import { manifest, MANIFEST, MAX_MANIFEST_BYTES } from './model.ts';
import type { Manifest } from './model.ts';
import type { Archive } from './unpack.ts';

export type ImportWorkspace = Pick<OpenWorkspace, 'sessions' | 'desks' | 'sources' | 'quotes' | 'notes' | 'reports'>;

type Source = Manifest['sources'][number];
type Snapshot = Source['snapshots'][number];

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
  const ids = new Map<string, string>();
  const snapshotIds = new Map<string, string>();
  for (const source of list.sources) {
    for (const snapshot of source.snapshots) {
      const stored = await takeIn(workspace, bucket, workspaceId, session.id, archive, source, snapshot);
      ids.set(source.key, stored.id);
      snapshotIds.set(`${source.key} ${snapshot.number}`, stored.snapshot.id);
    }
  }
  for (const quote of list.quotes) {
    const snapshot = snapshotOf(list, quote);
    const { quote: added } = await workspace.quotes.add(
      session.id,
      {
        sourceId: ids.get(quote.source) ?? '',
        snapshotId: snapshotIds.get(`${quote.source} ${quote.snapshot}`) ?? '',
        textSha256: snapshot?.text.sha256 ?? '',
        start: quote.start,
        end: quote.end,
        text: quote.text,
        ...partAt(snapshot?.parts ?? [], quote.start),
        why: quote.why,
        isImported: true,
      },
      Date.now(),
    );
    ids.set(quote.id, added.id);
  }
  await takeInNotes(workspace, session.id, list, ids);
  await takeInReport(workspace, session.id, list);
  const { sources, quotes, notes, sections } = list;
  return {
    session,
    sources: sources.length,
    quotes: quotes.length,
    notes: notes.length,
    sections: sections.length,
  };
}

async function listOf(archive: Archive): Promise<Manifest> {
  const noResearch = (cause?: unknown) =>
    new CarrelError('invalid_input', 'This is no archive of a research: `research_export` makes one.', { cause });
  if (!archive.has(MANIFEST)) throw noResearch();
  const text = new TextDecoder('utf-8', { fatal: false, ignoreBOM: false }).decode(
    await archive.read(MANIFEST, MAX_MANIFEST_BYTES),
  );
  const { data, error } = manifest.safeParse(parseJson(text));
  if (!data) throw noResearch(error);
  const keys = data.sources.map(({ key }) => key);
  const headings = data.sections.map(({ heading }) => heading);
  if ([keys, headings].some((names) => new Set(names).size < names.length)) throw noResearch();
  return data;
}

const snapshotOf = ({ sources }: Pick<Manifest, 'sources'>, quote: { source: string; snapshot: number }) =>
  sources.find(({ key }) => key === quote.source)?.snapshots.find(({ number }) => number === quote.snapshot);

/** @throws CarrelError `invalid_input` when a source's bytes or quotes are not what the list says */
async function prove(archive: Archive, source: Source, quotes: Manifest['quotes']): Promise<void> {
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
  if (own.some((quote) => !source.snapshots.some(({ number }) => number === quote.snapshot)))
    throw new CarrelError('invalid_input', 'A quote of the archive is of no snapshot in it. Nothing was imported.');
}

async function contentsOf(archive: Archive, { raw, text }: Snapshot) {
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
  const { desk, created } = await desks.open(opened.session.id, {}, Date.now());
  if (!created) throw new CarrelError('conflict', 'There is a research in this session already. Give another title.');
  return desk.session;
}

async function takeIn(
  { sources }: ImportWorkspace,
  bucket: FileBucket,
  workspaceId: string,
  session: string,
  archive: Archive,
  source: Source,
  snapshot: Snapshot,
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
      identity: source.identity,
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
        rawKey: stored.has(raw.sha256) ? raw.objectKey : undefined,
        textSha256: written.sha256,
        textSize: written.size,
        textKey: !isOne && stored.has(written.sha256) ? written.objectKey : undefined,
        characters,
        unit,
        parts,
        outline,
        metadata: { ...said, canonicalUrl: undefined, doi: undefined, description: undefined, ...metadata },
        truncated,
        takenAt: snapshot.taken_at,
      },
    },
    Date.now(),
  );
  return added;
}

async function takeInNotes(
  { notes }: ImportWorkspace,
  session: string,
  list: Manifest,
  ids: Map<string, string>,
): Promise<void> {
  const { research } = list;
  const rules = [research.topic, research.question, research.guidelines].filter((text) => text !== '').join('\n\n');
  const all = [
    { id: '', title: 'Topic and guidelines of the imported research', text: rules, tags: [], links: [] },
    ...list.notes,
  ];
  for (const { id, title, text, tags } of all) {
    const { note } = await notes.write(session, { title, text, tags, isImported: true }, [], Date.now());
    ids.set(id, note.id);
  }
  // Behind all of them: notes link to each other. A link to what is not in the archive leads nowhere, and is left out.
  for (const { id, links } of list.notes) {
    const targets = links.flatMap((link) => ids.get(link) ?? []);
    if (targets.length > 0) await notes.link(session, ids.get(id) ?? '', targets, []);
  }
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

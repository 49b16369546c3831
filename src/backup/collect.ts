import { byteLength } from '../lib/encoding.ts';
import type { Position } from '../lib/cursor.ts';
import type { OpenWorkspace } from '../workspace/client.ts';
import { archivedNote, archivedQuote, archivedSource } from '../research/archive/export.ts';
import { archivedSource as sourceSchema } from '../research/archive/model.ts';
import type { Source } from '../research/model.ts';
import type { StoredSnapshot } from '../research/source-rows.ts';
import { DEFAULT_SESSION_ID } from '../sessions/model.ts';
import { dataAt, directoryLength, entryLength } from './layout.ts';
import type { PlannedEntry } from './layout.ts';
import { countsOf, LIST_BYTES, MAX_SOURCE_SNAPSHOTS, NOTHING, record, sum } from './model.ts';
import type { ArchiveRecord, Counts } from './model.ts';

export type ExportWorkspace = Pick<
  OpenWorkspace,
  'backups' | 'desks' | 'sources' | 'quotes' | 'notes' | 'reports' | 'sessions' | 'recipes' | 'schedules'
>;

/** What one step of an export gathers at most: entries of the zip, and messages to the workspace. */
const STEP_ENTRIES = 4000;
const STEP_CALLS = 300;
const FILE_PAGE = 500;
const SESSION_PAGE = 500;
const SOURCE_PAGE = 25;
const QUOTES = 200;
/** Bytes of JSON at which a record of sources is ended. */
const RECORD_BYTES = 1_000_000;

/** Where an export goes on. */
export interface Cursor {
  readonly [key: string]: string | number | null | readonly (string | number)[];
  readonly stage: 'sessions' | 'state' | 'files' | 'research' | 'sources' | 'notes' | 'sections' | 'recipes' | 'end';
  /** Behind which row. */
  readonly after: readonly (string | number)[] | null;
  /** Id of the session whose research it is in. */
  readonly within: string;
}

export const BEGINNING: Cursor = { stage: 'sessions', after: null, within: '' };

/** What there is in a workspace and is in no archive. */
export interface LeftOut {
  readonly [key: string]: string;
  readonly what: string;
  readonly why: string;
}

/** What comes into the archive one after the other: records for a list, and entries of the zip before it. */
export class Gathering {
  readonly entries: PlannedEntry[] = [];
  readonly records: string[] = [];
  readonly leftOut: LeftOut[] = [];
  counts: Counts = NOTHING;
  /** Bytes of the records, and calls that were made. */
  size = 0;
  calls = 0;
  /** Where the first entry stands. */
  readonly begins: number;
  /** Where the next entry stands, and bytes of the directory so far. */
  at: number;
  directory: number;
  /** The slugs of sessions by their ids. */
  readonly slugs: Map<string, string>;

  constructor(at: number, directory: number, slugs: ReadonlyMap<string, string>) {
    this.begins = at;
    this.at = at;
    this.directory = directory;
    this.slugs = new Map(slugs);
  }

  get isFull(): boolean {
    return this.size >= LIST_BYTES || this.entries.length >= STEP_ENTRIES || this.calls >= STEP_CALLS;
  }

  /** @returns where its bytes will begin */
  addEntry(entry: PlannedEntry): number {
    const begins = dataAt(entry, this.at);
    this.entries.push(entry);
    this.directory += directoryLength(entry, this.at);
    this.at += entryLength(entry);
    return begins;
  }

  /** Adds a record that an import takes. One that it would refuse would make the whole archive useless. */
  addRecord(each: ArchiveRecord, what: string): boolean {
    const { data } = record.safeParse(each);
    if (!data) {
      this.leftOut.push({ what, why: 'it has something that is not taken any more' });
      return false;
    }
    const line = `${JSON.stringify(data)}\n`;
    this.records.push(line);
    this.size += byteLength(line);
    this.counts = sum(this.counts, countsOf(data));
    return true;
  }
}

/** Goes on until there is enough for a list, or nothing more. @returns where to go on */
export async function gather(
  workspace: ExportWorkspace,
  gathering: Gathering,
  from: Cursor,
  { startedAt, research }: { readonly startedAt: number; readonly research: boolean },
): Promise<Cursor> {
  let cursor = from;
  while (cursor.stage !== 'end' && !gathering.isFull) {
    gathering.calls += 1;
    cursor = await STAGES[cursor.stage](workspace, gathering, cursor, startedAt);
    if (cursor.stage === 'research' && !research) cursor = next('recipes');
  }
  return cursor;
}

type Stage = (workspace: ExportWorkspace, into: Gathering, cursor: Cursor, startedAt: number) => Promise<Cursor>;

const next = (stage: Cursor['stage'], within = ''): Cursor => ({ stage, after: null, within });
const text = (after: Cursor['after'], place = 0) => String(after?.[place] ?? '');

const sessions: Stage = async ({ backups }, into, { after }) => {
  const rows = await backups.pageSessions(text(after), SESSION_PAGE);
  for (const { id, slug, title, description, createdAt, archivedAt } of rows) {
    const is_default = id === DEFAULT_SESSION_ID;
    const one = { slug, title, description, archived: archivedAt !== null, is_default, created_at: createdAt };
    if (into.addRecord({ kind: 'session', ...one }, `the session ${slug}`)) into.slugs.set(id, slug);
  }
  const last = rows.at(-1);
  return rows.length < SESSION_PAGE || !last ? next('state') : { stage: 'sessions', after: [last.id], within: '' };
};

const state: Stage = async ({ backups }, into, { after }) => {
  const { rows, isLast } = await backups.pageState([text(after), text(after, 1)]);
  for (const { sessionId, key, value } of rows) {
    const session = into.slugs.get(sessionId);
    if (session !== undefined) into.addRecord({ kind: 'state', session, key, value }, `a key of ${session}`);
  }
  const last = rows.at(-1);
  return isLast || !last ? next('files') : { stage: 'state', after: [last.sessionId, last.key], within: '' };
};

const files: Stage = async ({ backups }, into, { after }, startedAt) => {
  const rows = await backups.pageFiles(text(after), startedAt, FILE_PAGE);
  for (const { sessionId, path, type, size, sha256, tags, createdAt, updatedAt, objectKey } of rows) {
    const session = into.slugs.get(sessionId);
    if (session === undefined) continue;
    const name = `sessions/${session}/files/${path}`;
    const entry = { name, size, modifiedAt: updatedAt, objectKey };
    const shown = { session, path, type, size, sha256, tags: [...tags], created_at: createdAt, updated_at: updatedAt };
    // The record first: bytes that nobody names are of no use.
    if (into.addRecord({ kind: 'file', ...shown, at: dataAt(entry, into.at) }, `${session}: ${path}`))
      into.addEntry(entry);
  }
  const last = rows.at(-1);
  return rows.length < FILE_PAGE || !last ? next('research') : { stage: 'files', after: [last.id], within: '' };
};

/** The next session with a research, and what that is about. */
const researchOf: Stage = async ({ desks, reports }, into, { within }) => {
  const [id] = await desks.sessions(within, 1);
  if (id === undefined) return next('recipes');
  const session = into.slugs.get(id);
  if (session === undefined) return next('research', id);
  const [desk, report] = await Promise.all([desks.get(id), reports.get(id)]);
  const added = into.addRecord(
    {
      kind: 'research',
      session,
      archived: desk.archivedAt !== undefined,
      topic: desk.topic,
      question: desk.question,
      guidelines: desk.guidelines,
      report_title: report.title,
      outline: report.sections.map(({ heading, level, brief }) => ({ heading, level, brief })),
    },
    `the research of ${session}`,
  );
  return next(added ? 'sources' : 'research', id);
};

const sources: Stage = async (workspace, into, { after, within }) => {
  const page = await workspace.sources.list(
    within,
    { view: 'all', host: undefined, tag: undefined },
    SOURCE_PAGE,
    after ?? undefined,
  );
  const session = into.slugs.get(within) ?? '';
  for (const source of page.sources) await addSource(workspace, into, session, within, source);
  return page.next ? { stage: 'sources', after: page.next, within } : next('notes', within);
};

/** A source with its snapshots in one record or several, then its quotes. */
async function addSource(
  { sources: store, quotes: quoteStore }: ExportWorkspace,
  into: Gathering,
  session: string,
  within: string,
  source: Source,
): Promise<void> {
  into.calls += 1;
  const all = await store.snapshots(source.id);
  const quotes = [];
  for (let after: Position | undefined; source.quotes > 0;) {
    into.calls += 1;
    const page = await quoteStore.list(within, source.id, QUOTES, after);
    quotes.push(...page.quotes);
    if (!page.next) break;
    after = page.next;
  }
  const quoted = new Set(quotes.map(({ snapshotId }) => snapshotId));
  const kept = all.filter(
    ({ id, rawKey, textKey }, index) =>
      rawKey !== '' && textKey !== '' && (quoted.has(id) || index >= all.length - MAX_SOURCE_SNAPSHOTS),
  );
  const what = `${session}: the source ${source.key}`;
  if (kept.length < all.length)
    into.leftOut.push({ what, why: `${all.length - kept.length} of its ${all.length} snapshots, the oldest ones` });
  const places = new Map<string, { at: number; size: number; sha256: string; number: number }>();
  for (const snapshots of groupsOf(kept)) {
    const archived = archivedSource(source, snapshots);
    // Looked at before, because its bytes stand before the record.
    if (!sourceSchema.safeParse(archived).success) {
      into.leftOut.push({ what, why: 'it has something that is not taken any more' });
      continue;
    }
    const at: Record<string, number> = {};
    for (const [index, snapshot] of snapshots.entries()) {
      const { raw, text: words } = archived.snapshots[index] ?? {};
      if (!raw || !words) continue;
      const name = (path: string) => `sessions/${session}/research/${path}`;
      const modifiedAt = snapshot.takenAt;
      at[raw.path] = into.addEntry({ name: name(raw.path), size: raw.size, objectKey: snapshot.rawKey, modifiedAt });
      at[words.path] = into.addEntry({
        name: name(words.path),
        size: words.size,
        objectKey: snapshot.textKey,
        modifiedAt,
      });
      const { size, sha256 } = words;
      places.set(snapshot.id, { at: at[words.path] ?? 0, size, sha256, number: snapshot.number });
    }
    into.addRecord({ kind: 'sources', session, sources: [archived], at }, what);
  }
  const shown = quotes.flatMap((quote) => {
    const place = places.get(quote.snapshotId);
    if (!place) return [];
    const { number, ...stands } = place;
    return [{ ...archivedQuote(quote, number), in: stands }];
  });
  for (let from = 0; from < shown.length; from += QUOTES)
    into.addRecord({ kind: 'quotes', session, quotes: shown.slice(from, from + QUOTES) }, `quotes of ${what}`);
}

/** Snapshots for one record each: outlines and pages of a book are long. */
function* groupsOf(snapshots: readonly StoredSnapshot[]): Generator<readonly StoredSnapshot[]> {
  let group: StoredSnapshot[] = [];
  let size = 0;
  for (const snapshot of snapshots) {
    const own = JSON.stringify([snapshot.parts, snapshot.outline, snapshot.metadata]).length;
    if (group.length > 0 && size + own > RECORD_BYTES) {
      yield group;
      [group, size] = [[], 0];
    }
    group.push(snapshot);
    size += own;
  }
  if (group.length > 0) yield group;
}

const notes: Stage = async ({ notes: store }, into, { after, within }) => {
  const page = await store.list(within, { about: undefined, tag: undefined }, 100, after ?? undefined);
  const session = into.slugs.get(within) ?? '';
  if (page.notes.length > 0)
    into.addRecord(
      { kind: 'notes', session, notes: page.notes.map((note) => archivedNote(note)) },
      `${session}: ${page.notes.length} notes`,
    );
  return page.next ? { stage: 'notes', after: page.next, within } : next('sections', within);
};

const sections: Stage = async ({ reports }, into, { within }) => {
  const session = into.slugs.get(within) ?? '';
  for (const { number, text: words } of (await reports.get(within)).sections)
    if (words !== '')
      into.addRecord({ kind: 'section', session, number, text: words }, `${session}: section ${number}`);
  return next('research', within);
};

/** One at a time, and all schedules behind the last of them. */
const recipes: Stage = async ({ recipes: store, schedules }, into, { after }) => {
  const [summary] = await store.list(after === null ? undefined : text(after));
  if (summary) {
    const { slug, title, description, plan } = await store.get(summary.slug, summary.version);
    into.addRecord({ kind: 'recipe', slug, title, description, plan }, `the recipe ${slug}`);
    return { stage: 'recipes', after: [slug], within: '' };
  }
  for (const each of await schedules.list()) {
    const session = into.slugs.get(each.session.id);
    if (session === undefined) continue;
    const { name, cron, timeZone: time_zone, definition, recipe, version, input, pausedBecause } = each;
    const paused = pausedBecause !== undefined;
    into.addRecord(
      { kind: 'schedule', name, session, cron, time_zone, definition, recipe, version, input, paused },
      `the schedule ${name}`,
    );
  }
  return next('end');
};

const STAGES: Readonly<Record<Exclude<Cursor['stage'], 'end'>, Stage>> = {
  sessions,
  state,
  files,
  research: researchOf,
  sources,
  notes,
  sections,
  recipes,
};

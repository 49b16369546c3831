import { Contents } from '../files/contents.ts';
import type { Position } from '../lib/cursor.ts';
import { CarrelError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { ResearchStore } from './base.ts';
import { MAX_SOURCES, noSuchSource, OWN_KEY } from './model.ts';
import type { SessionRef, Snapshot, Source, SourceState, StoredSource } from './model.ts';
import { SearchIndex } from './search/search-rows.ts';
import { CITED, COLUMNS, SourceRows } from './source-rows.ts';
import type { SourceRow, StoredSnapshot } from './source-rows.ts';

/** How long bytes may wait for the row that names them, in ms. Then the sweep takes them. */
const STORE_MS = 3_600_000;

/** Sources in one message, where all are gone through. */
const PAGE = 400;

/** Bytes that are about to be stored under a key of their own. */
export interface ExpectedContent {
  readonly objectKey: string;
  readonly sha256: string;
  readonly size: number;
}

/** Where expected bytes go; without a key they are here already. */
export interface ExpectedPlace {
  readonly sha256: string;
  readonly objectKey: string | undefined;
}

export interface NewSnapshot extends Omit<Snapshot, 'id' | 'number'> {
  /** Of the objects that hold the bytes and the text; undefined for what was here already. */
  readonly rawKey: string | undefined;
  readonly textKey: string | undefined;
}

export interface NewSource {
  /** What makes two additions the same source: a normalised address, a file, the hash of a text. */
  readonly identity: string;
  readonly url: string | undefined;
  readonly host: string;
  readonly title: string;
  /** The key that it has if no other source does. */
  readonly key: string;
  readonly tags: readonly string[];
  /** Whether it is a further snapshot of a source, and nothing where that was removed meanwhile. */
  readonly isFurther?: boolean;
  readonly snapshot: NewSnapshot;
  /** Of the snapshot, for the search. */
  readonly text: string;
  /** What an imported one had. */
  readonly state?: SourceState | undefined;
  readonly rating?: number | undefined;
  readonly note?: string | undefined;
  readonly readAt?: number | undefined;
}

/** What became of an addition. `unchanged`: the last snapshot has the same bytes and text. */
export interface Added {
  readonly outcome: 'added' | 'changed' | 'unchanged';
  readonly source: StoredSource;
  /** Where the text of the snapshot before is. */
  readonly previousTextKey: string | undefined;
}

export interface SourceFilter {
  readonly view: 'all' | 'unread' | 'cited' | 'kept' | 'dropped';
  readonly host: string | undefined;
  readonly tag: string | undefined;
}

export interface SourceChange {
  readonly state?: SourceState | undefined;
  readonly rating?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly note?: string | undefined;
}

/** The sources of each research, with what was stored of them. */
export class SourceStore extends ResearchStore {
  readonly #contents: Contents;
  readonly #rows: SourceRows;
  readonly #index: SearchIndex;
  readonly #quota: StoreContext['quota'];

  constructor(context: StoreContext) {
    super(context);
    this.#contents = new Contents(context);
    this.#rows = new SourceRows(context.db, this.#contents);
    this.#index = new SearchIndex(context.db);
    this.#quota = context.quota;
  }

  /**
   * Whether a research takes so many more.
   *
   * @throws CarrelError `not_found` (the session, its research), `limit_exceeded`
   */
  admit(reference: string | undefined, more: number): SessionRef {
    const session = this.desk(reference);
    this.#refuseTooMany(session.id, more);
    return session;
  }

  /**
   * Notes that bytes are about to be stored, before the first of them is: whatever happens then, the sweep knows their
   * keys.
   *
   * @returns of each where it is to be stored, or that it is here already. A step of a job that is repeated is given
   *   what it was given before: its bytes go to the keys that are noted
   * @throws CarrelError `too_large` when there is no room
   */
  expect(contents: readonly ExpectedContent[], now: number): ExpectedPlace[] {
    const places = contents.map(({ sha256, objectKey }) => ({
      sha256,
      objectKey: this.#contents.objectKey(sha256) === undefined ? objectKey : undefined,
    }));
    const missing = contents.filter((_content, index) => places[index]?.objectKey !== undefined);
    this.refuseWithoutRoom(missing.reduce((sum, { size }) => sum + size, 0));
    for (const { objectKey } of missing) this.#contents.loosen(objectKey, '', now + STORE_MS, 'open');
    return places;
  }

  /** @throws CarrelError `too_large` when there is no room for so many bytes more */
  refuseWithoutRoom(more: number): void {
    const { bytes, expected } = this.#contents.usage();
    const quota = this.#quota().bytes;
    if (bytes + expected + more > quota)
      throw new CarrelError('too_large', 'There is no room for this source. Empty the trash, or remove some.', {
        details: { size: more, free: Math.max(0, quota - bytes - expected), quota },
      });
  }

  /**
   * Puts a source whose bytes are stored into the index; a further snapshot where the research has it already and it
   * says something else now. Of two additions of one source at once the second finds the first.
   *
   * @throws CarrelError `unavailable` when the sweep was faster, `too_large`
   */
  add(reference: string | undefined, source: NewSource, now: number): Added {
    const session = this.desk(reference);
    return this.db.transaction(() => {
      const { snapshot } = source;
      const there = this.#rows.byIdentity(session.id, source.identity);
      if (!there && source.isFurther === true) throw noSuchSource();
      const last = there && this.#rows.snapshot(there.snapshotId);
      const isSame = last?.rawSha256 === snapshot.rawSha256 && last.textSha256 === snapshot.textSha256;
      const snapshotId = newId('snp');
      // Held first, and let go again where it brings nothing new: what was stored for it is swept then.
      this.#hold(snapshotId, snapshot, now);
      if (there && isSame) {
        this.#contents.letGo(snapshotId, now);
        return { outcome: 'unchanged', source: this.#rows.stored(session, there), previousTextKey: undefined };
      }
      // What came at the same time is counted by now.
      this.refuseWithoutRoom(0);
      if (!there) this.#refuseTooMany(session.id, 1);
      const id = there?.id ?? newId('src');
      this.#rows.addSnapshot(snapshotId, id, (last?.number ?? 0) + 1, snapshot);
      if (there)
        this.db.run(
          'UPDATE research_sources SET snapshot_id = ?, url = ?, host = ?, title = ?, read_at = ? WHERE id = ?',
          snapshotId,
          source.url ?? null,
          source.host,
          source.title,
          // Whoever has read it has read this text.
          last?.textSha256 === snapshot.textSha256 ? there.readAt : (source.readAt ?? null),
          id,
        );
      else this.#insert(session.id, id, snapshotId, source, now);
      const row = this.#rows.row(session.id, id);
      if (!row) throw noSuchSource();
      this.#reindex(session.id, row, source.text, snapshot);
      return {
        outcome: there ? 'changed' : 'added',
        source: this.#rows.stored(session, row),
        previousTextKey: last && this.#rows.keysOf(last).textKey,
      };
    });
  }

  /** @param now ms since the epoch, where it is read now; undefined where it is only looked at */
  get(reference: string | undefined, source: string, now: number | undefined): StoredSource {
    const session = this.desk(reference);
    const row = this.#rows.named(session.id, source);
    if (now !== undefined && row.readAt === null)
      this.db.run('UPDATE research_sources SET read_at = ? WHERE id = ?', now, row.id);
    return this.#rows.stored(session, row);
  }

  /** In the order in which they were added, without headings: a message holds no thousand outlines of books. */
  list(
    reference: string | undefined,
    { view, host, tag }: SourceFilter,
    limit: number,
    after: Position | undefined,
  ): { session: SessionRef; sources: Source[]; next: Position | undefined } {
    const session = this.desk(reference);
    const conditions = ['session_id = ?'];
    const values: (string | number)[] = [session.id];
    if (view === 'unread') conditions.push("read_at IS NULL AND state <> 'dropped'");
    if (view === 'cited') conditions.push(CITED);
    if (view === 'kept' || view === 'dropped') {
      conditions.push('state = ?');
      values.push(view);
    }
    if (host !== undefined) {
      conditions.push("(host = ? OR host LIKE '%.' || ?)");
      values.push(host, host);
    }
    if (tag !== undefined) {
      conditions.push('EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)');
      values.push(tag);
    }
    if (after) {
      conditions.push('(added_at, id) > (?, ?)');
      values.push(...after);
    }
    const rows = this.db.all<SourceRow>(
      `SELECT ${COLUMNS} FROM research_sources WHERE ${conditions.join(' AND ')} ORDER BY added_at, id LIMIT ?`,
      ...values,
      limit + 1,
    );
    const page = this.page(rows, limit, ({ addedAt }) => addedAt);
    return { session, sources: page.rows.map((row) => withoutHeadings(this.#rows.source(row))), next: page.next };
  }

  /** A page of all with where their bytes are, for what goes through all. */
  listStored(
    reference: string | undefined,
    after: Position | undefined,
  ): { session: SessionRef; sources: StoredSource[]; next: Position | undefined } {
    const { session, sources, next } = this.list(
      reference,
      { view: 'all', host: undefined, tag: undefined },
      PAGE,
      after,
    );
    return {
      session,
      sources: sources.map((source) => ({ ...source, ...this.#rows.keysOf(source.snapshot), session })),
      next,
    };
  }

  /** The keys of a research: at most {@link MAX_SOURCES}. */
  keys(reference: string | undefined): string[] {
    const { id } = this.desk(reference);
    return this.db
      .all<{ key: string }>('SELECT key FROM research_sources WHERE session_id = ?', id)
      .map(({ key }) => key);
  }

  /** A snapshot of a source, also an earlier one. */
  snapshot(snapshotId: string): StoredSnapshot | undefined {
    const snapshot = this.#rows.snapshot(snapshotId);
    return snapshot && { ...snapshot, ...this.#rows.keysOf(snapshot) };
  }

  /** All snapshots of a source, the first one first. */
  snapshots(sourceId: string): StoredSnapshot[] {
    return this.#rows.snapshots(sourceId);
  }

  update(reference: string | undefined, source: string, change: SourceChange): StoredSource {
    const session = this.desk(reference);
    const { id, host, state, rating, tags, note, tagsImported, noteImported, snapshotId } = this.#rows.named(
      session.id,
      source,
    );
    this.db.run(
      `UPDATE research_sources SET state = ?, rating = ?, tags = ?, note = ?, tags_imported = ?, note_imported = ?
       WHERE id = ?`,
      change.state ?? state,
      change.rating ?? rating,
      change.tags ? JSON.stringify(change.tags) : tags,
      change.note ?? note,
      change.tags ? 0 : tagsImported,
      change.note === undefined ? noteImported : 0,
      id,
    );
    const snapshot = this.#rows.snapshot(snapshotId);
    if (change.tags && snapshot) this.#index.relabel('source', id, labelsOf(host, change.tags, snapshot));
    return this.get(session.id, id, undefined);
  }

  /**
   * Removes a source with its snapshots, for good.
   *
   * @throws CarrelError `conflict` while quotes or the report rest on it
   */
  remove(reference: string | undefined, source: string, now: number): { session: SessionRef; key: string } {
    const session = this.desk(reference);
    const { id, key, quotes, isCited } = this.#rows.named(session.id, source);
    if (quotes > 0 || isCited === 1)
      throw new CarrelError(
        'conflict',
        'Quotes or the report rest on this source. Remove those first, or drop it with `source_update`.',
        { details: { quotes, cited: isCited === 1 } },
      );
    this.db.transaction(() => {
      for (const snapshot of this.#rows.snapshots(id)) this.#contents.letGo(snapshot.id, now);
      this.db.run('DELETE FROM research_snapshots WHERE source_id = ?', id);
      this.db.run('DELETE FROM research_links WHERE target_id = ?', id);
      this.db.run('DELETE FROM research_sources WHERE id = ?', id);
      this.#index.remove('source', id);
    });
    return { session, key };
  }

  /** @throws CarrelError `limit_exceeded` */
  #refuseTooMany(sessionId: string, more: number): void {
    const count = this.count('SELECT count(*) AS count FROM research_sources WHERE session_id = ?', sessionId);
    if (count + more > MAX_SOURCES)
      throw new CarrelError('limit_exceeded', 'This research has as many sources as there may be.', {
        details: { limit: MAX_SOURCES },
      });
  }

  #hold(snapshotId: string, { rawSha256, rawSize, rawKey, textSha256, textSize, textKey }: NewSnapshot, now: number) {
    const isThere =
      this.#contents.hold(snapshotId, rawSha256, rawSize, rawKey, now) &&
      this.#contents.hold(snapshotId, textSha256, textSize, textKey, now);
    // The transaction undoes the half of it.
    if (!isThere)
      throw new CarrelError('unavailable', 'The source took too long to be stored, or went meanwhile. Add it again.');
  }

  #insert(sessionId: string, id: string, snapshotId: string, source: NewSource, now: number): void {
    const isImported = source.snapshot.origin === 'imported' ? 1 : 0;
    this.db.run(
      `INSERT INTO research_sources
         (id, session_id, key, identity, url, host, title, state, rating, tags, note, tags_imported,
          note_imported, snapshot_id, added_at, read_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      sessionId,
      this.#freeKey(sessionId, source.key),
      source.identity,
      source.url ?? null,
      source.host,
      source.title,
      source.state ?? 'new',
      source.rating ?? null,
      JSON.stringify(source.tags),
      source.note ?? '',
      isImported,
      isImported,
      snapshotId,
      now,
      source.readAt ?? null,
    );
  }

  #reindex(sessionId: string, { id, host, title, tags }: SourceRow, text: string, snapshot: NewSnapshot): void {
    const { parts } = snapshot;
    this.#index.put({
      kind: 'source',
      sessionId,
      itemId: id,
      title,
      ...labelsOf(host, JSON.parse(tags) as string[], snapshot),
      parts: parts.map(({ label, start }, index) => ({
        part: index + 1,
        label,
        start,
        text: text.slice(start, parts[index + 1]?.start),
      })),
    });
  }

  /** The first like this one that no source has: `smith2024b`, `wikipedia-2`. */
  #freeKey(sessionId: string, wanted: string): string {
    const isTaken = (key: string) =>
      key === OWN_KEY ||
      this.db.first('SELECT 1 FROM research_sources WHERE session_id = ? AND key = ?', sessionId, key) !== undefined;
    if (!isTaken(wanted)) return wanted;
    if (/\d{4}$/.test(wanted))
      for (const letter of 'bcdefghijklmnopqrstuvwxyz') if (!isTaken(wanted + letter)) return wanted + letter;
    for (let number = 2; ; number++) if (!isTaken(`${wanted}-${number}`)) return `${wanted}-${number}`;
  }
}

function withoutHeadings(source: Source): Source {
  const parts = source.snapshot.parts.map(({ start }) => ({ label: '', start }));
  return { ...source, snapshot: { ...source.snapshot, parts, outline: [] } };
}

/** By what a source is filtered: its day is that on which it appeared, if it says, and else that on which it came. */
function labelsOf(
  host: string,
  tags: readonly string[],
  { metadata, takenAt }: Pick<Snapshot, 'metadata' | 'takenAt'>,
) {
  return { host, tags, date: metadata.published ?? new Date(takenAt).toISOString() };
}

import type { Contents } from '../files/contents.ts';
import type { Database } from '../workspace/sql.ts';
import { noSuchSource } from './model.ts';
import type { Part, SessionRef, Snapshot, Source, SourceState, StoredSource } from './model.ts';

/** A snapshot with where it is in the bucket. */
export type StoredSnapshot = Snapshot & { readonly textKey: string; readonly rawKey: string };

export type SourceRow = {
  id: string;
  key: string;
  identity: string;
  url: string | null;
  host: string;
  title: string;
  state: SourceState;
  rating: number | null;
  tags: string;
  note: string;
  tagsImported: number;
  noteImported: number;
  snapshotId: string;
  addedAt: number;
  readAt: number | null;
  quotes: number;
  isCited: number;
};

type SnapshotRow = Omit<Snapshot, 'url' | 'parts' | 'outline' | 'metadata' | 'truncated'> & {
  url: string | null;
  parts: string;
  outline: string;
  metadata: string;
  truncated: number;
};

export const CITED = `EXISTS (SELECT 1 FROM research_sections JOIN research_citations ON section_id = research_sections.id
  WHERE research_sections.session_id = research_sources.session_id AND research_citations.key = research_sources.key)`;
export const COLUMNS = `id, key, identity, url, host, title, state, rating, tags, note, tags_imported AS tagsImported,
  note_imported AS noteImported, snapshot_id AS snapshotId,
  added_at AS addedAt, read_at AS readAt,
  (SELECT count(*) FROM research_quotes WHERE source_id = research_sources.id) AS quotes, ${CITED} AS isCited`;
const SNAPSHOT_COLUMNS = `id, number, origin, url, type, raw_sha256 AS rawSha256, raw_size AS rawSize,
  text_sha256 AS textSha256, text_size AS textSize, characters, unit, parts, outline, metadata, truncated, taken_at AS takenAt`;

/** Rows of sources and snapshots, as their store takes them and gives them away. */
export class SourceRows {
  readonly #db: Database;
  readonly #contents: Contents;

  constructor(db: Database, contents: Contents) {
    this.#db = db;
    this.#contents = contents;
  }

  byIdentity(sessionId: string, identity: string): SourceRow | undefined {
    return this.#db.first<SourceRow>(
      `SELECT ${COLUMNS} FROM research_sources WHERE session_id = ? AND identity = ?`,
      sessionId,
      identity,
    );
  }

  row(sessionId: string, source: string): SourceRow | undefined {
    // No key has an underscore, and every id has one.
    return this.#db.first<SourceRow>(
      `SELECT ${COLUMNS} FROM research_sources WHERE session_id = ? AND ${source.includes('_') ? 'id' : 'key'} = ?`,
      sessionId,
      source,
    );
  }

  named(sessionId: string, source: string): SourceRow {
    const row = this.row(sessionId, source);
    if (!row) throw noSuchSource();
    return row;
  }

  snapshot(id: string): Snapshot | undefined {
    const row = this.#db.first<SnapshotRow & Record<string, string | number | null>>(
      `SELECT ${SNAPSHOT_COLUMNS} FROM research_snapshots WHERE id = ?`,
      id,
    );
    return row && asSnapshot(row);
  }

  addSnapshot(id: string, sourceId: string, number: number, snapshot: Omit<Snapshot, 'id' | 'number'>): void {
    this.#db.run(
      `INSERT INTO research_snapshots (id, source_id, number, origin, url, type, raw_sha256, raw_size, text_sha256,
         text_size, characters, unit, parts, outline, metadata, truncated, taken_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      sourceId,
      number,
      snapshot.origin,
      snapshot.url ?? null,
      snapshot.type,
      snapshot.rawSha256,
      snapshot.rawSize,
      snapshot.textSha256,
      snapshot.textSize,
      snapshot.characters,
      snapshot.unit,
      JSON.stringify(snapshot.parts),
      JSON.stringify(snapshot.outline),
      JSON.stringify(snapshot.metadata),
      snapshot.truncated ? 1 : 0,
      snapshot.takenAt,
    );
  }

  source({ snapshotId, url, rating, tags, tagsImported, noteImported, readAt, isCited, ...row }: SourceRow): Source {
    const snapshot = this.snapshot(snapshotId);
    if (!snapshot) throw noSuchSource();
    return {
      ...row,
      url: url ?? undefined,
      rating: rating ?? undefined,
      tags: JSON.parse(tags) as string[],
      areTagsImported: tagsImported === 1,
      isNoteImported: noteImported === 1,
      readAt: readAt ?? undefined,
      isCited: isCited === 1,
      snapshot,
    };
  }

  stored(session: SessionRef, row: SourceRow): StoredSource {
    const source = this.source(row);
    return { ...source, ...this.keysOf(source.snapshot), session };
  }

  keysOf({ rawSha256, textSha256 }: Snapshot): { rawKey: string; textKey: string } {
    return {
      rawKey: this.#contents.objectKey(rawSha256) ?? '',
      textKey: this.#contents.objectKey(textSha256) ?? '',
    };
  }

  /** All of a source, the first one first. */
  snapshots(sourceId: string): StoredSnapshot[] {
    return this.#db
      .all<SnapshotRow & Record<string, string | number | null>>(
        `SELECT ${SNAPSHOT_COLUMNS} FROM research_snapshots WHERE source_id = ? ORDER BY number`,
        sourceId,
      )
      .map((row) => {
        const snapshot = asSnapshot(row);
        return { ...snapshot, ...this.keysOf(snapshot) };
      });
  }
}

function asSnapshot({ url, parts, outline, metadata, truncated, ...row }: SnapshotRow): Snapshot {
  return {
    ...row,
    url: url ?? undefined,
    parts: JSON.parse(parts) as Part[],
    outline: JSON.parse(outline) as Snapshot['outline'],
    metadata: JSON.parse(metadata) as Snapshot['metadata'],
    truncated: truncated === 1,
  };
}

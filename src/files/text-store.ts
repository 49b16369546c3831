import { Store } from '../workspace/storage.ts';
import type { StoreContext } from '../workspace/storage.ts';
import type { Extraction, ExtractionLimits } from './extract/model.ts';
import type { FileEntry } from './model.ts';
import { COLUMNS, endOf, Shelf } from './shelf.ts';
import type { FileRow } from './shelf.ts';

/** A content whose text is still to be read. */
export interface Unread {
  readonly sha256: string;
  readonly objectKey: string;
  readonly type: string;
  readonly size: number;
}

/** What was read of a content. */
export type ReadText =
  | {
      readonly kind: 'text';
      readonly unit: string;
      readonly parts: readonly { readonly label: string; readonly text: string }[];
      readonly title: string | undefined;
      readonly truncated: boolean;
    }
  | { readonly kind: 'none'; readonly reason: string };

/** A file in which something was found. */
export interface Found {
  readonly file: FileEntry;
  /** Of the text, with what was found in brackets; undefined where the path alone has it. */
  readonly snippet: string | undefined;
  /** The page or section of it, from 1. */
  readonly part: number | undefined;
  readonly label: string | undefined;
}

export interface SearchInput {
  /** For FTS5; the second where the first finds nothing. */
  readonly match: { readonly words: string; readonly beginning: string | undefined };
  /** By id or slug; undefined for all. */
  readonly session: string | undefined;
  /** With the slash behind it; empty for all. */
  readonly folder: string;
  readonly limit: number;
}

/** Words around what was found. */
const SNIPPET_WORDS = 24;

/** What files say: read once for each content, and searched. */
export class TextStore extends Store {
  readonly #shelf: Shelf;

  constructor(context: StoreContext) {
    super(context);
    this.#shelf = new Shelf(context);
  }

  unread(limit: number): Unread[] {
    return this.db.all<{ sha256: string; objectKey: string; type: string; size: number }>(
      `SELECT contents.sha256, object_key AS objectKey, size,
         (SELECT type FROM file_versions WHERE file_versions.sha256 = contents.sha256 LIMIT 1) AS type
       FROM content_texts JOIN contents USING (sha256)
       WHERE state = 'pending' AND EXISTS (SELECT 1 FROM file_versions WHERE file_versions.sha256 = contents.sha256)
       LIMIT ?`,
      limit,
    );
  }

  /** Notes that a content is about to be read. @returns how often it has been, this time included */
  attempt(sha256: string): number {
    const row = this.db.first<{ attempts: number }>(
      'UPDATE content_texts SET attempts = attempts + 1 WHERE sha256 = ? RETURNING attempts',
      sha256,
    );
    return row?.attempts ?? 1;
  }

  /** Takes an attempt back that ended for a reason outside of the content. */
  release(sha256: string): void {
    this.db.run('UPDATE content_texts SET attempts = attempts - 1 WHERE sha256 = ?', sha256);
  }

  /** Reads bytes, in the person's own object: a hostile file costs the time of whoever stored it. */
  async extract(bytes: Uint8Array, type: string, limits: Partial<ExtractionLimits>): Promise<Extraction> {
    const { extractText } = await import('./extract/extract-text.ts');
    return extractText(bytes, type, { limits });
  }

  /** Keeps what was read. Of a content that went meanwhile nothing is kept. */
  keep(sha256: string, read: ReadText): void {
    this.db.transaction(() => {
      const [state, unit, title, truncated] =
        read.kind === 'text'
          ? ['text', read.unit, read.title ?? null, read.truncated ? 1 : 0]
          : [read.reason, null, null, 0];
      const there = this.db.run(
        'UPDATE content_texts SET state = ?, unit = ?, title = ?, truncated = ? WHERE sha256 = ?',
        state ?? '',
        unit ?? null,
        title ?? null,
        truncated ?? 0,
        sha256,
      );
      if (there === 0 || read.kind === 'none') return;
      this.db.run('DELETE FROM content_parts WHERE sha256 = ?', sha256);
      for (const [index, { label, text }] of read.parts.entries())
        this.db.run(
          'INSERT INTO content_parts (sha256, number, label, text) VALUES (?, ?, ?, ?)',
          sha256,
          index + 1,
          label,
          text,
        );
    });
  }

  /** What was read of a content; undefined while it is still to be read. */
  text(sha256: string): ReadText | undefined {
    const row = this.db.first<{ state: string; unit: string | null; title: string | null; truncated: number }>(
      'SELECT state, unit, title, truncated FROM content_texts WHERE sha256 = ?',
      sha256,
    );
    if (!row || row.state === 'pending') return undefined;
    if (row.state !== 'text') return { kind: 'none', reason: row.state };
    const parts = this.db.all<{ label: string; text: string }>(
      'SELECT label, text FROM content_parts WHERE sha256 = ? ORDER BY number',
      sha256,
    );
    return {
      kind: 'text',
      unit: row.unit ?? 'text',
      parts,
      title: row.title ?? undefined,
      truncated: row.truncated === 1,
    };
  }

  /**
   * Files whose path or text has what is looked for: those by their path first, then by their text, each the
   * newest first. Not by rank, which would look at every text that has a common word.
   */
  search({ match: { words, beginning }, session, folder, limit }: SearchInput): Found[] {
    const scope = this.#scope(session, folder);
    const found = this.#search(words, scope, limit);
    return found.length > 0 || beginning === undefined ? found : this.#search(beginning, scope, limit);
  }

  #search(match: string, scope: Scope, limit: number): Found[] {
    const found = new Map<string, Found>();
    const sessions = new Map<string, FileEntry['session']>();
    const add = (row: FileRow, place: Omit<Found, 'file'>) => {
      if (found.size < limit && !found.has(row.id))
        found.set(row.id, { file: this.#shelf.entry(row, sessions), ...place });
    };
    for (const row of this.#named(match, scope, limit))
      add(row, { snippet: undefined, part: undefined, label: undefined });
    // Few at a time: a snippet costs more than the search, and most searches are answered by the first.
    let before = Number.MAX_SAFE_INTEGER;
    while (found.size < limit) {
      const parts = this.#parts(match, scope, before, limit);
      for (const { sha256, number, label, snippet } of parts)
        for (const row of this.#withContent(sha256, scope, limit))
          add(row, { snippet, part: number, label: label === '' ? undefined : label });
      before = parts.at(-1)?.id ?? 0;
      if (parts.length < limit) break;
    }
    return [...found.values()];
  }

  /** Which files may be found, as a condition on them. Part of the search, so that nothing hides behind others. */
  #scope(session: string | undefined, folder: string): Scope {
    const conditions = ['files.deleted_at IS NULL'];
    const values: string[] = [];
    if (session !== undefined) {
      conditions.push('files.session_id = ?');
      values.push(this.session(session).id);
    }
    if (folder !== '') {
      conditions.push('files.path >= ? AND files.path < ?');
      values.push(folder, endOf(folder));
    }
    return { condition: conditions.join(' AND '), values };
  }

  #named(match: string, { condition, values }: Scope, limit: number): FileRow[] {
    return this.db.all<FileRow>(
      `SELECT ${COLUMNS} FROM files WHERE id IN (
         SELECT files.id FROM name_search
           JOIN file_names ON file_names.id = name_search.rowid JOIN files ON files.id = file_names.file_id
         WHERE name_search MATCH ? AND ${condition} ORDER BY name_search.rowid DESC LIMIT ?)
       ORDER BY updated_at DESC`,
      match,
      ...values,
      limit,
    );
  }

  #parts(match: string, { condition, values }: Scope, before: number, limit: number): FoundPart[] {
    return this.db.all<FoundPart>(
      `SELECT content_parts.id AS id, sha256, number, label,
         snippet(text_search, 0, '[', ']', '…', ${SNIPPET_WORDS}) AS snippet
       FROM text_search JOIN content_parts ON content_parts.id = text_search.rowid
       WHERE text_search MATCH ? AND text_search.rowid < ?
         AND EXISTS (SELECT 1 FROM files WHERE files.sha256 = content_parts.sha256 AND ${condition})
       ORDER BY text_search.rowid DESC LIMIT ?`,
      match,
      before,
      ...values,
      limit,
    );
  }

  #withContent(sha256: string, { condition, values }: Scope, limit: number): FileRow[] {
    return this.db.all<FileRow>(
      `SELECT ${COLUMNS} FROM files WHERE sha256 = ? AND ${condition} ORDER BY updated_at DESC LIMIT ?`,
      sha256,
      ...values,
      limit,
    );
  }
}

interface Scope {
  readonly condition: string;
  readonly values: readonly string[];
}

type FoundPart = { id: number; sha256: string; number: number; label: string; snippet: string };

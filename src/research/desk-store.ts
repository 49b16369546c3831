import { Contents } from '../files/contents.ts';
import { CarrelError } from '../lib/errors.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { ResearchStore } from './base.ts';
import { noSuchDesk } from './model.ts';
import type { Desk, SessionRef } from './model.ts';
import { RESEARCH_SCHEMA } from './schema.ts';
import { CITED } from './source-rows.ts';
import { SEARCH_SCHEMA } from './search/schema.ts';
import { SearchIndex } from './search/search-rows.ts';

/** After so long nothing of an import is on its way any more, in ms. */
const IMPORT_MS = 600_000;

/** What is given of a desk when it is opened; what is left out stays. */
export interface DeskChange {
  readonly topic?: string | undefined;
  readonly question?: string | undefined;
  readonly guidelines?: string | undefined;
  readonly guidelineFiles?: readonly string[] | undefined;
}

/** How far a research is, in numbers. */
export interface DeskCounts {
  readonly sources: number;
  readonly unread: number;
  readonly kept: number;
  readonly dropped: number;
  /** Sources that were read and have neither been quoted nor dropped. */
  readonly unquoted: number;
  readonly quotes: number;
  readonly notes: number;
  readonly sections: number;
  /** Sections without text. */
  readonly unwritten: number;
  readonly cited: number;
}

type DeskRow = {
  topic: string;
  question: string;
  guidelines: string;
  guidelineFiles: string;
  reportTitle: string;
  openedAt: number;
  updatedAt: number;
  archivedAt: number | null;
  importingSince: number | null;
};

const COLUMNS = `topic, question, guidelines, guideline_files AS guidelineFiles, report_title AS reportTitle,
  opened_at AS openedAt, updated_at AS updatedAt, archived_at AS archivedAt, importing_since AS importingSince`;

/** The research of each session of a workspace. */
export class DeskStore extends ResearchStore {
  static readonly schema = [...RESEARCH_SCHEMA, ...SEARCH_SCHEMA];
  readonly #contents: Contents;
  readonly #index: SearchIndex;

  constructor(context: StoreContext) {
    super(context);
    this.#contents = new Contents(context);
    this.#index = new SearchIndex(context.db);
  }

  /** Begins the research of a session, or goes on with it: an archived one becomes active again. */
  open(reference: string | undefined, change: DeskChange, now: number): { desk: Desk; created: boolean } {
    const session = this.session(reference);
    return this.db.transaction(() => {
      const there = this.#row(session.id);
      const topic = change.topic ?? there?.topic ?? session.title;
      this.db.run(
        `INSERT INTO research_desks
           (session_id, topic, question, guidelines, guideline_files, report_title, opened_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET topic = excluded.topic, question = excluded.question, guidelines = excluded.guidelines,
           guideline_files = excluded.guideline_files, updated_at = excluded.updated_at, archived_at = NULL`,
        session.id,
        topic,
        change.question ?? there?.question ?? '',
        change.guidelines ?? there?.guidelines ?? '',
        change.guidelineFiles ? JSON.stringify(change.guidelineFiles) : (there?.guidelineFiles ?? '[]'),
        topic,
        now,
        now,
      );
      return { desk: this.#desk(session), created: there === undefined };
    });
  }

  /**
   * Begins a research that comes in an archive. Of two at once the second is refused; what one left that never came to
   * its end goes.
   *
   * @throws CarrelError `conflict` when there is a research in the session
   */
  beginImport(reference: string | undefined, now: number): SessionRef {
    const session = this.session(reference);
    return this.db.transaction(() => {
      const there = this.#row(session.id);
      if (there && (there.importingSince ?? now) > now - IMPORT_MS)
        throw new CarrelError('conflict', 'There is a research in this session already. Give another title.');
      if (there) this.discardImport(session.id, now);
      const { desk } = this.open(session.id, {}, now);
      this.db.run('UPDATE research_desks SET importing_since = ? WHERE session_id = ?', now, session.id);
      return desk.session;
    });
  }

  endImport(reference: string | undefined): void {
    this.db.run('UPDATE research_desks SET importing_since = NULL WHERE session_id = ?', this.session(reference).id);
  }

  /** Removes a research that has not come as a whole, with all that is in it by now; nothing of one that has. */
  discardImport(reference: string | undefined, now: number): void {
    const { id } = this.session(reference);
    if ((this.#row(id)?.importingSince ?? null) === null) return;
    this.db.transaction(() => {
      const snapshots = this.db.all<{ id: string }>(
        'SELECT id FROM research_snapshots WHERE source_id IN (SELECT id FROM research_sources WHERE session_id = ?)',
        id,
      );
      for (const snapshot of snapshots) this.#contents.letGo(snapshot.id, now);
      for (const [table, parent, key] of [
        ['research_snapshots', 'research_sources', 'source_id'],
        ['research_links', 'research_notes', 'note_id'],
        ['research_citations', 'research_sections', 'section_id'],
      ] as const)
        this.db.run(`DELETE FROM ${table} WHERE ${key} IN (SELECT id FROM ${parent} WHERE session_id = ?)`, id);
      for (const table of ['quotes', 'sources', 'notes', 'sections', 'desks'])
        this.db.run(`DELETE FROM research_${table} WHERE session_id = ?`, id);
      this.#index.removeAll(id);
    });
  }

  /** @throws CarrelError `not_found`, for the session or its research */
  get(reference: string | undefined): Desk {
    return this.#desk(this.session(reference));
  }

  /** The last opened first. */
  list(limit: number): Desk[] {
    return this.db
      .all<{ id: string }>(
        'SELECT session_id AS id FROM research_desks WHERE archived_at IS NULL ORDER BY updated_at DESC LIMIT ?',
        limit,
      )
      .flatMap(({ id }) => {
        const session = this.findSession(id);
        return session ? [this.#desk(session)] : [];
      });
  }

  /** Sessions with a research that is here as a whole, archived ones too, in the order of their ids. */
  sessions(after: string, limit: number): string[] {
    return this.db
      .all<{ id: string }>(
        'SELECT session_id AS id FROM research_desks WHERE importing_since IS NULL AND session_id > ? ORDER BY session_id LIMIT ?',
        after,
        limit,
      )
      .map(({ id }) => id);
  }

  archive(reference: string | undefined, archived: boolean, now: number): Desk {
    const { session } = this.get(reference);
    this.db.run(
      'UPDATE research_desks SET archived_at = ?, updated_at = ? WHERE session_id = ?',
      archived ? now : null,
      now,
      session.id,
    );
    return this.get(session.id);
  }

  /** A research with how far it is. */
  status(reference: string | undefined): { desk: Desk; counts: DeskCounts } {
    const desk = this.get(reference);
    const { id } = desk.session;
    const sources = this.db.first<Record<string, number>>(
      `SELECT count(*) AS sources, coalesce(sum(read_at IS NULL AND state <> 'dropped'), 0) AS unread,
         coalesce(sum(state = 'kept'), 0) AS kept, coalesce(sum(state = 'dropped'), 0) AS dropped,
         coalesce(sum(read_at IS NOT NULL AND state <> 'dropped' AND NOT EXISTS
           (SELECT 1 FROM research_quotes WHERE source_id = research_sources.id)), 0) AS unquoted
       FROM research_sources WHERE session_id = ?`,
      id,
    );
    const sections = this.db.first<{ sections: number; unwritten: number }>(
      `SELECT count(*) AS sections, coalesce(sum(text = ''), 0) AS unwritten FROM research_sections WHERE session_id = ?`,
      id,
    );
    return {
      desk,
      counts: {
        sources: sources?.['sources'] ?? 0,
        unread: sources?.['unread'] ?? 0,
        kept: sources?.['kept'] ?? 0,
        dropped: sources?.['dropped'] ?? 0,
        unquoted: sources?.['unquoted'] ?? 0,
        quotes: this.count('SELECT count(*) AS count FROM research_quotes WHERE session_id = ?', id),
        notes: this.count('SELECT count(*) AS count FROM research_notes WHERE session_id = ?', id),
        sections: sections?.sections ?? 0,
        unwritten: sections?.unwritten ?? 0,
        cited: this.count(`SELECT count(*) AS count FROM research_sources WHERE session_id = ? AND ${CITED}`, id),
      },
    };
  }

  #row(sessionId: string): DeskRow | undefined {
    return this.db.first<DeskRow>(`SELECT ${COLUMNS} FROM research_desks WHERE session_id = ?`, sessionId);
  }

  #desk({ id, slug, title }: SessionRef): Desk {
    const row = this.#row(id);
    if (!row) throw noSuchDesk();
    const { importingSince, ...rest } = row;
    return {
      ...rest,
      session: { id, slug, title },
      guidelineFiles: JSON.parse(row.guidelineFiles) as string[],
      archivedAt: row.archivedAt ?? undefined,
      isImporting: importingSince !== null,
    };
  }
}

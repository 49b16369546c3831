import { CarrelError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { ResearchStore } from './base.ts';
import { noSuchSection } from './model.ts';
import type { Section, SessionRef } from './model.ts';
import { SearchIndex } from './search/search-rows.ts';

/** A section as an outline names it. One of the same heading keeps its text. */
export interface OutlineEntry {
  readonly heading: string;
  readonly level: number;
  /** Undefined: as it was. */
  readonly brief: string | undefined;
}

export interface Report {
  readonly session: SessionRef;
  readonly title: string;
  readonly sections: readonly Section[];
}

type SectionRow = Omit<Section, 'number' | 'isHeadingImported' | 'isTextImported'> & {
  readonly headingImported: number;
  readonly textImported: number;
} & Record<string, string | number>;

/** The report of each research, section by section. */
export class ReportStore extends ResearchStore {
  readonly #index: SearchIndex;

  constructor(context: StoreContext) {
    super(context);
    this.#index = new SearchIndex(context.db);
  }

  get(reference: string | undefined): Report {
    const session = this.desk(reference);
    const desk = this.db.first<{ title: string }>(
      'SELECT report_title AS title FROM research_desks WHERE session_id = ?',
      session.id,
    );
    return { session, title: desk?.title ?? session.title, sections: this.#sections(session.id) };
  }

  /** @param named its number, heading or id. @throws CarrelError `not_found` */
  section(reference: string | undefined, named: string): { session: SessionRef; section: Section } {
    const session = this.desk(reference);
    return { session, section: this.#named(session.id, named) };
  }

  /**
   * Gives the report a title, and these sections in this order; what is left out stays.
   *
   * @throws CarrelError `conflict` when a section with text would go: that text is deleted first, by writing nothing
   */
  outline(
    reference: string | undefined,
    { title, sections }: { readonly title: string | undefined; readonly sections: readonly OutlineEntry[] | undefined },
    now: number,
    isImported = false,
  ): Report {
    const session = this.desk(reference);
    return this.db.transaction(() => {
      if (sections) this.#arrange(session.id, sections, now, isImported);
      if (title !== undefined)
        this.db.run('UPDATE research_desks SET report_title = ? WHERE session_id = ?', title, session.id);
      this.db.run('UPDATE research_desks SET updated_at = ? WHERE session_id = ?', now, session.id);
      return this.get(session.id);
    });
  }

  /**
   * Writes the text of a section.
   *
   * @param section its number, heading or id
   * @param citations keys of the sources that it cites
   * @param expectedVersion the version that the writer read; undefined for any
   * @throws CarrelError `not_found`, `conflict` when it has another version now
   */
  write(
    reference: string | undefined,
    section: string,
    text: string,
    citations: readonly string[],
    expectedVersion: number | undefined,
    now: number,
    isImported = false,
  ): { session: SessionRef; section: Section } {
    const session = this.desk(reference);
    const { id, heading, version } = this.#named(session.id, section);
    if (expectedVersion !== undefined && expectedVersion !== version)
      throw new CarrelError('conflict', `The section has version ${version} now. Read it again, and merge.`, {
        details: { version },
      });
    return this.db.transaction(() => {
      this.db.run(
        'UPDATE research_sections SET text = ?, version = version + 1, text_imported = ?, updated_at = ? WHERE id = ?',
        text,
        isImported ? 1 : 0,
        now,
        id,
      );
      this.db.run('DELETE FROM research_citations WHERE section_id = ?', id);
      for (const key of citations)
        this.db.run('INSERT OR IGNORE INTO research_citations (section_id, key) VALUES (?, ?)', id, key);
      if (text === '') this.#index.remove('report', id);
      else
        this.#index.put({
          kind: 'report',
          sessionId: session.id,
          itemId: id,
          title: heading,
          host: undefined,
          tags: [],
          date: new Date(now).toISOString(),
          parts: [{ part: 1, label: '', start: 0, text }],
        });
      return { session, section: this.#named(session.id, id) };
    });
  }

  #arrange(sessionId: string, sections: readonly OutlineEntry[], now: number, isImported: boolean): void {
    const there = this.#sections(sessionId);
    const wanted = new Set(sections.map(({ heading }) => heading));
    const lost = there.find(({ heading, text }) => text !== '' && !wanted.has(heading));
    if (lost)
      throw new CarrelError(
        'conflict',
        'The outline leaves out a section that has text. Name it too, or write it empty before.',
        { details: { section: lost.number } },
      );
    for (const { id, heading } of there)
      if (!wanted.has(heading)) {
        this.db.run('DELETE FROM research_sections WHERE id = ?', id);
        this.#index.remove('report', id);
      }
    for (const [index, { heading, level, brief }] of sections.entries()) {
      const old = there.find((each) => each.heading === heading);
      if (old)
        this.db.run(
          'UPDATE research_sections SET position = ?, level = ?, brief = ?, heading_imported = ? WHERE id = ?',
          index + 1,
          level,
          brief ?? old.brief,
          old.isHeadingImported && brief === undefined && old.brief !== '' ? 1 : 0,
          old.id,
        );
      else
        this.db.run(
          `INSERT INTO research_sections (id, session_id, position, heading, level, brief, text, version,
             heading_imported, text_imported, updated_at) VALUES (?, ?, ?, ?, ?, ?, '', 1, ?, 0, ?)`,
          newId('sec'),
          sessionId,
          index + 1,
          heading,
          level,
          brief ?? '',
          isImported ? 1 : 0,
          now,
        );
    }
  }

  #named(sessionId: string, named: string): Section {
    const sections = this.#sections(sessionId);
    const found =
      sections.find(({ id, number }) => id === named || String(number) === named) ??
      sections.find(({ heading }) => heading.toLowerCase() === named.toLowerCase());
    if (!found) throw noSuchSection();
    return found;
  }

  #sections(sessionId: string): Section[] {
    return this.db
      .all<SectionRow>(
        `SELECT id, heading, level, brief, text, version, heading_imported AS headingImported,
           text_imported AS textImported, updated_at AS updatedAt FROM research_sections WHERE session_id = ? ORDER BY position`,
        sessionId,
      )
      .map(({ headingImported, textImported, ...row }, index) => ({
        ...row,
        number: index + 1,
        isHeadingImported: headingImported === 1,
        isTextImported: textImported === 1,
      }));
  }
}

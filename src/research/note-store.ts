import type { Position } from '../lib/cursor.ts';
import { byteLength } from '../lib/encoding.ts';
import { CarrelError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { ResearchStore } from './base.ts';
import { MAX_NOTE_BYTES, MAX_NOTES, noSuchNote, noteText } from './model.ts';
import type { Note, SessionRef } from './model.ts';
import { SearchIndex } from './search/search-rows.ts';

/** Links of one note. */
const MAX_LINKS = 100;

export interface NewNote {
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
  readonly isImported?: boolean;
}

/** What is left out stays. */
export interface NoteChange {
  readonly title?: string | undefined;
  readonly text?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly replace?: { readonly old: string; readonly new: string } | undefined;
}

type NoteRow = Omit<Note, 'tags' | 'links' | 'isImported'> & {
  readonly tags: string;
  readonly imported: number;
} & Record<string, string | number>;

const COLUMNS = 'id, title, text, tags, version, imported, created_at AS createdAt, updated_at AS updatedAt';

/** What agents write down while they read. */
export class NoteStore extends ResearchStore {
  readonly #index: SearchIndex;

  constructor(context: StoreContext) {
    super(context);
    this.#index = new SearchIndex(context.db);
  }

  /**
   * @param links ids of sources, quotes and notes, or keys of sources
   * @throws CarrelError `not_found` for a link to nothing, `limit_exceeded`
   */
  write(reference: string | undefined, note: NewNote, links: readonly string[], now: number) {
    const session = this.desk(reference);
    return this.db.transaction(() => {
      const count = this.count('SELECT count(*) AS count FROM research_notes WHERE session_id = ?', session.id);
      if (count >= MAX_NOTES)
        throw new CarrelError('limit_exceeded', 'This research has as many notes as there may be. Edit one instead.');
      const id = newId('not');
      this.db.run(
        `INSERT INTO research_notes (id, session_id, title, text, tags, version, imported, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?)`,
        id,
        session.id,
        note.title,
        note.text,
        JSON.stringify(note.tags),
        note.isImported === true ? 1 : 0,
        now,
        now,
      );
      this.#link(session.id, id, links);
      return this.#indexed(session, id);
    });
  }

  /** Takes notes in that somebody else wrote, in their order: all or none. @returns their ids */
  takeIn(reference: string | undefined, notes: readonly NewNote[], now: number): string[] {
    return this.db.transaction(() =>
      notes.map((note, index) => this.write(reference, { ...note, isImported: true }, [], now + index).note.id),
    );
  }

  /**
   * @param change.replace exact text that stands once in the note, and what comes in its place
   * @param expectedVersion the version that the writer read; undefined for any
   * @throws CarrelError `conflict` when it has another version now, `invalid_input` when the text stands there not once
   */
  edit(
    reference: string | undefined,
    note: string,
    change: NoteChange,
    expectedVersion: number | undefined,
    now: number,
  ) {
    const session = this.desk(reference);
    const there = this.#note(session.id, note);
    if (expectedVersion !== undefined && expectedVersion !== there.version)
      throw new CarrelError('conflict', `The note has version ${there.version} now. Read it again, and merge.`, {
        details: { version: there.version },
      });
    const text = change.text ?? (change.replace ? replaced(there.text, change.replace) : there.text);
    refuseUnfit(text);
    return this.db.transaction(() => {
      this.db.run(
        'UPDATE research_notes SET title = ?, text = ?, tags = ?, version = version + 1, updated_at = ? WHERE id = ?',
        change.title ?? there.title,
        text,
        JSON.stringify(change.tags ?? there.tags),
        now,
        there.id,
      );
      return this.#indexed(session, there.id);
    });
  }

  /** Adds links of a note, or takes them away. */
  link(reference: string | undefined, note: string, add: readonly string[], remove: readonly string[]) {
    const session = this.desk(reference);
    const { id } = this.#note(session.id, note);
    return this.db.transaction(() => {
      for (const target of remove)
        this.db.run(
          'DELETE FROM research_links WHERE note_id = ? AND target_id = ?',
          id,
          this.#target(session.id, target),
        );
      this.#link(session.id, id, add);
      return { session, note: this.#note(session.id, id) };
    });
  }

  linkAll(
    reference: string | undefined,
    links: readonly { readonly note: string; readonly targets: readonly string[] }[],
  ): void {
    this.db.transaction(() => {
      for (const { note, targets } of links) this.link(reference, note, targets, []);
    });
  }

  remove(reference: string | undefined, note: string): { session: SessionRef; id: string } {
    const session = this.desk(reference);
    const { id } = this.#note(session.id, note);
    this.db.transaction(() => {
      this.db.run('DELETE FROM research_notes WHERE id = ?', id);
      this.db.run('DELETE FROM research_links WHERE note_id = ? OR target_id = ?', id, id);
      this.#index.remove('note', id);
    });
    return { session, id };
  }

  /** In the order in which they were written. @param about only those that are linked to it */
  list(
    reference: string | undefined,
    { about, tag }: { readonly about: string | undefined; readonly tag: string | undefined },
    limit: number,
    after: Position | undefined,
  ): { session: SessionRef; notes: Note[]; next: Position | undefined } {
    const session = this.desk(reference);
    const conditions = ['session_id = ?'];
    const values: (string | number)[] = [session.id];
    if (about !== undefined) {
      conditions.push('EXISTS (SELECT 1 FROM research_links WHERE note_id = research_notes.id AND target_id = ?)');
      values.push(this.#target(session.id, about));
    }
    if (tag !== undefined) {
      conditions.push('EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)');
      values.push(tag);
    }
    if (after) {
      conditions.push('(created_at, id) > (?, ?)');
      values.push(...after);
    }
    const rows = this.db.all<NoteRow>(
      `SELECT ${COLUMNS} FROM research_notes WHERE ${conditions.join(' AND ')} ORDER BY created_at, id LIMIT ?`,
      ...values,
      limit + 1,
    );
    const page = this.page(rows, limit, ({ createdAt }) => createdAt);
    return { session, notes: page.rows.map((row) => this.#withLinks(row)), next: page.next };
  }

  #indexed(session: SessionRef, id: string): { session: SessionRef; note: Note } {
    const note = this.#note(session.id, id);
    this.#index.put({
      kind: 'note',
      sessionId: session.id,
      itemId: id,
      title: note.title,
      host: undefined,
      tags: note.tags,
      date: new Date(note.updatedAt).toISOString(),
      parts: [{ part: 1, label: '', start: 0, text: note.text }],
    });
    return { session, note };
  }

  #link(sessionId: string, noteId: string, targets: readonly string[]): void {
    for (const target of targets)
      this.db.run(
        'INSERT OR IGNORE INTO research_links (note_id, target_id) VALUES (?, ?)',
        noteId,
        this.#target(sessionId, target),
      );
    const { links } = this.#note(sessionId, noteId);
    if (links.length > MAX_LINKS)
      throw new CarrelError('limit_exceeded', `A note has at most ${MAX_LINKS} links. Write another note.`);
  }

  /** The id of what a link names. @throws CarrelError `not_found` */
  #target(sessionId: string, named: string): string {
    const row = this.db.first<{ id: string }>(
      `SELECT id FROM research_sources WHERE session_id = ?1 AND (id = ?2 OR key = ?2)
       UNION ALL SELECT id FROM research_quotes WHERE session_id = ?1 AND id = ?2
       UNION ALL SELECT id FROM research_notes WHERE session_id = ?1 AND id = ?2`,
      sessionId,
      named,
    );
    if (!row)
      throw new CarrelError(
        'not_found',
        'A link names no source, quote or note of this research. Nothing was changed.',
      );
    return row.id;
  }

  #note(sessionId: string, id: string): Note {
    const row = this.db.first<NoteRow>(
      `SELECT ${COLUMNS} FROM research_notes WHERE session_id = ? AND id = ?`,
      sessionId,
      id,
    );
    if (!row) throw noSuchNote();
    return this.#withLinks(row);
  }

  #withLinks({ tags, imported, ...row }: NoteRow): Note {
    const links = this.db.all<{ name: string }>(
      `SELECT coalesce(key, target_id) AS name FROM research_links LEFT JOIN research_sources ON id = target_id
       WHERE note_id = ? ORDER BY key IS NULL, name`,
      row.id,
    );
    return {
      ...row,
      isImported: imported === 1,
      tags: JSON.parse(tags) as string[],
      links: links.map(({ name }) => name),
    };
  }
}

/** What was put together of two texts that are fit for a note may be none. */
function refuseUnfit(text: string): void {
  if (byteLength(text) > MAX_NOTE_BYTES)
    throw new CarrelError(
      'too_large',
      'The note would be too long. Write what is new as another one. Nothing changed.',
      {
        details: { limit: MAX_NOTE_BYTES },
      },
    );
  if (!noteText.safeParse(text).success)
    throw new CarrelError('invalid_input', 'The note would have a character that cannot be seen. Nothing changed.');
}

function replaced(text: string, change: { readonly old: string; readonly new: string }): string {
  const [before, after, ...more] = text.split(change.old);
  if (change.old === '' || before === undefined || after === undefined || more.length > 0)
    throw new CarrelError('invalid_input', 'The text to replace must stand in the note exactly once. Nothing changed.');
  return before + change.new + after;
}

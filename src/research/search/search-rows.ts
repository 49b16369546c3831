import type { Database, SqlValue } from '../../workspace/sql.ts';
import { cutPassages } from './cut.ts';
import type { Match } from './query.ts';
import { snippetOf } from './snippet.ts';
import type { Place } from './snippet.ts';
import { indexedText } from './words.ts';

export type ItemKind = 'source' | 'note' | 'quote' | 'report';

/** A part of an item's text: a page, a section, or all of it. */
export interface SearchPart {
  /** From 1. */
  readonly part: number;
  readonly label: string;
  /** Where it begins in the item's text, in UTF-16 code units. */
  readonly start: number;
  readonly text: string;
}

/** By what items are filtered. */
export interface SearchLabels {
  readonly host: string | undefined;
  readonly tags: readonly string[];
  /** ISO 8601, as exact as it is known: `2024`, `2024-03-01`. */
  readonly date: string | undefined;
}

export interface SearchItem extends SearchLabels {
  readonly kind: ItemKind;
  readonly itemId: string;
  readonly sessionId: string;
  /** Weighs more than the text. */
  readonly title: string;
  readonly parts: readonly SearchPart[];
}

export interface SearchInput {
  readonly match: Match;
  /** Undefined for all. */
  readonly sessionId: string | undefined;
  readonly kinds?: readonly ItemKind[] | undefined;
  readonly host?: string | undefined;
  /** ISO 8601: what bears this day or a later one. What has no date is in no span of time. */
  readonly since?: string | undefined;
  /** ISO 8601: this day or an earlier one. */
  readonly until?: string | undefined;
  readonly tag?: string | undefined;
  readonly limit: number;
  /** As an earlier search gave it. */
  readonly cursor?: number | undefined;
}

/** An item in which something was found, with its best passage. Offsets are UTF-16 code units of the item's text. */
export interface SearchHit {
  readonly kind: ItemKind;
  readonly itemId: string;
  readonly sessionId: string;
  readonly part: number;
  readonly label: string;
  readonly snippet: Place & { readonly text: string };
  /** Within the snippet, in their order; none where only the title has it. */
  readonly found: readonly Place[];
}

export interface SearchResult {
  readonly hits: readonly SearchHit[];
  /** For the next search; undefined at the end. */
  readonly next: number | undefined;
}

/**
 * Passages that are ranked in one search, the newest of those that match and pass the filters. With more, a search for a
 * common word would take as long as there is text.
 */
const RANKED = 1000;
const TITLE_WEIGHT = 8;
/** Of one item; text beyond is not found. About 8 MB. */
const PASSAGES = 2 ** 12;
/** Of one session, over all time. */
const ITEMS = 2 ** 24;

type ItemRow = { id: number };
type HitRow = {
  kind: ItemKind;
  itemId: string;
  sessionId: string;
  part: number;
  label: string;
  start: number;
  text: string;
};

/**
 * What can be found in researches. The id of a passage is made of the number of its session, of its item and its own
 * (17, 24 and 12 bits, within what a number of JavaScript holds), ascending with time: a search in one session reads a
 * range of the index and nothing of the others.
 *
 * **Rank** is bm25 over the index, where a word of the title counts eight times. Of more than 1,000 passages that match,
 * the 1,000 newest are ranked (of all sessions together: those of the newest sessions). So a word or a phrase that is
 * rarer than that is ranked over everything; of a common word only what was added last can come first. Words of one
 * query must stand in one passage (up to 3,000 characters, and the title); an item is found by its best passage.
 */
export class SearchIndex {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Makes an item findable; what was there of it goes. */
  put({ kind, itemId, sessionId, title, parts, ...labels }: SearchItem): void {
    this.#db.transaction(() => {
      this.remove(kind, itemId);
      const id = this.#nextItem(sessionId);
      this.#db.run(
        'INSERT INTO research_search_items (id, kind, item_id, session_id, host, tags, date) VALUES (?, ?, ?, ?, ?, ?, ?)',
        id,
        kind,
        itemId,
        sessionId,
        labels.host ?? null,
        JSON.stringify(labels.tags),
        labels.date ?? null,
      );
      const words = indexedText(title);
      let passage = id * PASSAGES;
      for (const { part, label, start, text } of parts)
        for (const cut of cutPassages(text)) {
          if (passage === (id + 1) * PASSAGES) return;
          this.#db.run(
            'INSERT INTO research_search_passages (id, part, label, start, text) VALUES (?, ?, ?, ?, ?)',
            passage,
            part,
            label,
            start + cut.start,
            cut.text,
          );
          this.#db.run(
            'INSERT INTO research_search (rowid, title, text) VALUES (CAST(? AS INTEGER), ?, ?)',
            passage,
            words,
            indexedText(cut.text),
          );
          passage += 1;
        }
    });
  }

  /** Changes by what an item is filtered; its text stays as it is, and so does nothing that is not there. */
  relabel(kind: ItemKind, itemId: string, { host, tags, date }: SearchLabels): void {
    this.#db.run(
      'UPDATE research_search_items SET host = ?, tags = ?, date = ? WHERE kind = ? AND item_id = ?',
      host ?? null,
      JSON.stringify(tags),
      date ?? null,
      kind,
      itemId,
    );
  }

  remove(kind: ItemKind, itemId: string): void {
    this.#db.transaction(() => {
      const item = this.#db.first<ItemRow>(
        'DELETE FROM research_search_items WHERE kind = ? AND item_id = ? RETURNING id',
        kind,
        itemId,
      );
      if (!item) return;
      const passages = this.#db.all<ItemRow>(
        'DELETE FROM research_search_passages WHERE id >= ? AND id < ? RETURNING id',
        item.id * PASSAGES,
        (item.id + 1) * PASSAGES,
      );
      for (const { id } of passages) this.#db.run('DELETE FROM research_search WHERE rowid = CAST(? AS INTEGER)', id);
    });
  }

  /** Has nothing of a session be found any more. */
  removeAll(sessionId: string): void {
    this.#db.transaction(() => {
      const items = this.#db.all<{ kind: ItemKind; itemId: string }>(
        'SELECT kind, item_id AS itemId FROM research_search_items WHERE session_id = ?',
        sessionId,
      );
      for (const { kind, itemId } of items) this.remove(kind, itemId);
    });
  }

  /** The best first; of equal ones the newest. */
  search({ match, limit, cursor = 0, ...filters }: SearchInput): SearchResult {
    const scope = this.#scope(filters);
    if (!scope) return { hits: [], next: undefined };
    const best = this.#db.all<ItemRow>(
      `SELECT id FROM (
         SELECT id, min(score) AS score FROM (
           SELECT research_search.rowid AS id, bm25(research_search, ${TITLE_WEIGHT}, 1) AS score
           FROM research_search ${scope.join} WHERE research_search MATCH ? ${scope.condition}
           ORDER BY research_search.rowid DESC LIMIT ${RANKED})
         GROUP BY id / ${PASSAGES})
       ORDER BY score, id DESC LIMIT ? OFFSET ?`,
      match.expression,
      ...scope.values,
      limit + 1,
      cursor,
    );
    const hits = best.slice(0, limit).flatMap(({ id }) => this.#hit(id, match));
    return { hits, next: best.length > limit ? cursor + limit : undefined };
  }

  #hit(passage: number, { terms }: Match): SearchHit[] {
    const rows = this.#db.all<HitRow>(
      `SELECT kind, item_id AS itemId, session_id AS sessionId, part, label, start, text
       FROM research_search_passages AS passages JOIN research_search_items AS items ON items.id = passages.id / ${PASSAGES}
       WHERE passages.id = ?`,
      passage,
    );
    return rows.map(({ start: base, text, ...row }) => {
      const { start, end, found } = snippetOf(text, terms);
      const moved = found.map((place) => ({ start: base + place.start, end: base + place.end }));
      return { ...row, snippet: { start: base + start, end: base + end, text: text.slice(start, end) }, found: moved };
    });
  }

  /** @returns undefined where nothing can be in it */
  #scope({
    sessionId,
    kinds,
    host,
    since,
    until,
    tag,
  }: Omit<SearchInput, 'match' | 'limit' | 'cursor'>):
    | { join: string; condition: string; values: SqlValue[] }
    | undefined {
    const conditions: string[] = [];
    const values: SqlValue[] = [];
    const add = (condition: string, ...bound: SqlValue[]) => {
      conditions.push(`AND ${condition}`);
      values.push(...bound);
    };
    if (kinds) add(`kind IN (${kinds.map(() => '?').join(', ')})`, ...kinds);
    if (host !== undefined) add('host = ?', host);
    if (since !== undefined) add('date >= ?', since);
    // The hours of that day are part of it.
    if (until !== undefined) add('date < ?', `${until}~`);
    if (tag !== undefined) add('instr(tags, ?) > 0', JSON.stringify(tag));
    const join = conditions.length === 0 ? '' : ITEM_OF_PASSAGE;
    if (sessionId !== undefined) {
      const session = this.#session(sessionId);
      if (session === undefined) return undefined;
      add('research_search.rowid >= CAST(? AS INTEGER)', session * ITEMS * PASSAGES);
      add('research_search.rowid < CAST(? AS INTEGER)', (session + 1) * ITEMS * PASSAGES);
    }
    return { join, condition: conditions.join(' '), values };
  }

  #session(sessionId: string): number | undefined {
    return this.#db.first<{ number: number }>(
      'SELECT number FROM research_search_sessions WHERE session_id = ?',
      sessionId,
    )?.number;
  }

  #addSession(sessionId: string): number {
    const [added] = this.#db.all<{ number: number }>(
      `INSERT INTO research_search_sessions (session_id, number)
       VALUES (?, (SELECT coalesce(max(number), -1) + 1 FROM research_search_sessions)) RETURNING number`,
      sessionId,
    );
    return added?.number ?? 0;
  }

  #nextItem(sessionId: string): number {
    const session = this.#session(sessionId) ?? this.#addSession(sessionId);
    const last = this.#db.first<{ id: number | null }>(
      'SELECT max(id) AS id FROM research_search_items WHERE id >= ? AND id < ?',
      session * ITEMS,
      (session + 1) * ITEMS,
    )?.id;
    return last === null || last === undefined ? session * ITEMS : last + 1;
  }
}

/** In this order: the words find few, the items are all. */
const ITEM_OF_PASSAGE = `CROSS JOIN research_search_items AS items ON items.id = research_search.rowid / ${PASSAGES}`;

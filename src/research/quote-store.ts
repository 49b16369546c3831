import type { Position } from '../lib/cursor.ts';
import { CarrelError } from '../lib/errors.ts';
import { newId } from '../lib/ids.ts';
import type { StoreContext } from '../workspace/storage.ts';
import { ResearchStore } from './base.ts';
import { MAX_QUOTES, noSuchQuote, noSuchSource } from './model.ts';
import type { PartUnit, Quote, SessionRef } from './model.ts';
import { SearchIndex } from './search/search-rows.ts';

/** A passage that was found in a snapshot. */
export interface NewQuote {
  readonly sourceId: string;
  readonly snapshotId: string;
  readonly textSha256: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly part: number;
  readonly label: string;
  readonly why: string;
  readonly isImported?: boolean;
}

type QuoteRow = Omit<Quote, 'unit' | 'isImported'> & { readonly unit: PartUnit; readonly imported: number } & Record<
    string,
    string | number
  >;

const SELECT = `SELECT research_quotes.id AS id, research_quotes.source_id AS sourceId, key,
    research_quotes.snapshot_id AS snapshotId, research_quotes.text_sha256 AS textSha256, begins AS start, ends AS end,
    text, unit, part, label, why, research_quotes.imported AS imported, created_at AS createdAt
  FROM research_quotes JOIN research_sources ON research_sources.id = research_quotes.source_id
    JOIN research_snapshots ON research_snapshots.id = research_quotes.snapshot_id`;

/** Passages that stand in snapshots. Whether they do is looked at before they come here, and again whenever asked. */
export class QuoteStore extends ResearchStore {
  readonly #index: SearchIndex;

  constructor(context: StoreContext) {
    super(context);
    this.#index = new SearchIndex(context.db);
  }

  /**
   * Adds a quote; one that is there already, of the same place, stays the only one.
   *
   * @throws CarrelError `not_found` when its source went meanwhile, `limit_exceeded`
   */
  add(reference: string | undefined, quote: NewQuote, now: number): { session: SessionRef; quote: Quote } {
    const session = this.desk(reference);
    return this.db.transaction(() => {
      const snapshot = this.db.first<{ source: string }>(
        `SELECT source_id AS source FROM research_snapshots JOIN research_sources ON research_sources.id = source_id
         WHERE research_snapshots.id = ? AND session_id = ?`,
        quote.snapshotId,
        session.id,
      );
      if (snapshot?.source !== quote.sourceId) throw noSuchSource();
      const there = this.db.first<{ id: string }>(
        'SELECT id FROM research_quotes WHERE source_id = ? AND snapshot_id = ? AND begins = ? AND ends = ?',
        quote.sourceId,
        quote.snapshotId,
        quote.start,
        quote.end,
      );
      if (there) {
        this.db.run(
          'UPDATE research_quotes SET why = ?, imported = ? WHERE id = ?',
          quote.why,
          quote.isImported === true ? 1 : 0,
          there.id,
        );
        return { session, quote: this.#quote(session.id, there.id) };
      }
      const count = this.count('SELECT count(*) AS count FROM research_quotes WHERE session_id = ?', session.id);
      if (count >= MAX_QUOTES)
        throw new CarrelError('limit_exceeded', 'This research has as many quotes as there may be. Remove some.');
      const id = newId('quo');
      this.db.run(
        `INSERT INTO research_quotes (id, session_id, source_id, snapshot_id, text_sha256, begins, ends, text, part, label,
           why, imported, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        id,
        session.id,
        quote.sourceId,
        quote.snapshotId,
        quote.textSha256,
        quote.start,
        quote.end,
        quote.text,
        quote.part,
        quote.label,
        quote.why,
        quote.isImported === true ? 1 : 0,
        now,
      );
      const added = this.#quote(session.id, id);
      this.#index.put({
        kind: 'quote',
        sessionId: session.id,
        itemId: id,
        title: quote.why,
        host: undefined,
        tags: [],
        date: new Date(now).toISOString(),
        parts: [{ part: 1, label: '', start: 0, text: quote.text }],
      });
      return { session, quote: added };
    });
  }

  /** Adds quotes as {@link add} does, in their order: all or none. @returns their ids */
  addAll(reference: string | undefined, quotes: readonly NewQuote[], now: number): string[] {
    return this.db.transaction(() => quotes.map((quote, index) => this.add(reference, quote, now + index).quote.id));
  }

  /** In the order in which they were added. @param source key or id; undefined for all */
  list(
    reference: string | undefined,
    source: string | undefined,
    limit: number,
    after: Position | undefined,
  ): { session: SessionRef; quotes: Quote[]; next: Position | undefined } {
    const session = this.desk(reference);
    const conditions = ['research_quotes.session_id = ?'];
    const values: (string | number)[] = [session.id];
    if (source !== undefined) {
      const found = this.db.first<{ id: string }>(
        'SELECT id FROM research_sources WHERE session_id = ?1 AND (id = ?2 OR key = ?2)',
        session.id,
        source,
      );
      if (!found) throw noSuchSource();
      conditions.push('research_quotes.source_id = ?');
      values.push(found.id);
    }
    if (after) {
      conditions.push('(created_at, research_quotes.id) > (?, ?)');
      values.push(...after);
    }
    const rows = this.db.all<QuoteRow>(
      `${SELECT} WHERE ${conditions.join(' AND ')} ORDER BY created_at, research_quotes.id LIMIT ?`,
      ...values,
      limit + 1,
    );
    const page = this.page(rows, limit, ({ createdAt }) => createdAt);
    return { session, quotes: page.rows.map(asQuote), next: page.next };
  }

  remove(reference: string | undefined, quote: string): { session: SessionRef; id: string } {
    const session = this.desk(reference);
    const { id } = this.#quote(session.id, quote);
    this.db.transaction(() => {
      this.db.run('DELETE FROM research_quotes WHERE id = ?', id);
      this.db.run('DELETE FROM research_links WHERE target_id = ?', id);
      this.#index.remove('quote', id);
    });
    return { session, id };
  }

  #quote(sessionId: string, id: string): Quote {
    const row = this.db.first<QuoteRow>(
      `${SELECT} WHERE research_quotes.session_id = ? AND research_quotes.id = ?`,
      sessionId,
      id,
    );
    if (!row) throw noSuchQuote();
    return asQuote(row);
  }
}

const asQuote = ({ imported, ...row }: QuoteRow): Quote => ({ ...row, isImported: imported === 1 });

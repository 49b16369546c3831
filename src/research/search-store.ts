import type { StoreContext } from '../workspace/storage.ts';
import { ResearchStore } from './base.ts';
import type { SessionRef } from './model.ts';
import { SearchIndex } from './search/search-rows.ts';
import type { SearchHit, SearchInput } from './search/search-rows.ts';

/** Something that was found, with what it is called. */
export interface Finding extends SearchHit {
  readonly session: SessionRef;
  /** The key of a source, or of the source of a quote; undefined for notes and sections. */
  readonly key: string | undefined;
  /** The title of a source or a note, the heading of a section. */
  readonly title: string;
}

export interface Findings {
  readonly findings: readonly Finding[];
  readonly next: number | undefined;
}

/** The title and the key of each kind, by id. */
const NAMES = {
  source: 'SELECT key, title FROM research_sources WHERE id = ?',
  quote: `SELECT key, title FROM research_quotes JOIN research_sources ON research_sources.id = source_id
    WHERE research_quotes.id = ?`,
  note: 'SELECT NULL AS key, title FROM research_notes WHERE id = ?',
  report: 'SELECT NULL AS key, heading AS title FROM research_sections WHERE id = ?',
} as const;

/** What is found in sources, quotes, notes and reports. */
export class SearchStore extends ResearchStore {
  readonly #index: SearchIndex;

  constructor(context: StoreContext) {
    super(context);
    this.#index = new SearchIndex(context.db);
  }

  /** @param reference undefined for the default session, null for all */
  search(reference: string | null | undefined, input: Omit<SearchInput, 'sessionId'>): Findings {
    const sessionId = reference === null ? undefined : this.desk(reference).id;
    const { hits, next } = this.#index.search({ ...input, sessionId });
    return {
      findings: hits.flatMap((hit) => {
        const name = this.db.first<{ key: string | null; title: string }>(NAMES[hit.kind], hit.itemId);
        const session = this.findSession(hit.sessionId);
        if (!name || !session) return [];
        const { id, slug, title } = session;
        return [{ ...hit, session: { id, slug, title }, key: name.key ?? undefined, title: name.title }];
      }),
      next,
    };
  }
}

import type { SchemaStep } from '../../workspace/schema.ts';

/** The tables of the search of researches. */
export const SEARCH_SCHEMA: readonly SchemaStep[] = [
  {
    name: 'research: search',
    // A row of the index is a passage. Its id says of which item it is and of which session that is (see
    // search-rows.ts), so that a session is a range of ids. The index keeps no text: it would be there twice. Its pages
    // are large, because what is billed is rows. Words come to it folded, with spaces between: its tokenizer need
    // not know more.
    sql: `
      CREATE TABLE research_search_sessions (session_id TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE research_search_items (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        item_id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        host TEXT,
        -- JSON
        tags TEXT NOT NULL,
        date TEXT
      ) STRICT;
      CREATE UNIQUE INDEX research_search_items_by_item ON research_search_items (kind, item_id);
      CREATE TABLE research_search_passages (
        id INTEGER PRIMARY KEY,
        part INTEGER NOT NULL,
        label TEXT NOT NULL,
        start INTEGER NOT NULL,
        text TEXT NOT NULL
      ) STRICT;
      CREATE VIRTUAL TABLE research_search USING fts5(
        title, text, content = '', contentless_delete = 1, tokenize = 'ascii'
      );
      INSERT INTO research_search (research_search, rank) VALUES ('pgsz', 16384);`,
  },
];

import type { SchemaStep } from '../workspace/schema.ts';

/** The tables that the stores of research share. */
export const RESEARCH_SCHEMA: readonly SchemaStep[] = [
  {
    name: 'research: desks, sources, snapshots, quotes, notes, reports',
    // What a source was gathered for is its session. An identity is what makes two addresses the same source: the
    // normalised address, a file, or the hash of a pasted text. A snapshot holds its two contents (content_holds).
    sql: `
      CREATE TABLE research_desks (
        session_id TEXT PRIMARY KEY,
        topic TEXT NOT NULL,
        question TEXT NOT NULL,
        guidelines TEXT NOT NULL,
        -- JSON: ids of files
        guideline_files TEXT NOT NULL,
        report_title TEXT NOT NULL,
        opened_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        archived_at INTEGER,
        -- While it comes in an archive: since when.
        importing_since INTEGER
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE research_sources (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        key TEXT NOT NULL,
        identity TEXT NOT NULL,
        url TEXT,
        host TEXT NOT NULL,
        title TEXT NOT NULL,
        state TEXT NOT NULL,
        rating INTEGER,
        tags TEXT NOT NULL,
        note TEXT NOT NULL,
        -- Whether they came in an archive: somebody else's words.
        tags_imported INTEGER NOT NULL,
        note_imported INTEGER NOT NULL,
        snapshot_id TEXT NOT NULL,
        added_at INTEGER NOT NULL,
        read_at INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX research_sources_by_key ON research_sources (session_id, key);
      CREATE UNIQUE INDEX research_sources_by_identity ON research_sources (session_id, identity);
      CREATE INDEX research_sources_by_time ON research_sources (session_id, added_at, id);
      CREATE INDEX research_sources_by_host ON research_sources (session_id, host, added_at, id);
      CREATE INDEX research_sources_unread ON research_sources (session_id, added_at, id) WHERE read_at IS NULL;

      CREATE TABLE research_snapshots (
        id TEXT PRIMARY KEY,
        source_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        origin TEXT NOT NULL,
        url TEXT,
        type TEXT NOT NULL,
        raw_sha256 TEXT NOT NULL,
        raw_size INTEGER NOT NULL,
        text_sha256 TEXT NOT NULL,
        text_size INTEGER NOT NULL,
        characters INTEGER NOT NULL,
        -- page, section or text; then where each begins, the headings, and what the document says of itself, as JSON
        unit TEXT NOT NULL,
        parts TEXT NOT NULL,
        outline TEXT NOT NULL,
        metadata TEXT NOT NULL,
        truncated INTEGER NOT NULL,
        taken_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX research_snapshots_by_source ON research_snapshots (source_id, number);

      CREATE TABLE research_quotes (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        source_id TEXT NOT NULL,
        snapshot_id TEXT NOT NULL,
        text_sha256 TEXT NOT NULL,
        begins INTEGER NOT NULL,
        ends INTEGER NOT NULL,
        text TEXT NOT NULL,
        part INTEGER NOT NULL,
        label TEXT NOT NULL,
        why TEXT NOT NULL,
        imported INTEGER NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX research_quotes_by_session ON research_quotes (session_id, created_at, id);
      CREATE INDEX research_quotes_by_source ON research_quotes (source_id, created_at, id);

      CREATE TABLE research_notes (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        tags TEXT NOT NULL,
        version INTEGER NOT NULL,
        -- Whether somebody else wrote it, and it came in an archive.
        imported INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX research_notes_by_time ON research_notes (session_id, created_at, id);
      CREATE TABLE research_links (
        note_id TEXT NOT NULL,
        target_id TEXT NOT NULL,
        PRIMARY KEY (note_id, target_id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX research_links_by_target ON research_links (target_id);

      CREATE TABLE research_sections (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        heading TEXT NOT NULL,
        level INTEGER NOT NULL,
        brief TEXT NOT NULL,
        text TEXT NOT NULL,
        version INTEGER NOT NULL,
        heading_imported INTEGER NOT NULL,
        text_imported INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX research_sections_by_place ON research_sections (session_id, position);
      CREATE TABLE research_citations (
        section_id TEXT NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (section_id, key)
      ) STRICT, WITHOUT ROWID;`,
  },
];

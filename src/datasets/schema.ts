import type { SchemaStep } from '../workspace/schema.ts';

/**
 * The object's own tables. The SQL of people never sees them: it runs in another SQLite, to which `blocks` are a disk.
 *
 * A block's id is its file's number times 2^24 and its own: one key, so that a block is one row that is written.
 */
export const DATASET_SCHEMA: readonly SchemaStep[] = [
  {
    name: 'datasets: create',
    sql: `
      CREATE TABLE datasets (
        name TEXT PRIMARY KEY,
        file INTEGER NOT NULL UNIQUE,
        about TEXT NOT NULL,
        rows INTEGER NOT NULL,
        bad_rows INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE imports (
        job TEXT PRIMARY KEY,
        file INTEGER NOT NULL UNIQUE,
        name TEXT NOT NULL,
        plan TEXT NOT NULL,
        state TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        step INTEGER NOT NULL,
        touched_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
      CREATE TABLE blocks (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
      CREATE TABLE spilled (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
      CREATE TABLE results (
        job TEXT PRIMARY KEY,
        number INTEGER NOT NULL UNIQUE,
        about TEXT,
        touched_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE result_parts (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;`,
  },
];

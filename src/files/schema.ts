import type { SchemaStep } from '../workspace/schema.ts';

/** The tables that the stores of files share. */
export const FILES_SCHEMA: readonly SchemaStep[] = [
  {
    name: 'files: index, uploads, loose objects',
    // A loose object is one in the bucket that no file owns: an attempt that is not committed yet,
    // or what a deleted file left. It stands here from before its first byte until it is gone. A
    // claimed one is to be removed and can no longer be committed.
    sql: `
      CREATE TABLE files (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        object_key TEXT NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX files_by_creation ON files (created_at DESC, id DESC);
      CREATE INDEX files_by_session ON files (session_id, created_at DESC, id DESC);
      CREATE TABLE file_uploads (
        file_id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT,
        size INTEGER NOT NULL,
        sha256 TEXT,
        expires_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX file_uploads_by_expiry ON file_uploads (expires_at);
      CREATE TABLE loose_objects (
        object_key TEXT PRIMARY KEY,
        file_id TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        claimed INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX loose_objects_by_due ON loose_objects (due_at);
      CREATE INDEX loose_objects_by_file ON loose_objects (file_id);`,
  },
  {
    // Equal bytes are one content, which versions of files refer to. A path is one live file's. Where a
    // session had several files of one name, the later ones bear their id before it. Uploads that were on
    // their way are asked for anew. Usage is kept by triggers: no statement that changes it can forget to.
    name: 'files: paths, versions, trash, contents, tags, usage',
    minReader: 2,
    sql: `
      CREATE TABLE contents (
        sha256 TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        object_key TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      INSERT INTO contents SELECT sha256, min(size), min(object_key) FROM files GROUP BY sha256;
      INSERT INTO loose_objects
        SELECT object_key, id, created_at, 1 FROM files WHERE object_key NOT IN (SELECT object_key FROM contents);

      CREATE TABLE file_versions (
        file_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        type TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (file_id, version)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX file_versions_by_content ON file_versions (sha256);
      INSERT INTO file_versions SELECT id, 1, type, size, sha256, created_at FROM files;

      CREATE TABLE shelf (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        path TEXT NOT NULL,
        version INTEGER NOT NULL,
        type TEXT NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        tags TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deleted_at INTEGER
      ) STRICT, WITHOUT ROWID;
      INSERT INTO shelf SELECT id, session_id,
          CASE row_number() OVER (PARTITION BY session_id, name ORDER BY created_at, id)
            WHEN 1 THEN name ELSE id || ' ' || name END,
          1, type, size, sha256, '[]', created_at, created_at, NULL FROM files;
      DROP TABLE files;
      ALTER TABLE shelf RENAME TO files;
      CREATE UNIQUE INDEX files_by_path ON files (session_id, path) WHERE deleted_at IS NULL;
      CREATE INDEX files_by_creation ON files (created_at, id) WHERE deleted_at IS NULL;
      CREATE INDEX files_by_session_creation ON files (session_id, created_at, id) WHERE deleted_at IS NULL;
      CREATE INDEX files_by_update ON files (updated_at, id) WHERE deleted_at IS NULL;
      CREATE INDEX files_by_session_update ON files (session_id, updated_at, id) WHERE deleted_at IS NULL;
      CREATE INDEX files_by_size ON files (size, id) WHERE deleted_at IS NULL;
      CREATE INDEX files_by_session_size ON files (session_id, size, id) WHERE deleted_at IS NULL;
      CREATE INDEX files_in_trash ON files (deleted_at, id) WHERE deleted_at IS NOT NULL;

      CREATE TABLE file_aliases (alias TEXT PRIMARY KEY, file_id TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX file_aliases_by_file ON file_aliases (file_id);

      DROP TABLE file_uploads;
      CREATE TABLE file_uploads (
        id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        path TEXT NOT NULL,
        type TEXT,
        size INTEGER NOT NULL,
        sha256 TEXT,
        if_exists TEXT NOT NULL,
        expected_version INTEGER,
        tags TEXT,
        file_id TEXT NOT NULL,
        expires_at INTEGER NOT NULL,
        -- Of one that was committed: its object, whose attempt may ask again, and what became of it.
        object_key TEXT,
        committed_file_id TEXT,
        committed_version INTEGER
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX file_uploads_by_expiry ON file_uploads (expires_at);
      ALTER TABLE loose_objects RENAME COLUMN file_id TO upload_id;

      CREATE TABLE file_usage (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        bytes INTEGER NOT NULL,
        files INTEGER NOT NULL
      ) STRICT;
      INSERT INTO file_usage SELECT 1, (SELECT coalesce(sum(size), 0) FROM contents), (SELECT count(*) FROM files);
      CREATE TRIGGER contents_come AFTER INSERT ON contents BEGIN
        UPDATE file_usage SET bytes = bytes + new.size;
      END;
      CREATE TRIGGER contents_go AFTER DELETE ON contents BEGIN
        UPDATE file_usage SET bytes = bytes - old.size;
      END;
      CREATE TRIGGER files_come AFTER INSERT ON files BEGIN
        UPDATE file_usage SET files = files + 1;
      END;
      CREATE TRIGGER files_go AFTER DELETE ON files BEGIN
        UPDATE file_usage SET files = files - 1;
      END;`,
  },
  {
    // An upload in parts is a multipart upload of R2. It has its object's key from the beginning.
    name: 'files: uploads in parts',
    sql: `
      ALTER TABLE file_uploads ADD COLUMN multipart_id TEXT;
      ALTER TABLE file_uploads ADD COLUMN state TEXT;
      ALTER TABLE file_uploads ADD COLUMN problem TEXT;
      CREATE INDEX file_uploads_by_state ON file_uploads (state) WHERE state IS NOT NULL;
      CREATE TABLE upload_parts (
        upload_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        etag TEXT NOT NULL,
        PRIMARY KEY (upload_id, number)
      ) STRICT, WITHOUT ROWID;`,
  },
  {
    // What files say, and what they are called. Triggers follow the contents and the paths, whoever changes
    // them: an index that has what is gone would find files that nobody may see any more.
    name: 'files: text and search',
    sql: `
      CREATE INDEX files_by_content ON files (sha256) WHERE deleted_at IS NULL;
      CREATE TABLE content_texts (
        sha256 TEXT PRIMARY KEY,
        -- pending, text, or why there is none
        state TEXT NOT NULL,
        unit TEXT,
        title TEXT,
        truncated INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX content_texts_pending ON content_texts (state) WHERE state = 'pending';
      INSERT INTO content_texts (sha256, state, truncated) SELECT sha256, 'pending', 0 FROM contents;
      CREATE TABLE content_parts (
        id INTEGER PRIMARY KEY,
        sha256 TEXT NOT NULL,
        number INTEGER NOT NULL,
        label TEXT NOT NULL,
        text TEXT NOT NULL
      ) STRICT;
      CREATE UNIQUE INDEX content_parts_by_content ON content_parts (sha256, number);
      CREATE VIRTUAL TABLE text_search USING fts5(
        text, content = 'content_parts', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
      );
      CREATE TRIGGER parts_come AFTER INSERT ON content_parts BEGIN
        INSERT INTO text_search (rowid, text) VALUES (new.id, new.text);
      END;
      CREATE TRIGGER parts_go AFTER DELETE ON content_parts BEGIN
        INSERT INTO text_search (text_search, rowid, text) VALUES ('delete', old.id, old.text);
      END;
      CREATE TRIGGER texts_come AFTER INSERT ON contents BEGIN
        INSERT INTO content_texts (sha256, state, truncated) VALUES (new.sha256, 'pending', 0);
      END;
      CREATE TRIGGER texts_go AFTER DELETE ON contents BEGIN
        DELETE FROM content_texts WHERE sha256 = old.sha256;
        DELETE FROM content_parts WHERE sha256 = old.sha256;
      END;

      CREATE TABLE file_names (
        id INTEGER PRIMARY KEY,
        file_id TEXT NOT NULL UNIQUE,
        path TEXT NOT NULL
      ) STRICT;
      CREATE VIRTUAL TABLE name_search USING fts5(
        path, content = 'file_names', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
      );
      CREATE TRIGGER names_come AFTER INSERT ON file_names BEGIN
        INSERT INTO name_search (rowid, path) VALUES (new.id, new.path);
      END;
      CREATE TRIGGER names_go AFTER DELETE ON file_names BEGIN
        INSERT INTO name_search (name_search, rowid, path) VALUES ('delete', old.id, old.path);
      END;
      CREATE TRIGGER files_named AFTER INSERT ON files WHEN new.deleted_at IS NULL BEGIN
        INSERT INTO file_names (file_id, path) VALUES (new.id, new.path);
      END;
      CREATE TRIGGER files_renamed AFTER UPDATE ON files
        WHEN old.path <> new.path OR old.deleted_at IS NOT new.deleted_at BEGIN
        DELETE FROM file_names WHERE file_id = old.id;
        INSERT INTO file_names (file_id, path) SELECT new.id, new.path WHERE new.deleted_at IS NULL;
      END;
      CREATE TRIGGER files_unnamed AFTER DELETE ON files BEGIN
        DELETE FROM file_names WHERE file_id = old.id;
      END;
      INSERT INTO file_names (file_id, path) SELECT id, path FROM files WHERE deleted_at IS NULL;`,
  },
  {
    name: 'files: how often the text of a content was tried',
    sql: 'ALTER TABLE content_texts ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;',
  },
  {
    // An upload by tus comes from its beginning to its end, in pieces of any length. What of it fills parts is in
    // upload_parts, the rest in an object of its own, the tail. A part's number is given out once and for all. The
    // turn is the request that may add bytes, the one that began last; it is busy until that ends.
    name: 'files: uploads by tus',
    sql: `
      ALTER TABLE file_uploads ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE file_uploads ADD COLUMN tail_key TEXT;
      ALTER TABLE file_uploads ADD COLUMN numbers INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE file_uploads ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE file_uploads ADD COLUMN busy INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE file_uploads ADD COLUMN metadata TEXT;`,
  },
  {
    // What has bytes and is no file. A content that such a one had before a file did was not read for its text.
    name: 'files: contents that other features hold',
    sql: `
      CREATE TABLE content_holds (
        holder TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (holder, sha256)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX content_holds_by_content ON content_holds (sha256);`,
  },
  {
    name: 'files: what the steps of jobs store once',
    sql: `
      CREATE TABLE file_once (
        name TEXT PRIMARY KEY,
        upload_id TEXT NOT NULL,
        file_id TEXT,
        begun_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;`,
  },
];

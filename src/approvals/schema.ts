import type { SchemaStep } from '../workspace/schema.ts';

export const APPROVALS_SCHEMA: readonly SchemaStep[] = [
  {
    name: 'approvals: create',
    sql: `
      -- JSON.
      CREATE TABLE approval_rules (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), rules TEXT NOT NULL) STRICT;
      CREATE TABLE approvals (
        id TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        summary TEXT NOT NULL,
        tool TEXT NOT NULL,
        destructive INTEGER NOT NULL,
        -- Its beginning: the hash is of all of it.
        arguments TEXT NOT NULL,
        arguments_length INTEGER NOT NULL,
        arguments_sha256 TEXT NOT NULL,
        hash TEXT NOT NULL,
        -- JSON: how the call names the files, and what they were.
        targets TEXT NOT NULL,
        files TEXT NOT NULL,
        file_count INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        grant_id TEXT NOT NULL,
        client_id TEXT NOT NULL,
        person_id TEXT NOT NULL,
        request_id TEXT NOT NULL,
        job_id TEXT,
        step TEXT,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        decided_at INTEGER,
        decided_by TEXT,
        -- Of the call that used it up, and whether that has begun.
        claim TEXT,
        begun INTEGER NOT NULL DEFAULT 0
      ) STRICT;
      CREATE INDEX approvals_by_status ON approvals (status, expires_at);
      CREATE INDEX approvals_by_age ON approvals (created_at);
      CREATE INDEX approvals_by_call ON approvals (grant_id, tool, arguments_sha256);
      CREATE UNIQUE INDEX approvals_by_claim ON approvals (claim) WHERE claim IS NOT NULL;
      CREATE INDEX approvals_by_job ON approvals (job_id, step) WHERE job_id IS NOT NULL;`,
  },
];

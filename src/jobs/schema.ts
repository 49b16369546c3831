import type { SchemaStep } from '../workspace/schema.ts';

/**
 * `jobs` are the records. `job_steps` says what each step gave, so that no later run does it again; `job_writes` what
 * the calls of a step under way have written, so that it is written once.
 */
export const JOB_SCHEMA: readonly SchemaStep[] = [
  {
    name: 'jobs: create',
    sql: `
      CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        definition TEXT NOT NULL,
        source TEXT,
        session_id TEXT NOT NULL,
        input TEXT NOT NULL,
        idempotency_key TEXT,
        status TEXT NOT NULL,
        paused_because TEXT,
        run INTEGER NOT NULL DEFAULT 0,
        launched_run INTEGER NOT NULL DEFAULT 0,
        stalls INTEGER NOT NULL DEFAULT 0,
        nudged INTEGER NOT NULL DEFAULT 0,
        due_at INTEGER,
        revision INTEGER NOT NULL DEFAULT 1,
        done REAL NOT NULL DEFAULT 0,
        total REAL,
        message TEXT,
        current_step TEXT,
        steps INTEGER NOT NULL DEFAULT 0,
        begun INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        waiting TEXT,
        result TEXT,
        error TEXT,
        person_id TEXT NOT NULL,
        workspace_id TEXT NOT NULL,
        grant_id TEXT,
        client_id TEXT NOT NULL,
        label TEXT NOT NULL,
        scopes TEXT NOT NULL,
        origin TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        started_at INTEGER,
        updated_at INTEGER NOT NULL,
        finished_at INTEGER
      ) STRICT;
      CREATE INDEX jobs_by_time ON jobs (created_at, id);
      CREATE INDEX jobs_by_status ON jobs (status, created_at, id);
      CREATE INDEX jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;
      CREATE INDEX jobs_by_end ON jobs (finished_at) WHERE finished_at IS NOT NULL;
      CREATE INDEX jobs_by_source ON jobs (source, created_at) WHERE source IS NOT NULL;
      CREATE UNIQUE INDEX jobs_by_key ON jobs (client_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
      CREATE TABLE job_steps (
        job_id TEXT NOT NULL,
        name TEXT NOT NULL,
        number INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        input TEXT,
        outcome TEXT,
        error TEXT,
        wait TEXT,
        started_at INTEGER NOT NULL,
        finished_at INTEGER,
        PRIMARY KEY (job_id, name)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX job_steps_by_number ON job_steps (job_id, number);
      CREATE TABLE job_writes (
        job_id TEXT NOT NULL,
        step TEXT NOT NULL,
        call TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (job_id, step, call)
      ) STRICT, WITHOUT ROWID;`,
  },
];
